//! Attention over a key-value cache in half precision, one head at a time.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::has_avx2;

/// Converts to half precision, rounding to nearest even.
pub fn half_from_f32(values: &[f32], out: &mut [f16]) {
    out.convert_from_f32_slice(values);
}

/// One head's attention for one query.
///
/// `keys` and `values` hold one row of `stride` numbers for each position, of which this head uses
/// `query.len()` from `offset` on. The softmax of the scaled products weighs the values, which are
/// summed into `out` `[head_dim]`. `scores` `[positions]` is left holding the attention weights.
///
/// The query is rounded to half precision first, as llama.cpp does, so that both see the same
/// products.
///
/// # Panics
/// When the slices are shorter than `scores.len()` positions need.
pub fn attend_head(
    query: &[f32],
    keys: &[f16],
    values: &[f16],
    stride: usize,
    offset: usize,
    scores: &mut [f32],
    out: &mut [f32],
) {
    let dim = query.len();
    assert!(
        offset + dim <= stride && out.len() == dim,
        "a head lies inside a row"
    );
    assert!(
        keys.len() >= stride * scores.len() && values.len() >= stride * scores.len(),
        "the cache holds every position"
    );
    #[cfg(target_arch = "x86_64")]
    if has_avx2() && dim.is_multiple_of(8) {
        // SAFETY: the features were detected, and the bounds the kernel relies on are asserted
        // just above.
        unsafe { avx2::attend(query, keys, values, stride, offset, scores, out) };
        return;
    }
    attend_scalar(query, keys, values, stride, offset, scores, out);
}

fn attend_scalar(
    query: &[f32],
    keys: &[f16],
    values: &[f16],
    stride: usize,
    offset: usize,
    scores: &mut [f32],
    out: &mut [f32],
) {
    let dim = query.len();
    let scale = scale_of(dim);
    for (score, key) in scores.iter_mut().zip(keys.chunks_exact(stride)) {
        let key = &key[offset..offset + dim];
        *score = query
            .iter()
            .zip(key)
            .map(|(q, k)| f16::from_f32(*q).to_f32() * k.to_f32())
            .sum::<f32>()
            * scale;
    }
    softmax(scores);
    out.fill(0.0);
    for (weight, value) in scores.iter().zip(values.chunks_exact(stride)) {
        for (o, v) in out.iter_mut().zip(&value[offset..offset + dim]) {
            *o += weight * v.to_f32();
        }
    }
}
fn scale_of(dim: usize) -> f32 {
    1.0 / (dim as f32).sqrt()
}

/// In place, with the largest taken off first so that nothing overflows.
fn softmax(scores: &mut [f32]) {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0_f32;
    for s in scores.iter_mut() {
        *s = (*s - max).exp();
        sum += *s;
    }
    for s in scores {
        *s /= sum;
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm256_cvtph_ps, _mm256_cvtps_ph, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };

    use half::f16;

    use super::super::quant::sum_lanes;
    use super::{scale_of, softmax};

    /// # Safety
    /// Needs AVX2, FMA and F16C; `query.len()` a multiple of 8, at most 1024 and equal to
    /// `out.len()`; rows of `stride >= offset + query.len()` for each of `scores` in `keys` and
    /// `values`.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn attend(
        query: &[f32],
        keys: &[f16],
        values: &[f16],
        stride: usize,
        offset: usize,
        scores: &mut [f32],
        out: &mut [f32],
    ) {
        let dim = query.len();
        let scale = scale_of(dim);
        out.copy_from_slice(query);
        for at in (0..dim).step_by(8) {
            // SAFETY: at + 8 <= dim, the length of `out`, which serves as scratch for the query.
            unsafe {
                let rounded = _mm256_cvtps_ph::<0>(_mm256_loadu_ps(out.as_ptr().add(at)));
                _mm256_storeu_ps(out.as_mut_ptr().add(at), _mm256_cvtph_ps(rounded));
            }
        }
        for (position, score) in scores.iter_mut().enumerate() {
            // SAFETY: the row lies inside `keys` by the caller's promise.
            let key = unsafe { keys.as_ptr().add(position * stride + offset) };
            let mut acc = _mm256_setzero_ps();
            for at in (0..dim).step_by(8) {
                // SAFETY: at + 8 <= dim, within the row and within `out`.
                unsafe {
                    let k = _mm256_cvtph_ps(_mm_loadu_si128(key.add(at).cast()));
                    acc = _mm256_fmadd_ps(_mm256_loadu_ps(out.as_ptr().add(at)), k, acc);
                }
            }
            *score = sum_lanes(acc) * scale;
        }
        softmax(scores);
        // Eight numbers of the output stay in a register while all positions are added up.
        for at in (0..dim).step_by(8) {
            let mut acc = _mm256_setzero_ps();
            for (position, weight) in scores.iter().enumerate() {
                // SAFETY: as above, in `values`.
                unsafe {
                    let value = values.as_ptr().add(position * stride + offset + at);
                    let v = _mm256_cvtph_ps(_mm_loadu_si128(value.cast()));
                    acc = _mm256_fmadd_ps(_mm256_set1_ps(*weight), v, acc);
                }
            }
            // SAFETY: at + 8 <= dim == out.len().
            unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(at), acc) };
        }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::{attend_head, attend_scalar};
    use crate::rng::Rng;

    type Kernel = fn(&[f32], &[f16], &[f16], usize, usize, &mut [f32], &mut [f32]);

    #[test]
    fn the_vector_kernel_equals_the_scalar_one() {
        let mut rng = Rng::new(1);
        for (dim, stride, positions) in [(64, 192, 37), (128, 128, 1), (80, 160, 300), (12, 24, 9)]
        {
            let query: Vec<f32> = (0..dim).map(|_| rng.normal() as f32).collect();
            let mut cache = || -> Vec<f16> {
                (0..stride * positions)
                    .map(|_| f16::from_f64(rng.normal()))
                    .collect()
            };
            let (keys, values) = (cache(), cache());
            let offset = stride - dim;
            let run = |f: Kernel| {
                let (mut scores, mut out) = (vec![0.0; positions], vec![0.0; dim]);
                f(
                    &query,
                    &keys,
                    &values,
                    stride,
                    offset,
                    &mut scores,
                    &mut out,
                );
                (scores, out)
            };
            let (scores, out) = run(attend_head);
            let (expected_scores, expected) = run(attend_scalar);
            let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-5);
            assert!(close(&scores, &expected_scores), "weights, dim {dim}");
            assert!(close(&out, &expected), "output, dim {dim}");
            assert!(
                (scores.iter().sum::<f32>() - 1.0).abs() < 1e-5,
                "weights sum to one"
            );
        }
    }
}
