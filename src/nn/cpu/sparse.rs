//! Products with matrices that are mostly zeros.
//!
//! A row of such a matrix has its few weights in no order that vectors could follow, so the lanes
//! are samples: activations are turned into columns of 64 samples, and every weight is multiplied
//! with a whole column. What a row sums up stays in registers; a weight and its index are read once
//! for 64 multiplications. The two gradients have the same form: that of the inputs is a product
//! with the transposed matrix, and that of a weight is the product of two columns, summed up.
//!
//! A batch is cut into tiles of 64 samples, which are shared out among threads where there are
//! enough of them. All sums have an order that does not depend on threads or the vectors' width.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use std::cell::RefCell;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::conv::with_scratch;
use crate::error::{Error, Result};

/// Samples of a column.
const TILE: usize = 64;
/// Inputs or outputs that are turned into columns together, and lanes that sums are kept in.
const BLOCK: usize = 16;
/// Multiplications of a tile from which on tiles are shared out among threads.
const PARALLEL_FROM: usize = 1 << 19;

/// What one quantity is for the samples of a tile.
type Column = [f32; TILE];
type Quad = [[f32; 4]; 4];

thread_local! {
    static GRADIENTS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static INPUTS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static WEIGHTS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Which weights of a matrix `[outputs, inputs]` there are. Their values lie in the order of the
/// rows, and of the inputs in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    outputs: usize,
    inputs: usize,
    /// Blocks of 16 inputs that any weight reads, by their first input. Columns are made of these
    /// only; a slot is an input's place among them.
    blocks: Vec<u32>,
    /// By outputs, over slots.
    rows: Lists,
    /// By slots, over outputs.
    columns: Lists,
    /// The number of the weight, for each entry of `columns`.
    order: Vec<u32>,
}

/// The entries of each row of a matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lists {
    /// Where a row ends, and the next begins.
    ends: Vec<u32>,
    entries: Vec<u32>,
}

impl Lists {
    /// Ranges of the rows.
    #[inline(always)]
    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let mut start = 0;
        self.ends.iter().map(
            #[inline(always)]
            move |&end| {
                let range = start..end as usize;
                start = end as usize;
                range
            },
        )
    }
}

impl Pattern {
    /// The weights for which `mask`, `[outputs, inputs]`, is not 0.
    ///
    /// # Errors
    /// [`Error::Input`] when the mask has another size, or there are more than 2³² weights.
    pub fn from_mask(mask: &[u8], outputs: usize, inputs: usize) -> Result<Self> {
        if outputs.checked_mul(inputs) != Some(mask.len()) || u32::try_from(mask.len()).is_err() {
            return Err(Error::Input(format!(
                "a mask of {} entries for {outputs} × {inputs} weights",
                mask.len()
            )));
        }
        let is_read = |first: usize| {
            let block = first..(first + BLOCK).min(inputs);
            let mut rows = mask.chunks_exact(inputs.max(1));
            rows.any(|row| row[block.clone()].iter().any(|&keep| keep != 0))
        };
        let blocks: Vec<u32> = (0..inputs)
            .step_by(BLOCK)
            .filter(|&first| is_read(first))
            .map(|first| first as u32)
            .collect();
        let mut rows = Lists::default();
        let mut columns = vec![Vec::new(); blocks.len() * BLOCK];
        for output in 0..outputs {
            let row = &mask[output * inputs..][..inputs];
            for (block, &first) in blocks.iter().enumerate() {
                let part = row[first as usize..].iter().take(BLOCK).enumerate();
                for (i, _) in part.filter(|(_, keep)| **keep != 0) {
                    let slot = block * BLOCK + i;
                    columns[slot].push((output as u32, rows.entries.len() as u32));
                    rows.entries.push(slot as u32);
                }
            }
            rows.ends.push(rows.entries.len() as u32);
        }
        let mut by_slot = Lists::default();
        let mut order = Vec::with_capacity(rows.entries.len());
        for column in columns {
            for (output, weight) in column {
                by_slot.entries.push(output);
                order.push(weight);
            }
            by_slot.ends.push(by_slot.entries.len() as u32);
        }
        Ok(Self {
            outputs,
            inputs,
            blocks,
            rows,
            columns: by_slot,
            order,
        })
    }

