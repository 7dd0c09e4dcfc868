//! Drawings for the tests.

use std::path::Path;

use vitrine::Error;
use vitrine::data::Image;
use vitrine::demos::face_drawing::drawing::{Drawing, Ink, Point, Stroke, Trail, svg};
use vitrine::rng::Rng;

pub fn stroke(points: &[[f32; 2]], width: f32) -> Stroke {
    Stroke {
        points: points.iter().map(|&p| Point::from(p)).collect(),
        width,
        eraser: false,
    }
}

pub fn drawing(strokes: &[Stroke]) -> Drawing {
    Drawing {
        strokes: strokes.to_vec(),
    }
}

pub fn read(text: &str) -> Result<Drawing, Error> {
    svg::read(text.as_bytes(), Path::new("drawn.svg"))
}

/// Reads what lies in an SVG whose units are the sheet's.
pub fn strokes_of(inside: &str) -> Vec<Stroke> {
    let text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 512 512' fill='none' \
         stroke='black'>{inside}</svg>"
    );
    read(&text).expect("reads").strokes
}

pub fn distance_to(line: &[Point], point: Point) -> f32 {
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

/// Strokes as a hand draws them: arcs of many points.
pub fn wild_drawing(seed: u64, strokes: usize) -> Drawing {
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

/// A circle of radius 100 drawn by a hand that trembles this much.
pub fn noisy_circle(count: usize, noise: f64, seed: u64) -> Trail {
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

/// A drawing as a picture: what the ink makes of the paper's lightness at a place from 0 to 1.
pub fn pictured(face: &Drawing, side: usize, color: impl Fn(f32, f32, f32) -> [u8; 4]) -> Image {
    let ink = Ink::of(face, side);
    let rgba = ink.values.iter().enumerate().flat_map(|(at, &ink)| {
        let place = |v: usize| v as f32 / side as f32;
        color(ink, place(at % side), place(at / side))
    });
    Image::new(side as u32, side as u32, rgba.collect()).expect("fits")
}

pub fn grey(level: f32) -> [u8; 4] {
    let level = (level.clamp(0.0, 1.0) * 255.0).round() as u8;
    [level, level, level, 255]
}

pub fn lines_only() -> Drawing {
    let mut face = wild_drawing(21, 14);
    for stroke in &mut face.strokes {
        stroke.eraser = false;
    }
    face
}
