//! Drawings: rasters against areas and counted points, curves, files of other programs against points
//! worked out by hand, damaged files, scans, undo.

#![expect(
    clippy::float_cmp,
    reason = "what is neither computed nor rounded stays as it was"
)]

use std::f64::consts::PI;
use std::path::Path;

use proptest::prelude::*;
use vitrine::Error;
use vitrine::data::Image;
use vitrine::demos::face_drawing::drawing::{
    Drawing, Frame, History, Ink, MAX_POINTS, MAX_STROKES, Point, Scan, Sketch, Stroke, Trail,
    finished, read_sketch, svg,
};
use vitrine::rng::Rng;

fn stroke(points: &[[f32; 2]], width: f32) -> Stroke {
    Stroke {
        points: points.iter().map(|&p| Point::from(p)).collect(),
        width,
        eraser: false,
    }
}

fn drawing(strokes: &[Stroke]) -> Drawing {
    Drawing {
        strokes: strokes.to_vec(),
    }
}

fn read(text: &str) -> Result<Drawing, Error> {
    svg::read(text.as_bytes(), Path::new("drawn.svg"))
}

/// Reads what lies in an SVG whose units are the sheet's.
fn strokes_of(inside: &str) -> Vec<Stroke> {
    let text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 512 512' fill='none' \
         stroke='black'>{inside}</svg>"
    );
    read(&text).expect("reads").strokes
}

fn distance_to(line: &[Point], point: Point) -> f32 {
    let segment = |pair: &[Point]| {
        let (a, b) = (pair[0], pair[1]);
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let along = (point.x - a.x) * dx + (point.y - a.y) * dy;
        let at = (along / (dx * dx + dy * dy).max(1e-12)).clamp(0.0, 1.0);
        Point::new(a.x + at * dx, a.y + at * dy).distance(point)
    };
    let ends = line.iter().map(|p| p.distance(point));
    line.windows(2)
        .map(segment)
        .chain(ends)
        .fold(f32::INFINITY, f32::min)
}

// --- Rasters --------------------------------------------------------------------------------------

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