    /// Rows of the matrix.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Columns of the matrix.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many weights there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The share of the matrix's weights that there are.
    #[must_use]
    pub fn density(&self) -> f64 {
        self.len() as f64 / ((self.outputs * self.inputs).max(1)) as f64
    }

    /// The place of every weight in the matrix, row after row, in the order of the values.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        let rows = self.rows.ranges().enumerate();
        rows.flat_map(move |(output, range)| {
            self.rows.entries[range].iter().map(move |&slot| {
                let (block, i) = (slot as usize / BLOCK, slot as usize % BLOCK);
                output * self.inputs + self.blocks[block] as usize + i
            })
        })
    }

    /// Columns of inputs, those of blocks that nothing reads left out.
    fn slots(&self) -> usize {
        self.blocks.len() * BLOCK
    }

    /// Numbers of the columns that [`Pattern::forward`] can keep.
    fn columns_len(&self, batch: usize) -> usize {
        batch.div_ceil(TILE) * self.slots() * TILE
    }

    /// Whether there is work for several threads.
    fn is_large(&self, batch: usize) -> bool {
        batch > TILE && self.len() * batch >= PARALLEL_FROM && rayon::current_num_threads() > 1
    }

    /// `y = x wᵀ + b` for `x` `[batch, inputs]`, `[batch, outputs]`. Columns of `x`, which
    /// `backward_values` takes, are added to `keep`.
    ///
    /// # Panics
    /// When there are not as many values or numbers as the pattern and the batch say.
    #[must_use]
    pub fn forward(
        &self,
        x: &[f32],
        values: &[f32],
        bias: Option<&[f32]>,
        batch: usize,
        keep: Option<&mut Vec<f32>>,
    ) -> Vec<f32> {
        assert_eq!(x.len(), batch * self.inputs, "inputs of the batch");
        assert_eq!(values.len(), self.len(), "a value for every weight");
        assert!(bias.is_none_or(|bias| bias.len() == self.outputs), "biases");
        let mut y = vec![0.0; batch * self.outputs];
        if y.is_empty() {
            return y;
        }
        let multiply = |columns: &[f32], y: &mut [f32]| {
            pulp::Arch::new().dispatch(Product {
                lists: &self.rows,
                values,
                bias,
                columns,
                to: (y, self.outputs, None),
            });
        };
        let tiles = y.chunks_mut(TILE * self.outputs).enumerate();
        let x_of = |tile: usize| {
            let from = tile * TILE * self.inputs;
            &x[from..(from + TILE * self.inputs).min(x.len())]
        };
        if let Some(keep) = keep {
            keep.reserve_exact(self.columns_len(batch));
            for (tile, y) in tiles {
                let from = keep.len();
                to_columns(x_of(tile), self.inputs, &self.blocks, keep);
                multiply(&keep[from..], y);
            }
            return y;
        }
        let one = |(tile, y): (usize, &mut [f32])| {
            with_scratch(&INPUTS, |columns| {
                columns.clear();
                to_columns(x_of(tile), self.inputs, &self.blocks, columns);
                multiply(columns, y);
            });
        };
        if self.is_large(batch) {
            let tiles: Vec<_> = tiles.collect();
            tiles.into_par_iter().for_each(one);
        } else {
            tiles.for_each(one);
        }
        y
    }

    /// The gradients of values, of biases and of inputs, of which those that are not asked for are
    /// empty: out of `g` `[batch, outputs]` and the columns kept by [`Pattern::forward`], or out of
    /// `g` and the values.
    ///
    /// # Panics
    /// When there are not as many values or numbers as the pattern and the batch say.
    #[must_use]
    pub fn backward(&self, g: &[f32], batch: usize, wanted: Wanted<'_>) -> Gradients {
        assert_eq!(g.len(), batch * self.outputs, "gradients of the batch");
        let mut found = Gradients::default();
        if let Some(columns) = wanted.values {
            assert_eq!(columns.len(), self.columns_len(batch), "kept columns");
            found.values = vec![0.0; self.len()];
        }
        if wanted.bias {
            found.bias = vec![0.0; self.outputs];
        }
        if let Some(values) = wanted.inputs {
            assert_eq!(values.len(), self.len(), "a value for every weight");
            found.inputs = vec![0.0; batch * self.inputs];
        }
        if g.is_empty() {
            return found;
        }
        let all: Vec<u32> = (0..self.outputs as u32).step_by(BLOCK).collect();
        let tiles = g.chunks(TILE * self.outputs).enumerate();
        with_scratch(&WEIGHTS, |transposed| {
            if let Some(values) = wanted.inputs {
                transposed.clear();
                transposed.extend(self.order.iter().map(|&weight| values[weight as usize]));
            }
            for (tile, g) in tiles {
                with_scratch(&GRADIENTS, |columns| {
                    columns.clear();
                    to_columns(g, self.outputs, &all, columns);
                    if wanted.bias {
                        add_totals(columns, &mut found.bias);
                    }
                    if let Some(kept) = wanted.values {
                        let tile_len = self.slots() * TILE;
                        pulp::Arch::new().dispatch(Dots {
                            lists: &self.rows,
                            columns: &kept[tile * tile_len..][..tile_len],
                            gradients: columns,
                            sums: &mut found.values,
                        });
                    }
                    if wanted.inputs.is_some() && !self.is_empty() {
                        let from = tile * TILE * self.inputs;
                        let end = (from + TILE * self.inputs).min(found.inputs.len());
                        pulp::Arch::new().dispatch(Product {
                            lists: &self.columns,
                            values: transposed,
                            bias: None,
                            columns,
                            to: (
                                &mut found.inputs[from..end],
                                self.inputs,
                                Some(&self.blocks),
                            ),
                        });
                    }
                });
            }
        });
        found
    }
}

