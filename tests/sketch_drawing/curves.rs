//! What a pen becomes: curves, and their SVG.

use proptest::prelude::*;
use vitrine::demos::face_drawing::drawing::{Drawing, Point, Stroke, Trail, finished, svg};

use super::support::{distance_to, drawing, noisy_circle, read, wild_drawing};

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
