//! From what was read off a drawing to a person of the kit whose landmarks lie where they were seen.
//!
//! The network reads the person's numbers and, by themselves, the places of the landmarks, which it
//! knows better. The numbers are moved as far as they are in doubt, so that the kit's landmarks come
//! near the places: the most likely numbers where both are uncertain by normal deviations. The
//! landmarks move nearly linearly with the numbers, so a few rounds with true landmarks suffice.

use super::landmarks::Landmarks;
use super::manifold::Factor;
use crate::error::Result;

/// How uncertain the places of landmarks are that were read, pixels.
const PLACES: f64 = 0.7;
/// Rounds of moving.
const ROUNDS: usize = 2;

/// What is known of numbers and landmarks together.
#[derive(Clone, Debug)]
pub struct Fit {
    /// How landmarks move with numbers, a row for each coordinate.
    slopes: Vec<Vec<f64>>,
    /// The variances of numbers; none of those that stay.
    variances: Vec<f64>,
    factor: Factor,
}

impl Fit {
    /// Of slopes, a row of numbers for each coordinate, and how far each number is in doubt; those
    /// with no doubt stay as they are.
    ///
    /// # Errors
    /// When numbers are not finite.
    pub fn new(slopes: Vec<Vec<f64>>, doubt: &[f64]) -> Result<Self> {
        let variances: Vec<f64> = doubt.iter().map(|d| d * d).collect();
        let matrix = slopes
            .iter()
            .enumerate()
            .map(|(row, a)| {
                slopes
                    .iter()
                    .enumerate()
                    .map(|(column, b)| {
                        let together: f64 = a
                            .iter()
                            .zip(b)
                            .zip(&variances)
                            .map(|((a, b), variance)| a * b * variance)
                            .sum();
                        together + if row == column { PLACES * PLACES } else { 0.0 }
                    })
                    .collect()
            })
            .collect();
        Ok(Self {
            slopes,
            variances,
            factor: Factor::of(matrix)?,
        })
    }

    /// Moves numbers towards places of landmarks, of which `now` tells where they are.
    pub fn moved(
        &self,
        z: &[f64],
        places: &Landmarks,
        now: impl Fn(&[f64]) -> Landmarks,
    ) -> Vec<f64> {
        let mut moved = z.to_vec();
        for _ in 0..ROUNDS {
            // What is missing as seen from the numbers that were read: the moves so far are made anew.
            let gaps: Vec<f64> = places
                .as_flattened()
                .iter()
                .zip(now(&moved).as_flattened())
                .zip(&self.slopes)
                .map(|((place, now), slopes)| {
                    let already: f64 = slopes
                        .iter()
                        .zip(&moved)
                        .zip(z)
                        .map(|((slope, moved), z)| slope * (moved - z))
                        .sum();
                    f64::from(place - now) + already
                })
                .collect();
            let pulls = self.factor.solve(gaps);
            for (number, value) in moved.iter_mut().enumerate() {
                let pull: f64 = self
                    .slopes
                    .iter()
                    .zip(&pulls)
                    .map(|(slopes, pull)| slopes[number] * pull)
                    .sum();
                *value = z[number] + self.variances[number] * pull;
            }
        }
        moved
    }
}
