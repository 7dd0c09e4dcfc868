//! What each instruction does to sixteen tasks at once, in registers of the machine's width.
//!
//! Operands are given as rows of memory; a row is one register where sixteen numbers fit, two or
//! more elsewhere. What an instruction reads is read before the result is written, or row by row in
//! step with it, so a result may overwrite what it is made from.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use pulp::Simd;

use super::compile::LaneOp;
use super::instruction::Op;
use super::lanes::{LANES, Row};
use super::math;

/// Registers of a row.
#[inline(always)]
pub fn per_row<S: Simd>() -> usize {
    LANES / S::F32_LANES
}

/// What random draws depend on besides the instruction.
#[derive(Clone, Copy)]
pub struct Draws<'a> {
    /// The tasks' seeds.
    pub seeds: &'a [u32; LANES],
    /// How often the loop has run.
    pub step: u32,
}

/// A function of every number of a row. The compiler makes vectors of it.
#[inline(always)]
pub fn each(row: Row, f: impl Fn(f32) -> f32) -> Row {
    let mut result = [0.0; LANES];
    for l in 0..LANES {
        result[l] = f(row[l]);
    }
    result
}

/// `C` registers from one on; none where memory ends, which no compiled program reaches.
#[inline(always)]
fn chunk<const C: usize, T>(m: &[T], at: usize) -> Option<&[T; C]> {
    m.get(at..).and_then(<[T]>::first_chunk)
}

#[inline(always)]
fn put<const C: usize, T: Copy>(m: &mut [T], at: usize, values: [T; C]) {
    if let Some(place) = m.get_mut(at..).and_then(<[T]>::first_chunk_mut) {
        *place = values;
    }
}

/// `f` of every register of `count`.
#[inline(always)]
fn map<const C: usize, T: Copy>(
    m: &mut [T],
    out: usize,
    a: usize,
    count: usize,
    f: impl Fn(T) -> T,
) {
    let mut i = 0;
    while i < count {
        let Some(&(mut result)) = chunk::<C, T>(m, a + i) else {
            return;
        };
        for value in &mut result {
            *value = f(*value);
        }
        put(m, out + i, result);
        i += C;
    }
}

/// `f` of every pair of registers of two times `count`.
#[inline(always)]
fn zip<const C: usize, T: Copy>(
    m: &mut [T],
    out: usize,
    [a, b]: [usize; 2],
    count: usize,
    f: impl Fn(T, T) -> T,
) {
    let mut i = 0;
    while i < count {
        let (Some(&(mut result)), Some(other)) = (chunk::<C, T>(m, a + i), chunk::<C, T>(m, b + i))
        else {
            return;
        };
        for c in 0..C {
            result[c] = f(result[c], other[c]);
        }
        put(m, out + i, result);
        i += C;
    }
}

/// The rows of memory in registers, and what computes with them.
struct Vm<'a, S: Simd> {
    simd: S,
    m: &'a mut [S::f32s],
}