/// What [`Pattern::backward`] is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The values' gradients, with the columns that were kept.
    pub values: Option<&'a [f32]>,
    /// The biases' gradients.
    pub bias: bool,
    /// The inputs' gradients, with the values.
    pub inputs: Option<&'a [f32]>,
}

/// What [`Pattern::backward`] found.
#[derive(Clone, Debug, Default)]
pub struct Gradients {
    /// One for each value.
    pub values: Vec<f32>,
    /// `[outputs]`
    pub bias: Vec<f32>,
    /// `[batch, inputs]`
    pub inputs: Vec<f32>,
}

/// Adds columns of some blocks of `from`, `[at most 64, width]`, with zeros after the last sample.
fn to_columns(from: &[f32], width: usize, blocks: &[u32], to: &mut Vec<f32>) {
    struct Body<'a>(&'a [f32], usize, &'a [u32], &'a mut Vec<f32>);
    impl WithSimd for Body<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self(from, width, blocks, to) = self;
            // What lies behind the last sample stays zero.
            let mut columns = [[0.0; TILE]; BLOCK];
            for &first in blocks {
                let first = first as usize;
                for (i, lines) in from.chunks(4 * width).enumerate() {
                    let mut rows = [[0.0; BLOCK]; 4];
                    for (row, line) in rows.iter_mut().zip(lines.chunks_exact(width)) {
                        match line[first..].first_chunk::<BLOCK>() {
                            Some(part) => *row = *part,
                            None => row[..width - first].copy_from_slice(&line[first..]),
                        }
                    }
                    for (j, columns) in columns.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                        let mut quad = [[0.0; 4]; 4];
                        for (to, row) in quad.iter_mut().zip(&rows) {
                            *to = row.as_chunks().0[j];
                        }
                        for (column, part) in columns.iter_mut().zip(transpose_quad(&quad)) {
                            column.as_chunks_mut().0[i] = part;
                        }
                    }
                }
                to.extend_from_slice(columns.as_flattened());
            }
        }
    }
    pulp::Arch::new().dispatch(Body(from, width, blocks, to));
}

