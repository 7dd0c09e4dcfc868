//! Attention over a key-value cache in half precision.
//!
//! Two ways, which differ in their last bits only, both with llama.cpp's order of operations so
//! that close calls between tokens fall alike:
//!
//! - [`attend_one`] goes over the positions once, rescaling when a larger score turns up (Milakov
//!   & Gimelshein 2018), with the sum in half precision. It serves single new tokens.
//! - [`attend_many`] goes over tiles of 64 positions, packed once for many queries, with the sum in
//!   single precision (Dao et al. 2022). It serves long prompts.
//!
//! Each body is compiled twice, plainly and for AVX2 with fused multiply-adds. A fused
//! multiply-add rounds once on every machine, so both give the same bits; the plain one is slow.
//! The usual widths of a head have a kernel of their own for single tokens.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::exp::exp_minus_max;
use super::has_avx2;

/// Positions in a tile.
const TILE: usize = 64;
/// The widest head.
pub const MAX_HEAD_DIM: usize = 256;

/// Converts to half precision, rounding to nearest even.
pub fn half_from_f32(values: &[f32], out: &mut [f16]) {
    out.convert_from_f32_slice(values);
}

/// One head's keys and values: rows of `stride` numbers, one for each position, of which the head
/// has those from `offset` on.
#[derive(Clone, Copy)]
pub struct HeadCache<'a> {
    /// All heads' keys.
    pub keys: &'a [f16],
    /// All heads' values.
    pub values: &'a [f16],
    /// Numbers in a row.
    pub stride: usize,
    /// Where the head's part of a row begins.
    pub offset: usize,
}

impl<'a> HeadCache<'a> {
    fn key(&self, position: usize, dim: usize) -> &'a [f16] {
        let start = position * self.stride + self.offset;
        &self.keys[start..start + dim]
    }

    fn value(&self, position: usize, dim: usize) -> &'a [f16] {
        let start = position * self.stride + self.offset;
        &self.values[start..start + dim]
    }
}

/// A query that sees the first `positions` of the cache, and where its answer goes.
pub struct Query<'a> {
    /// `[head_dim]`
    pub query: &'a [f32],
    /// Positions it may look at.
    pub positions: usize,
    /// `[head_dim]`
    pub out: &'a mut [f32],
}

/// One query of one head.
///
/// # Panics
/// When the head is wider than [`MAX_HEAD_DIM`] or the cache is shorter than the positions.
pub fn attend_one(query: &mut Query<'_>, cache: HeadCache<'_>) {
    assert!(
        query.query.len() <= MAX_HEAD_DIM,
        "a wider head than any model's"
    );
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the features were detected.
        unsafe { avx2::attend_one(query, cache) };
        return;
    }
    one_body(query, cache);
}

