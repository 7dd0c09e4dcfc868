//! Two-dimensional convolutions with what usually follows them.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{Activation, is_fast, numbers, output, portable, with_numbers};
use crate::nn::cpu::conv::{ConvShape, Epilogue};
use crate::nn::cpu::pointwise::activate;

/// How a kernel moves over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Zeros around the image, above and below, left and right.
    pub padding: [usize; 2],
    /// Independent convolutions side by side.
    pub groups: usize,
    /// The image is enlarged so often first, by repeating every pixel; not for transposed ones.
    pub upsample: usize,
    /// Rows and columns added to the result at its end; for transposed ones only.
    pub output_padding: [usize; 2],
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Self {
            stride: [1, 1],
            padding: [0, 0],
            groups: 1,
            upsample: 1,
            output_padding: [0, 0],
        }
    }
}

impl Conv2dOptions {
    /// The same padding on all sides.
    #[must_use]
    pub fn padded(padding: usize) -> Self {
        Self {
            padding: [padding; 2],
            ..Self::default()
        }
    }
}

/// `activation(x ∗ w + b)` for `x` `[batch, inputs, height, width]`,
/// `w` `[outputs, inputs / groups, kernel height, kernel width]` and `b` `[outputs]`.
///
/// # Errors
/// When the shapes do not fit together, or the kernel is larger than the padded image.
pub fn conv2d(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    options: Conv2dOptions,
    activation: Activation,
) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let (outputs, inputs, kernel_height, kernel_width) = w.dims4()?;
    let Conv2dOptions {
        stride,
        padding,
        groups,
        upsample,
        output_padding,
    } = options;
    let kernel = [kernel_height, kernel_width];
    let fits = groups > 0
        && upsample > 0
        && stride.iter().chain(&kernel).all(|n| *n > 0)
        && output_padding == [0, 0]
        && outputs.is_multiple_of(groups)
        && channels == inputs * groups
        && b.is_none_or(|b| b.dims() == [outputs])
        && x.elem_count() > 0
        && outputs > 0;
    let padded = [
        height * upsample + 2 * padding[0],
        width * upsample + 2 * padding[1],
    ];
    if !fits || padded[0] < kernel[0] || padded[1] < kernel[1] {
        bail!(
            "conv2d: x is {:?}, w {:?}, b {:?}, {options:?}",
            x.dims(),
            w.dims(),
            b.map(Tensor::dims)
        );
    }
    if !is_fast(&[x, w, b.unwrap_or(w)]) {
        return portable::conv::conv2d(x, w, b, options, activation);
    }
    let shape = ConvShape {
        batch,
        groups,
        inputs,
        outputs: outputs / groups,
        size: [height, width],
        scale: upsample,
        kernel,
        stride,
        padding,
        output: [0, 1].map(|side| (padded[side] - kernel[side]) / stride[side] + 1),
    };
    apply(x, w, b, Convolution::new(shape, false, activation))
}

/// The transposed convolution, for `w` `[inputs, outputs / groups, kernel height, kernel width]`:
/// what [`conv2d`] with these options gives back to its input.
///
/// # Errors
/// When the shapes do not fit together.
pub fn conv_transpose2d(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    options: Conv2dOptions,
    activation: Activation,
) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let (inputs, outputs, kernel_height, kernel_width) = w.dims4()?;
    let Conv2dOptions {
        stride,
        padding,
        groups,
        upsample,
        output_padding,
    } = options;
    let kernel = [kernel_height, kernel_width];
    let fits = groups > 0
        && upsample == 1
        && stride.iter().chain(&kernel).all(|n| *n > 0)
        && inputs.is_multiple_of(groups)
        && channels == inputs
        && (0..2).all(|side| output_padding[side] < stride[side])
        && b.is_none_or(|b| b.dims() == [outputs * groups])
        && x.elem_count() > 0
        && outputs > 0;
    let full = [0, 1].map(|side| {
        ([height, width][side] - 1) * stride[side] + kernel[side] + output_padding[side]
    });
    if !fits || (0..2).any(|side| full[side] <= 2 * padding[side]) {
        bail!(
            "conv_transpose2d: x is {:?}, w {:?}, b {:?}, {options:?}",
            x.dims(),
            w.dims(),
            b.map(Tensor::dims)
        );
    }
    if !is_fast(&[x, w, b.unwrap_or(w)]) {
        return portable::conv::conv_transpose2d(x, w, b, options, activation);
    }
    let adjoint = ConvShape {
        batch,
        groups,
        inputs: outputs,
        outputs: inputs / groups,
        size: [0, 1].map(|side| full[side] - 2 * padding[side]),
        scale: 1,
        kernel,
        stride,
        padding,
        output: [height, width],
    };
    apply(x, w, b, Convolution::new(adjoint, true, activation))
}

