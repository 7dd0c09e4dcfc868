//! A drawing made into what MNIST's digits are.
//!
//! MNIST's pictures were scaled so that the digit fits a box of 20 × 20 pixels with its proportions
//! kept, and then moved so that the centre of mass of its ink lies in the middle of 28 × 28 (the
//! database's own page). A net that has learnt from such pictures reads a
//! drawing only when the same is done to it.

/// Sides of MNIST's pictures.
pub const SIDE: usize = 28;
/// Sides of the box that a digit fills.
const BOX: f32 = 20.0;
/// Where the centre of mass lies. They were moved by whole pixels: the centres of the first 300 test
/// pictures lie between 14.0 and 15.0, at 14.5 in the mean.
const CENTRE: f32 = 14.5;
/// Sides of the sheet that is drawn on.
pub const SHEET: usize = 112;
/// Half the width of a stroke against the sheet's side: about that of MNIST's pens.
const RADIUS: f32 = 0.042;
/// How far a stroke's edge fades, against the sheet's side.
const SOFTNESS: f32 = 0.02;
/// Ink below this does not count for the digit's size.
const LEAST_INK: f32 = 0.1;

/// A stroke: places from (0, 0) at the top left to (1, 1).
pub type Stroke = Vec<[f32; 2]>;

/// A sheet of paper, `SHEET` × `SHEET`, 0 without ink to 1.
#[derive(Clone, Debug)]
pub struct Sheet {
    ink: Vec<f32>,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            ink: vec![0.0; SHEET * SHEET],
        }
    }
}

impl Sheet {
    /// A sheet with these strokes.
    #[must_use]
    pub fn with(strokes: &[Stroke]) -> Self {
        let mut sheet = Self::default();
        for stroke in strokes {
            match stroke.as_slice() {
                [] => {}
                [dot] => sheet.line(*dot, *dot),
                places => places.windows(2).for_each(|w| sheet.line(w[0], w[1])),
            }
        }
        sheet
    }

    /// Draws a straight piece of a stroke.
    pub fn line(&mut self, from: [f32; 2], to: [f32; 2]) {
        let scale = SHEET as f32;
        let reach = (RADIUS + SOFTNESS) * scale + 1.0;
        let [a, b] = [from, to].map(|p| p.map(|v| v.clamp(0.0, 1.0) * scale));
        let range = |axis: usize| {
            let low = (a[axis].min(b[axis]) - reach).max(0.0) as usize;
            let high = (a[axis].max(b[axis]) + reach).min(scale) as usize;
            low..high
        };
        for y in range(1) {
            for x in range(0) {
                let distance = distance([x as f32 + 0.5, y as f32 + 0.5], a, b) / scale;
                let ink = ((RADIUS + SOFTNESS - distance) / (2.0 * SOFTNESS)).clamp(0.0, 1.0);
                let here = &mut self.ink[y * SHEET + x];
                *here = here.max(ink);
            }
        }
    }

    /// The drawing as one of MNIST's pictures, `[28, 28]`, 0 to 1; none without ink.
    #[must_use]
    pub fn digit(&self) -> Option<Vec<f32>> {
        normalised(&self.ink, SHEET)
    }
}