impl<S: Simd> Vm<'_, S> {
    /// The register `k` of a row.
    #[inline(always)]
    fn get(&self, row: usize, k: usize) -> S::f32s {
        match self.m.get(row * per_row::<S>() + k) {
            Some(&value) => value,
            None => self.simd.splat_f32s(0.0),
        }
    }

    #[inline(always)]
    fn set(&mut self, row: usize, k: usize, value: S::f32s) {
        if let Some(place) = self.m.get_mut(row * per_row::<S>() + k) {
            *place = value;
        }
    }

    /// A row that is computed register by register.
    #[inline(always)]
    fn fill(&mut self, out: usize, f: impl Fn(&Self, usize) -> S::f32s) {
        for k in 0..per_row::<S>() {
            let value = f(self, k);
            self.set(out, k, value);
        }
    }

    /// As many rows as there are features, all of them computed before any is written.
    #[inline(always)]
    fn by_row<const N: usize>(
        &mut self,
        out: usize,
        n: usize,
        f: impl Fn(&Self, usize, usize) -> S::f32s,
    ) {
        for k in 0..per_row::<S>() {
            let mut result = [self.simd.splat_f32s(0.0); N];
            for (i, value) in result.iter_mut().enumerate().take(n) {
                *value = f(self, i, k);
            }
            for (i, value) in result.iter().enumerate().take(n) {
                self.set(out + i, k, *value);
            }
        }
    }

    /// The sum of the products of `count` rows, each time so many rows apart.
    #[inline(always)]
    fn dot(
        &self,
        [a, b]: [usize; 2],
        [stride, other]: [usize; 2],
        count: usize,
        k: usize,
    ) -> S::f32s {
        let mut sum = self.simd.splat_f32s(0.0);
        for i in 0..count {
            let (x, y) = (self.get(a + i * stride, k), self.get(b + i * other, k));
            sum = self.simd.mul_add_f32s(x, y, sum);
        }
        sum
    }

    #[inline(always)]
    fn norm(&self, at: usize, stride: usize, count: usize, k: usize) -> S::f32s {
        self.simd
            .sqrt_f32s(self.dot([at; 2], [stride; 2], count, k))
    }

    #[inline(always)]
    fn mean(&self, at: usize, count: usize, k: usize) -> S::f32s {
        let mut sum = self.simd.splat_f32s(0.0);
        for i in 0..count {
            sum = self.simd.add_f32s(sum, self.get(at + i, k));
        }
        self.simd.div_f32s(sum, self.simd.splat_f32s(count as f32))
    }

    #[inline(always)]
    fn deviation(&self, at: usize, count: usize, k: usize) -> S::f32s {
        let mean = self.mean(at, count, k);
        let squares = self.dot([at; 2], [1; 2], count, k);
        let squares = self
            .simd
            .div_f32s(squares, self.simd.splat_f32s(count as f32));
        let less = self.simd.sub_f32s(self.simd.splat_f32s(0.0), mean);
        self.simd
            .sqrt_f32s(self.simd.mul_add_f32s(mean, less, squares))
    }

    /// A row times each of `count` rows.
    #[inline(always)]
    fn scale<const C: usize>(&mut self, [by, from, out]: [usize; 3], count: usize) {
        let (simd, kk) = (self.simd, per_row::<S>());
        if kk == 1 {
            let factor = self.get(by, 0);
            map::<C, _>(
                self.m,
                out,
                from,
                count,
                #[inline(always)]
                |x| simd.mul_f32s(factor, x),
            );
            return;
        }
        for k in 0..kk {
            let factor = self.get(by, k);
            for i in 0..count {
                let value = simd.mul_f32s(factor, self.get(from + i, k));
                self.set(out + i, k, value);
            }
        }
    }

    /// Copies a row to `count` rows, so many apart.
    #[inline(always)]
    fn spread(&mut self, from: usize, out: usize, stride: usize, count: usize) {
        for k in 0..per_row::<S>() {
            let value = self.get(from, k);
            for i in 0..count {
                self.set(out + i * stride, k, value);
            }
        }
    }

    /// Transposes a matrix, in place where both are the same.
    #[inline(always)]
    fn transpose(&mut self, from: usize, out: usize, n: usize) {
        for k in 0..per_row::<S>() {
            for i in 0..n {
                for j in i..n {
                    let upper = self.get(from + i * n + j, k);
                    let lower = self.get(from + j * n + i, k);
                    self.set(out + i * n + j, k, lower);
                    self.set(out + j * n + i, k, upper);
                }
            }
        }
    }

    /// The product of two matrices.
    #[inline(always)]
    fn product<const SQUARE: usize>(&mut self, [a, b, out]: [usize; 3], n: usize) {
        for k in 0..per_row::<S>() {
            let mut result = [self.simd.splat_f32s(0.0); SQUARE];
            for i in 0..n {
                for j in 0..n {
                    result[i * n + j] = self.dot([a + i * n, b + j], [1, n], n, k);
                }
            }
            for (i, value) in result.iter().enumerate().take(n * n) {
                self.set(out + i, k, *value);
            }
        }
    }

    /// One row through a function of single numbers.
    #[inline(always)]
    fn elementary(&mut self, a: usize, out: usize, f: impl Fn(f32) -> f32) {
        let flat: &mut [f32] = pulp::bytemuck::cast_slice_mut(self.m);
        if let Some(&row) = chunk::<LANES, f32>(flat, a * LANES) {
            put(flat, out * LANES, each(row, f));
        }
    }

    /// `count` rows of random numbers.
    #[inline(always)]
    fn draw(&mut self, op: &LaneOp, count: usize, draws: &Draws<'_>, f: impl Fn(u32) -> f32) {
        let flat: &mut [f32] = pulp::bytemuck::cast_slice_mut(self.m);
        for i in 0..count {
            let place = math::place(op.key, draws.step, i as u32);
            let mut row = [0.0; LANES];
            for (x, seed) in row.iter_mut().zip(draws.seeds) {
                *x = f(math::bits(*seed, place));
            }
            put(flat, (op.out as usize + i) * LANES, row);
        }
    }
}

