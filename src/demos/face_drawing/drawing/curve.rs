//! Curves through and near points.

use kurbo::simplify::{SimplifyOptions, simplify_bezpath};
use kurbo::{BezPath, PathEl, Vec2};

use super::{Point, SIDE};

/// How far the curve of a finished stroke may lie from its trail, in units.
const FIT: f64 = 0.5;
/// How far the corners of a finished stroke may cut its curve, in units.
const FLAT: f64 = 0.1;
/// Points of a trail nearer together than this are thinned before a curve is fitted, in units.
const THIN: f32 = 1.5;
/// How often a trail is steadied, and over what length a hand trembles, in units.
const STEADYING: usize = 3;
const TREMBLE: f64 = 2.0;
/// The furthest that steadying moves a point, in units.
const MOST_STEADIED: f64 = 0.6;
/// How far a corner of a trail looks to both sides, in units.
const WINDOW: f32 = 7.0;
/// The cosine of the turn from which on a point of a trail is a corner: 60 degrees.
const CORNER: f64 = 0.5;
/// The same between two segments of a polyline: 40 degrees.
const KINK: f64 = 0.766;
/// The most segments that are fitted at once.
const PIECE: usize = 256;

pub(super) fn exact(point: Point) -> kurbo::Point {
    kurbo::Point::new(f64::from(point.x), f64::from(point.y))
}

pub(super) fn single(point: kurbo::Point) -> Point {
    Point::new(point.x as f32, point.y as f32)
}

/// A smooth curve through all points, a cubic from each to the next; where the line turns by more
/// than 40 degrees it keeps its corner. Empty for less than two points.
pub(super) fn through(points: &[Point]) -> BezPath {
    let points: Vec<kurbo::Point> = points.iter().copied().map(exact).collect();
    let kinks: Vec<bool> = (0..points.len())
        .map(|at| {
            let (Some(before), Some(after)) = (at.checked_sub(1), points.get(at + 1)) else {
                return false;
            };
            turn(points[at] - points[before], *after - points[at]) < KINK
        })
        .collect();
    spline(&points, &kinks)
}

/// The cosine of the angle between two directions; 1 where one of them is none.
fn turn(a: Vec2, b: Vec2) -> f64 {
    let length = a.hypot() * b.hypot();
    if length > 0.0 { a.dot(b) / length } else { 1.0 }
}

/// The direction of the curve at each point, 1 long: that of the two chords, the shorter one counting
/// more. Zero at ends and corners.
fn directions(points: &[kurbo::Point], corners: &[bool]) -> Vec<Vec2> {
    (0..points.len())
        .map(|at| {
            let (Some(before), Some(after)) = (at.checked_sub(1), points.get(at + 1)) else {
                return Vec2::ZERO;
            };
            if corners[at] {
                return Vec2::ZERO;
            }
            let (back, forth) = (points[at] - points[before], *after - points[at]);
            let (near, far) = (back.hypot(), forth.hypot());
            if near == 0.0 || far == 0.0 {
                return Vec2::ZERO;
            }
            let mean = back * (far / near) + forth * (near / far);
            if mean.hypot() > 0.0 {
                mean.normalize()
            } else {
                Vec2::ZERO
            }
        })
        .collect()
}

fn spline(points: &[kurbo::Point], corners: &[bool]) -> BezPath {
    let mut path = BezPath::new();
    if points.len() < 2 {
        return path;
    }
    let directions = directions(points, corners);
    path.move_to(points[0]);
    for (pair, ways) in points.windows(2).zip(directions.windows(2)) {
        let (from, to) = (pair[0], pair[1]);
        let third = (to - from).hypot() / 3.0;
        let mut first = from + ways[0] * third;
        let mut second = to - ways[1] * third;
        // An end without a direction of its own looks at the other one's control point.
        match (ways[0] == Vec2::ZERO, ways[1] == Vec2::ZERO) {
            (true, true) => {
                first = from.lerp(to, 1.0 / 3.0);
                second = to.lerp(from, 1.0 / 3.0);
            }
            (true, false) => first = from.lerp(second, 0.5),
            (false, true) => second = to.lerp(first, 0.5),
            (false, false) => {}
        }
        path.curve_to(first, second, to);
    }
    path
}

/// The line that stays of a trail: cubics fitted within about 0.7 units of it, corners kept, as a
/// polyline on hundredths of a unit. A trail of one point is a dot.
#[must_use]
pub fn finished(trail: &[Point]) -> Vec<Point> {
    let thin = thinned(trail);
    let corners = corners(&thin);
    let drawn: Vec<kurbo::Point> = thin.iter().copied().map(exact).collect();
    let mut steady = drawn.clone();
    for _ in 0..STEADYING {
        steady = all_steadied(&steady, &corners);
        for (point, from) in steady.iter_mut().zip(&drawn) {
            let part = MOST_STEADIED / from.distance(*point).max(MOST_STEADIED);
            *point = from.lerp(*point, part);
        }
    }
    let fine = spline(&steady, &corners);
    let mut line = Vec::new();
    for piece in pieces(&fine, &corners) {
        let options = SimplifyOptions::default().angle_thresh(0.05);
        let path = simplify_bezpath(piece.iter().copied(), FIT, &options);
        let sound = path.is_finite() && within_reach(&path) && is_near(&path, &piece);
        if sound {
            flatten(path.iter(), FLAT, &mut line);
        } else {
            flatten(piece.iter().copied(), FLAT, &mut line);
        }
    }
    if line.is_empty() {
        line.extend(thin.first().copied());
    }
    for point in &mut line {
        *point = Point::new(hundredths(point.x), hundredths(point.y));
    }
    line.dedup();
    line
}

