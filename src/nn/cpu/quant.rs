//! Products with quantised weights, as ggml defines them.
//!
//! A weight matrix stays in its file's blocks. Activations are quantised once to 8 bits in blocks
//! of 32 and shared by every matrix that reads them. A kernel then takes one weight row and up to
//! four activation rows, so unpacking a block is paid once for four tokens.
//!
//! The arithmetic follows llama.cpp's AVX2 path step by step (rounding of scales to half
//! precision, order of the sums), because greedy text must agree with it and close calls between
//! tokens turn on the last bits. Each number of a product is computed whole by one thread, so the
//! result does not depend on the number of threads.
//!
//! Own kernels: `Q4_1`, `Q8_0`, `F32`, `F16`, `BF16`. The other formats go through candle.

use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{Device, Module, Tensor};
use half::{bf16, f16};
use rayon::prelude::*;

use super::blocks::BlockFormat;
use super::has_avx2;
use crate::error::Result;

/// Numbers in a block of quantised activations.
const BLOCK: usize = 32;
/// Activation rows a kernel takes at once.
const TILE: usize = 4;
/// Weight rows in one piece of parallel work.
const ROWS_PER_PIECE: usize = 64;
/// Below this many multiplications a product is not worth handing to other threads.
const PARALLEL_FROM: usize = 1 << 18;

/// 32 activations in 8 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Block8 {
    /// The scale, rounded to half precision.
    d: f32,
    /// The scale times the sum of `qs`, rounded to half precision.
    s: f32,
    qs: [i8; BLOCK],
}

/// Activations `[rows, cols]`, ready for products.
pub struct Activations {
    rows: usize,
    cols: usize,
    exact: Vec<f32>,
    quantised: Vec<Block8>,
}

impl Activations {
    /// Takes rows of `cols` numbers; the 8-bit copy is made when `cols` is a multiple of 32.
    ///
    /// # Panics
    /// When `values` is not a whole number of rows.
    #[must_use]
    pub fn new(values: &[f32], cols: usize) -> Self {
        assert!(values.len().is_multiple_of(cols), "whole rows");
        let quantised = if cols.is_multiple_of(BLOCK) {
            values.as_chunks::<BLOCK>().0.iter().map(quantise).collect()
        } else {
            Vec::new()
        };
        Self {
            rows: values.len() / cols,
            cols,
            exact: values.to_vec(),
            quantised,
        }
    }

    fn blocks(&self, row: usize) -> &[Block8] {
        let per_row = self.cols / BLOCK;
        &self.quantised[row * per_row..(row + 1) * per_row]
    }
}

/// ggml's `quantize_row_q8_1` (the scale serves `Q8_0` too).
fn quantise(values: &[f32; BLOCK]) -> Block8 {
    let max = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let d = max / 127.0;
    let inverse = if max == 0.0 { 0.0 } else { 127.0 / max };
    let qs = values.map(|v| (v * inverse).round_ties_even() as i8);
    let sum: i32 = qs.iter().map(|q| i32::from(*q)).sum();
    let s = d * sum as f32;
    Block8 {
        d: f16::from_f32(d).to_f32(),
        s: f16::from_f32(s).to_f32(),
        qs,
    }
}

