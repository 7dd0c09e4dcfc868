//! Rasters against areas and counted points.

use std::f64::consts::PI;

use vitrine::demos::face_drawing::drawing::{Drawing, Frame, Ink, Point, Stroke, svg};
use vitrine::rng::Rng;

use super::support::{distance_to, drawing, noisy_circle, read, stroke, wild_drawing};

#[test]
fn a_line_has_the_area_of_its_rectangle_and_two_half_discs() {
    for side in [128, 256, 512] {
        for width in [1.5_f32, 3.0, 6.0, 17.0] {
            for angle in [0.0_f32, 0.1, 0.7, 1.3, 1.6] {
                let (from, length) = ([201.3, 140.7], 190.0);
                let to = [
                    from[0] + length * angle.cos(),
                    from[1] + length * angle.sin(),
                ];
                let ink = Ink::of(&drawing(&[stroke(&[from, to], width)]), side);
                let scale = side as f64 / 512.0;
                let sum: f64 = ink.values.iter().map(|&v| f64::from(v)).sum();
                let area = sum / (scale * scale);
                let width = f64::from(width);
                let exact = width * f64::from(length) + PI * width * width / 4.0;
                assert!(
                    (area / exact - 1.0).abs() < 0.01,
                    "{side} pixels, {width} wide, turned by {angle}: {area} for {exact}"
                );
            }
        }
    }
}

/// How much of a pixel lies within a distance of a segment, by counting points.
fn counted([a, b]: [[f32; 2]; 2], radius: f32, column: usize, row: usize) -> f32 {
    const FINE: usize = 16;
    let line = [Point::from(a), Point::from(b)];
    let inside = (0..FINE * FINE).filter(|at| {
        let fine = |at: usize| (at as f32 + 0.5) / FINE as f32;
        let place = Point::new(
            column as f32 + fine(at % FINE),
            row as f32 + fine(at / FINE),
        );
        distance_to(&line, place) <= radius
    });
    inside.count() as f32 / (FINE * FINE) as f32
}

#[test]
fn pixels_are_covered_as_counted_points_say() {
    let ends = [[20.3, 31.2], [96.1, 70.9]];
    for radius in [0.4_f32, 1.0, 5.0] {
        let scaled = ends.map(|end: [f32; 2]| end.map(|v| v * 4.0));
        let ink = Ink::of(&drawing(&[stroke(&scaled, radius * 8.0)]), 128);
        let (mut most, mut sum) = (0.0_f32, 0.0);
        for (at, value) in ink.values.iter().enumerate() {
            let off = (counted(ends, radius, at % 128, at / 128) - value).abs();
            most = most.max(off);
            sum += off;
        }
        let touched = ink.values.iter().filter(|&&v| v > 0.0).count() as f32;
        assert!(most < 0.25, "{radius}: {most}");
        assert!(sum / touched < 0.06, "{radius}: {}", sum / touched);
    }
}

#[test]
fn a_dot_is_a_disc() {
    let ink = Ink::of(&drawing(&[stroke(&[[256.0, 256.0]], 20.0)]), 512);
    let area: f32 = ink.values.iter().sum();
    assert!(
        (area / (100.0 * std::f32::consts::PI) - 1.0).abs() < 0.01,
        "{area}"
    );
}

#[test]
fn a_mirrored_drawing_gives_the_mirrored_picture() {
    let face = wild_drawing(5, 20);
    for side in [128, 256] {
        let ink = Ink::of(&face, side);
        let mirrored = Ink::of(&face.mirrored(), side);
        for (row, other) in ink.values.chunks(side).zip(mirrored.values.chunks(side)) {
            for (a, b) in row.iter().zip(other.iter().rev()) {
                assert!((a - b).abs() < 2e-3, "{a} and {b}");
            }
        }
    }
}

#[test]
fn the_eraser_takes_away_what_was_there_and_nothing_that_comes_later() {
    let line = stroke(&[[100.0, 256.0], [400.0, 256.0]], 8.0);
    let rubbed = Stroke {
        eraser: true,
        ..stroke(&[[256.0, 100.0], [256.0, 400.0]], 40.0)
    };
    let at = |ink: &Ink, x: usize, y: usize| ink.values[y * ink.side + x];
    let after = Ink::of(&drawing(&[line.clone(), rubbed.clone()]), 512);
    assert_eq!(at(&after, 256, 256), 0.0);
    assert_eq!(at(&after, 150, 256), 1.0);
    let before = Ink::of(&drawing(&[rubbed, line]), 512);
    assert_eq!(at(&before, 256, 256), 1.0);
}

