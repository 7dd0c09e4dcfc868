//! Kernels of upsampling by a whole factor.
//!
//! Bilinear upsampling (corners not aligned) is done in two passes. Number `i factor + phase` of a
//! stretched line lies between two neighbours whose distances depend on the phase only, so all
//! numbers of a phase are made together. Beyond the ends the last number goes on.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use super::lanes::{rows, vectorise};

/// Sizes of an upsampling of planes.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// Height and width of a plane.
    pub size: [usize; 2],
    /// How many rows and columns become of one.
    pub factor: usize,
}

impl Stretch {
    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn out_area(&self) -> usize {
        self.area() * self.factor * self.factor
    }

    fn out_width(&self) -> usize {
        self.size[1] * self.factor
    }
}

/// Every number becomes a square.
#[must_use]
pub fn nearest_forward(x: &[f32], shape: Stretch) -> Vec<f32> {
    let (width, out_width, factor) = (shape.size[1], shape.out_width(), shape.factor);
    let block = out_width * factor;
    rows(x.len() * factor * factor, block, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                let lines = x[first * width..].chunks_exact(width);
                for (block, line) in out.chunks_exact_mut(block).zip(lines) {
                    let (row, others) = block.split_at_mut(out_width);
                    if factor == 2 {
                        for (pair, &x) in row.as_chunks_mut::<2>().0.iter_mut().zip(line) {
                            *pair = [x, x];
                        }
                    } else {
                        for (group, &x) in row.chunks_exact_mut(factor).zip(line) {
                            group.fill(x);
                        }
                    }
                    for other in others.chunks_exact_mut(out_width) {
                        other.copy_from_slice(row);
                    }
                }
            },
        );
    })
}

/// The gradient of [`nearest_forward`].
#[must_use]
pub fn nearest_backward(grad: &[f32], shape: Stretch) -> Vec<f32> {
    let (width, out_width, factor) = (shape.size[1], shape.out_width(), shape.factor);
    let block = out_width * factor;
    rows(grad.len() / (factor * factor), width, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                let blocks = grad[first * block..].chunks_exact(block);
                for (dx, block) in out.chunks_exact_mut(width).zip(blocks) {
                    for row in block.chunks_exact(out_width) {
                        if factor == 2 {
                            for (dx, pair) in dx.iter_mut().zip(row.as_chunks::<2>().0) {
                                *dx += pair[0] + pair[1];
                            }
                        } else {
                            for (dx, group) in dx.iter_mut().zip(row.chunks_exact(factor)) {
                                *dx += group.iter().sum::<f32>();
                            }
                        }
                    }
                }
            },
        );
    })
}

/// Of a phase: how far the left neighbour lies to the right of `i - 1`, and the weights of the left
/// and the right neighbour.
#[inline(always)]
fn phase(phase: usize, factor: usize) -> (usize, f32, f32) {
    let position = (phase as f32 + 0.5) / factor as f32 - 0.5;
    if position < 0.0 {
        (0, -position, 1.0 + position)
    } else {
        (1, 1.0 - position, position)
    }
}

/// The rows of a plane that an output row lies between, with their weights.
#[inline(always)]
fn neighbours(out_row: usize, shape: Stretch) -> [(usize, f32); 2] {
    let (shift, left, right) = phase(out_row % shape.factor, shape.factor);
    let upper = out_row / shape.factor + shift;
    let inside = |row: usize| row.saturating_sub(1).min(shape.size[0] - 1);
    [(inside(upper), left), (inside(upper + 1), right)]
}

/// `target[i factor + phase] = left source[i] + right source[i + 1]`.
#[inline(always)]
fn interleave(
    source: &[f32],
    (left, right): (f32, f32),
    target: &mut [f32],
    factor: usize,
    phase: usize,
) {
    let sources = source.iter().zip(&source[1..]);
    for (group, (&a, &b)) in target.chunks_exact_mut(factor).zip(sources) {
        group[phase] = b.mul_add(right, a * left);
    }
}

/// Linear in both directions.
#[must_use]
pub fn bilinear_forward(x: &[f32], shape: Stretch) -> Vec<f32> {
    let (area, out_area) = (shape.area(), shape.out_area());
    let (width, factor) = (shape.size[1], shape.factor);
    rows(x.len() * factor * factor, out_area, |first, out| {
        // A row between two others, with its ends repeated.
        let mut line = vec![0.0; width + 2];
        vectorise(
            #[inline(always)]
            || {
                let planes = x[first * area..].chunks_exact(area);
                for (out, plane) in out.chunks_exact_mut(out_area).zip(planes) {
                    for (oy, out) in out.chunks_exact_mut(width * factor).enumerate() {
                        let [(upper, a), (lower, b)] = neighbours(oy, shape);
                        let upper = &plane[upper * width..][..width];
                        let lower = &plane[lower * width..][..width];
                        for ((line, &u), &l) in line[1..].iter_mut().zip(upper).zip(lower) {
                            *line = l.mul_add(b, u * a);
                        }
                        line[0] = line[1];
                        line[width + 1] = line[width];
                        stretch_line(&line, out, factor);
                    }
                }
            },
        );
    })
}

