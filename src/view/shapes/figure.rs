//! Chess pieces as signed distances, made from a few solids each.
//!
//! Fonts differ from machine to machine in their chess signs, and outlines of an existing set have
//! a licence. Here a piece is a union of discs, boxes, and turned profiles, in a square from -1 to
//! 1 with y downwards; a smooth union rounds the necks. From the distances the shader draws a piece
//! sharp at any size.

use std::sync::OnceLock;

use rayon::prelude::*;

/// The texels in the side of a figure.
pub(super) const SIDE: usize = 96;

/// A chess piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[expect(missing_docs, reason = "the names of chess")]
pub enum Figure {
    Pawn,
    Knight,
    Bishop,
    Rook,
    Queen,
    King,
}

const ALL: [Figure; 6] = [
    Figure::Pawn,
    Figure::Knight,
    Figure::Bishop,
    Figure::Rook,
    Figure::Queen,
    Figure::King,
];

type Point = [f32; 2];

/// The distances of all figures row by row, one figure below the other, then those of the lines
/// drawn on them; in halves of a figure's side, negative inside.
pub(super) fn distances() -> &'static [f32] {
    static DISTANCES: OnceLock<Vec<f32>> = OnceLock::new();
    DISTANCES.get_or_init(|| {
        let mut texels = vec![0.0; SIDE * SIDE * ALL.len() * 2];
        texels
            .par_chunks_mut(SIDE)
            .enumerate()
            .for_each(|(row, texels)| {
                let (number, y) = (row / SIDE, row % SIDE);
                for (x, texel) in texels.iter_mut().enumerate() {
                    let p = [x, y].map(|v| (v as f32 + 0.5) / SIDE as f32 * 2.0 - 1.0);
                    *texel = match ALL.get(number) {
                        Some(figure) => figure.distance(p),
                        None => ALL[number - ALL.len()].details(p),
                    };
                }
            });
        texels
    })
}

impl Figure {
    fn distance(self, p: Point) -> f32 {
        match self {
            Self::Pawn => pawn(p),
            Self::Knight => knight(p),
            Self::Bishop => bishop(p),
            Self::Rook => rook(p),
            Self::Queen => queen(p),
            Self::King => king(p),
        }
    }

    /// The distance to the lines inside.
    fn details(self, p: Point) -> f32 {
        let rule = |y: f32, half: f32| segment(p, [-half, y], [half, y]);
        match self {
            Self::Pawn => 2.0,
            Self::Knight => {
                let eye = disc(p, [-0.14, -0.36], 0.045);
                let mane = polyline(p, &[[0.20, -0.62], [0.40, -0.30], [0.44, 0.06]]);
                let jaw = polyline(p, &[[-0.62, 0.04], [-0.53, -0.01]]);
                eye.min(mane).min(jaw)
            }
            Self::Bishop => {
                let slit = segment(p, [0.06, -0.40], [0.22, -0.60]);
                slit.min(rule(0.30, 0.24))
            }
            Self::Rook => rule(-0.30, 0.34).min(rule(0.36, 0.38)),
            Self::Queen | Self::King => rule(0.32, 0.44).min(rule(0.48, 0.46)),
        }
    }
}

fn pawn(p: Point) -> f32 {
    let body = turned(
        p,
        &[[0.13, -0.22], [0.17, 0.10], [0.26, 0.34], [0.42, 0.52]],
    );
    let head = disc(p, [0.0, -0.36], 0.265);
    let collar = rounded(p, [0.0, -0.11], [0.27, 0.06], 0.06);
    smooth(head.min(collar), body, 0.05).min(base(p, 0.52))
}

fn rook(p: Point) -> f32 {
    let body = turned(
        p,
        &[[0.34, -0.34], [0.31, -0.10], [0.33, 0.30], [0.44, 0.54]],
    );
    let top = rounded(p, [0.0, -0.50], [0.46, 0.20], 0.04);
    let gap = |x: f32| rounded(p, [x, -0.70], [0.085, 0.16], 0.01);
    let crown = top.max(-gap(-0.20)).max(-gap(0.20));
    crown.min(body).min(base(p, 0.56))
}

