//! How much pictures depend on each feature of a person.

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};
use crate::nn::ops::{Activation, linear};

/// Added to each feature's variance, so that rare ones are not taken for more than they show.
const RIDGE: f64 = 0.02;
/// The least and the greatest, where a quarter of the features has more than 1.
const BOUNDS: [f64; 2] = [0.15, 2.5];

/// One number a feature: how far pictures move, by a ridge regression on the features `[people,
/// features]`, when it moves by its deviation; `pictures` are `[people, values]`.
///
/// # Errors
/// When there are fewer people than features, or the device fails.
pub fn relevance(features: &Tensor, pictures: &Tensor) -> Result<Vec<f32>> {
    let (people, count) = features.dims2()?;
    if people <= count {
        return Err(Error::Input(format!(
            "{people} people do not tell how much {count} features matter"
        )));
    }
    let x = features.broadcast_sub(&features.mean_keepdim(0)?)?.t()?;
    let y = pictures.broadcast_sub(&pictures.mean_keepdim(0)?)?.t()?;
    let (x, y) = (x.contiguous()?, y.contiguous()?);
    let rows = |with: &Tensor| -> Result<Vec<Vec<f64>>> {
        let product = (linear(&x, with, None, Activation::None)? / people as f64)?;
        let rows = product.to_device(&Device::Cpu)?.to_vec2::<f32>()?;
        let wide = |row: Vec<f32>| row.into_iter().map(f64::from).collect();
        Ok(rows.into_iter().map(wide).collect())
    };
    let mut covariance = rows(&x)?;
    let deviations: Vec<f64> = (0..count).map(|k| covariance[k][k].sqrt()).collect();
    for (k, row) in covariance.iter_mut().enumerate() {
        row[k] += RIDGE;
    }
    let slopes = solve(covariance, rows(&y)?);
    let moves: Vec<f64> = slopes
        .iter()
        .zip(deviations)
        .map(|(row, deviation)| row.iter().map(|s| s * s).sum::<f64>().sqrt() * deviation)
        .collect();
    let mut sorted = moves.clone();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted[count * 3 / 4].max(f64::MIN_POSITIVE);
    let [least, most] = BOUNDS;
    Ok(moves
        .into_iter()
        .map(|moves| (moves / usual).clamp(least, most) as f32)
        .collect())
}

/// The rows that a positive definite matrix turns into `right`: Gauss' elimination.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let less = |from: &mut [f64], row: &[f64], share: f64| {
        for (value, other) in from.iter_mut().zip(row) {
            *value -= share * other;
        }
    };
    for pivot in 0..matrix.len() {
        let (above, below) = matrix.split_at_mut(pivot + 1);
        let (right_above, right_below) = right.split_at_mut(pivot + 1);
        for (row, right) in below.iter_mut().zip(right_below) {
            let share = row[pivot] / above[pivot][pivot];
            less(row, &above[pivot], share);
            less(right, &right_above[pivot], share);
        }
    }
    for at in (0..matrix.len()).rev() {
        let (before, after) = right.split_at_mut(at + 1);
        for (other, row) in after.iter().enumerate() {
            less(&mut before[at], row, matrix[at][at + 1 + other]);
        }
        for value in &mut before[at] {
            *value /= matrix[at][at];
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{relevance, solve};
    use crate::rng::Rng;

    #[test]
    fn elimination_solves_what_was_multiplied() {
        let matrix = vec![
            vec![4.0, 1.0, 0.5],
            vec![1.0, 3.0, -1.0],
            vec![0.5, -1.0, 2.0],
        ];
        let wanted = [[1.0, -2.0], [0.5, 4.0], [3.0, 0.25]];
        let right: Vec<Vec<f64>> = matrix
            .iter()
            .map(|row: &Vec<f64>| {
                (0..2)
                    .map(|k| row.iter().zip(wanted).map(|(m, w)| m * w[k]).sum())
                    .collect()
            })
            .collect();
        for (row, wanted) in solve(matrix, right).iter().zip(wanted) {
            for (found, wanted) in row.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
            }
        }
    }

    /// Four features; the pictures hang on the second twice as much as on the third, which has half
    /// the deviation of a number that moves them four times as much, and on the first not at all.
    #[test]
    fn what_moves_pictures_is_told_from_what_does_not() {
        let mut rng = Rng::new(4);
        let people = 5000;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for _ in 0..people {
            let z = [(); 4].map(|()| rng.normal() as f32);
            x.extend([z[0], z[1], 0.5 * z[2], z[3]]);
            y.extend([2.0 * z[1], z[2], 2.0 * z[3]]);
        }
        let tensor = |values, width| Tensor::from_vec(values, (people, width), &Device::Cpu);
        let (x, y) = (tensor(x, 4).expect("fits"), tensor(y, 3).expect("fits"));
        let found = relevance(&x, &y).expect("told");
        assert!((found[0] - 0.15).abs() < 1e-6, "{found:?}");
        assert!((found[1] / found[3] - 1.0).abs() < 0.05, "{found:?}");
        // The ridge takes 7 % of the weaker feature's part, and 2 % of the stronger one's.
        assert!((found[1] / found[2] - 2.1).abs() < 0.15, "{found:?}");
    }
}