fn apply(x: &Tensor, w: &Tensor, b: Option<&Tensor>, mut op: Convolution) -> Result<Tensor> {
    op.has_bias = b.is_some();
    op.keeps = x.track_op() || w.track_op() || b.is_some_and(Tensor::track_op);
    let w = w.contiguous()?;
    x.contiguous()?
        .apply_op3(&w, &b.unwrap_or(&w).contiguous()?, op)
}

struct Convolution {
    shape: ConvShape,
    transposed: bool,
    activation: Activation,
    has_bias: bool,
    /// Whether there will be a backward pass.
    keeps: bool,
    /// The result before the activation, where its gradient needs that.
    before: OnceLock<Vec<f32>>,
}

impl Convolution {
    fn new(shape: ConvShape, transposed: bool, activation: Activation) -> Self {
        Self {
            shape,
            transposed,
            activation,
            has_bias: false,
            keeps: false,
            before: OnceLock::new(),
        }
    }

    fn result_shape(&self) -> [usize; 4] {
        let ConvShape {
            batch,
            groups,
            inputs,
            outputs,
            size,
            output,
            ..
        } = self.shape;
        if self.transposed {
            [batch, groups * inputs, size[0], size[1]]
        } else {
            [batch, groups * outputs, output[0], output[1]]
        }
    }

    fn sums(&self, x: &[f32], w: &[f32], epilogue: Epilogue<'_>) -> Vec<f32> {
        if self.transposed {
            self.shape.backward_input(x, w, epilogue)
        } else {
            self.shape.forward(x, w, epilogue)
        }
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, w) = (numbers(x, x_layout)?, numbers(w, w_layout)?);
        let bias = if self.has_bias {
            Some(numbers(b, b_layout)?)
        } else {
            None
        };
        let y = if self.activation == Activation::Silu && self.keeps {
            let mut y = self.sums(
                x,
                w,
                Epilogue {
                    bias,
                    activation: Activation::None,
                },
            );
            // Set once: the value is made for one application.
            let _ = self.before.set(y.clone());
            activate(&mut y, self.activation);
            y
        } else {
            self.sums(
                x,
                w,
                Epilogue {
                    bias,
                    activation: self.activation,
                },
            )
        };
        Ok(output(y, &self.result_shape()[..]))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (device, shape) = (y.device(), &self.shape);
        super::with_gradient_before(g, y, self.before.get(), self.activation, |g| {
            let dx = if x.track_op() {
                let dx = with_numbers(w, |w| {
                    if self.transposed {
                        shape.forward(g, w, Epilogue::NONE)
                    } else {
                        shape.backward_input(g, w, Epilogue::NONE)
                    }
                })?;
                Some(Tensor::from_vec(dx, x.shape(), device)?)
            } else {
                None
            };
            let dw = if w.track_op() {
                let dw = with_numbers(x, |x| {
                    if self.transposed {
                        shape.backward_weight(g, x)
                    } else {
                        shape.backward_weight(x, g)
                    }
                })?;
                Some(Tensor::from_vec(dw, w.shape(), device)?)
            } else {
                None
            };
            let db = if self.has_bias && b.track_op() {
                let [_, channels, height, width] = self.result_shape();
                let db = crate::nn::cpu::conv::channel_sums(g, channels, height * width);
                Some(Tensor::from_vec(db, b.shape(), device)?)
            } else {
                None
            };
            Ok((dx, dw, db))
        })
    }
}