fn bishop(p: Point) -> f32 {
    let head = turned(
        p,
        &[
            [0.03, -0.70],
            [0.18, -0.54],
            [0.29, -0.30],
            [0.28, -0.08],
            [0.18, 0.08],
        ],
    ) - 0.02;
    let ball = disc(p, [0.0, -0.76], 0.105);
    let collar = rounded(p, [0.0, 0.12], [0.30, 0.06], 0.06);
    let body = turned(p, &[[0.17, 0.10], [0.22, 0.34], [0.38, 0.54]]);
    let whole = smooth(head, body, 0.03).min(collar);
    smooth(whole, ball, 0.05).min(base(p, 0.54))
}

fn queen(p: Point) -> f32 {
    let crown = polygon(
        p,
        &[
            [-0.44, 0.30],
            [-0.68, -0.38],
            [-0.36, -0.02],
            [-0.32, -0.56],
            [-0.10, -0.08],
            [0.0, -0.62],
            [0.10, -0.08],
            [0.32, -0.56],
            [0.36, -0.02],
            [0.68, -0.38],
            [0.44, 0.30],
        ],
    ) - 0.02;
    let balls = [
        [-0.70, -0.46],
        [-0.34, -0.64],
        [0.0, -0.72],
        [0.34, -0.64],
        [0.70, -0.46],
    ]
    .into_iter()
    .map(|c| disc(p, c, 0.095))
    .fold(2.0, f32::min);
    let body = turned(p, &[[0.46, 0.24], [0.40, 0.36], [0.48, 0.56]]);
    crown.min(balls).min(body).min(base(p, 0.56))
}

fn king(p: Point) -> f32 {
    let lobe = |x: f32| ellipse(p, [x, -0.10], [0.345, 0.27]);
    let lobes = lobe(-0.32).min(lobe(0.32));
    let heart = turned(p, &[[0.05, -0.46], [0.17, -0.26], [0.12, 0.06]]) - 0.02;
    let crown = smooth(lobes, heart, 0.04);
    let stem = rounded(p, [0.0, -0.64], [0.078, 0.24], 0.02);
    let bar = rounded(p, [0.0, -0.68], [0.20, 0.078], 0.02);
    let body = polygon(
        p,
        &[
            [-0.56, -0.12],
            [0.56, -0.12],
            [0.44, 0.30],
            [0.48, 0.56],
            [-0.48, 0.56],
            [-0.44, 0.30],
        ],
    );
    let skirt = smooth(crown, body, 0.06);
    skirt.min(stem).min(bar).min(base(p, 0.56))
}

fn knight(p: Point) -> f32 {
    let head = polygon(p, knight_outline()) - 0.015;
    head.min(base(p, 0.56))
}

/// A horse's head looking left, rounded by cutting corners.
fn knight_outline() -> &'static [Point] {
    static OUTLINE: OnceLock<Vec<Point>> = OnceLock::new();
    OUTLINE.get_or_init(|| {
        let rough = [
            [-0.40, 0.54],
            [-0.36, 0.34],
            [-0.06, 0.12],
            [0.00, -0.10],
            [-0.16, -0.06],
            [-0.34, 0.04],
            [-0.46, 0.18],
            [-0.64, 0.14],
            [-0.68, -0.04],
            [-0.46, -0.40],
            [-0.34, -0.62],
            [-0.30, -0.86],
            [-0.10, -0.68],
            [0.14, -0.70],
            [0.44, -0.46],
            [0.58, -0.04],
            [0.56, 0.30],
            [0.52, 0.54],
        ];
        // The ears and the foot stay sharp.
        let sharp = [0, 11, 17];
        let mut points = Vec::new();
        for (i, &b) in rough.iter().enumerate() {
            let a = rough[(i + rough.len() - 1) % rough.len()];
            let c = rough[(i + 1) % rough.len()];
            if sharp.contains(&i) {
                points.push(b);
                continue;
            }
            // A quadratic curve between the middles of the two sides.
            let middle = |u: Point, v: Point| [(u[0] + v[0]) * 0.5, (u[1] + v[1]) * 0.5];
            let (from, to) = (middle(a, b), middle(b, c));
            for step in 0_u8..=6 {
                let t = f32::from(step) / 6.0;
                points.push([0, 1].map(|k| {
                    (1.0 - t) * (1.0 - t) * from[k] + 2.0 * t * (1.0 - t) * b[k] + t * t * to[k]
                }));
            }
        }
        points
    })
}