/// Rows become columns. Compilers make single numbers of the plain loop, so it is spelled out for
/// the instructions that every x86 processor of 64 bits has.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn transpose_quad(quad: &Quad) -> Quad {
    use pulp::bytemuck::cast;
    use std::arch::x86_64::{
        __m128, _mm_movehl_ps, _mm_movelh_ps, _mm_unpackhi_ps, _mm_unpacklo_ps,
    };
    let [a, b, c, d] = *quad;
    let (a, b, c, d): (__m128, __m128, __m128, __m128) = (cast(a), cast(b), cast(c), cast(d));
    // SAFETY: every processor that this is compiled for has SSE, and no memory is touched.
    let columns = unsafe {
        let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        [
            _mm_movelh_ps(ab, cd),
            _mm_movehl_ps(cd, ab),
            _mm_movelh_ps(ab_high, cd_high),
            _mm_movehl_ps(cd_high, ab_high),
        ]
    };
    [
        cast(columns[0]),
        cast(columns[1]),
        cast(columns[2]),
        cast(columns[3]),
    ]
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn transpose_quad(quad: &Quad) -> Quad {
    transpose_quad_plain(quad)
}

#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
fn transpose_quad_plain(quad: &Quad) -> Quad {
    std::array::from_fn(
        #[inline(always)]
        |i| quad.map(|line| line[i]),
    )
}

/// `to[sample][row] = bias[row] + Σ values[k] columns[entries[k]][sample]` over a row's entries.
struct Product<'a> {
    lists: &'a Lists,
    values: &'a [f32],
    bias: Option<&'a [f32]>,
    columns: &'a [f32],
    /// Numbers of the samples, how many each has, and where blocks of rows go if not in order.
    to: (&'a mut [f32], usize, Option<&'a [u32]>),
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // Two vectors for each part of the sums, so that additions need not wait: as many parts as
        // registers hold.
        if S::REGISTER_COUNT >= 32 {
            self.run::<TILE>();
        } else {
            self.run::<32>();
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn run<const PART: usize>(self) {
        let columns = self.columns.as_chunks::<TILE>().0;
        let (to, width, places) = self.to;
        let mut rows = self.lists.ranges().enumerate().peekable();
        let mut block = 0;
        while rows.peek().is_some() {
            let mut sums = [[0.0; TILE]; BLOCK];
            for (sums, (row, range)) in sums.iter_mut().zip(&mut rows) {
                let first = self.bias.map_or(0.0, |bias| bias[row]);
                let (values, entries) = (&self.values[range.clone()], &self.lists.entries[range]);
                for part in 0..TILE / PART {
                    let sums = &mut sums[part * PART..][..PART];
                    row_sums::<PART>(values, entries, columns, part, first, sums);
                }
            }
            let first = places.map_or(block * BLOCK, |places| places[block] as usize);
            store(&sums, first, to, width);
            block += 1;
        }
    }
}

/// The sums of one row for a part of the samples.
#[inline(always)]
fn row_sums<const PART: usize>(
    values: &[f32],
    entries: &[u32],
    columns: &[Column],
    part: usize,
    first: f32,
    sums: &mut [f32],
) {
    let (mut even, mut odd) = ([first; PART], [0.0; PART]);
    let (pairs, last) = values.as_chunks::<2>();
    let (entry_pairs, last_entry) = entries.as_chunks::<2>();
    for ([v, w], [i, j]) in pairs.iter().zip(entry_pairs) {
        let x = &columns[*i as usize][part * PART..][..PART];
        let y = &columns[*j as usize][part * PART..][..PART];
        for s in 0..PART {
            even[s] = v.mul_add(x[s], even[s]);
            odd[s] = w.mul_add(y[s], odd[s]);
        }
    }
    if let ([v], [i]) = (last, last_entry) {
        let x = &columns[*i as usize][part * PART..][..PART];
        for s in 0..PART {
            even[s] = v.mul_add(x[s], even[s]);
        }
    }
    for s in 0..PART {
        sums[s] = even[s] + odd[s];
    }
}

