//! Numbers on a grid of pixels, and the lines in them: contours and ridges.

#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use crate::nn::cpu::lanes::vectorise;

/// A polyline in pixels of its field; the middle of the first pixel is (0, 0).
pub type Path = Vec<[f32; 2]>;

/// A number for each pixel of a square, rows from the top.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Pixels in a side.
    pub side: usize,
    /// The numbers.
    pub values: Vec<f32>,
}

impl Field {
    /// The field of a function of pixels, counted row by row.
    #[must_use]
    pub fn new(side: usize, value: impl Fn(usize) -> f32) -> Self {
        Self {
            side,
            values: (0..side * side).map(value).collect(),
        }
    }

    /// The number at a place, of the nearest pixel.
    #[must_use]
    pub fn at(&self, [x, y]: [f32; 2]) -> f32 {
        let inside = |v: f32| (v.round().max(0.0) as usize).min(self.side - 1);
        self.values[inside(y) * self.side + inside(x)]
    }

    /// Blurred by a bell of this deviation in pixels; the edge goes on outside.
    #[must_use]
    pub fn blurred(&self, deviation: f32) -> Self {
        let reach = (3.0 * deviation).ceil() as usize;
        let bell: Vec<f32> = (0..=reach)
            .map(|at| (-0.5 * (at as f32 / deviation).powi(2)).exp())
            .collect();
        let sum = bell[0] + 2.0 * bell[1..].iter().sum::<f32>();
        let bell: Vec<f32> = bell.into_iter().map(|b| b / sum).collect();
        let mut across = vec![0.0; self.values.len()];
        let mut down = vec![0.0; self.values.len()];
        vectorise(
            #[inline(always)]
            || {
                blur_rows(&self.values, self.side, &bell, &mut across);
                blur_columns(&across, self.side, &bell, &mut down);
            },
        );
        Self {
            side: self.side,
            values: down,
        }
    }

    /// How much lower each pixel is than what surrounds it: the difference of two blurs, where it is
    /// positive.
    #[must_use]
    pub fn valleys(&self, fine: f32, coarse: f32) -> Self {
        let (fine, coarse) = (self.blurred(fine), self.blurred(coarse));
        Self::new(self.side, |at| {
            (coarse.values[at] - fine.values[at]).max(0.0)
        })
    }

    /// Lines along which the field has this level, higher on their left; closed ones end where they
    /// begin. Outside it is lower than any level.
    #[must_use]
    pub fn contours(&self, level: f32) -> Vec<Path> {
        Contours::new(self, level).follow()
    }

    /// Middle lines of where the field is above `low`, of those pieces that reach `high`.
    #[must_use]
    pub fn ridges(&self, low: f32, high: f32) -> Vec<Path> {
        let mut set: Vec<bool> = self.values.iter().map(|&v| v > low).collect();
        // The frame is left free, so that every pixel of a line has all its neighbours.
        let last = self.side - 1;
        for at in 0..self.side {
            for edge in [
                at,
                last * self.side + at,
                at * self.side,
                at * self.side + last,
            ] {
                set[edge] = false;
            }
        }
        thin(&mut set, self.side);
        straighten(&mut set, self.side);
        let mut paths = walk(&mut set, self.side);
        paths.retain(|path| path.iter().any(|&place| self.at(place) > high));
        paths
    }
}

/// Rows weighed by half a bell, whose middle comes first.
#[inline(always)]
fn blur_rows(values: &[f32], side: usize, bell: &[f32], out: &mut [f32]) {
    let reach = bell.len() - 1;
    let mut padded = vec![0.0; side + 2 * reach];
    for (row, out) in values.chunks_exact(side).zip(out.chunks_exact_mut(side)) {
        padded[..reach].fill(row[0]);
        padded[reach..reach + side].copy_from_slice(row);
        padded[reach + side..].fill(row[side - 1]);
        for (at, &weight) in bell.iter().enumerate() {
            let (left, right) = (&padded[reach - at..], &padded[reach + at..]);
            add_both(out, left, right, weight, at);
        }
    }
}

/// Columns, as [`blur_rows`].
#[inline(always)]
fn blur_columns(values: &[f32], side: usize, bell: &[f32], out: &mut [f32]) {
    for (y, out) in out.chunks_exact_mut(side).enumerate() {
        for (at, &weight) in bell.iter().enumerate() {
            let above = &values[y.saturating_sub(at) * side..];
            let below = &values[(y + at).min(side - 1) * side..];
            add_both(out, above, below, weight, at);
        }
    }
}

/// Adds what lies this far on both sides; the middle is there once.
#[inline(always)]
fn add_both(out: &mut [f32], before: &[f32], after: &[f32], weight: f32, at: usize) {
    let weight = if at == 0 { 0.5 * weight } else { weight };
    for ((out, before), after) in out.iter_mut().zip(before).zip(after) {
        *out += weight * (before + after);
    }
}

