//! Elementary functions and random draws, the same bits in one lane as in sixteen.
//!
//! Nothing here branches, so that a loop over lanes becomes vector code; every product that may be
//! fused is a `mul_add`. The system's own functions would be called lane by lane and differ from
//! machine to machine. Polynomials are those of Cephes (Moshier), that of `exp` of Arm's optimised
//! routines; the results are within a few units in the last place.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, PI, SQRT_2};

const LOG2_E: f32 = std::f32::consts::LOG2_E;
const LN2_HIGH: f32 = f32::from_bits(0x3f31_7200);
const LN2_LOW: f32 = f32::from_bits(0x35bf_be8e);
/// The coefficients of the exponential's polynomial.
const EXP: [f32; 5] = [
    f32::from_bits(0x3f7f_fff6),
    f32::from_bits(0x3eff_fedb),
    f32::from_bits(0x3e2a_af33),
    f32::from_bits(0x3d2b_9f17),
    f32::from_bits(0x3c07_2010),
];
/// Adding it rounds to a whole number, which stands in the low bits of the sum.
const ROUNDER: f32 = 12_582_912.0;
const ROUNDER_64: f64 = 6_755_399_441_055_744.0;

/// `e^x`.
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    // Written so that what is not a number passes.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let z = x.mul_add(LOG2_E, ROUNDER);
    let n = z - ROUNDER;
    let b = (-n).mul_add(LN2_LOW, (-n).mul_add(LN2_HIGH, x));
    let u = b * b;
    let low = EXP[2].mul_add(b, EXP[1]);
    let high = EXP[4].mul_add(b, EXP[3]);
    let j = high.mul_add(u, low).mul_add(u, EXP[0] * b);
    // The power of two in two factors: one alone need not fit the exponent.
    let whole = z.to_bits().wrapping_sub(ROUNDER.to_bits()).cast_signed();
    let half = whole >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) << 23).cast_unsigned());
    (j + 1.0) * power(half) * power(whole.wrapping_sub(half))
}