/// Many queries of one head, which share its tiles.
///
/// # Panics
/// As [`attend_one`].
pub fn attend_many(queries: &mut [Query<'_>], cache: HeadCache<'_>) {
    assert!(
        queries.iter().all(|q| q.query.len() <= MAX_HEAD_DIM),
        "a wider head than any model's"
    );
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the features were detected.
        unsafe { avx2::attend_many(queries, cache) };
        return;
    }
    many_body(queries, cache);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256, _mm_add_ps, _mm_cvtss_f32, _mm_hadd_ps, _mm_loadu_si128, _mm256_add_ps,
        _mm256_castps256_ps128, _mm256_cvtph_ps, _mm256_cvtps_ph, _mm256_extractf128_ps,
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps,
        _mm256_storeu_ps,
    };

    use half::f16;

    use super::{HeadCache, Query, many_body, one_body, scale_of};

    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn attend_one(query: &mut Query<'_>, cache: HeadCache<'_>) {
        match query.query.len() {
            64 => one_in_registers::<8>(query, cache),
            128 => one_in_registers::<16>(query, cache),
            _ => one_body(query, cache),
        }
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn attend_many(queries: &mut [Query<'_>], cache: HeadCache<'_>) {
        many_body(queries, cache);
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn load_halves(eight: &[f16; 8]) -> __m256 {
        // SAFETY: reads the 16 bytes of the reference; the load needs no alignment.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(eight.as_ptr().cast())) }
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn to_half_and_back(v: __m256) -> __m256 {
        _mm256_cvtph_ps(_mm256_cvtps_ph::<0>(v))
    }

    /// [`one_body`] for a head of `8 * LANES` numbers, its query and its sum in registers.
    #[target_feature(enable = "avx2,fma,f16c")]
    fn one_in_registers<const LANES: usize>(query: &mut Query<'_>, cache: HeadCache<'_>) {
        let dim = 8 * LANES;
        let scale = scale_of(dim);
        let mut q = [_mm256_setzero_ps(); LANES];
        for (lane, eight) in q.iter_mut().zip(query.query.as_chunks::<8>().0) {
            // SAFETY: reads the 32 bytes of the reference; the load needs no alignment.
            *lane = to_half_and_back(unsafe { _mm256_loadu_ps(eight.as_ptr()) });
        }
        let mut sum = [_mm256_setzero_ps(); LANES];
        let (mut max, mut total) = (f32::NEG_INFINITY, 0.0_f32);
        for position in 0..query.positions {
            let keys = cache.key(position, dim).as_chunks::<8>().0;
            let mut dots = [_mm256_setzero_ps(); 4];
            for (lane, key) in keys.iter().enumerate() {
                dots[lane % 4] = _mm256_fmadd_ps(q[lane], load_halves(key), dots[lane % 4]);
            }
            let even = _mm256_add_ps(dots[0], dots[2]);
            let dot = _mm256_add_ps(even, _mm256_add_ps(dots[1], dots[3]));
            let four = _mm_add_ps(_mm256_castps256_ps128(dot), _mm256_extractf128_ps::<1>(dot));
            let two = _mm_hadd_ps(four, four);
            let score = _mm_cvtss_f32(_mm_hadd_ps(two, two)) * scale;
            let mut weight = 1.0;
            if score > max {
                let shrink = (max - score).exp();
                max = score;
                for lane in &mut sum {
                    *lane = to_half_and_back(_mm256_mul_ps(*lane, _mm256_set1_ps(shrink)));
                }
                total = total * shrink + 1.0;
            } else {
                weight = (score - max).exp();
                total += weight;
            }
            let weight = _mm256_set1_ps(weight);
            let values = cache.value(position, dim).as_chunks::<8>().0;
            for (lane, value) in sum.iter_mut().zip(values) {
                *lane = to_half_and_back(_mm256_fmadd_ps(load_halves(value), weight, *lane));
            }
        }
        let inverse = if total == 0.0 { 0.0 } else { 1.0 / total };
        for (eight, lane) in query.out.as_chunks_mut::<8>().0.iter_mut().zip(sum) {
            let out = _mm256_mul_ps(lane, _mm256_set1_ps(inverse));
            // SAFETY: writes the 32 bytes of the reference; the store needs no alignment.
            unsafe { _mm256_storeu_ps(eight.as_mut_ptr(), out) };
        }
    }
}

fn scale_of(dim: usize) -> f32 {
    1.0 / (dim as f32).sqrt()
}

#[expect(
    clippy::inline_always,
    reason = "compiled for the features of its caller"
)]
#[inline(always)]
fn one_body(query: &mut Query<'_>, cache: HeadCache<'_>) {
    let dim = query.query.len();
    let scale = scale_of(dim);
    let mut halves = [f16::ZERO; MAX_HEAD_DIM];
    let halves = &mut halves[..dim];
    let (mut q, mut row, mut sum) = (
        [0.0_f32; MAX_HEAD_DIM],
        [0.0_f32; MAX_HEAD_DIM],
        [0.0_f32; MAX_HEAD_DIM],
    );
    let (q, row, sum) = (&mut q[..dim], &mut row[..dim], &mut sum[..dim]);
    // Rounds to half precision and back.
    half_from_f32(query.query, halves);
    halves.convert_to_f32_slice(q);

    let (mut max, mut total) = (f32::NEG_INFINITY, 0.0_f32);
    for position in 0..query.positions {
        cache.key(position, dim).convert_to_f32_slice(row);
        let score = dot_32(q, row) * scale;
        let mut weight = 1.0;
        if score > max {
            let shrink = (max - score).exp();
            max = score;
            for s in sum.iter_mut() {
                *s *= shrink;
            }
            half_from_f32(sum, halves);
            halves.convert_to_f32_slice(sum);
            total = total * shrink + 1.0;
        } else {
            weight = (score - max).exp();
            total += weight;
        }
        cache.value(position, dim).convert_to_f32_slice(row);
        for (s, v) in sum.iter_mut().zip(row.iter()) {
            *s = v.mul_add(weight, *s);
        }
        half_from_f32(sum, halves);
        halves.convert_to_f32_slice(sum);
    }
    let inverse = if total == 0.0 { 0.0 } else { 1.0 / total };
    for (o, s) in query.out.iter_mut().zip(sum.iter()) {
        *o = s * inverse;
    }
}

/// A product summed in 32 places side by side, which are then added up in ggml's order.
#[expect(
    clippy::inline_always,
    reason = "compiled for the features of its caller"
)]
#[inline(always)]
fn dot_32(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 32];
    let (a32, a_rest) = a.as_chunks::<32>();
    let (b32, b_rest) = b.as_chunks::<32>();
    for (a, b) in a32.iter().zip(b32) {
        for i in 0..32 {
            sums[i] = a[i].mul_add(b[i], sums[i]);
        }
    }
    let sixteen: [f32; 16] = std::array::from_fn(|i| sums[i] + sums[i + 16]);
    let eight: [f32; 8] = std::array::from_fn(|i| sixteen[i] + sixteen[i + 8]);
    let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    let all = f64::from((four[0] + four[1]) + (four[2] + four[3]));
    a_rest
        .iter()
        .zip(b_rest)
        .fold(all, |sum, (a, b)| sum + f64::from(a * b)) as f32
}

