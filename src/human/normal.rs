//! The standard normal distribution: its distribution function and the inverse of that.

/// One over the square root of pi.
const FRAC_1_SQRT_PI: f64 = 0.564_189_583_547_756_3;

/// The probability of a value below `z`, by the continued fraction and series for the error
/// function; exact to about 1e-12.
#[must_use]
pub fn cdf(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let upper = if x < 2.5 {
        // erf by its series: 2/sqrt(pi) * e^(-x^2) * sum of x (2 x^2)^n / (1 3 5 ...).
        let mut term = x;
        let mut sum = x;
        let mut n = 1.0;
        while term > 1e-17 * sum && n < 200.0 {
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
            n += 1.0;
        }
        0.5 - FRAC_1_SQRT_PI * (-x * x).exp() * sum
    } else {
        // erfc by its continued fraction, from the depths up.
        let mut fraction = 0.0;
        for n in (1..=60).rev() {
            fraction = f64::from(n) / 2.0 / (x + fraction);
        }
        0.5 * FRAC_1_SQRT_PI * (-x * x).exp() / (x + fraction)
    };
    if z > 0.0 { 1.0 - upper } else { upper }
}

/// The value that a normal number lies below with probability `p`, by halving the interval from -8
/// to 8, whose ends stand for all beyond.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