/// Writes a block of rows' sums as columns of `to`, `[at most 64, width]`, from `first` on.
#[inline(always)]
fn store(sums: &[Column; BLOCK], first: usize, to: &mut [f32], width: usize) {
    for (i, lines) in to.chunks_mut(4 * width).enumerate() {
        let mut rows = [[0.0; BLOCK]; 4];
        for (j, sums) in sums.as_chunks::<4>().0.iter().enumerate() {
            let mut quad = [[0.0; 4]; 4];
            for (to, sums) in quad.iter_mut().zip(sums) {
                *to = sums.as_chunks().0[i];
            }
            for (row, part) in rows.iter_mut().zip(transpose_quad(&quad)) {
                row.as_chunks_mut().0[j] = part;
            }
        }
        for (line, row) in lines.chunks_exact_mut(width).zip(&rows) {
            match line[first..].first_chunk_mut::<BLOCK>() {
                Some(to) => *to = *row,
                None => line[first..].copy_from_slice(&row[..width - first]),
            }
        }
    }
}

/// `sums[k] += Σ_sample columns[entries[k]][sample] gradients[row][sample]`.
struct Dots<'a> {
    lists: &'a Lists,
    columns: &'a [f32],
    gradients: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.columns.as_chunks::<TILE>().0;
        let gradients = self.gradients.as_chunks::<TILE>().0;
        for (g, range) in gradients.iter().zip(self.lists.ranges()) {
            let entries = self.lists.entries[range.clone()].as_chunks::<4>();
            let sums = self.sums[range].as_chunks_mut::<4>();
            for ([a, b, c, d], sums) in entries.0.iter().zip(sums.0) {
                let a = products(simd, &columns[*a as usize], g);
                let b = products(simd, &columns[*b as usize], g);
                let c = products(simd, &columns[*c as usize], g);
                let d = products(simd, &columns[*d as usize], g);
                add(sums, totals(&[a, b, c, d]));
            }
            let mut lanes = [[0.0; BLOCK]; 4];
            for (lanes, &entry) in lanes.iter_mut().zip(entries.1) {
                *lanes = products(simd, &columns[entry as usize], g);
            }
            add(sums.1, totals(&lanes));
        }
    }
}

/// The products of two columns, summed up in lanes.
#[inline(always)]
fn products<S: Simd>(simd: S, x: &Column, g: &Column) -> [f32; BLOCK] {
    let mut sums = [0.0; BLOCK];
    let (to, _) = S::as_mut_simd_f32s(&mut sums);
    let ((x, _), (g, _)) = (S::as_simd_f32s(x), S::as_simd_f32s(g));
    let vectors = to.len();
    for (x, g) in x.chunks_exact(vectors).zip(g.chunks_exact(vectors)) {
        for ((sum, x), g) in to.iter_mut().zip(x).zip(g) {
            *sum = simd.mul_add_f32s(*x, *g, *sum);
        }
    }
    sums
}

/// The totals of four sums in lanes, all by the same tree.
#[inline(always)]
fn totals(lanes: &[[f32; BLOCK]; 4]) -> [f32; 4] {
    let mut quad = [[0.0; 4]; 4];
    for (sum, lanes) in quad.iter_mut().zip(lanes) {
        let parts = lanes.as_chunks::<4>().0;
        *sum = plus(plus(parts[0], parts[1]), plus(parts[2], parts[3]));
    }
    let [a, b, c, d] = transpose_quad(&quad);
    plus(plus(a, b), plus(c, d))
}

/// Compilers add single numbers here if they are not told to.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn plus(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
    use pulp::bytemuck::cast;
    // SAFETY: every processor that this is compiled for has SSE, and no memory is touched.
    cast(unsafe { std::arch::x86_64::_mm_add_ps(cast(a), cast(b)) })
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn plus(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
    plus_plain(a, b)
}

#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
fn plus_plain(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
}

/// Adds four values; those behind the end are left out.
#[inline(always)]
fn add(to: &mut [f32], values: [f32; 4]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += value;
    }
}