fn distance(p: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let (d, e) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let length = d[0] * d[0] + d[1] * d[1];
    let t = if length > 0.0 {
        ((d[0] * e[0] + d[1] * e[1]) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (e[0] - t * d[0]).hypot(e[1] - t * d[1])
}

/// A square picture of `side` × `side` made as MNIST's are; none without ink.
fn normalised(ink: &[f32], side: usize) -> Option<Vec<f32>> {
    let mut bounds = [usize::MAX, usize::MAX, 0, 0];
    let (mut mass, mut moment) = (0.0_f64, [0.0_f64; 2]);
    for (i, &ink) in ink.iter().enumerate() {
        let (x, y) = (i % side, i / side);
        if ink >= LEAST_INK {
            bounds = [
                bounds[0].min(x),
                bounds[1].min(y),
                bounds[2].max(x + 1),
                bounds[3].max(y + 1),
            ];
        }
        mass += f64::from(ink);
        moment[0] += f64::from(ink) * (x as f64 + 0.5);
        moment[1] += f64::from(ink) * (y as f64 + 0.5);
    }
    if bounds[0] == usize::MAX {
        return None;
    }
    let [wide, high] = [bounds[2] - bounds[0], bounds[3] - bounds[1]];
    let scale = wide.max(high) as f32 / BOX;
    let centre = moment.map(|m| (m / mass) as f32);
    let mut digit = vec![0.0; SIDE * SIDE];
    for (i, out) in digit.iter_mut().enumerate() {
        let corner = |axis: usize, at: usize| centre[axis] + (at as f32 - CENTRE) * scale;
        let (x, y) = (corner(0, i % SIDE), corner(1, i / SIDE));
        *out = mean(ink, side, [x, y], scale);
    }
    Some(digit)
}

/// The mean of a square of a picture, parts of pixels counted as parts; nothing lies outside.
fn mean(ink: &[f32], side: usize, [left, top]: [f32; 2], size: f32) -> f32 {
    let covered = |start: f32, at: usize| {
        let (low, high) = (start.max(at as f32), (start + size).min(at as f32 + 1.0));
        (high - low).max(0.0)
    };
    let range = |start: f32| {
        let low = start.floor().max(0.0) as usize;
        let high = (start + size).ceil().clamp(0.0, side as f32) as usize;
        low..high
    };
    let mut sum = 0.0;
    for y in range(top) {
        for x in range(left) {
            sum += ink[y * side + x] * covered(left, x) * covered(top, y);
        }
    }
    (sum / (size * size)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::{SIDE, Sheet, normalised};
    use crate::data::DatasetSource;
    use crate::store::{Paths, assets_dir};

    fn bounds(digit: &[f32]) -> [usize; 2] {
        let inked = |i: &usize| digit[*i] > 0.1;
        let columns: Vec<usize> = (0..SIDE * SIDE).filter(inked).map(|i| i % SIDE).collect();
        let rows: Vec<usize> = (0..SIDE * SIDE).filter(inked).map(|i| i / SIDE).collect();
        [columns, rows].map(|v| v.iter().max().expect("ink") - v.iter().min().expect("ink") + 1)
    }

    #[test]
    fn a_small_drawing_in_a_corner_fills_the_box() {
        let sheet = Sheet::with(&[vec![[0.05, 0.05], [0.05, 0.3]]]);
        let digit = sheet.digit().expect("ink");
        let [wide, high] = bounds(&digit);
        assert!((19..=22).contains(&high), "{high}");
        assert!(wide < 12, "proportions stay: {wide}");
        let mass: f32 = digit.iter().sum();
        let column: f32 = (0..SIDE * SIDE)
            .map(|i| digit[i] * ((i % SIDE) as f32 + 0.5))
            .sum();
        assert!((column / mass - 14.5).abs() < 0.1, "{}", column / mass);
        assert!(Sheet::default().digit().is_none());
    }

    #[test]
    fn a_dot_is_a_drawing() {
        let digit = Sheet::with(&[vec![[0.5, 0.5]]]).digit().expect("ink");
        assert!(digit.iter().all(|v| (0.0..=1.0).contains(v)));
        assert!(digit[14 * SIDE + 14] > 0.9);
    }

    #[test]
    fn what_is_a_digit_of_mnist_already_stays_nearly_as_it_is() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let sets = DatasetSource::Mnist
            .load(None, &assets_dir(), &Paths::under(folder.path()))
            .expect("MNIST ships with the program");
        let mut worst: f32 = 0.0;
        let mut sum = 0.0;
        for index in 0..200 {
            let bytes = sets.test.image(index).expect("a picture");
            let ink: Vec<f32> = bytes.iter().map(|b| f32::from(*b) / 255.0).collect();
            let again = normalised(&ink, SIDE).expect("ink");
            let difference: f32 = ink.iter().zip(&again).map(|(a, b)| (a - b).abs()).sum();
            let share = difference / ink.iter().sum::<f32>();
            worst = worst.max(share);
            sum += share;
        }
        // Half a pixel of rounding in their centring moves a fifth of the ink.
        assert!(sum / 200.0 < 0.3, "{}", sum / 200.0);
        assert!(worst < 0.75, "{worst}");
    }
}
