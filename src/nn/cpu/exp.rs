//! The exponential function in eight lanes, and the gate that uses it.
//!
//! A polynomial of degree 5 on a reduced argument, with the coefficients of Arm's optimised
//! routines (MIT), which ggml uses too: at most 1.95 units in the last place off. Every step is a
//! fused multiply-add, so the scalar twin gives the same bits.

use super::has_avx2;

pub(super) const LOG2_E: f32 = f32::from_bits(0x3fb8_aa3b);
pub(super) const LN2_HIGH: f32 = f32::from_bits(0x3f31_7200);
pub(super) const LN2_LOW: f32 = f32::from_bits(0x35bf_be8e);
/// Adding it rounds to a whole number, which stands in the low bits of the sum.
pub(super) const ROUNDER: f32 = 12_582_912.0;
pub(super) const C1: f32 = f32::from_bits(0x3f7f_fff6);
pub(super) const C2: f32 = f32::from_bits(0x3eff_fedb);
pub(super) const C3: f32 = f32::from_bits(0x3e2a_af33);
pub(super) const C4: f32 = f32::from_bits(0x3d2b_9f17);
pub(super) const C5: f32 = f32::from_bits(0x3c07_2010);

/// `e^x`, with the bits of the vector kernel.
fn exp_scalar(x: f32) -> f32 {
    let z = x.mul_add(LOG2_E, ROUNDER);
    let n = z - ROUNDER;
    let b = (-n).mul_add(LN2_LOW, (-n).mul_add(LN2_HIGH, x));
    let u = b * b;
    let j = C5
        .mul_add(b, C4)
        .mul_add(u, C3.mul_add(b, C2))
        .mul_add(u, C1 * b);
    let e = z.to_bits() << 23;
    if n.abs() <= 126.0 {
        let k = f32::from_bits(e.wrapping_add(1.0_f32.to_bits()));
        return j.mul_add(k, k);
    }
    if n.abs() > 192.0 {
        return if n <= 0.0 { 0.0 } else { f32::INFINITY };
    }
    if n.is_nan() {
        return n;
    }
    // The power of two does not fit one factor's exponent.
    let shift = if n <= 0.0 { 0x8200_0000_u32 } else { 0 };
    let s1 = f32::from_bits(shift.wrapping_add(0x7f00_0000));
    let s2 = f32::from_bits(e.wrapping_sub(shift));
    s2.mul_add(j, s2) * s1
}

/// `gate = silu(gate) * up`, number by number (Shazeer 2020).
///
/// # Panics
/// When the lengths differ.
pub fn silu_times(gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "one factor each");
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the features were detected.
        unsafe { avx2::silu_times(gate, up) };
        return;
    }
    silu_times_scalar(gate, up);
}

fn silu_times_scalar(gate: &mut [f32], up: &[f32]) {
    for (g, u) in gate.iter_mut().zip(up) {
        *g = *g / (1.0 + exp_scalar(0.0 - *g)) * u;
    }
}

/// `e^(x - max)` in place for 64 scores; returns the sum, added up in eights as ggml does.
pub(super) fn exp_minus_max(scores: &mut [f32; 64], max: f32) -> f64 {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the features were detected.
        return unsafe { avx2::exp_minus_max(scores, max) };
    }
    exp_minus_max_scalar(scores, max)
}