/// Adds the total of every column to `sums`.
fn add_totals(columns: &[f32], sums: &mut [f32]) {
    struct Body<'a>(&'a [f32], &'a mut [f32]);
    impl WithSimd for Body<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let quads = self.0.as_chunks::<TILE>().0.chunks(4);
            for (columns, sums) in quads.zip(self.1.chunks_mut(4)) {
                let mut lanes = [[0.0; BLOCK]; 4];
                for (lanes, column) in lanes.iter_mut().zip(columns) {
                    *lanes = products(simd, column, &[1.0; TILE]);
                }
                add(sums, totals(&lanes));
            }
        }
    }
    pulp::Arch::new().dispatch(Body(columns, sums));
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd as _;

    use super::{
        Dots, Pattern, Product, TILE, plus, plus_plain, to_columns, transpose_quad,
        transpose_quad_plain,
    };
    use crate::rng::Rng;

    fn random(count: usize, rng: &mut Rng) -> Vec<f32> {
        (0..count).map(|_| rng.normal() as f32).collect()
    }

    fn pattern(density: f64, outputs: usize, inputs: usize, rng: &mut Rng) -> Pattern {
        let mut keep = || u8::from(rng.uniform() < density);
        let mask: Vec<u8> = (0..outputs * inputs).map(|_| keep()).collect();
        Pattern::from_mask(&mask, outputs, inputs).expect("a mask of this size")
    }

    #[test]
    fn spelled_out_instructions_do_what_the_plain_code_does() {
        let mut rng = Rng::new(1);
        for _ in 0..20 {
            let quad: [[f32; 4]; 4] =
                std::array::from_fn(|_| std::array::from_fn(|_| rng.normal() as f32));
            let bits = |quad: [[f32; 4]; 4]| quad.map(|row| row.map(f32::to_bits));
            assert_eq!(
                bits(transpose_quad(&quad)),
                bits(transpose_quad_plain(&quad))
            );
            let [a, b, ..] = quad;
            assert_eq!(
                plus(a, b).map(f32::to_bits),
                plus_plain(a, b).map(f32::to_bits)
            );
        }
    }

    #[test]
    fn every_width_of_vectors_gives_the_same_bits() {
        let mut rng = Rng::new(2);
        for density in [0.02, 0.3, 1.0] {
            let pattern = pattern(density, 37, 83, &mut rng);
            let values = random(pattern.len(), &mut rng);
            let [mut x, mut g] = [Vec::new(), Vec::new()];
            let blocks: Vec<u32> = (0..37).step_by(16).collect();
            to_columns(&random(60 * 83, &mut rng), 83, &pattern.blocks, &mut x);
            to_columns(&random(60 * 37, &mut rng), 37, &blocks, &mut g);
            let run = |widest: bool| {
                let (mut y, mut sums) = (vec![0.0; 60 * 37], vec![0.0; pattern.len()]);
                let product = Product {
                    lists: &pattern.rows,
                    values: &values,
                    bias: None,
                    columns: &x,
                    to: (&mut y, 37, None),
                };
                let dots = Dots {
                    lists: &pattern.rows,
                    columns: &x,
                    gradients: &g,
                    sums: &mut sums,
                };
                if widest {
                    pulp::Arch::new().dispatch(product);
                    pulp::Arch::new().dispatch(dots);
                } else {
                    product.with_simd(pulp::Scalar::new());
                    dots.with_simd(pulp::Scalar::new());
                }
                [y, sums].map(|numbers| numbers.iter().map(|v| v.to_bits()).collect::<Vec<_>>())
            };
            assert_eq!(run(true), run(false), "{density}");
        }
    }

    #[test]
    fn patterns_know_where_their_weights_lie() {
        let mut mask = vec![0_u8; 3 * 40];
        for place in [5, 39, 40 + 17, 80 + 5] {
            mask[place] = 1;
        }
        let pattern = Pattern::from_mask(&mask, 3, 40).expect("a mask of this size");
        assert_eq!(pattern.places().collect::<Vec<_>>(), [5, 39, 57, 85]);
        assert_eq!(
            (pattern.outputs(), pattern.inputs(), pattern.len()),
            (3, 40, 4)
        );
        assert!((pattern.density() - 4.0 / 120.0).abs() < 1e-12 && !pattern.is_empty());
        assert_eq!(pattern.columns_len(TILE + 1), 2 * TILE * 48);
        assert!(Pattern::from_mask(&mask, 3, 41).is_err());

        let none = Pattern::from_mask(&[0; 120], 3, 40).expect("a mask of this size");
        assert!(none.is_empty() && none.blocks.is_empty());
    }
}