enum Storage {
    /// `Q4_1` or `Q8_0` blocks as the file holds them.
    Blocks(BlockFormat, Vec<u8>),
    F32(Vec<f32>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    /// Computed by candle, which keeps whole tensors only: where single rows are wanted too, the
    /// file's bytes stay beside it.
    Candle {
        product: QMatMul,
        rows: Option<Vec<u8>>,
    },
}

/// A weight matrix `[rows, cols]`; a product maps `cols` numbers to `rows`.
pub struct QuantMatrix {
    rows: usize,
    cols: usize,
    format: BlockFormat,
    storage: Storage,
}

impl QuantMatrix {
    /// Takes a matrix in a file's own bytes, row by row.
    ///
    /// # Errors
    /// When candle refuses the format.
    ///
    /// # Panics
    /// When `bytes` does not have the length that [`BlockFormat::bytes`] gives.
    pub fn from_ggml(
        format: BlockFormat,
        rows: usize,
        cols: usize,
        bytes: Vec<u8>,
    ) -> Result<Self> {
        assert_eq!(format.bytes(rows, cols), Some(bytes.len()), "whole blocks");
        let storage = match format {
            BlockFormat::Q4_1 | BlockFormat::Q8_0 => Storage::Blocks(format, bytes),
            BlockFormat::F32 => Storage::F32(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| f32::from_le_bytes(*b))
                    .collect(),
            ),
            BlockFormat::F16 => Storage::F16(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| f16::from_le_bytes(*b))
                    .collect(),
            ),
            BlockFormat::BF16 => Storage::Bf16(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| bf16::from_le_bytes(*b))
                    .collect(),
            ),
            _ => {
                let tensor = candle_tensor(format, rows, cols, &bytes)?;
                let in_pairs = matches!(format.dtype, GgmlDType::Q5_0 | GgmlDType::Q5_1);
                if in_pairs && !(cols / BLOCK).is_multiple_of(2) {
                    // candle asserts that rows of these have an even number of blocks.
                    let all = tensor.dequantize(&Device::Cpu)?;
                    Storage::F32(all.flatten_all()?.to_vec1()?)
                } else {
                    let product = QMatMul::from_qtensor(tensor)?;
                    Storage::Candle {
                        product,
                        rows: None,
                    }
                }
            }
        };
        Ok(Self {
            rows,
            cols,
            format,
            storage,
        })
    }

    /// As [`Self::from_ggml`], for a matrix whose single rows are wanted, such as an embedding.
    ///
    /// # Errors
    /// As [`Self::from_ggml`].
    ///
    /// # Panics
    /// As [`Self::from_ggml`].
    pub fn with_rows(
        format: BlockFormat,
        rows: usize,
        cols: usize,
        bytes: Vec<u8>,
    ) -> Result<Self> {
        let kept = bytes.clone();
        let mut matrix = Self::from_ggml(format, rows, cols, bytes)?;
        if let Storage::Candle { rows, .. } = &mut matrix.storage {
            *rows = Some(kept);
        }
        Ok(matrix)
    }

    /// Outputs of a product.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs of a product.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// How the weights are stored.
    #[must_use]
    pub fn format(&self) -> BlockFormat {
        self.format
    }

    /// One row as floats, into `out` `[cols]`: an embedding.
    ///
    /// # Errors
    /// When candle refuses the format.
    ///
    /// # Panics
    /// When there is no such row or `out` has another length.
    pub fn row(&self, row: usize, out: &mut [f32]) -> Result<()> {
        assert!(
            row < self.rows && out.len() == self.cols,
            "row {row} of {}",
            self.rows
        );
        let range = row * self.cols..(row + 1) * self.cols;
        match &self.storage {
            Storage::F32(w) => out.copy_from_slice(&w[range]),
            Storage::F16(w) => out
                .iter_mut()
                .zip(&w[range])
                .for_each(|(o, w)| *o = w.to_f32()),
            Storage::Bf16(w) => out
                .iter_mut()
                .zip(&w[range])
                .for_each(|(o, w)| *o = w.to_f32()),
            Storage::Blocks(format, bytes) => {
                let row_bytes = self.cols / BLOCK * format.block_bytes;
                let blocks =
                    bytes[row * row_bytes..(row + 1) * row_bytes].chunks_exact(format.block_bytes);
                for (block, out) in blocks.zip(out.as_chunks_mut::<BLOCK>().0) {
                    dequantise(*format, block, out);
                }
            }
            Storage::Candle { product, rows } => {
                let tensor = if let Some(bytes) = rows {
                    let row_bytes = bytes.len() / self.rows;
                    let bytes = &bytes[row * row_bytes..(row + 1) * row_bytes];
                    candle_tensor(self.format, 1, self.cols, bytes)?.dequantize(&Device::Cpu)?
                } else {
                    match product {
                        QMatMul::QTensor(t) => t.dequantize(&Device::Cpu)?,
                        QMatMul::Tensor(t) | QMatMul::TensorF16(t) => t.clone(),
                    }
                    .narrow(0, row, 1)?
                };
                out.copy_from_slice(&tensor.flatten_all()?.to_vec1::<f32>()?);
            }
        }
        Ok(())
    }
}

fn candle_tensor(format: BlockFormat, rows: usize, cols: usize, bytes: &[u8]) -> Result<QTensor> {
    Ok(candle_core::quantized::ggml_file::qtensor_from_ggml(
        format.dtype,
        bytes,
        vec![rows, cols],
        &Device::Cpu,
    )?)
}