#[test]
fn a_stroke_that_grows_is_drawn_by_its_new_segments() {
    let whole = wild_drawing(9, 1).strokes.remove(0);
    let mut grown = Ink::empty(128);
    let mut part = Stroke {
        points: Vec::new(),
        ..whole.clone()
    };
    for point in &whole.points {
        part.points.push(*point);
        if let Some(last) = part.points.len().checked_sub(2) {
            grown.stroke_from(&part, last);
        }
    }
    assert!(grown == Ink::of(&drawing(&[whole]), 128));
}

#[test]
fn a_part_of_a_raster_shows_what_the_whole_has_there() {
    let face = wild_drawing(4, 12);
    let whole = Ink::of(&face, 256);
    let frame = Frame {
        size: [256, 256],
        scale: 0.5,
        offset: [0.0, 0.0],
    };
    let (corner, size) = ([40, 70], [100, 90]);
    let part = frame.part(corner, size);
    let mut values = vec![0.0; size[0] * size[1]];
    for stroke in &face.strokes {
        part.stroke(&mut values, stroke, 0);
        // Where a stroke is not said to be, it is not.
        let [columns, rows] = frame.touched(stroke);
        let alone = Ink::of(&drawing(std::slice::from_ref(stroke)), 256);
        let inked = |at: &usize| alone.values[*at] > 0.0;
        for at in (0..256 * 256).filter(inked) {
            assert!(columns.contains(&(at % 256)) && rows.contains(&(at / 256)));
        }
    }
    for (at, value) in values.iter().enumerate() {
        let (x, y) = (at % size[0] + corner[0], at / size[0] + corner[1]);
        assert!((value - whole.values[y * 256 + x]).abs() < 1e-4);
    }
}

#[test]
fn strokes_outside_of_the_sheet_do_no_harm() {
    let far = stroke(&[[-3000.0, -2000.0], [4000.0, 3000.0], [900.0, -50.0]], 3.0);
    let ink = Ink::of(&drawing(&[far]), 128);
    assert!(ink.values.iter().all(|v| (0.0..=1.0).contains(v)));
    assert!(ink.values.iter().any(|v| *v > 0.0));
}

/// Prints what things cost: `cargo test --test sketch_drawing -- --ignored --nocapture costs`.
#[test]
#[ignore = "measures times"]
fn costs() {
    let time = |name: &str, mut work: Box<dyn FnMut()>| {
        work();
        let mut times: Vec<f64> = (0..40)
            .map(|_| {
                let start = std::time::Instant::now();
                work();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{name}: {:.3} ms", times[times.len() / 2]);
    };
    let face = wild_drawing(1, 60);
    for side in [128, 256, 512] {
        let face = face.clone();
        let name = format!("60 strokes of 40 points at {side} pixels");
        time(&name, Box::new(move || drop(Ink::of(&face, side))));
    }
    let text = svg::write(&face);
    println!("the SVG has {} bytes", text.len());
    time("writing it", Box::new(move || drop(svg::write(&face))));
    time("reading it", Box::new(move || drop(read(&text))));
    for count in [100, 1000, 10_000] {
        let trail = noisy_circle(count, 0.5, 3);
        let name = format!("finishing a trail of {count} points");
        time(&name, Box::new(move || drop(trail.finish())));
    }
}

#[test]
fn ink_is_never_more_than_all_of_a_pixel() {
    let mut rng = Rng::new(31);
    for _ in 0..200 {
        let points = (0..12)
            .map(|_| {
                Point::new(
                    (512.0 * rng.uniform()) as f32,
                    (512.0 * rng.uniform()) as f32,
                )
            })
            .collect();
        let drawing = Drawing {
            strokes: vec![Stroke {
                points,
                width: (1.0 + 12.0 * rng.uniform()) as f32,
                eraser: false,
            }],
        };
        let ink = Ink::of(&drawing, 128);
        assert!(ink.values.iter().all(|v| (0.0..=1.0).contains(v)));
    }
}