/// Marching squares: which edge of the grid follows which.
struct Contours<'a> {
    field: &'a Field,
    level: f32,
    /// By edge, twice the pixel's number; plus one for the edge downwards.
    next: Vec<u32>,
}

const NOTHING: u32 = u32::MAX;

impl<'a> Contours<'a> {
    fn new(field: &'a Field, level: f32) -> Self {
        let side = field.side;
        let mut next = vec![NOTHING; 2 * side * side];
        for y in 0..side - 1 {
            for x in 0..side - 1 {
                let at = y * side + x;
                let corners = [at, at + 1, at + side + 1, at + side].map(|k| field.values[k]);
                let code = corners
                    .iter()
                    .enumerate()
                    .fold(0, |code, (bit, &v)| code | (usize::from(v > level) << bit));
                if code == 0 || code == 15 {
                    continue;
                }
                let edges = [2 * at, 2 * (at + 1) + 1, 2 * (at + side), 2 * at + 1];
                let full = corners.iter().sum::<f32>() / 4.0 > level;
                for &[from, to] in steps(code, full) {
                    next[edges[from]] = edges[to] as u32;
                }
            }
        }
        Self { field, level, next }
    }

    fn place(&self, edge: usize) -> [f32; 2] {
        let side = self.field.side;
        let (from, down) = (edge / 2, edge % 2 == 1);
        let to = if down { from + side } else { from + 1 };
        let [a, b] = [from, to].map(|at| self.field.values[at]);
        let share = ((self.level - a) / (b - a)).clamp(0.0, 1.0);
        let (x, y) = ((from % side) as f32, (from / side) as f32);
        if down { [x, y + share] } else { [x + share, y] }
    }

    fn follow(mut self) -> Vec<Path> {
        let mut entered = vec![false; self.next.len()];
        for &to in self.next.iter().filter(|&&to| to != NOTHING) {
            entered[to as usize] = true;
        }
        // Open lines begin where nothing leads; what is left then is closed.
        let edges = 0..self.next.len();
        let begins: Vec<usize> = edges.clone().filter(|&e| !entered[e]).collect();
        let mut paths = Vec::new();
        for start in begins.into_iter().chain(edges) {
            if self.next[start] == NOTHING {
                continue;
            }
            let mut path = vec![self.place(start)];
            let mut at = start;
            while self.next[at] != NOTHING {
                let to = self.next[at] as usize;
                self.next[at] = NOTHING;
                path.push(self.place(to));
                at = to;
            }
            paths.push(path);
        }
        paths
    }
}

/// From which edge (top, right, bottom, left) to which a contour goes through a square whose corners
/// are above the level as the bits say, clockwise from the top left; `full` where the middle is above
/// it as well.
fn steps(code: usize, full: bool) -> &'static [[usize; 2]] {
    const TOP: usize = 0;
    const RIGHT: usize = 1;
    const BOTTOM: usize = 2;
    const LEFT: usize = 3;
    match (code, full) {
        (1, _) => &[[LEFT, TOP]],
        (2, _) => &[[TOP, RIGHT]],
        (4, _) => &[[RIGHT, BOTTOM]],
        (8, _) => &[[BOTTOM, LEFT]],
        (3, _) => &[[LEFT, RIGHT]],
        (6, _) => &[[TOP, BOTTOM]],
        (12, _) => &[[RIGHT, LEFT]],
        (9, _) => &[[BOTTOM, TOP]],
        (7, _) => &[[LEFT, BOTTOM]],
        (14, _) => &[[TOP, LEFT]],
        (13, _) => &[[RIGHT, TOP]],
        (11, _) => &[[BOTTOM, RIGHT]],
        (5, false) => &[[LEFT, TOP], [RIGHT, BOTTOM]],
        (5, true) => &[[LEFT, BOTTOM], [RIGHT, TOP]],
        (10, false) => &[[TOP, RIGHT], [BOTTOM, LEFT]],
        (10, true) => &[[TOP, LEFT], [BOTTOM, RIGHT]],
        _ => &[],
    }
}

/// The eight neighbours of a pixel, clockwise from the one above.
fn neighbours(at: usize, side: usize) -> [usize; 8] {
    [
        at - side,
        at - side + 1,
        at + 1,
        at + side + 1,
        at + side,
        at + side - 1,
        at - 1,
        at - side - 1,
    ]
}

/// Takes pixels away until lines one pixel wide are left (Zhang and Suen, 1984).
fn thin(set: &mut [bool], side: usize) {
    let mut alive: Vec<usize> = (0..set.len()).filter(|&at| set[at]).collect();
    loop {
        let before = alive.len();
        for turn in 0..2 {
            let gone: Vec<usize> = alive
                .iter()
                .copied()
                .filter(|&at| {
                    let around = neighbours(at, side).map(|n| set[n]);
                    let count = around.iter().filter(|&&n| n).count();
                    let rises = (0..8)
                        .filter(|&k| !around[k] && around[(k + 1) % 8])
                        .count();
                    let [up, _, right, _, down, _, left, _] = around;
                    let ends = if turn == 0 {
                        !(right && down && (up || left))
                    } else {
                        !(up && left && (right || down))
                    };
                    (2..=6).contains(&count) && rises == 1 && ends
                })
                .collect();
            for at in gone {
                set[at] = false;
            }
            alive.retain(|&at| set[at]);
        }
        if alive.len() == before {
            return;
        }
    }
}