fn hundredths(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

/// The points that lie some way apart, the first, and the last in place of one that is too near.
fn thinned(trail: &[Point]) -> Vec<Point> {
    let mut thin: Vec<Point> = Vec::with_capacity(trail.len());
    for point in trail {
        if thin.last().is_none_or(|last| last.distance(*point) >= THIN) {
            thin.push(*point);
        }
    }
    let end = trail.last().filter(|end| thin.last() != Some(*end));
    if let Some(end) = end {
        if thin.len() > 1 {
            thin.pop();
        }
        thin.push(*end);
    }
    thin
}

/// A point moved half of the way to between its neighbours, and less where they are further apart than
/// a hand trembles: those are where the pen went.
pub(super) fn steadied(
    before: kurbo::Point,
    here: kurbo::Point,
    after: kurbo::Point,
) -> kurbo::Point {
    let apart = here.distance(before).max(here.distance(after));
    let part = 0.5 * (TREMBLE / apart.max(TREMBLE)).powi(2);
    here.lerp(before.midpoint(after), part)
}

/// Every point steadied; ends and corners stay.
fn all_steadied(points: &[kurbo::Point], corners: &[bool]) -> Vec<kurbo::Point> {
    let mut moved = points.to_vec();
    for (at, three) in points.windows(3).enumerate() {
        if !corners[at + 1] {
            moved[at + 1] = steadied(three[0], three[1], three[2]);
        }
    }
    moved
}

/// Where the line turns sharply, seen over a window to both sides, and most sharply of the window.
fn corners(points: &[Point]) -> Vec<bool> {
    let turns: Vec<f64> = (0..points.len())
        .map(|at| {
            let here = points[at];
            let far = |p: &&Point| p.distance(here) >= WINDOW;
            let before = points[..at].iter().rev().find(far).or(points.first());
            let after = points[at + 1..].iter().find(far).or(points.last());
            match (before, after) {
                (Some(before), Some(after)) => {
                    turn(exact(here) - exact(*before), exact(*after) - exact(here))
                }
                _ => 1.0,
            }
        })
        .collect();
    (0..points.len())
        .map(|at| {
            let inner = at > 0 && at + 1 < points.len() && turns[at] < CORNER;
            let near = |other: usize| points[other].distance(points[at]) < WINDOW;
            inner
                && (0..at)
                    .rev()
                    .take_while(|&o| near(o))
                    .all(|o| turns[o] > turns[at])
                && (at + 1..points.len())
                    .take_while(|&o| near(o))
                    .all(|o| turns[o] >= turns[at])
        })
        .collect()
}

/// The curve, cut at its corners and where a piece becomes long; each piece begins with a move.
fn pieces(path: &BezPath, corners: &[bool]) -> Vec<Vec<PathEl>> {
    let mut pieces: Vec<Vec<PathEl>> = Vec::new();
    let mut last = kurbo::Point::ZERO;
    for (at, element) in path.iter().enumerate() {
        // The cubic of this number begins at the point before it.
        let cut = at == 1 || at > 1 && corners[at - 1];
        match pieces.last_mut() {
            Some(piece) if !cut && piece.len() <= PIECE => piece.push(element),
            _ if at > 0 => pieces.push(vec![PathEl::MoveTo(last), element]),
            _ => {}
        }
        last = element.end_point().unwrap_or(last);
    }
    pieces
}

fn within_reach(path: &BezPath) -> bool {
    let around = path.control_box();
    let most = f64::from(SIDE) * 32.0;
    around.x0.abs().max(around.x1.abs()) < most && around.y0.abs().max(around.y1.abs()) < most
}

/// Whether the ends of a piece's cubics lie near a path.
fn is_near(path: &BezPath, piece: &[PathEl]) -> bool {
    let mut line = Vec::new();
    flatten(path.iter(), FLAT, &mut line);
    let ends = piece.iter().filter_map(PathEl::end_point);
    ends.map(single)
        .all(|end| distance_to(&line, end) <= 2.0 * FIT as f32)
}

/// How far a point is from a polyline.
pub(super) fn distance_to(line: &[Point], point: Point) -> f32 {
    let to_segment = |pair: &[Point]| {
        let (dx, dy) = (pair[1].x - pair[0].x, pair[1].y - pair[0].y);
        let squared = dx * dx + dy * dy;
        let along = (point.x - pair[0].x) * dx + (point.y - pair[0].y) * dy;
        let at = if squared > 0.0 { along / squared } else { 0.0 };
        pair[0].toward(pair[1], at.clamp(0.0, 1.0)).distance(point)
    };
    let ends = line.first().map(|first| first.distance(point));
    line.windows(2)
        .map(to_segment)
        .chain(ends)
        .fold(f32::INFINITY, f32::min)
}

/// Adds the corners of a path to a line; a point that is there already is not repeated.
pub(super) fn flatten(path: impl Iterator<Item = PathEl>, tolerance: f64, line: &mut Vec<Point>) {
    kurbo::flatten(path, tolerance, |element| {
        if let Some(end) = element.end_point() {
            let point = single(end);
            if line.last() != Some(&point) {
                line.push(point);
            }
        }
    });
}
