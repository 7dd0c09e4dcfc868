//! Pictures of drawings.

use vitrine::data::Image;
use vitrine::demos::face_drawing::drawing::{
    Drawing, Frame, Ink, Scan, Sketch, Stroke, read_sketch, svg,
};

use super::support::{grey, lines_only, pictured, stroke};

#[track_caller]
fn reads_as(face: &Drawing, image: &Image, mean: f32) {
    let scan = Scan::of(image).expect("has lines");
    let (read, true_ink) = (scan.ink(128), Ink::of(face, 128));
    let off = read
        .values
        .iter()
        .zip(&true_ink.values)
        .map(|(a, b)| (a - b).abs());
    let inked: f32 = true_ink.values.iter().sum();
    let off = off.sum::<f32>() / inked;
    assert!(off < mean, "off by {off} of the ink");
}

#[test]
fn scans_give_the_ink_of_their_lines_whatever_paper_and_light() {
    let face = lines_only();
    reads_as(
        &face,
        &pictured(&face, 512, |ink, _, _| grey(1.0 - ink)),
        0.02,
    );
    // Light on dark, as dark mode shows it.
    reads_as(
        &face,
        &pictured(&face, 512, |ink, _, _| grey(0.1 + 0.8 * ink)),
        0.03,
    );
    // On nothing: dark lines, and light ones.
    let clear = |level: u8| move |ink: f32, _, _| [level, level, level, (ink * 255.0) as u8];
    reads_as(&face, &pictured(&face, 512, clear(0)), 0.03);
    reads_as(&face, &pictured(&face, 512, clear(255)), 0.03);
    // Pencil on grey paper under a lamp at one side.
    let lamp = |ink: f32, x: f32, y: f32| grey((0.9 - 0.25 * x - 0.1 * y) * (1.0 - 0.6 * ink));
    reads_as(&face, &pictured(&face, 512, lamp), 0.12);
    // Half as large.
    reads_as(
        &face,
        &pictured(&face, 256, |ink, _, _| grey(1.0 - ink)),
        0.03,
    );
}

#[test]
fn paper_with_grain_stays_white() {
    let face = lines_only();
    let grain = |ink: f32, x: f32, y: f32| {
        let noise = ((x * 9871.0).sin() * 43758.5 + (y * 6173.0).sin() * 22578.1).fract() * 0.03;
        grey((0.85 + noise) * (1.0 - 0.8 * ink))
    };
    let image = pictured(&face, 512, grain);
    reads_as(&face, &image, 0.15);
    let scan = Scan::of(&image).expect("has lines").ink(128);
    let clean = scan.values.iter().filter(|v| **v < 0.02).count();
    assert!(clean > 128 * 128 / 2, "{clean}");
}

#[test]
fn a_picture_without_lines_is_no_sketch() {
    for level in [0.0, 0.4, 0.97, 1.0] {
        let error = Scan::of(&pictured(&Drawing::default(), 64, |_, _, _| grey(level)));
        let said = error.expect_err("is refused").to_string();
        assert!(said.contains("no lines"), "{said}");
    }
}

#[test]
fn a_wide_picture_lies_in_the_middle() {
    let mut rgba = vec![255; 400 * 100 * 4];
    for x in 0..400 {
        rgba[(50 * 400 + x) * 4..][..3].fill(0);
    }
    let ink = Scan::of(&Image::new(400, 100, rgba).expect("fits"))
        .expect("a line")
        .ink(128);
    let row_sum = |row: usize| ink.values[row * 128..(row + 1) * 128].iter().sum::<f32>();
    let most = (0..128).max_by(|a, b| row_sum(*a).total_cmp(&row_sum(*b)));
    assert_eq!(most, Some(64));
    assert!(row_sum(20) == 0.0 && row_sum(100) == 0.0);
}

#[test]
fn a_scan_is_the_same_on_every_raster() {
    let face = lines_only();
    let image = pictured(&face, 512, |ink, _, _| grey(1.0 - ink));
    let scan = Scan::of(&image).expect("lines");
    let plain = scan.ink(512).values;
    let frame = |scale: f32, offset: [f32; 2]| Frame {
        size: [300, 200],
        scale,
        offset,
    };
    let shifted = scan.on(&frame(1.0, [-100.0, -150.0]));
    let double = scan.on(&frame(2.0, [-200.0, -300.0]));
    for (x, y) in [(0, 0), (77, 13), (140, 90)] {
        let exact = plain[(y + 150) * 512 + x + 100];
        assert!((shifted[y * 300 + x] - exact).abs() < 1e-4);
        // Each pixel became four, around its middle.
        let four = [0, 1, 300, 301].map(|at| double[2 * y * 300 + 2 * x + at]);
        assert!(four.iter().all(|v| (0.0..=1.0).contains(v)), "{four:?}");
    }
    let inked: f32 = double.iter().sum();
    let same: f32 = (0..100 * 150)
        .map(|at| plain[(at / 150 + 150) * 512 + at % 150 + 100])
        .sum();
    assert!(
        (inked / 4.0 / same - 1.0).abs() < 0.05,
        "{inked} and {same}"
    );
}

#[test]
fn sketches_are_read_by_their_content_and_stored_in_sessions() {
    let folder = tempfile::tempdir().expect("a folder");
    let face = lines_only();
    let drawn = folder.path().join("drawn.txt");
    vitrine::store::atomic_write(&drawn, svg::write(&face).as_bytes()).expect("writes");
    let read = read_sketch(&drawn).expect("an SVG");
    assert_eq!(read.drawing.strokes.len(), face.strokes.len());
    assert_eq!(read.ink(128).values.len(), 128 * 128);
    let scanned = folder.path().join("scanned");
    let png = pictured(&face, 300, |ink, _, _| grey(1.0 - ink))
        .encode_png()
        .expect("encodes");
    vitrine::store::atomic_write(&scanned, &png).expect("writes");
    let mut sketch = read_sketch(&scanned).expect("a PNG");
    assert!(sketch.scan.is_some() && sketch.drawing.strokes.is_empty());
    // The eraser takes the scan away too.
    sketch.drawing.strokes.push(Stroke {
        eraser: true,
        ..stroke(&[[0.0, 256.0], [512.0, 256.0]], 512.0)
    });
    assert!(sketch.ink(128).values.iter().sum::<f32>() < 1.0);
    let text = serde_json::to_string(&sketch).expect("writes");
    assert!(serde_json::from_str::<Sketch>(&text).expect("reads") == sketch);
    let damaged = text.replacen("\"scan\":\"78", "\"scan\":\"79", 1);
    assert!(serde_json::from_str::<Sketch>(&damaged).is_err());
    let other = folder.path().join("other.png");
    vitrine::store::atomic_write(&other, b"no picture at all").expect("writes");
    let said = read_sketch(&other).expect_err("is refused").to_string();
    assert!(said.contains("other.png"), "{said}");
}