fn half_at(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

fn dequantise(format: BlockFormat, block: &[u8], out: &mut [f32; BLOCK]) {
    let d = half_at(block, 0);
    if format == BlockFormat::Q8_0 {
        for (o, q) in out.iter_mut().zip(&block[2..]) {
            *o = d * f32::from(q.cast_signed());
        }
    } else {
        let m = half_at(block, 2);
        for (i, q) in block[4..20].iter().enumerate() {
            out[i] = d * f32::from(q & 15) + m;
            out[i + BLOCK / 2] = d * f32::from(q >> 4) + m;
        }
    }
}

/// Products of the same activations `[n, cols]` with several matrices, each into its own
/// `[n, rows]`.
///
/// # Errors
/// When candle fails on a format it computes.
///
/// # Panics
/// When shapes do not agree.
pub fn matmul(x: &Activations, products: &mut [(&QuantMatrix, &mut [f32])]) -> Result<()> {
    let mut pieces = Vec::new();
    for (weights, out) in products.iter_mut() {
        assert_eq!(weights.cols, x.cols, "inner sizes");
        assert_eq!(out.len(), x.rows * weights.rows, "output size");
        if let Storage::Candle { product, .. } = &weights.storage {
            let input = Tensor::from_slice(&x.exact, (x.rows, x.cols), &Device::Cpu)?;
            out.copy_from_slice(&product.forward(&input)?.flatten_all()?.to_vec1::<f32>()?);
            continue;
        }
        let target = Target {
            out: out.as_mut_ptr(),
            stride: weights.rows,
        };
        for first in (0..weights.rows).step_by(ROWS_PER_PIECE) {
            pieces.push((
                *weights,
                target,
                first,
                (first + ROWS_PER_PIECE).min(weights.rows),
            ));
        }
    }
    let work: usize = pieces
        .iter()
        .map(|(w, _, first, end)| (end - first) * w.cols * x.rows)
        .sum();
    let run = |(weights, target, first, end): &(&QuantMatrix, Target, usize, usize)| {
        // SAFETY: pieces of one matrix cover different rows, matrices have different outputs, and
        // the outputs are borrowed until all pieces are done.
        unsafe { weights.rows_into(x, *first..*end, *target) };
    };
    if work < PARALLEL_FROM || rayon::current_num_threads() == 1 {
        pieces.iter().for_each(run);
    } else {
        pieces.par_iter().for_each(run);
    }
    Ok(())
}

/// Where a product goes: `out[token * stride + row]`.
#[derive(Clone, Copy)]
struct Target {
    out: *mut f32,
    stride: usize,
}

// SAFETY: threads write to different places through it; see `matmul`.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl QuantMatrix {
    /// # Safety
    /// `target` must be valid for `[x.rows, self.rows]` and nobody else may use the given rows
    /// of it.
    unsafe fn rows_into(&self, x: &Activations, rows: std::ops::Range<usize>, target: Target) {
        for first in (0..x.rows).step_by(TILE) {
            let count = TILE.min(x.rows - first);
            for row in rows.clone() {
                let mut sums = [0.0; TILE];
                if count == TILE {
                    sums = self.dot::<TILE>(x, row, first);
                } else {
                    for (i, sum) in sums.iter_mut().enumerate().take(count) {
                        [*sum] = self.dot::<1>(x, row, first + i);
                    }
                }
                for (i, sum) in sums.iter().enumerate().take(count) {
                    // SAFETY: token < x.rows and row < self.rows, by the caller's promise valid
                    // and ours alone.
                    unsafe { *target.out.add((first + i) * target.stride + row) = *sum };
                }
            }
        }
    }

    /// One weight row times `N` activation rows from `first` on.
    fn dot<const N: usize>(&self, x: &Activations, row: usize, first: usize) -> [f32; N] {
        let range = row * self.cols..(row + 1) * self.cols;
        let exact = |i: usize| &x.exact[(first + i) * x.cols..(first + i + 1) * x.cols];
        match &self.storage {
            Storage::F32(w) => std::array::from_fn(|i| dot_f32(&w[range.clone()], exact(i))),
            Storage::F16(w) => std::array::from_fn(|i| {
                // ggml rounds the activations to the weights' precision.
                dot_with(
                    &w[range.clone()],
                    exact(i),
                    |w| w.to_f32(),
                    |x| f16::from_f32(x).to_f32(),
                )
            }),
            Storage::Bf16(w) => std::array::from_fn(|i| {
                dot_with(
                    &w[range.clone()],
                    exact(i),
                    |w| w.to_f32(),
                    |x| bf16::from_f32(x).to_f32(),
                )
            }),
            Storage::Blocks(format, bytes) => {
                let row_bytes = self.cols / BLOCK * format.block_bytes;
                let weights = &bytes[row * row_bytes..(row + 1) * row_bytes];
                let x = std::array::from_fn(|i| x.blocks(first + i));
                dot_blocks(*format, weights, x)
            }
            Storage::Candle { .. } => unreachable!("computed whole in matmul"),
        }
    }
}