#[inline(always)]
fn stretch_line(line: &[f32], out: &mut [f32], factor: usize) {
    if factor == 2 {
        let near = line.iter().zip(&line[1..]).zip(&line[2..]);
        for (pair, ((&a, &b), &c)) in out.as_chunks_mut::<2>().0.iter_mut().zip(near) {
            *pair = [b.mul_add(0.75, a * 0.25), c.mul_add(0.25, b * 0.75)];
        }
        return;
    }
    for p in 0..factor {
        let (shift, left, right) = phase(p, factor);
        interleave(&line[shift..], (left, right), out, factor, p);
    }
}

/// The gradient of [`bilinear_forward`].
#[must_use]
pub fn bilinear_backward(grad: &[f32], shape: Stretch) -> Vec<f32> {
    let (area, out_area) = (shape.area(), shape.out_area());
    let (width, factor) = (shape.size[1], shape.factor);
    rows(grad.len() / (factor * factor), area, |first, out| {
        let mut line = vec![0.0; width + 2];
        vectorise(
            #[inline(always)]
            || {
                let planes = grad[first * out_area..].chunks_exact(out_area);
                for (dx, grad) in out.chunks_exact_mut(area).zip(planes) {
                    for (oy, grad) in grad.chunks_exact(width * factor).enumerate() {
                        line.fill(0.0);
                        shrink_line(grad, &mut line, factor);
                        line[1] += line[0];
                        line[width] += line[width + 1];
                        for (row, weight) in neighbours(oy, shape) {
                            let dx = &mut dx[row * width..][..width];
                            for (dx, &g) in dx.iter_mut().zip(&line[1..]) {
                                *dx = g.mul_add(weight, *dx);
                            }
                        }
                    }
                }
            },
        );
    })
}

/// The transpose of [`stretch_line`], added to `line`.
#[inline(always)]
fn shrink_line(grad: &[f32], line: &mut [f32], factor: usize) {
    for p in 0..factor {
        let (shift, left, right) = phase(p, factor);
        for (weight, from) in [(left, shift), (right, shift + 1)] {
            let line = line[from..].iter_mut();
            if factor == 2 {
                for (line, pair) in line.zip(grad.as_chunks::<2>().0) {
                    *line = pair[p].mul_add(weight, *line);
                }
            } else {
                for (line, group) in line.zip(grad.chunks_exact(factor)) {
                    *line = group[p].mul_add(weight, *line);
                }
            }
        }
    }
}

/// `[channels factor^2, height, width]` planes to `[channels, height factor, width factor]`, each
/// square of the result from one place of `factor^2` planes; `shape.size` is that of a plane.
#[must_use]
pub fn shuffle_forward(x: &[f32], shape: Stretch) -> Vec<f32> {
    let (area, out_area) = (shape.area(), shape.out_area());
    let (width, factor) = (shape.size[1], shape.factor);
    rows(x.len(), out_area, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                let groups = x[first * out_area..].chunks_exact(out_area);
                for (out, planes) in out.chunks_exact_mut(out_area).zip(groups) {
                    for (oy, out) in out.chunks_exact_mut(width * factor).enumerate() {
                        let plane = oy % factor * factor;
                        let line = |p: usize| {
                            let from = (plane + p) * area + oy / factor * width;
                            &planes[from..from + width]
                        };
                        if factor == 2 {
                            let pairs = out.as_chunks_mut::<2>().0.iter_mut();
                            for (pair, (&a, &b)) in pairs.zip(line(0).iter().zip(line(1))) {
                                *pair = [a, b];
                            }
                            continue;
                        }
                        for p in 0..factor {
                            for (group, &x) in out.chunks_exact_mut(factor).zip(line(p)) {
                                group[p] = x;
                            }
                        }
                    }
                }
            },
        );
    })
}

/// The gradient of [`shuffle_forward`]: the way back.
#[must_use]
pub fn shuffle_backward(grad: &[f32], shape: Stretch) -> Vec<f32> {
    let (area, out_area) = (shape.area(), shape.out_area());
    let (width, factor) = (shape.size[1], shape.factor);
    rows(grad.len(), area, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                for (i, plane) in out.chunks_exact_mut(area).enumerate() {
                    let (group, place) = divide(first + i, factor * factor);
                    let (row, p) = divide(place, factor);
                    let grad = &grad[group * out_area..][..out_area];
                    for (y, out) in plane.chunks_exact_mut(width).enumerate() {
                        let line = &grad[(y * factor + row) * width * factor..][..width * factor];
                        if factor == 2 {
                            for (out, pair) in out.iter_mut().zip(line.as_chunks::<2>().0) {
                                *out = pair[p];
                            }
                        } else {
                            for (out, group) in out.iter_mut().zip(line.chunks_exact(factor)) {
                                *out = group[p];
                            }
                        }
                    }
                }
            },
        );
    })
}

#[inline(always)]
fn divide(number: usize, by: usize) -> (usize, usize) {
    (number / by, number % by)
}