fn exp_minus_max_scalar(scores: &mut [f32; 64], max: f32) -> f64 {
    let mut sum = 0.0;
    for eight in scores.as_chunks_mut::<8>().0 {
        *eight = eight.map(|x| exp_scalar(x - max));
        let four: [f32; 4] = std::array::from_fn(|i| eight[i + 4] + eight[i]);
        sum += f64::from((four[0] + four[2]) + (four[1] + four[3]));
    }
    sum
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256, _CMP_GT_OQ, _CMP_LE_OQ, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps,
        _mm256_andnot_ps, _mm256_blendv_ps, _mm256_castps_si256, _mm256_castsi256_ps,
        _mm256_cmp_ps, _mm256_div_ps, _mm256_fmadd_ps, _mm256_fnmadd_ps, _mm256_loadu_ps,
        _mm256_movemask_ps, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
        _mm256_slli_epi32, _mm256_storeu_ps, _mm256_sub_epi32, _mm256_sub_ps,
    };

    use super::super::quant::sum_lanes;
    use super::{C1, C2, C3, C4, C5, LN2_HIGH, LN2_LOW, LOG2_E, ROUNDER, exp_scalar};

    #[target_feature(enable = "avx2,fma,f16c")]
    fn exp8(x: __m256) -> __m256 {
        let set = |v: f32| _mm256_set1_ps(v);
        let z = _mm256_fmadd_ps(x, set(LOG2_E), set(ROUNDER));
        let n = _mm256_sub_ps(z, set(ROUNDER));
        let b = _mm256_fnmadd_ps(n, set(LN2_LOW), _mm256_fnmadd_ps(n, set(LN2_HIGH), x));
        let u = _mm256_mul_ps(b, b);
        let high = _mm256_fmadd_ps(set(C5), b, set(C4));
        let low = _mm256_fmadd_ps(set(C3), b, set(C2));
        let j = _mm256_fmadd_ps(_mm256_fmadd_ps(high, u, low), u, _mm256_mul_ps(set(C1), b));
        let e = _mm256_slli_epi32::<23>(_mm256_castps_si256(z));
        let k = _mm256_castsi256_ps(_mm256_add_epi32(e, _mm256_castps_si256(set(1.0))));
        let usual = _mm256_fmadd_ps(j, k, k);
        let size = _mm256_andnot_ps(set(-0.0), n);
        let large = _mm256_cmp_ps::<_CMP_GT_OQ>(size, set(126.0));
        if _mm256_movemask_ps(large) == 0 {
            return usual;
        }
        let low_side = _mm256_cmp_ps::<_CMP_LE_OQ>(n, _mm256_setzero_ps());
        let shift = _mm256_and_ps(
            low_side,
            _mm256_castsi256_ps(_mm256_set1_epi32(0x8200_0000_u32.cast_signed())),
        );
        let shift = _mm256_castps_si256(shift);
        let s1 = _mm256_castsi256_ps(_mm256_add_epi32(shift, _mm256_set1_epi32(0x7f00_0000)));
        let s2 = _mm256_castsi256_ps(_mm256_sub_epi32(e, shift));
        let scaled = _mm256_mul_ps(_mm256_fmadd_ps(s2, j, s2), s1);
        let extreme = _mm256_cmp_ps::<_CMP_GT_OQ>(size, set(192.0));
        let result = _mm256_blendv_ps(usual, scaled, large);
        _mm256_blendv_ps(result, _mm256_mul_ps(s1, s1), extreme)
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn silu_times(gate: &mut [f32], up: &[f32]) {
        let (gates, rest) = gate.as_chunks_mut::<8>();
        let (ups, up_rest) = up.as_chunks::<8>();
        for (g, u) in gates.iter_mut().zip(ups) {
            // SAFETY: loads and stores stay within the chunks of eight.
            unsafe {
                let x = _mm256_loadu_ps(g.as_ptr());
                let e = exp8(_mm256_sub_ps(_mm256_setzero_ps(), x));
                let silu = _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0), e));
                _mm256_storeu_ps(
                    g.as_mut_ptr(),
                    _mm256_mul_ps(silu, _mm256_loadu_ps(u.as_ptr())),
                );
            }
        }
        for (g, u) in rest.iter_mut().zip(up_rest) {
            *g = *g / (1.0 + exp_scalar(0.0 - *g)) * u;
        }
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn exp_minus_max(scores: &mut [f32; 64], max: f32) -> f64 {
        let mut sum = 0.0;
        for eight in scores.as_chunks_mut::<8>().0 {
            // SAFETY: loads and stores stay within the chunk of eight.
            unsafe {
                let e = exp8(_mm256_sub_ps(
                    _mm256_loadu_ps(eight.as_ptr()),
                    _mm256_set1_ps(max),
                ));
                _mm256_storeu_ps(eight.as_mut_ptr(), e);
                sum += f64::from(sum_lanes(e));
            }
        }
        sum
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the same bits are meant")]
mod tests {
    use super::{exp_minus_max, exp_minus_max_scalar, exp_scalar, silu_times, silu_times_scalar};
    use crate::rng::Rng;

    #[test]
    fn the_scalar_function_is_the_exponential() {
        for i in -8800..8800 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            if exact > f64::from(f32::MIN_POSITIVE) {
                let off = (f64::from(exp_scalar(x)) / exact - 1.0).abs();
                assert!(off < 2.5e-7, "e^{x} is off by {off}");
            }
        }
        assert_eq!(exp_scalar(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp_scalar(-200.0), 0.0);
        assert_eq!(exp_scalar(200.0), f32::INFINITY);
        assert!(exp_scalar(f32::NAN).is_nan());
    }

    #[test]
    fn the_vector_kernels_equal_the_scalar_ones_bit_for_bit() {
        let mut rng = Rng::new(1);
        for round in 0..200 {
            let scale = [1.0, 10.0, 60.0, 200.0][round % 4];
            let mut scores: [f32; 64] = std::array::from_fn(|_| (rng.normal() * scale) as f32);
            scores[round % 64] = f32::NEG_INFINITY;
            let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut expected = scores;
            let sum = exp_minus_max_scalar(&mut expected, max);
            let mut got = scores;
            assert_eq!(exp_minus_max(&mut got, max).to_bits(), sum.to_bits());
            assert_eq!(got.map(f32::to_bits), expected.map(f32::to_bits));

            let up: Vec<f32> = (0..61).map(|_| rng.normal() as f32).collect();
            scores[round % 64] = 0.5;
            let (mut got, mut expected) = (scores[..61].to_vec(), scores[..61].to_vec());
            silu_times(&mut got, &up);
            silu_times_scalar(&mut expected, &up);
            assert_eq!(got, expected);
        }
    }
}