fn dot_f32(w: &[f32], x: &[f32]) -> f32 {
    dot_with(w, x, |w| *w, |x| x)
}

/// Eight sums side by side, which the compiler turns into vector code.
fn dot_with<W>(w: &[W], x: &[f32], weight: impl Fn(&W) -> f32, round: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (w8, w_rest) = w.as_chunks::<8>();
    let (x8, x_rest) = x.as_chunks::<8>();
    for (w, x) in w8.iter().zip(x8) {
        for i in 0..8 {
            sums[i] += weight(&w[i]) * round(x[i]);
        }
    }
    let rest: f32 = w_rest
        .iter()
        .zip(x_rest)
        .map(|(w, x)| weight(w) * round(*x))
        .sum();
    sums.iter().sum::<f32>() + rest
}

fn dot_blocks<const N: usize>(format: BlockFormat, weights: &[u8], x: [&[Block8]; N]) -> [f32; N] {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        for x in x {
            assert!(
                x.len() * format.block_bytes == weights.len(),
                "as many blocks on both sides"
            );
        }
        // SAFETY: the features were detected and both sides have the same number of blocks.
        return unsafe {
            if format == BlockFormat::Q8_0 {
                avx2::dot_q8_0(weights, x)
            } else {
                avx2::dot_q4_1(weights, x)
            }
        };
    }
    x.map(|x| dot_blocks_scalar(format, weights, x))
}