/// The size of every number.
#[inline(always)]
fn abs<S: Simd>(simd: S, a: S::f32s) -> S::f32s {
    // pulp's own is not inlined.
    let bits = simd.and_u32s(simd.transmute_u32s_f32s(a), simd.splat_u32s(0x7fff_ffff));
    simd.transmute_f32s_u32s(bits)
}

/// Runs an instruction.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each of the 65 instructions"
)]
#[inline(always)]
pub fn execute<S: Simd, const F: usize, const C: usize, const N: usize>(
    simd: S,
    m: &mut [S::f32s],
    op: &LaneOp,
    features: usize,
    draws: &Draws<'_>,
) {
    let n = if F == 0 { features } else { F };
    let kk = per_row::<S>();
    let (one, vector, square) = (kk, n * kk, n * n * kk);
    let (out, a, b) = (op.out as usize, op.ins[0] as usize, op.ins[1] as usize);
    let (to, from) = (out * kk, [a * kk, b * kk]);
    let [x, y] = op.data;
    let (zeros, ones) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let mut vm = Vm { simd, m };
    match op.op {
        Op::NoOp | Op::VectorConst | Op::MatrixConst => {}
        Op::ScalarSum => zip::<1, _>(
            vm.m,
            to,
            from,
            one,
            #[inline(always)]
            |a, b| simd.add_f32s(a, b),
        ),
        Op::VectorSum => zip::<C, _>(
            vm.m,
            to,
            from,
            vector,
            #[inline(always)]
            |a, b| simd.add_f32s(a, b),
        ),
        Op::MatrixSum => zip::<C, _>(
            vm.m,
            to,
            from,
            square,
            #[inline(always)]
            |a, b| simd.add_f32s(a, b),
        ),
        Op::ScalarDiff => zip::<1, _>(
            vm.m,
            to,
            from,
            one,
            #[inline(always)]
            |a, b| simd.sub_f32s(a, b),
        ),
        Op::VectorDiff => zip::<C, _>(
            vm.m,
            to,
            from,
            vector,
            #[inline(always)]
            |a, b| simd.sub_f32s(a, b),
        ),
        Op::MatrixDiff => zip::<C, _>(
            vm.m,
            to,
            from,
            square,
            #[inline(always)]
            |a, b| simd.sub_f32s(a, b),
        ),
        Op::ScalarProduct => zip::<1, _>(
            vm.m,
            to,
            from,
            one,
            #[inline(always)]
            |a, b| simd.mul_f32s(a, b),
        ),
        Op::VectorProduct => zip::<C, _>(
            vm.m,
            to,
            from,
            vector,
            #[inline(always)]
            |a, b| simd.mul_f32s(a, b),
        ),
        Op::MatrixProduct => zip::<C, _>(
            vm.m,
            to,
            from,
            square,
            #[inline(always)]
            |a, b| simd.mul_f32s(a, b),
        ),
        Op::ScalarDivision => zip::<1, _>(
            vm.m,
            to,
            from,
            one,
            #[inline(always)]
            |a, b| simd.div_f32s(a, b),
        ),
        Op::VectorDivision => zip::<C, _>(
            vm.m,
            to,
            from,
            vector,
            #[inline(always)]
            |a, b| simd.div_f32s(a, b),
        ),
        Op::MatrixDivision => zip::<C, _>(
            vm.m,
            to,
            from,
            square,
            #[inline(always)]
            |a, b| simd.div_f32s(a, b),
        ),
        Op::ScalarMin => zip::<1, _>(
            vm.m,
            to,
            from,
            one,
            #[inline(always)]
            |a, b| simd.select_f32s(simd.less_than_f32s(a, b), a, b),
        ),
        Op::VectorMin => zip::<C, _>(
            vm.m,
            to,
            from,
            vector,
            #[inline(always)]
            |a, b| simd.select_f32s(simd.less_than_f32s(a, b), a, b),
        ),
        Op::MatrixMin => zip::<C, _>(
            vm.m,
            to,
            from,
            square,
            #[inline(always)]
            |a, b| simd.select_f32s(simd.less_than_f32s(a, b), a, b),
        ),
        Op::ScalarMax => zip::<1, _>(
            vm.m,
            to,
            from,
            one,
            #[inline(always)]
            |a, b| simd.select_f32s(simd.greater_than_f32s(a, b), a, b),
        ),
        Op::VectorMax => zip::<C, _>(
            vm.m,
            to,
            from,
            vector,
            #[inline(always)]
            |a, b| simd.select_f32s(simd.greater_than_f32s(a, b), a, b),
        ),
        Op::MatrixMax => zip::<C, _>(
            vm.m,
            to,
            from,
            square,
            #[inline(always)]
            |a, b| simd.select_f32s(simd.greater_than_f32s(a, b), a, b),
        ),
        Op::ScalarAbs => map::<1, _>(
            vm.m,
            to,
            from[0],
            one,
            #[inline(always)]
            |a| abs(simd, a),
        ),
        Op::VectorAbs => map::<C, _>(
            vm.m,
            to,
            from[0],
            vector,
            #[inline(always)]
            |a| abs(simd, a),
        ),
        Op::MatrixAbs => map::<C, _>(
            vm.m,
            to,
            from[0],
            square,
            #[inline(always)]
            |a| abs(simd, a),
        ),
        Op::ScalarReciprocal => map::<1, _>(
            vm.m,
            to,
            from[0],
            one,
            #[inline(always)]
            |a| simd.div_f32s(ones, a),
        ),
        Op::VectorReciprocal => map::<C, _>(
            vm.m,
            to,
            from[0],
            vector,
            #[inline(always)]
            |a| simd.div_f32s(ones, a),
        ),
        Op::MatrixReciprocal => map::<C, _>(
            vm.m,
            to,
            from[0],
            square,
            #[inline(always)]
            |a| simd.div_f32s(ones, a),
        ),
        Op::ScalarHeaviside => map::<1, _>(
            vm.m,
            to,
            from[0],
            one,
            #[inline(always)]
            |a| simd.select_f32s(simd.greater_than_or_equal_f32s(a, zeros), ones, zeros),
        ),
        Op::VectorHeaviside => map::<C, _>(
            vm.m,
            to,
            from[0],
            vector,
            #[inline(always)]
            |a| simd.select_f32s(simd.greater_than_f32s(a, zeros), ones, zeros),
        ),
        Op::MatrixHeaviside => map::<C, _>(
            vm.m,
            to,
            from[0],
            square,
            #[inline(always)]
            |a| simd.select_f32s(simd.greater_than_f32s(a, zeros), ones, zeros),
        ),
        Op::ScalarSin => vm.elementary(a, out, math::sin),
        Op::ScalarCos => vm.elementary(a, out, math::cos),
        Op::ScalarTan => vm.elementary(a, out, math::tan),
        Op::ScalarArcSin => vm.elementary(a, out, math::asin),
        Op::ScalarArcCos => vm.elementary(a, out, math::acos),
        Op::ScalarArcTan => vm.elementary(a, out, math::atan),
        Op::ScalarExp => vm.elementary(a, out, math::exp),
        Op::ScalarLog => vm.elementary(a, out, math::ln),
        Op::ScalarVectorProduct => vm.scale::<C>([a, b, out], n),
        Op::ScalarMatrixProduct => vm.scale::<C>([a, b, out], n * n),
        Op::VectorOuterProduct => {
            for i in 0..n {
                vm.scale::<C>([a + i, b, out + i * n], n);
            }
        }
        Op::ScalarBroadcast => vm.spread(a, out, 1, n),
        Op::VectorColumnBroadcast => {
            for i in 0..n {
                vm.spread(a + i, out + i * n, 1, n);
            }
        }
        Op::VectorRowBroadcast => {
            for j in 0..n {
                vm.spread(a + j, out + j, n, n);
            }
        }
        Op::VectorInnerProduct => vm.fill(
            out,
            #[inline(always)]
            |vm, k| vm.dot([a, b], [1; 2], n, k),
        ),
        Op::VectorNorm => vm.fill(
            out,
            #[inline(always)]
            |vm, k| vm.norm(a, 1, n, k),
        ),
        Op::MatrixNorm => vm.fill(
            out,
            #[inline(always)]
            |vm, k| vm.norm(a, 1, n * n, k),
        ),
        Op::MatrixVectorProduct => {
            vm.by_row::<N>(
                out,
                n,
                #[inline(always)]
                |vm, i, k| vm.dot([a + i * n, b], [1; 2], n, k),
            );
        }
        Op::MatrixRowNorm => vm.by_row::<N>(
            out,
            n,
            #[inline(always)]
            |vm, i, k| vm.norm(a + i * n, 1, n, k),
        ),
        Op::MatrixColumnNorm => vm.by_row::<N>(
            out,
            n,
            #[inline(always)]
            |vm, i, k| vm.norm(a + i, n, n, k),
        ),
        Op::MatrixTranspose => vm.transpose(a, out, n),
        Op::MatrixMatrixProduct if N == 4 => vm.product::<16>([a, b, out], n),
        Op::MatrixMatrixProduct if N == 16 => vm.product::<256>([a, b, out], n),
        Op::MatrixMatrixProduct => vm.product::<1024>([a, b, out], n),
        Op::VectorMean => vm.fill(
            out,
            #[inline(always)]
            |vm, k| vm.mean(a, n, k),
        ),
        Op::MatrixMean => vm.fill(
            out,
            #[inline(always)]
            |vm, k| vm.mean(a, n * n, k),
        ),
        Op::MatrixRowMean => vm.by_row::<N>(
            out,
            n,
            #[inline(always)]
            |vm, i, k| vm.mean(a + i * n, n, k),
        ),
        Op::VectorStDev => vm.fill(
            out,
            #[inline(always)]
            |vm, k| vm.deviation(a, n, k),
        ),
        Op::MatrixStDev => vm.fill(
            out,
            #[inline(always)]
            |vm, k| vm.deviation(a, n * n, k),
        ),
        Op::MatrixRowStDev => vm.by_row::<N>(
            out,
            n,
            #[inline(always)]
            |vm, i, k| vm.deviation(a + i * n, n, k),
        ),
        Op::ScalarConst => vm.fill(
            out,
            #[inline(always)]
            |vm, _| vm.simd.splat_f32s(x),
        ),
        Op::ScalarUniform => vm.draw(
            op,
            1,
            draws,
            #[inline(always)]
            |bits| (y - x).mul_add(math::uniform(bits), x),
        ),
        Op::VectorUniform => vm.draw(
            op,
            n,
            draws,
            #[inline(always)]
            |bits| (y - x).mul_add(math::uniform(bits), x),
        ),
        Op::MatrixUniform => vm.draw(
            op,
            n * n,
            draws,
            #[inline(always)]
            |bits| (y - x).mul_add(math::uniform(bits), x),
        ),
        Op::ScalarGaussian => vm.draw(
            op,
            1,
            draws,
            #[inline(always)]
            |bits| y.mul_add(math::normal(bits), x),
        ),
        Op::VectorGaussian => vm.draw(
            op,
            n,
            draws,
            #[inline(always)]
            |bits| y.mul_add(math::normal(bits), x),
        ),
        Op::MatrixGaussian => vm.draw(
            op,
            n * n,
            draws,
            #[inline(always)]
            |bits| y.mul_add(math::normal(bits), x),
        ),
    }
}