/// What one query has gathered from the tiles so far.
struct Gathered {
    max: f32,
    total: f32,
}

#[expect(
    clippy::inline_always,
    reason = "compiled for the features of its caller"
)]
#[inline(always)]
fn many_body(queries: &mut [Query<'_>], cache: HeadCache<'_>) {
    let Some(dim) = queries.first().map(|q| q.query.len()) else {
        return;
    };
    let scale = scale_of(dim);
    let positions = queries.iter().map(|q| q.positions).max().unwrap_or(0);
    let mut gathered: Vec<Gathered> = queries
        .iter()
        .map(|_| Gathered {
            max: f32::NEG_INFINITY,
            total: 0.0,
        })
        .collect();
    for query in queries.iter_mut() {
        query.out.fill(0.0);
    }
    // Keys `[dim, TILE]`, values `[TILE, dim]`, zero where the tile goes beyond the cache.
    let mut keys = vec![[0.0_f32; TILE]; dim];
    let mut values = vec![0.0_f32; TILE * dim];
    let mut row = [0.0_f32; MAX_HEAD_DIM];
    let row = &mut row[..dim];
    for first in (0..positions).step_by(TILE) {
        let count = TILE.min(positions - first);
        for at in 0..count {
            cache.key(first + at, dim).convert_to_f32_slice(row);
            for (key, k) in keys.iter_mut().zip(row.iter()) {
                key[at] = *k;
            }
            cache
                .value(first + at, dim)
                .convert_to_f32_slice(&mut values[at * dim..(at + 1) * dim]);
        }
        for (query, so_far) in queries.iter_mut().zip(&mut gathered) {
            let visible = query.positions.saturating_sub(first).min(TILE);
            if visible == 0 {
                continue;
            }
            let mut scores = [0.0_f32; TILE];
            for (q, keys) in query.query.iter().zip(&keys) {
                for (score, k) in scores.iter_mut().zip(keys) {
                    *score = q.mul_add(*k, *score);
                }
            }
            for score in &mut scores {
                *score *= scale;
            }
            scores[visible..].fill(f32::NEG_INFINITY);
            let max = scores.iter().copied().fold(so_far.max, f32::max);
            if max > so_far.max {
                let shrink = (so_far.max - max).exp();
                for o in query.out.iter_mut() {
                    *o *= shrink;
                }
                so_far.total *= shrink;
                so_far.max = max;
            }
            let sum = exp_minus_max(&mut scores, max);
            so_far.total = (f64::from(so_far.total) + sum) as f32;
            for (weight, value) in scores[..visible].iter().zip(values.chunks_exact(dim)) {
                for (o, v) in query.out.iter_mut().zip(value) {
                    *o = weight.mul_add(*v, *o);
                }
            }
        }
    }
    for (query, so_far) in queries.iter_mut().zip(&gathered) {
        let inverse = if so_far.total == 0.0 {
            0.0
        } else {
            1.0 / so_far.total
        };
        for o in query.out.iter_mut() {
            *o *= inverse;
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the same bits are meant")]
mod tests {
    use half::f16;

    use super::{HeadCache, Query, attend_many, attend_one, many_body, one_body};
    use crate::rng::Rng;

    /// Softmax attention in double precision, straight from its definition.
    fn reference(query: &[f32], cache: HeadCache<'_>, positions: usize) -> Vec<f64> {
        let dim = query.len();
        let scores: Vec<f64> = (0..positions)
            .map(|p| {
                let dot = query
                    .iter()
                    .zip(cache.key(p, dim))
                    .map(|(q, k)| f64::from(*q) * k.to_f64());
                dot.sum::<f64>() / (dim as f64).sqrt()
            })
            .collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|s| (s - max).exp()).sum();
        let mut out = vec![0.0; dim];
        for (p, score) in scores.iter().enumerate() {
            for (o, v) in out.iter_mut().zip(cache.value(p, dim)) {
                *o += (score - max).exp() / total * v.to_f64();
            }
        }
        out
    }

    #[test]
    fn both_ways_agree_with_the_definition_and_with_their_plain_twins() {
        let mut rng = Rng::new(1);
        for (dim, stride, positions) in
            [(64, 192, 37), (128, 128, 1), (80, 160, 300), (12, 24, 129)]
        {
            let mut halves = || -> Vec<f16> {
                (0..stride * positions)
                    .map(|_| f16::from_f64(rng.normal()))
                    .collect()
            };
            let (keys, values) = (halves(), halves());
            let cache = HeadCache {
                keys: &keys,
                values: &values,
                stride,
                offset: stride - dim,
            };
            let query: Vec<f32> = (0..dim).map(|_| rng.normal() as f32).collect();
            let expected = reference(&query, cache, positions);
            let run = |attend: &dyn Fn(&mut Query<'_>)| {
                let mut out = vec![0.0; dim];
                attend(&mut Query {
                    query: &query,
                    positions,
                    out: &mut out,
                });
                out
            };
            let one = run(&|q| attend_one(q, cache));
            let many = run(&|q| attend_many(std::slice::from_mut(q), cache));
            let off = |got: &[f32]| {
                got.iter()
                    .zip(&expected)
                    .map(|(g, e)| (f64::from(*g) - e).abs())
                    .fold(0.0, f64::max)
            };
            // The sum in half precision has 11 bits.
            assert!(off(&one) < 4e-3, "one, dim {dim}: {}", off(&one));
            assert!(off(&many) < 1e-5, "many, dim {dim}: {}", off(&many));
            assert_eq!(one, run(&|q| one_body(q, cache)), "one, dim {dim}");
            assert_eq!(
                many,
                run(&|q| many_body(std::slice::from_mut(q), cache)),
                "many, dim {dim}"
            );
        }
    }

    #[test]
    fn a_query_does_not_see_beyond_its_positions() {
        let mut rng = Rng::new(2);
        let mut halves =
            || -> Vec<f16> { (0..100 * 8).map(|_| f16::from_f64(rng.normal())).collect() };
        let (keys, mut values) = (halves(), halves());
        let query = [0.5_f32; 8];
        let answer = |values: &[f16]| {
            let cache = HeadCache {
                keys: &keys,
                values,
                stride: 8,
                offset: 0,
            };
            let (mut short, mut long) = ([0.0; 8], [0.0; 8]);
            attend_many(
                &mut [
                    Query {
                        query: &query,
                        positions: 70,
                        out: &mut short,
                    },
                    Query {
                        query: &query,
                        positions: 100,
                        out: &mut long,
                    },
                ],
                cache,
            );
            (short, long)
        };
        let before = answer(&values);
        values[75 * 8..].fill(f16::from_f32(100.0));
        let after = answer(&values);
        assert_eq!(before.0, after.0, "sees 70");
        assert_ne!(before.1, after.1, "sees 100");
    }
}