/// The twin of the vector kernels, from the formats' definition.
fn dot_blocks_scalar(format: BlockFormat, weights: &[u8], x: &[Block8]) -> f32 {
    let mut sum = 0.0;
    for (block, x) in weights.chunks_exact(format.block_bytes).zip(x) {
        let d = half_at(block, 0);
        if format == BlockFormat::Q8_0 {
            let dot: i32 = block[2..]
                .iter()
                .zip(x.qs)
                .map(|(w, x)| i32::from(w.cast_signed()) * i32::from(x))
                .sum();
            sum += d * x.d * dot as f32;
        } else {
            let (low, high) = x.qs.split_at(BLOCK / 2);
            let dot: i32 = block[4..]
                .iter()
                .zip(low.iter().zip(high))
                .map(|(w, (l, h))| {
                    i32::from(w & 15) * i32::from(*l) + i32::from(w >> 4) * i32::from(*h)
                })
                .sum();
            sum += d * x.d * dot as f32 + half_at(block, 2) * x.s;
        }
    }
    sum
}

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::sum_lanes;

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m128i, __m256, __m256i, _mm_add_ps, _mm_add_ss, _mm_cvtph_ps, _mm_cvtsi32_si128,
        _mm_cvtss_f32, _mm_loadu_si128, _mm_movehdup_ps, _mm_movehl_ps, _mm_srli_epi16,
        _mm256_and_si256, _mm256_castps256_ps128, _mm256_cvtepi32_ps, _mm256_extractf128_ps,
        _mm256_fmadd_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
        _mm256_set_m128i, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_ps, _mm256_setzero_ps,
        _mm256_sign_epi8,
    };

    use super::Block8;

    /// Unaligned loads: the pointers need no alignment.
    #[target_feature(enable = "avx2,fma,f16c")]
    fn load_16(bytes: &[u8; 16]) -> __m128i {
        // SAFETY: reads the 16 bytes of the reference.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn load_32<T>(bytes: &[T; 32]) -> __m256i {
        const { assert!(size_of::<T>() == 1) };
        // SAFETY: reads the 32 bytes of the reference.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    /// The sum of eight lanes, in ggml's order.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn sum_lanes(v: __m256) -> f32 {
        let four = _mm_add_ps(_mm256_extractf128_ps::<1>(v), _mm256_castps256_ps128(v));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn half(bytes: [u8; 2]) -> f32 {
        _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(
            u16::from_le_bytes(bytes),
        ))))
    }

    /// # Safety
    /// Needs AVX2, FMA and F16C, and `weights.len() == 20 * x[i].len()`.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn dot_q4_1<const N: usize>(weights: &[u8], x: [&[Block8]; N]) -> [f32; N] {
        let low = _mm256_set1_epi8(15);
        let ones = _mm256_set1_epi16(1);
        let mut acc = [_mm256_setzero_ps(); N];
        let mut minima = [0.0_f32; N];
        for (at, block) in weights.as_chunks::<20>().0.iter().enumerate() {
            let [d0, d1, m0, m1, packed @ ..] = block;
            let (d, m) = (half([*d0, *d1]), half([*m0, *m1]));
            let packed = load_16(packed);
            let w = _mm256_and_si256(low, _mm256_set_m128i(_mm_srli_epi16::<4>(packed), packed));
            for i in 0..N {
                // SAFETY: at < x[i].len(), by the caller's promise.
                let x = unsafe { x[i].get_unchecked(at) };
                let dot = _mm256_madd_epi16(ones, _mm256_maddubs_epi16(w, load_32(&x.qs)));
                acc[i] = _mm256_fmadd_ps(_mm256_set1_ps(d * x.d), _mm256_cvtepi32_ps(dot), acc[i]);
                minima[i] = m.mul_add(x.s, minima[i]);
            }
        }
        std::array::from_fn(|i| sum_lanes(acc[i]) + minima[i])
    }

    /// # Safety
    /// Needs AVX2, FMA and F16C, and `weights.len() == 34 * x[i].len()`.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn dot_q8_0<const N: usize>(weights: &[u8], x: [&[Block8]; N]) -> [f32; N] {
        let ones = _mm256_set1_epi16(1);
        let mut acc = [_mm256_setzero_ps(); N];
        for (at, block) in weights.as_chunks::<34>().0.iter().enumerate() {
            let [d0, d1, qs @ ..] = block;
            let d = half([*d0, *d1]);
            let w = load_32(qs);
            // The instruction multiplies unsigned by signed, so the sign moves to the other side.
            let unsigned = _mm256_sign_epi8(w, w);
            for i in 0..N {
                // SAFETY: at < x[i].len(), by the caller's promise.
                let x = unsafe { x[i].get_unchecked(at) };
                let signed = _mm256_sign_epi8(load_32(&x.qs), w);
                let dot = _mm256_madd_epi16(ones, _mm256_maddubs_epi16(unsigned, signed));
                acc[i] = _mm256_fmadd_ps(_mm256_set1_ps(d * x.d), _mm256_cvtepi32_ps(dot), acc[i]);
            }
        }
        std::array::from_fn(|i| sum_lanes(acc[i]))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::{QMatMul, QTensor};
    use candle_core::{Device, Module, Tensor};

    use super::{Activations, BlockFormat, QuantMatrix, dot_blocks, dot_blocks_scalar, matmul};
    use crate::rng::Rng;

    fn normals(rng: &mut Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| rng.normal() as f32).collect()
    }

    /// Weights quantised by candle, which also checks that the block layouts agree.
    fn weights(format: BlockFormat, rows: usize, cols: usize, rng: &mut Rng) -> (QTensor, Vec<u8>) {
        let values = Tensor::from_vec(normals(rng, rows * cols), (rows, cols), &Device::Cpu)
            .expect("tensor");
        let quantised = QTensor::quantize(&values, format.dtype).expect("quantises");
        let bytes = quantised.data().expect("bytes").to_vec();
        (quantised, bytes)
    }

    #[test]
    fn the_vector_kernels_equal_the_scalar_ones() {
        let mut rng = Rng::new(2);
        for format in [BlockFormat::Q4_1, BlockFormat::Q8_0] {
            for cols in [32, 64, 576, 1536] {
                let (_, bytes) = weights(format, 3, cols, &mut rng);
                let x = Activations::new(&normals(&mut rng, 4 * cols), cols);
                let row_bytes = bytes.len() / 3;
                for row in bytes.chunks_exact(row_bytes) {
                    let four =
                        dot_blocks(format, row, std::array::from_fn::<_, 4, _>(|i| x.blocks(i)));
                    for (i, dot) in four.into_iter().enumerate() {
                        let [one] = dot_blocks(format, row, [x.blocks(i)]);
                        assert_eq!(one.to_bits(), dot.to_bits(), "a tile changes nothing");
                        let scalar = dot_blocks_scalar(format, row, x.blocks(i));
                        let scale = (cols as f32).sqrt();
                        assert!(
                            (dot - scalar).abs() < 1e-5 * scale,
                            "{} {cols}: {dot} {scalar}",
                            format.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_format_agrees_with_candle() {
        let mut rng = Rng::new(3);
        let (rows, cols, n) = (70, 512, 5);
        for id in [0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 30] {
            let format = BlockFormat::from_ggml_id(id).expect("a format");
            let (quantised, bytes) = weights(format, rows, cols, &mut rng);
            let values = normals(&mut rng, n * cols);
            let input = Tensor::from_slice(&values, (n, cols), &Device::Cpu).expect("tensor");
            let product = QMatMul::from_qtensor(quantised).expect("a product");
            let expected = product
                .forward(&input)
                .expect("multiplies")
                .flatten_all()
                .expect("flat");
            let expected = expected.to_vec1::<f32>().expect("values");

            let matrix = QuantMatrix::from_ggml(format, rows, cols, bytes).expect("a matrix");
            let mut out = vec![0.0; n * rows];
            matmul(&Activations::new(&values, cols), &mut [(&matrix, &mut out)])
                .expect("multiplies");
            // Candle rounds the sum of a block once more than ggml does.
            let worst = out
                .iter()
                .zip(&expected)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            // Candle leaves the activations of bf16 weights unrounded.
            let each = if format == BlockFormat::BF16 {
                8e-3
            } else {
                4e-3
            };
            let limit = each * (cols as f32).sqrt();
            assert!(worst < limit, "{}: {worst} > {limit}", format.name);
        }
    }

    #[test]
    fn an_odd_number_of_blocks_is_computed_too() {
        let mut rng = Rng::new(6);
        let (rows, cols) = (3, 96);
        for id in [2, 3, 6, 7, 8] {
            let format = BlockFormat::from_ggml_id(id).expect("a format");
            let (quantised, bytes) = weights(format, rows, cols, &mut rng);
            let all = quantised.dequantize(&Device::Cpu).expect("floats");
            let all = all.to_vec2::<f32>().expect("values");
            let values = normals(&mut rng, cols);
            let matrix = QuantMatrix::from_ggml(format, rows, cols, bytes).expect("a matrix");
            let mut out = vec![0.0; rows];
            matmul(&Activations::new(&values, cols), &mut [(&matrix, &mut out)])
                .expect("multiplies");
            for (out, row) in out.iter().zip(&all) {
                let exact: f32 = row.iter().zip(&values).map(|(w, x)| w * x).sum();
                assert!((out - exact).abs() < 0.3, "{}: {out} {exact}", format.name);
            }
        }
    }

    #[test]
    fn rows_equal_candles_dequantised_rows() {
        let mut rng = Rng::new(4);
        for id in [0, 1, 3, 8, 14, 30] {
            let format = BlockFormat::from_ggml_id(id).expect("a format");
            let (quantised, bytes) = weights(format, 4, 256, &mut rng);
            let all = quantised.dequantize(&Device::Cpu).expect("floats");
            let mut row = vec![0.0; 256];
            let whole = QuantMatrix::from_ggml(format, 4, 256, bytes.clone()).expect("a matrix");
            whole.row(2, &mut row).expect("a row");
            let by_row = QuantMatrix::with_rows(format, 4, 256, bytes).expect("a matrix");
            let mut same = vec![0.0; 256];
            by_row.row(2, &mut same).expect("a row");
            assert_eq!(row, same, "{}", format.name);
            assert_eq!(
                row,
                all.get(2).expect("row").to_vec1::<f32>().expect("values"),
                "{}",
                format.name
            );
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let mut rng = Rng::new(5);
        let (_, bytes) = weights(BlockFormat::Q4_1, 1024, 576, &mut rng);
        let matrix = QuantMatrix::from_ggml(BlockFormat::Q4_1, 1024, 576, bytes).expect("a matrix");
        let x = Activations::new(&normals(&mut rng, 6 * 576), 576);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("threads");
            let mut out = vec![0.0; 6 * 1024];
            pool.install(|| matmul(&x, &mut [(&matrix, &mut out)]))
                .expect("multiplies");
            out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(7));
    }
}
