//! Vectors on a sphere, moved by Adam: the paper's spherical optimiser (section 3.3).
//!
//! A standard normal vector of many numbers lies close to the sphere of radius `sqrt(dims)`, so the
//! paper holds its vectors there instead of adding a prior to the loss.

/// Adam's decay rates and its small constant, as published.
const BETAS: [f32; 2] = [0.9, 0.999];
const EPS: f32 = 1e-8;

/// Rows of numbers, each of one length; or of any, where they are free.
#[derive(Clone, Debug)]
pub struct Sphere {
    dims: usize,
    radius: Option<f32>,
    values: Vec<f32>,
    moments: [Vec<f32>; 2],
    updates: i32,
}

impl Sphere {
    /// Rows of `dims` numbers, put on a sphere of radius `sqrt(dims)` times `share`.
    #[must_use]
    pub fn new(dims: usize, share: f64, values: Vec<f32>) -> Self {
        let mut sphere = Self {
            dims,
            radius: Some(((dims as f64).sqrt() * share) as f32),
            moments: [(); 2].map(|()| vec![0.0; values.len()]),
            values,
            updates: 0,
        };
        sphere.project();
        sphere
    }

    /// Rows of `dims` numbers that may go anywhere: few numbers do not lie close to a sphere.
    #[must_use]
    pub fn free(dims: usize, values: Vec<f32>) -> Self {
        Self {
            dims,
            radius: None,
            moments: [(); 2].map(|()| vec![0.0; values.len()]),
            values,
            updates: 0,
        }
    }

    /// Numbers in a row.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// All rows, one after the other.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// A row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dims..(row + 1) * self.dims]
    }

    /// Goes on with some rows only.
    pub fn keep(&mut self, rows: &[usize]) {
        let kept = |values: &[f32]| {
            rows.iter()
                .flat_map(|row| values[row * self.dims..(row + 1) * self.dims].to_vec())
                .collect::<Vec<f32>>()
        };
        self.moments = [kept(&self.moments[0]), kept(&self.moments[1])];
        self.values = kept(&self.values);
    }

    /// Changes a row as it is, on the sphere or off it until the next step.
    pub fn set(&mut self, row: usize, values: impl IntoIterator<Item = f32>) {
        let row = &mut self.values[row * self.dims..(row + 1) * self.dims];
        for (old, new) in row.iter_mut().zip(values) {
            *old = new;
        }
    }

    /// Forgets how a row moved.
    pub fn rest(&mut self, row: usize) {
        for moments in &mut self.moments {
            moments[row * self.dims..(row + 1) * self.dims].fill(0.0);
        }
    }

    /// Counts steps from 0 again.
    pub fn begin_anew(&mut self) {
        self.updates = 0;
    }

    /// A step of Adam down a gradient, and back to the sphere.
    ///
    /// # Panics
    /// When the gradient has fewer numbers than the rows.
    pub fn descend(&mut self, gradient: &[f32], rate: f32) {
        assert_eq!(
            gradient.len(),
            self.values.len(),
            "a gradient for each number"
        );
        self.updates += 1;
        let [b1, b2] = BETAS;
        let (c1, c2) = (1.0 - b1.powi(self.updates), 1.0 - b2.powi(self.updates));
        let [first, second] = &mut self.moments;
        for (((z, g), m), v) in self.values.iter_mut().zip(gradient).zip(first).zip(second) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *z -= rate * (*m / c1) / ((*v / c2).sqrt() + EPS);
        }
        self.project();
    }

    fn project(&mut self) {
        let Some(radius) = self.radius else {
            return;
        };
        for row in self.values.chunks_exact_mut(self.dims.max(1)) {
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
            for value in row {
                *value *= radius / length;
            }
        }
    }
}