/// The natural logarithm: minus infinity at 0, not a number below.
#[inline(always)]
#[must_use]
pub fn ln(x: f32) -> f32 {
    let small = x < f32::MIN_POSITIVE;
    let scaled = if small { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits();
    // The mantissa between sqrt(1/2) and sqrt(2).
    let shifted = bits.wrapping_sub(0x3f35_04f3);
    let exponent = (shifted.cast_signed() >> 23) as f32 - if small { 23.0 } else { 0.0 };
    let mantissa = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    let f = mantissa - 1.0;
    let z = f * f;
    let p = 7.037_683_6e-2_f32
        .mul_add(f, -1.151_461e-1)
        .mul_add(f, 1.167_699_9e-1)
        .mul_add(f, -1.242_014_1e-1)
        .mul_add(f, 1.424_932_3e-1)
        .mul_add(f, -1.666_805_7e-1)
        .mul_add(f, 2.000_071_4e-1)
        .mul_add(f, -2.499_999_4e-1)
        .mul_add(f, 3.333_333e-1);
    let y = (p * f).mul_add(z, exponent * -2.121_944_4e-4);
    let y = z.mul_add(-0.5, y) + f;
    let y = exponent.mul_add(0.693_359_4, y);
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    let y = if x > f32::MAX { x } else { y };
    // False for what is not a number.
    if x >= 0.0 { y } else { f32::NAN }
}

/// Sine and cosine of the rest after whole quarter turns, and their number.
#[inline(always)]
fn quarter(x: f32) -> (f32, f32, u64) {
    let wide = f64::from(x);
    let z = wide.mul_add(std::f64::consts::FRAC_2_PI, ROUNDER_64);
    let turns = z - ROUNDER_64;
    let rest = turns.mul_add(-std::f64::consts::FRAC_PI_2, wide);
    let rest = turns.mul_add(-6.123_233_995_736_766e-17, rest) as f32;
    // Beyond 2^50 there is no rest left to speak of; it stays bounded.
    let rest = if rest > FRAC_PI_4 { FRAC_PI_4 } else { rest };
    let rest = if rest < -FRAC_PI_4 { -FRAC_PI_4 } else { rest };
    let z2 = rest * rest;
    let s = (-1.951_529_6e-4_f32)
        .mul_add(z2, 8.332_161e-3)
        .mul_add(z2, -1.666_665_5e-1);
    let sin = (s * z2).mul_add(rest, rest);
    let c = 2.443_315_7e-5_f32
        .mul_add(z2, -1.388_731_6e-3)
        .mul_add(z2, 4.166_664_6e-2);
    let cos = (c * z2).mul_add(z2, z2.mul_add(-0.5, 1.0));
    (sin, cos, z.to_bits())
}

/// The sine.
#[inline(always)]
#[must_use]
pub fn sin(x: f32) -> f32 {
    let (sin, cos, turns) = quarter(x);
    let value = if turns & 1 == 0 { sin } else { cos };
    if turns & 2 == 0 { value } else { -value }
}

/// The cosine.
#[inline(always)]
#[must_use]
pub fn cos(x: f32) -> f32 {
    let (sin, cos, turns) = quarter(x);
    let value = if turns & 1 == 0 { cos } else { sin };
    if (turns.wrapping_add(1)) & 2 == 0 {
        value
    } else {
        -value
    }
}

/// The tangent.
#[inline(always)]
#[must_use]
pub fn tan(x: f32) -> f32 {
    let (sin, cos, turns) = quarter(x);
    let even = turns & 1 == 0;
    (if even { sin } else { -cos }) / (if even { cos } else { sin })
}

/// The part of the arc sine that both use: `asin` of what is at most 1/2.
#[inline(always)]
fn small_asin(x: f32) -> f32 {
    let z = x * x;
    let p = 4.216_32e-2_f32
        .mul_add(z, 2.418_131e-2)
        .mul_add(z, 4.547_002_6e-2)
        .mul_add(z, 7.495_300_3e-2)
        .mul_add(z, 1.666_675_2e-1);
    (p * z).mul_add(x, x)
}

/// The arc sine; not a number outside -1 to 1.
#[inline(always)]
#[must_use]
pub fn asin(x: f32) -> f32 {
    let size = x.abs();
    let large = size > 0.5;
    let half = (0.5 * (1.0 - size)).sqrt();
    let value = small_asin(if large { half } else { size });
    let value = if large {
        (-2.0_f32).mul_add(value, FRAC_PI_2)
    } else {
        value
    };
    let value = if size <= 1.0 { value } else { f32::NAN };
    if x < 0.0 { -value } else { value }
}

/// The arc cosine; not a number outside -1 to 1.
#[inline(always)]
#[must_use]
pub fn acos(x: f32) -> f32 {
    let size = x.abs();
    let large = size > 0.5;
    let half = (0.5 * (1.0 - size)).sqrt();
    let value = small_asin(if large { half } else { x });
    let end = 2.0 * value;
    let end = if x < 0.0 { PI - end } else { end };
    let value = if large { end } else { FRAC_PI_2 - value };
    if size <= 1.0 { value } else { f32::NAN }
}

/// The arc tangent.
#[inline(always)]
#[must_use]
pub fn atan(x: f32) -> f32 {
    let size = x.abs();
    let (steep, middle) = (size > 2.414_213_7, size > 0.414_213_57);
    let base = if steep { FRAC_PI_2 } else { FRAC_PI_4 };
    let base = if middle { base } else { 0.0 };
    let number = if steep { -1.0 } else { size - 1.0 };
    let under = if steep { size } else { size + 1.0 };
    let reduced = if middle { number / under } else { size };
    let z = reduced * reduced;
    let p = 8.053_744_5e-2_f32
        .mul_add(z, -1.387_768_6e-1)
        .mul_add(z, 1.997_771e-1)
        .mul_add(z, -3.333_295e-1);
    let value = base + (p * z).mul_add(reduced, reduced);
    if x < 0.0 { -value } else { value }
}

/// The logistic function.
#[inline(always)]
#[must_use]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The lesser; the second where one is not a number, as the processor's instruction has it.
#[inline(always)]
#[must_use]
pub fn min(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The greater; the second where one is not a number.
#[inline(always)]
#[must_use]
pub fn max(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// What tells the random numbers of one place in a program from those of another: the instruction
/// (`key`), how often it has run (`step`), and the entry of the vector or matrix.
#[inline(always)]
#[must_use]
pub fn place(key: u32, step: u32, entry: u32) -> u32 {
    let mut x = (u64::from(key) << 32 | u64::from(step))
        .wrapping_add(u64::from(entry).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as u32
}

/// 32 random bits of a task (`seed`) at a [`place`].
#[inline(always)]
#[must_use]
pub fn bits(seed: u32, place: u32) -> u32 {
    let mut x = seed ^ place;
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// A number between 0 and 1, neither of them, from random bits.
#[inline(always)]
#[must_use]
pub fn uniform(bits: u32) -> f32 {
    // A signed conversion, which every vector unit has.
    ((bits >> 9).cast_signed() as f32 + 0.5) * (1.0 / 8_388_608.0)
}

/// A standard normal number from random bits: the inverse of its distribution (Giles 2010,
/// "Approximating the erfinv function", single precision).
#[inline(always)]
#[must_use]
pub fn normal(bits: u32) -> f32 {
    let x = ((bits >> 9).cast_signed() as f32 + 0.5).mul_add(1.0 / 4_194_304.0, -1.0);
    let w = -ln((1.0 - x) * (1.0 + x));
    let near = w - 2.5;
    let p = 2.810_226_4e-8_f32
        .mul_add(near, 3.432_739_4e-7)
        .mul_add(near, -3.523_387_7e-6)
        .mul_add(near, -4.391_506_5e-6)
        .mul_add(near, 2.185_808_7e-4)
        .mul_add(near, -1.253_725e-3)
        .mul_add(near, -4.177_681_6e-3)
        .mul_add(near, 2.466_407_3e-1)
        .mul_add(near, 1.501_409_4);
    let far = w.sqrt() - 3.0;
    let q = (-2.002_142_6e-4_f32)
        .mul_add(far, 1.009_505_6e-4)
        .mul_add(far, 1.349_343_2e-3)
        .mul_add(far, -3.673_428_4e-3)
        .mul_add(far, 5.739_507_7e-3)
        .mul_add(far, -7.622_461_3e-3)
        .mul_add(far, 9.438_870_5e-3)
        .mul_add(far, 1.001_674)
        .mul_add(far, 2.832_976_8);
    SQRT_2 * if w < 5.0 { p } else { q } * x
}