/// Takes the steps of stairs away that thinning leaves: pixels inside a line around which everything
/// still hangs together. With them a slanted line would be a row of crossings.
fn straighten(set: &mut [bool], side: usize) {
    for at in 0..set.len() {
        if !set[at] {
            continue;
        }
        let around = neighbours(at, side).map(|n| set[n]);
        let count = around.iter().filter(|&&n| n).count();
        // Neighbours hang together round the ring, and across a corner that is free.
        let joins = (0..8)
            .filter(|&k| {
                let [this, next, after] = [k, k + 1, k + 2].map(|k| around[k % 8]);
                this && (next || k % 2 == 0 && after)
            })
            .count();
        if count >= 2 && count == joins + 1 {
            set[at] = false;
        }
    }
}

/// The lines of thinned pixels, from end or crossing to end or crossing. Takes the pixels.
fn walk(set: &mut [bool], side: usize) -> Vec<Path> {
    let all: Vec<usize> = (0..set.len()).filter(|&at| set[at]).collect();
    let degree = |set: &[bool], at: usize| neighbours(at, side).iter().filter(|&&n| set[n]).count();
    let crossing: Vec<usize> = all
        .iter()
        .copied()
        .filter(|&at| degree(set, at) > 2)
        .collect();
    // Lines are cut at crossings, whose pixels go.
    for &at in &crossing {
        set[at] = false;
    }
    let ends: Vec<usize> = all
        .iter()
        .copied()
        .filter(|&at| set[at] && degree(set, at) < 2)
        .collect();
    let mut paths = Vec::new();
    for start in ends.into_iter().chain(all) {
        if !set[start] {
            continue;
        }
        let mut path = Path::new();
        let mut at = Some(start);
        while let Some(pixel) = at {
            set[pixel] = false;
            path.push([(pixel % side) as f32, (pixel / side) as f32]);
            at = neighbours(pixel, side).into_iter().find(|&n| set[n]);
        }
        paths.push(path);
    }
    paths
}

/// A path without the steps of its pixels: means of five points, the ends kept.
#[must_use]
pub fn smoothed(path: &Path) -> Path {
    let closed = path.len() > 8 && path.first() == path.last();
    let count = path.len();
    // The point `by` after one, round and round where the path is closed.
    let point = |at: usize, by: usize, reach: usize| {
        if closed {
            path[(at + by + count - 1 - reach) % (count - 1)]
        } else {
            path[at + by - reach]
        }
    };
    (0..count)
        .map(|at| {
            let reach = if closed {
                2
            } else {
                2.min(at).min(count - 1 - at)
            };
            let weight = 1.0 / (2 * reach + 1) as f32;
            (0..=2 * reach).fold([0.0; 2], |[x, y], by| {
                let p = point(at, by, reach);
                [x + weight * p[0], y + weight * p[1]]
            })
        })
        .collect()
}

/// Its length.
#[must_use]
pub fn length(path: &[[f32; 2]]) -> f32 {
    path.windows(2)
        .map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]))
        .sum()
}

/// As few of its points as keep it within this distance (Douglas and Peucker, 1973).
#[must_use]
pub fn simplified(path: &[[f32; 2]], within: f32) -> Path {
    if path.len() < 3 {
        return path.to_vec();
    }
    let mut kept = vec![false; path.len()];
    kept[0] = true;
    kept[path.len() - 1] = true;
    let mut pieces = vec![(0, path.len() - 1)];
    while let Some((from, to)) = pieces.pop() {
        let off = |at: usize| distance(path[at], path[from], path[to]);
        let Some(most) = (from + 1..to).max_by(|&a, &b| off(a).total_cmp(&off(b))) else {
            continue;
        };
        if off(most) > within {
            kept[most] = true;
            pieces.extend([(from, most), (most, to)]);
        }
    }
    path.iter()
        .zip(kept)
        .filter_map(|(point, kept)| kept.then_some(*point))
        .collect()
}

/// From a point to a straight line between two others.
fn distance(p: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let square = along[0] * along[0] + along[1] * along[1];
    let to = [p[0] - a[0], p[1] - a[1]];
    let share = if square > 0.0 {
        ((to[0] * along[0] + to[1] * along[1]) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (to[0] - share * along[0]).hypot(to[1] - share * along[1])
}

/// The pieces of a path that lie where something holds.
#[must_use]
pub fn pieces(path: &[[f32; 2]], holds: impl Fn([f32; 2]) -> bool) -> Vec<Path> {
    path.chunk_by(|&a, &b| holds(a) == holds(b))
        .filter(|piece| holds(piece[0]))
        .map(<[[f32; 2]]>::to_vec)
        .collect()
}
