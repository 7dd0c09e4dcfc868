//! Files of other programs against points worked out by hand.

use vitrine::demos::face_drawing::drawing::{Point, Stroke};

use super::support::{distance_to, read, strokes_of};

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