/// The foot that all pieces stand on, from `top` down.
fn base(p: Point, top: f32) -> f32 {
    let plate = rounded(p, [0.0, 0.74], [0.58, 0.10], 0.05);
    let step = rounded(
        p,
        [0.0, (top + 0.70) * 0.5],
        [0.47, (0.70 - top) * 0.5 + 0.03],
        0.05,
    );
    plate.min(step)
}

fn disc(p: Point, c: Point, radius: f32) -> f32 {
    (p[0] - c[0]).hypot(p[1] - c[1]) - radius
}

/// An ellipse; the distance is good near its edge.
fn ellipse(p: Point, c: Point, half: Point) -> f32 {
    let q = [p[0] - c[0], p[1] - c[1]];
    let k = (q[0] / half[0]).hypot(q[1] / half[1]);
    let slope = (q[0] / (half[0] * half[0])).hypot(q[1] / (half[1] * half[1]));
    if slope < 1e-6 {
        return -half[0].min(half[1]);
    }
    k * (k - 1.0) / slope
}

fn rounded(p: Point, c: Point, half: Point, corner: f32) -> f32 {
    let q = [0, 1].map(|k| (p[k] - c[k]).abs() - half[k] + corner);
    q[0].max(0.0).hypot(q[1].max(0.0)) + q[0].max(q[1]).min(0.0) - corner
}

fn segment(p: Point, a: Point, b: Point) -> f32 {
    let (d, q) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let t = (d[0] * q[0] + d[1] * q[1]) / (d[0] * d[0] + d[1] * d[1]).max(1e-9);
    let t = t.clamp(0.0, 1.0);
    (q[0] - d[0] * t).hypot(q[1] - d[1] * t)
}

fn polyline(p: Point, points: &[Point]) -> f32 {
    let pairs = points.iter().zip(points.iter().skip(1));
    pairs.map(|(&a, &b)| segment(p, a, b)).fold(2.0, f32::min)
}

/// A closed outline: the distance to its nearest side, and by the crossings of a ray whether inside.
fn polygon(p: Point, points: &[Point]) -> f32 {
    let mut inside = false;
    let mut nearest = f32::MAX;
    for (i, &a) in points.iter().enumerate() {
        let b = points[(i + 1) % points.len()];
        nearest = nearest.min(segment(p, a, b));
        if (a[1] > p[1]) != (b[1] > p[1]) {
            let x = a[0] + (p[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
            inside ^= p[0] < x;
        }
    }
    if inside { -nearest } else { nearest }
}

/// A piece from the lathe: half its width at some heights, joined by smooth curves.
fn turned(p: Point, profile: &[Point]) -> f32 {
    let mut points: Vec<Point> = Vec::with_capacity(profile.len() * 8);
    // The ends count twice.
    let last = profile.len() - 1;
    for i in 0..last {
        let a = profile[i.saturating_sub(1)];
        let (b, c) = (profile[i], profile[i + 1]);
        let d = profile[(i + 2).min(last)];
        for step in 0_u8..4 {
            let t = f32::from(step) / 4.0;
            // Catmull and Rom's curve through the points.
            points.push([0, 1].map(|k| {
                0.5 * (2.0 * b[k]
                    + (c[k] - a[k]) * t
                    + (2.0 * a[k] - 5.0 * b[k] + 4.0 * c[k] - d[k]) * t * t
                    + (3.0 * b[k] - a[k] - 3.0 * c[k] + d[k]) * t * t * t)
            }));
        }
    }
    points.push(profile[last]);
    let mirrored: Vec<Point> = points.iter().rev().map(|p| [-p[0], p[1]]).collect();
    points.extend(mirrored);
    polygon(p, &points)
}

/// A union with a rounded inner corner.
fn smooth(a: f32, b: f32, width: f32) -> f32 {
    let h = (width - (a - b).abs()).max(0.0) / width;
    a.min(b) - h * h * width * 0.25
}