/// Strokes as a hand draws them: arcs of many points.
fn wild_drawing(seed: u64, strokes: usize) -> Drawing {
    let mut rng = Rng::new(seed);
    let stroke = |_| {
        let mut number = |from: f64, to: f64| from + (to - from) * rng.uniform();
        let (x, y) = (number(90.0, 420.0), number(90.0, 420.0));
        let (radius, start, turn) = (number(10.0, 80.0), number(0.0, 6.0), number(1.0, 5.0));
        let points = (0..40).map(|at| {
            let angle = start + turn * f64::from(at) / 39.0;
            let (x, y) = (x + radius * angle.cos(), y + radius * angle.sin());
            Point::new(x as f32, y as f32)
        });
        Stroke {
            points: points.collect(),
            width: number(2.0, 5.0) as f32,
            eraser: number(0.0, 1.0) < 0.2,
        }
    };
    Drawing {
        strokes: (0..strokes).map(stroke).collect(),
    }
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

// --- Curves ---------------------------------------------------------------------------------------

/// A circle of radius 100 drawn by a hand that trembles this much.
fn noisy_circle(count: usize, noise: f64, seed: u64) -> Trail {
    let mut rng = Rng::new(seed);
    let mut trail = Trail::default();
    for at in 0..count {
        let angle = 5.5 * at as f64 / count as f64;
        let radius = 100.0 + noise * (2.0 * rng.uniform() - 1.0);
        let (x, y) = (radius * angle.cos(), radius * angle.sin());
        trail.push(Point::new((256.0 + x) as f32, (256.0 + y) as f32));
    }
    trail
}

#[test]
fn a_circle_is_fitted_closely_with_few_points() {
    for count in [60, 300, 2000] {
        let line = noisy_circle(count, 0.0, 1).finish();
        let middle = Point::new(256.0, 256.0);
        for point in &line {
            assert!((point.distance(middle) - 100.0).abs() < 0.7, "{point:?}");
        }
        assert!((20..160).contains(&line.len()), "{count}: {}", line.len());
    }
}

#[test]
fn trembling_is_smoothed() {
    // Noise of at most 0.8 has a deviation of 0.46.
    let trail = noisy_circle(400, 0.8, 4);
    let deviation = |points: &[Point]| {
        let off = |p: &Point| f64::from(p.distance(Point::new(256.0, 256.0)) - 100.0).powi(2);
        (points.iter().map(off).sum::<f64>() / points.len() as f64).sqrt()
    };
    let (raw, streamed) = (deviation(trail.raw()), deviation(trail.points()));
    let line = trail.finish();
    let fitted = deviation(&line);
    assert!((raw - 0.46).abs() < 0.05, "{raw}");
    assert!(streamed < 0.75 * raw, "{streamed} of {raw}");
    assert!(fitted < 0.65 * raw, "{fitted} of {raw}");
    // No point of the line turns sharply.
    for three in line.windows(3) {
        let (a, b) = (three[0], three[1]);
        let (ux, uy) = (b.x - a.x, b.y - a.y);
        let (vx, vy) = (three[2].x - b.x, three[2].y - b.y);
        let cosine = (ux * vx + uy * vy) / (ux.hypot(uy) * vx.hypot(vy));
        assert!(cosine > 0.7, "{three:?}");
    }
}

#[test]
fn the_pen_is_where_the_line_ends() {
    let mut trail = Trail::new(Point::new(10.0, 10.0));
    for at in 1..50 {
        let here = Point::new(10.0 + at as f32 * 3.0, 10.0 + (at % 2) as f32);
        assert!(trail.push(here));
        assert_eq!(trail.points().last(), Some(&here));
        assert_eq!(trail.points().len(), at + 1);
    }
    assert!(!trail.push(Point::new(157.0, 11.0)), "it has not moved");
    assert!(!trail.push(Point::new(f32::NAN, 0.0)));
}

#[test]
fn dots_lines_and_corners_stay_what_they_are() {
    let dot = Point::new(3.0, 4.0);
    assert_eq!(Trail::new(dot).finish(), [dot]);
    assert_eq!(finished(&[]), []);
    let line = finished(
        &(0..60)
            .map(|at| Point::new(at as f32 * 5.0, 9.0))
            .collect::<Vec<_>>(),
    );
    assert_eq!(line.first(), Some(&Point::new(0.0, 9.0)));
    assert_eq!(line.last(), Some(&Point::new(295.0, 9.0)));
    assert!(
        line.len() <= 4 && line.iter().all(|p| p.y == 9.0),
        "{line:?}"
    );
    let mut corner: Vec<Point> = (0..40)
        .map(|at| Point::new(100.0 + at as f32, 100.0))
        .collect();
    corner.extend((0..40).map(|at| Point::new(140.0, 100.0 + at as f32)));
    let line = finished(&corner);
    let tip = Point::new(140.0, 100.0);
    assert!(distance_to(&line, tip) < 0.3, "{line:?}");
    for point in &corner {
        assert!(distance_to(&line, *point) < 0.7, "{point:?}");
    }
}

fn any_point() -> impl Strategy<Value = Point> {
    (-40.0_f32..552.0, -40.0_f32..552.0).prop_map(|(x, y)| Point::new(x, y))
}

/// A walk as a pen makes it, with rests and jumps.
fn any_trail() -> impl Strategy<Value = Vec<Point>> {
    let step = (
        -1.0_f32..1.0,
        -1.0_f32..1.0,
        prop_oneof![Just(0.0_f32), 0.1_f32..3.0, Just(60.0)],
    );
    (any_point(), prop::collection::vec(step, 0..300)).prop_map(|(start, steps)| {
        let mut points = vec![start];
        for (x, y, length) in steps {
            let last = points[points.len() - 1];
            points.push(Point::new(last.x + x * length, last.y + y * length));
        }
        points
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_finished_line_stays_near_its_trail(points in any_trail()) {
        let mut trail = Trail::default();
        for point in &points {
            trail.push(*point);
        }
        let line = trail.finish();
        prop_assert!(!line.is_empty());
        for point in trail.points() {
            // What lies nearer together than 1.5 units is thinned, what trembles is moved by 0.6, and
            // the curve is fitted within 0.5, or 1 at the worst.
            prop_assert!(distance_to(&line, *point) < 3.0, "{point:?}");
        }
        let stroke = Stroke { points: line, width: 3.0, eraser: false };
        prop_assert!(drawing(&[stroke]).check().is_ok());
    }

    #[test]
    fn a_drawing_comes_back_from_its_svg(
        lines in prop::collection::vec(
            (prop::collection::vec(any_point(), 1..40), 0.2_f32..60.0, any::<bool>()),
            1..12,
        ),
    ) {
        let strokes: Vec<Stroke> = lines
            .into_iter()
            .map(|(points, width, eraser)| Stroke { points, width, eraser })
            .collect();
        same_after_svg(&drawing(&strokes))?;
    }
}

fn same_after_svg(before: &Drawing) -> Result<(), TestCaseError> {
    let text = svg::write(before);
    let after = read(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(after.strokes.len(), before.strokes.len());
    for (a, b) in before.strokes.iter().zip(&after.strokes) {
        prop_assert_eq!(a.width, b.width);
        prop_assert_eq!(a.eraser, b.eraser);
        prop_assert_eq!(a.points.len(), b.points.len());
        for (a, b) in a.points.iter().zip(&b.points) {
            prop_assert!(a.distance(*b) < 1e-3, "{:?} became {:?}", a, b);
        }
    }
    prop_assert_eq!(svg::write(&after), text);
    Ok(())
}

#[test]
fn drawings_made_with_the_pen_come_back_from_their_svg() {
    same_after_svg(&wild_drawing(3, 40)).expect("the same");
    let circle = noisy_circle(300, 0.4, 8).finish();
    let pen = Stroke {
        points: circle,
        width: 3.25,
        eraser: false,
    };
    let text = svg::write(&drawing(std::slice::from_ref(&pen)));
    // On hundredths of a unit, they are exactly the same.
    assert_eq!(read(&text).expect("reads").strokes, [pen]);
    assert!(text.contains('C'), "a smooth curve");
}

// --- Files of other programs ----------------------------------------------------------------------

#[track_caller]
fn passes(stroke: &Stroke, points: &[[f32; 2]]) {
    for point in points {
        let off = distance_to(&stroke.points, Point::from(*point));
        assert!(off < 0.1, "{point:?} is {off} from {:?}", stroke.points);
    }
    let last = points.last().expect("points");
    assert!(
        stroke.points[0].distance(Point::from(points[0])) < 0.02,
        "{:?}",
        stroke.points[0]
    );
    let end = stroke.points.last().expect("points");
    assert!(
        end.distance(Point::from(*last)) < 0.02,
        "{end:?} is not {last:?}"
    );
}

fn path(data: &str) -> Stroke {
    let mut strokes = strokes_of(&format!("<path d='{data}'/>"));
    assert_eq!(strokes.len(), 1, "{data}");
    strokes.remove(0)
}

#[test]
fn every_path_command_draws_what_the_standard_says() {
    let corners = [[10.0, 20.0], [110.0, 20.0], [110.0, 90.0], [60.0, 40.0]];
    for data in [
        "M10 20 L110 20 110 90 60 40",
        "M10,20 110,20 110,90 60,40",
        "m10 20 l100 0 0 70 -50 -50",
        "m10 20 100 0 0 70-50-50",
        "M10 20H110V90L60 40",
        "m10 20h100v70l-50-50",
        "M1e1 2E1 H.11e3 V+90 L 60,40",
    ] {
        assert_eq!(path(data).points, corners.map(Point::from), "{data}");
    }
    // A cubic's middle is (p0 + 3 p1 + 3 p2 + p3) / 8.
    let cubic = [[0.0, 0.0], [75.0, 75.0], [100.0, 0.0]];
    passes(
        &path("M0 0C50 100 100 100 100 0"),
        &[cubic[0], [68.75, 75.0], cubic[2]],
    );
    passes(
        &path("m0 0c50 100 100 100 100 0"),
        &[cubic[0], [68.75, 75.0], cubic[2]],
    );
    // S mirrors (100, 100) at (100, 0): controls (100, -100) and (200, -100).
    let two = [
        [0.0, 0.0],
        [68.75, 75.0],
        [100.0, 0.0],
        [137.5, -75.0],
        [200.0, 0.0],
    ];
    for data in [
        "M0 0C50 100 100 100 100 0S150 -100 200 0",
        "M0 0c50 100 100 100 100 0s50 -100 100 0",
    ] {
        let two = two.map(|[x, y]| [x, y]);
        passes(
            &path(data),
            &[two[0], two[1], two[2], [131.25, -75.0], two[4]],
        );
    }
    // A quadratic's middle is (p0 + 2 p1 + p2) / 4; T mirrors (50, 80) at (100, 0).
    let waves = [
        [0.0, 0.0],
        [50.0, 40.0],
        [100.0, 0.0],
        [150.0, -40.0],
        [200.0, 0.0],
    ];
    passes(&path("M0 0Q50 80 100 0T200 0"), &waves);
    passes(&path("m0 0q50 80 100 0t100 0"), &waves);
    // Behind another curve, S and T begin straight: their first control is where they begin.
    let straight = [
        [0.0, 0.0],
        [50.0, 40.0],
        [100.0, 0.0],
        [162.5, 0.0],
        [200.0, 0.0],
    ];
    passes(&path("M0 0Q50 80 100 0S200 0 200 0"), &straight);
    passes(
        &path("M0 0C0 0 100 0 100 0T200 0"),
        &[[0.0, 0.0], [100.0, 0.0], [200.0, 0.0]],
    );
}

#[test]
fn arcs_are_parts_of_their_ellipses() {
    let h = 50.0 * std::f32::consts::FRAC_1_SQRT_2;
    // The short way over the top, and the long way round below.
    passes(
        &path("M100 100A50 50 0 0 1 200 100"),
        &[
            [100.0, 100.0],
            [150.0 - h, 100.0 - h],
            [150.0, 50.0],
            [150.0 + h, 100.0 - h],
            [200.0, 100.0],
        ],
    );
    passes(
        &path("m100 100a50 50 0 0 0 100 0"),
        &[[100.0, 100.0], [150.0, 150.0], [200.0, 100.0]],
    );
    // A quarter and three quarters of the circle around (150, 150).
    passes(
        &path("M150 100A50 50 0 0 1 200 150"),
        &[[150.0, 100.0], [150.0 + h, 150.0 - h], [200.0, 150.0]],
    );
    passes(
        &path("M150 100A50 50 0 1 0 200 150"),
        &[
            [150.0, 100.0],
            [100.0, 150.0],
            [150.0, 200.0],
            [200.0, 150.0],
        ],
    );
    // Flags without spaces; radii that are too small grow until they reach.
    passes(
        &path("M100 100a10 10 0 01100 0"),
        &[[100.0, 100.0], [150.0, 50.0], [200.0, 100.0]],
    );
    // Turned by a right angle, the radii change places.
    passes(
        &path("M100 100A25 50 90 0 1 200 100"),
        &[[100.0, 100.0], [150.0, 75.0], [200.0, 100.0]],
    );
    // Without a radius it is a line.
    assert_eq!(path("M100 100A0 50 0 0 1 200 100").points.len(), 2);
}

#[test]
fn closed_and_broken_paths_become_their_parts() {
    let square = path("M10 10H50V50H10Z");
    assert_eq!(square.points.len(), 5);
    assert_eq!(square.points[4], square.points[0]);
    let parts = strokes_of("<path d='M10 10h10M50 50h10zl0 20m5 5v9'/>");
    let lines: Vec<Vec<Point>> = parts.into_iter().map(|s| s.points).collect();
    let p = Point::new;
    assert_eq!(
        lines,
        [
            vec![p(10.0, 10.0), p(20.0, 10.0)],
            vec![p(50.0, 50.0), p(60.0, 50.0), p(50.0, 50.0)],
            vec![p(50.0, 50.0), p(50.0, 70.0)],
            vec![p(55.0, 75.0), p(55.0, 84.0)],
        ]
    );
    // A line without a length is a dot, a move alone is nothing.
    let dots = strokes_of("<path d='M7 8h0'/><path d='M9 9'/><path d='M3 3z'/>");
    assert_eq!(dots[0].points, [p(7.0, 8.0)]);
    assert_eq!(dots.len(), 2);
}

#[test]
fn shapes_become_their_outlines() {
    let p = Point::new;
    let lines = strokes_of(
        "<line x1='1' y1='2' x2='30' y2='40'/><polyline points='0,0 10,0 10,10'/>\
         <polygon points='0 0 10 0 10 10'/><rect x='5' y='6' width='20' height='10'/>",
    );
    let points: Vec<&[Point]> = lines.iter().map(|s| s.points.as_slice()).collect();
    assert_eq!(points[0], [p(1.0, 2.0), p(30.0, 40.0)]);
    assert_eq!(points[1], [p(0.0, 0.0), p(10.0, 0.0), p(10.0, 10.0)]);
    assert_eq!(
        points[2],
        [p(0.0, 0.0), p(10.0, 0.0), p(10.0, 10.0), p(0.0, 0.0)]
    );
    assert_eq!(
        points[3],
        [
            p(5.0, 6.0),
            p(25.0, 6.0),
            p(25.0, 16.0),
            p(5.0, 16.0),
            p(5.0, 6.0)
        ]
    );
    let round =
        strokes_of("<circle cx='100' cy='90' r='40'/><ellipse cx='100' cy='90' rx='40' ry='20'/>");
    for point in &round[0].points {
        assert!(
            (point.distance(p(100.0, 90.0)) - 40.0).abs() < 0.06,
            "{point:?}"
        );
    }
    for point in &round[1].points {
        let (x, y) = ((point.x - 100.0) / 40.0, (point.y - 90.0) / 20.0);
        assert!((x.hypot(y) - 1.0).abs() < 0.004, "{point:?}");
    }
    let corners = strokes_of("<rect x='10' y='10' width='100' height='60' rx='20'/>");
    let h = 20.0 * (1.0 - std::f32::consts::FRAC_1_SQRT_2);
    passes(
        &corners[0],
        &[
            [30.0, 10.0],
            [110.0 - h, 10.0 + h],
            [110.0, 40.0],
            [10.0, 40.0],
            [30.0, 10.0],
        ],
    );
}

#[test]
fn groups_transform_what_is_in_them() {
    let inside = "<g transform='translate(100 50)'><g transform='scale(2), rotate(90)'>\
                  <line x1='10' y1='0' x2='10' y2='20' stroke-width='3'/></g></g>";
    // Turned: (0, 10) and (-20, 10); doubled: (0, 20), (-40, 20); moved: (100, 70), (60, 70).
    let lines = strokes_of(inside);
    assert!(lines[0].points[0].distance(Point::new(100.0, 70.0)) < 1e-3);
    assert!(lines[0].points[1].distance(Point::new(60.0, 70.0)) < 1e-3);
    assert!((lines[0].width - 6.0).abs() < 1e-3);
    let others = strokes_of(
        "<line x2='10' transform='matrix(1 2 3 4 5 6)'/><line x2='10' y2='10' transform='skewX(45)'/>\
         <line x2='10' transform='rotate(90 10 0)'/><line x2='10' y2='10' transform='skewY(45)'/>",
    );
    let ends = [[15.0, 26.0], [20.0, 10.0], [10.0, 0.0], [10.0, 20.0]];
    for (line, end) in others.iter().zip(ends) {
        let last = line.points[1];
        assert!(
            last.distance(Point::from(end)) < 1e-3,
            "{last:?} is not {end:?}"
        );
    }
}

#[test]
fn the_page_is_fitted_into_the_sheet() {
    let sized = |attributes: &str, inside: &str| {
        let text = format!("<svg xmlns='http://www.w3.org/2000/svg' {attributes}>{inside}</svg>");
        read(&text).expect("reads").strokes.remove(0)
    };
    let line = "<line x1='0' y1='0' x2='100' y2='100' stroke='red' stroke-width='2'/>";
    // Twice as wide as high: scaled by 512 / 200, 128 units of margin above.
    let wide = sized("viewBox='0 0 200 100'", line);
    assert_eq!(
        wide.points,
        [Point::new(0.0, 128.0), Point::new(256.0, 384.0)]
    );
    assert!((wide.width - 5.12).abs() < 1e-4);
    let moved = sized("viewBox='-50 -50 100 100'", line);
    assert_eq!(moved.points[0], Point::new(256.0, 256.0));
    // An inch is 96 pixels, so the line ends at the page's corner.
    let inches = "<line x1='0' y1='0' x2='96' y2='96' stroke='red'/>";
    let sized_page = sized("width='1in' height='25.4mm'", inches);
    assert!(sized_page.points[1].distance(Point::new(512.0, 512.0)) < 1e-2);
    // Without a size, what fits stays where it is.
    assert_eq!(sized("", line).points[1], Point::new(100.0, 100.0));
    let large = sized(
        "",
        "<line x1='-1000' y1='0' x2='1000' y2='0' stroke='red'/>",
    );
    assert!(
        large
            .points
            .iter()
            .all(|p| (0.0..512.0).contains(&p.x) && (p.y - 256.0).abs() < 0.1)
    );
    let part = sized(
        "viewBox='0 0 200 200'",
        "<line x2='50%' y2='100%' stroke='red'/>",
    );
    assert_eq!(part.points[1], Point::new(256.0, 512.0));
}

#[test]
fn styles_tell_what_is_a_line_and_how_wide_it_is() {
    let text = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 512 512'>\
        <style>.thin{fill:none;stroke:#000;stroke-width:1.5px} #id, circle {stroke-width:9}</style>\
        <defs><path d='M0 0H9' stroke='black'/></defs>\
        <rect width='512' height='512' fill='white'/>\
        <path class='a thin' d='M0 1H9'/>\
        <path id='id' d='M0 2H9' stroke='blue'/>\
        <g stroke='black' style='stroke-width: 4'><path d='M0 3H9'/>\
          <path d='M0 4H9' style='stroke-width:5;stroke:white'/><path d='M0 5H9' stroke='none'/></g>\
        <g display='none'><path d='M0 6H9' stroke='black'/></g>\
        <path d='M0 7H9' stroke='black' data-eraser='true'/>\
        <path d='M0 8H9'/><text stroke='black'>no line</text></svg>";
    let found: Vec<(f32, f32, bool)> = read(text)
        .expect("reads")
        .strokes
        .iter()
        .map(|s| (s.points[0].y, s.width, s.eraser))
        .collect();
    assert_eq!(
        found,
        [
            (1.0, 1.5, false),
            (2.0, 9.0, false),
            (3.0, 4.0, false),
            (4.0, 5.0, true),
            (7.0, 1.0, true),
            (8.0, 1.0, false),
        ]
    );
}

#[test]
fn a_document_type_without_entities_is_no_obstacle() {
    let text = "<?xml version='1.0'?>\n<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' \
                'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'>\n\
                <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M0 0H9'/></svg>";
    assert_eq!(read(text).expect("reads").strokes.len(), 1);
}

// --- Damaged files --------------------------------------------------------------------------------

#[track_caller]
fn refused(text: &str, words: &str) {
    match read(text) {
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains(words), "{said:?} does not say {words:?}");
            assert!(said.ends_with(": drawn.svg"), "{said:?} names its file");
        }
        Ok(drawing) => panic!("{} strokes instead of {words:?}", drawing.strokes.len()),
    }
}

#[test]
fn bad_files_are_refused_in_words() {
    let svg = |inside: &str| {
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 512 512' stroke='black'>\n{inside}</svg>"
        )
    };
    refused("", "the SVG cannot be read");
    refused(
        "<html></html>",
        "this is no SVG, its first element is <html>",
    );
    refused("<svg><g></svg>", "the SVG cannot be read");
    refused(&svg("<text>a</text>"), "has no lines");
    refused(
        &svg("<path d='L1 2'/>"),
        "<path> in line 2: it does not begin with M",
    );
    refused(
        &svg("<path d='M1 2 L3'/>"),
        "it ends where a number was expected",
    );
    refused(
        &svg("<path d='M1 2 L3 x'/>"),
        "'x' stands where a number was expected, at character 9",
    );
    refused(&svg("<path d='M1 2 B3 4'/>"), "the command B is unknown");
    refused(&svg("<path d='M1 2 Z 3 4'/>"), "a command was expected");
    refused(&svg("<path d='M1 2 L1e99 0'/>"), "out of range");
    refused(&svg("<path d='M1 2 L90000 0'/>"), "far outside");
    refused(&svg("<path d='M1 2 A1e7 1e7 0 1 1 9 9'/>"), "far outside");
    refused(
        &svg("<path d='M1 2 A5 5 0 2 1 9 9'/>"),
        "0 or 1 was expected",
    );
    refused(&svg("<line x2='4furlongs'/>"), "unknown unit");
    refused(
        &svg("<path d='M0 0H1' transform='turn(9)'/>"),
        "the transform turn with 1 numbers",
    );
    refused(
        &svg("<path d='M0 0H1' transform='scale'/>"),
        "has no brackets",
    );
    refused(
        &svg("<path d='M0 0H1' stroke-width='wide'/>"),
        "stroke-width: 'w' stands",
    );
    refused(
        "<svg viewBox='0 0 0 9'><path d='M0 0H1'/></svg>",
        "the page is 0 by 9 large",
    );
    refused(
        "<svg viewBox='0 0 9'><path d='M0 0H1'/></svg>",
        "the viewBox has 3 numbers, not 4",
    );
    let deep = format!(
        "{}<path d='M0 0H1'/>{}",
        "<g>".repeat(70),
        "</g>".repeat(70)
    );
    refused(&svg(&deep), "more than 64 deep");
    let bomb = "<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>";
    refused(&format!("{bomb}{}", svg("<path d='&b;'/>")), "DTD");
}

#[test]
fn files_that_ask_for_too_much_are_refused() {
    let svg = |inside: &str| format!("<svg viewBox='0 0 512 512'>{inside}</svg>");
    refused(
        &svg(&"<path d='M0 0H9'/>".repeat(MAX_STROKES + 1)),
        "more than 5000 lines",
    );
    let long = format!("<path d='M0 0{}'/>", "h1h-1".repeat(MAX_POINTS / 2 + 5));
    refused(&svg(&long), "more than 200000");
    // Arcs have more points than they have signs.
    let arcs = "A1000 1000 0 1 1 9 9A1000 1000 0 1 0 1 1".repeat(2000);
    refused(
        &svg(&format!("<path d='M0 0{arcs}'/>")),
        "more than 200000 points",
    );
    refused(&svg(&" ".repeat((8 << 20) + 1)), "at most 8 MiB");
    refused(&svg(&"<g/>".repeat(250_000)), "cannot be read");
    // Very deep, without the page's end: no stack runs over.
    refused(&"<g>".repeat(300_000), "cannot be read");
}

#[test]
fn damaged_files_are_refused_or_read_but_never_end_the_program() {
    let own = svg::write(&wild_drawing(2, 4));
    let foreign = "<svg viewBox='0 0 100 100' width='10cm'><style>.a{stroke:red}</style>\
        <g transform='rotate(10 5 5) scale(2)'><path class='a' d='M1 1c2 3 4 5 6 7s1 1 2 2q1 2 3 4t5 \
        5a5 3 20 1 0 9 9zm3 3H9V8'/><circle cx='5' cy='5' r='4' stroke-width='.5mm'/><polygon \
        points='1,2 3,4 5,6'/><rect x='1' y='1' width='9' height='8' rx='2'/></g></svg>";
    let mut rng = Rng::new(11);
    let mut read_well = 0;
    for round in 0..2000 {
        let mut bytes = if round % 2 == 0 {
            own.clone()
        } else {
            foreign.into()
        }
        .into_bytes();
        for _ in 0..=rng.below(6) {
            let at = rng.below(bytes.len());
            match rng.below(4) {
                0 => bytes[at] = rng.below(256) as u8,
                1 => bytes[at] = b"0123456789.-eMLCSQTAZzmlc<>/'\" "[rng.below(31)],
                2 => drop(bytes.remove(at)),
                _ => {
                    let end = (at + rng.below(40)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = rng.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        if let Ok(drawing) = svg::read(&bytes, Path::new("mutated.svg")) {
            drawing.check().expect("what is read is sound");
            let ink = Ink::of(&drawing, 32);
            assert!(ink.values.iter().all(|v| v.is_finite()));
            read_well += 1;
        }
    }
    assert!((100..1900).contains(&read_well), "{read_well}");
}

#[test]
fn impossible_drawings_are_not_deserialised() {
    let parse = |text: &str| serde_json::from_str::<Drawing>(text).map_err(|e| e.to_string());
    let good = r#"{"strokes":[{"points":[[1,2],[3,4]],"width":3}]}"#;
    let read = parse(good).expect("reads");
    let text = serde_json::to_string(&read).expect("writes");
    assert_eq!(parse(&text).expect("reads back"), read);
    for (bad, words) in [
        (r#"{"strokes":[{"points":[],"width":3}]}"#, "no points"),
        (
            r#"{"strokes":[{"points":[[1,2]],"width":0}]}"#,
            "0 units wide",
        ),
        (
            r#"{"strokes":[{"points":[[1,2]],"width":1e30}]}"#,
            "units wide",
        ),
        (
            r#"{"strokes":[{"points":[[1,1e30]],"width":3}]}"#,
            "far from the sheet",
        ),
    ] {
        let said = parse(bad).expect_err("is refused");
        assert!(said.contains(words), "{said}");
    }
    let many = Drawing {
        strokes: vec![stroke(&[[1.0, 1.0]], 1.0); MAX_STROKES + 1],
    };
    assert!(parse(&serde_json::to_string(&many).expect("writes")).is_err());
    let nan = drawing(&[stroke(&[[f32::NAN, 1.0]], 1.0)]);
    assert!(nan.check().is_err());
    assert!(drawing(&[stroke(&[[1.0, 1.0]], f32::NAN)]).check().is_err());
}

// --- Scans ----------------------------------------------------------------------------------------

/// A drawing as a picture: what the ink makes of the paper's lightness at a place from 0 to 1.
fn pictured(face: &Drawing, side: usize, color: impl Fn(f32, f32, f32) -> [u8; 4]) -> Image {
    let ink = Ink::of(face, side);
    let rgba = ink.values.iter().enumerate().flat_map(|(at, &ink)| {
        let place = |v: usize| v as f32 / side as f32;
        color(ink, place(at % side), place(at / side))
    });
    Image::new(side as u32, side as u32, rgba.collect()).expect("fits")
}

fn grey(level: f32) -> [u8; 4] {
    let level = (level.clamp(0.0, 1.0) * 255.0).round() as u8;
    [level, level, level, 255]
}

fn lines_only() -> Drawing {
    let mut face = wild_drawing(21, 14);
    for stroke in &mut face.strokes {
        stroke.eraser = false;
    }
    face
}

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

// --- Undo -----------------------------------------------------------------------------------------

#[test]
fn every_change_is_one_step_back_and_forth() {
    let mut sketch = Sketch::default();
    let mut history = History::default();
    let line = |x: f32| stroke(&[[x, 1.0], [x, 9.0]], 2.0);
    let scan = Scan::of(&pictured(&lines_only(), 128, |ink, _, _| grey(1.0 - ink))).expect("lines");
    let loaded = Sketch {
        scan: Some(std::sync::Arc::new(scan)),
        drawing: drawing(&[line(7.0)]),
    };
    let mut states = vec![sketch.clone()];
    history.add(&mut sketch, vec![line(1.0)]);
    states.push(sketch.clone());
    history.add(&mut sketch, vec![line(2.0), line(2.0).mirrored()]);
    states.push(sketch.clone());
    history.replace(&mut sketch, loaded);
    states.push(sketch.clone());
    history.add(&mut sketch, vec![line(3.0)]);
    states.push(sketch.clone());
    history.replace(&mut sketch, Sketch::default());
    states.push(sketch.clone());
    assert_eq!(states[2].drawing.strokes.len(), 3);
    assert!(states[5].is_empty());
    for _ in 0..2 {
        for state in states.iter().rev().skip(1) {
            assert!(history.undo(&mut sketch));
            assert!(&sketch == state);
        }
        assert!(!history.undo(&mut sketch) && !history.can_undo());
        for state in &states[1..] {
            assert!(history.redo(&mut sketch));
            assert!(&sketch == state);
        }
        assert!(!history.redo(&mut sketch));
    }
    history.undo(&mut sketch);
    history.add(&mut sketch, vec![line(4.0)]);
    assert!(
        !history.can_redo(),
        "a new stroke forgets what was taken back"
    );
    // Clearing nothing is no step.
    let mut empty = (History::default(), Sketch::default());
    empty.0.replace(&mut empty.1, Sketch::default());
    assert!(!empty.0.can_undo());
}

#[test]
fn old_steps_are_forgotten() {
    let mut sketch = Sketch::default();
    let mut history = History::default();
    for at in 0..600 {
        history.add(&mut sketch, vec![stroke(&[[at as f32, 1.0]], 2.0)]);
    }
    let mut steps = 0;
    while history.undo(&mut sketch) {
        steps += 1;
    }
    assert_eq!((steps, sketch.drawing.strokes.len()), (500, 100));
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
