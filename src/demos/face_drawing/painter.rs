//! The network that paints (sections 3.3 and 3.4 of the paper): codes are mapped to pieces of one
//! feature map, each where its part lies, and a network makes the face of it.
//!
//! ```text
//! codes ─┬─► feature maps of the parts ─┐
//!        ├─► decoded ink ───────────────┼─► 32 px ─► 16 px ─► 32 px ─► 64 px ─► 128 px
//!        └─┬─► latent ─► small picture ─┘      (the latent modulates every layer)
//! appearance
//! ```
//!
//! A sketch has no colours, so an appearance comes to the codes; both make a latent, which modulates
//! the convolutions as in style-based generators. The ink that the codes stand for is given to the
//! network once more as it is, because edges of the face lie where the lines do. A small picture that
//! is linear in the latent gives the colours at large; it learns fast.

use candle_core::{Result as TensorResult, Tensor};

use super::appearance;
use super::blocks::{LEAKY, convolution, dense};
use super::parts::{CODES, PARTS, SIDE, ranges};
use crate::error::Result;
use crate::nn::layers::{Conv2d, Linear};
use crate::nn::ops::resample::{pixel_shuffle, upsample_bilinear2d};
use crate::nn::{Init, ModulatedConv2d, Scope};

/// Numbers of the latent.
const LATENT: usize = 256;
/// Pixels in a side of the small picture and of the feature map.
pub const SMALL: usize = 32;
/// Channels of a part's piece of the feature map.
const PIECE: usize = 24;
/// Channels at 16 and 32, 64 and 128 pixels.
const WIDTHS: [usize; 4] = [96, 64, 32, 12];
/// Keeps the deviation through a leaky `ReLU`.
const GAIN: f64 = std::f64::consts::SQRT_2;
const SPREAD: Init = Init::Normal { std: 0.1 };

/// A part's way from its code to its piece of the feature map.
#[derive(Clone, Debug)]
struct Piece {
    linear: Linear,
    enlarge: Conv2d,
    /// Pixels in a side before it is enlarged.
    side: usize,
    /// Where it lies in the feature map.
    left: usize,
    top: usize,
}

/// The painter.
#[derive(Clone, Debug)]
pub struct Painter {
    mapping: [Linear; 2],
    small: Linear,
    pieces: Vec<Piece>,
    enter: ModulatedConv2d,
    deepen: Conv2d,
    deep: Vec<ModulatedConv2d>,
    rise: ModulatedConv2d,
    join: ModulatedConv2d,
    middle: ModulatedConv2d,
    enlarge: [ModulatedConv2d; 2],
    refine: [ModulatedConv2d; 2],
    /// The colours that 32, 64 and 128 pixels add.
    colors: Vec<ModulatedConv2d>,
}

impl Piece {
    fn new(scope: &mut Scope, part: super::parts::Part) -> Result<Self> {
        let side = part.side / 8;
        let grain = SIDE / SMALL;
        Ok(Self {
            linear: dense(&mut scope.scope("linear"), part.code, 32 * side * side)?,
            enlarge: convolution(&mut scope.scope("enlarge"), [32, 4 * PIECE], 1, LEAKY)?,
            side,
            left: (part.left + grain / 2) / grain,
            top: (part.top + grain / 2) / grain,
        })
    }

    /// `[batch, code]` to `[batch, PIECE, 32, 32]`, zero where the part does not lie.
    fn forward(&self, code: &Tensor) -> TensorResult<Tensor> {
        let x = self.linear.forward(code)?;
        let x = x.reshape(((), 32, self.side, self.side))?;
        let x = pixel_shuffle(&self.enlarge.forward(&x)?, 2)?;
        let side = 2 * self.side;
        x.pad_with_zeros(2, self.top, SMALL - self.top - side)?
            .pad_with_zeros(3, self.left, SMALL - self.left - side)
    }

    fn detached(&self) -> Self {
        Self {
            linear: self.linear.detached(),
            enlarge: self.enlarge.detached(),
            ..*self
        }
    }
}

fn modulated(scope: &mut Scope, channels: [usize; 2]) -> Result<ModulatedConv2d> {
    let layer = ModulatedConv2d::new(scope, LATENT, channels, 3, SPREAD)?;
    Ok(ModulatedConv2d {
        gain: Some(GAIN),
        ..layer.with(LEAKY)
    })
}

impl Painter {
    /// With its first weights.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope) -> Result<Self> {
        let pieces = PARTS
            .into_iter()
            .map(|part| Piece::new(&mut scope.scope(part.name.replace(' ', "_")), part))
            .collect::<Result<_>>()?;
        let mut layer = |name: &str, channels| modulated(&mut scope.scope(name), channels);
        let [deep, wide, fine, finest] = WIDTHS;
        // Pieces of the four parts and of the remainder, ink, small picture.
        let entering = 2 * PIECE + 16 + 3;
        let enter = layer("enter", [entering, wide])?;
        let in_depth = (0..2)
            .map(|at| layer(&format!("deep{at}"), [deep, deep]))
            .collect::<Result<_>>()?;
        let rise = layer("rise", [deep, 4 * 48])?;
        let join = layer("join", [48 + wide, wide])?;
        let middle = layer("middle", [wide, wide])?;
        let enlarge = [
            layer("enlarge0", [wide, 4 * fine])?,
            layer("enlarge1", [fine, 4 * finest])?,
        ];
        let refine = [
            layer("refine0", [fine + 4, fine])?,
            layer("refine1", [finest + 1, finest])?,
        ];
        let colors = [wide, fine, finest]
            .into_iter()
            .enumerate()
            .map(|(at, width)| {
                let scope = &mut scope.scope(format!("colors{at}"));
                let layer = ModulatedConv2d::new(scope, LATENT, [width, 3], 1, Init::ZEROS)?;
                Ok(ModulatedConv2d {
                    gain: None,
                    ..layer
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            mapping: [
                dense(&mut scope.scope("mapping0"), CODES + appearance::COUNT, 512)?,
                dense(&mut scope.scope("mapping1"), 512, LATENT)?,
            ],
            small: Linear::new(&mut scope.scope("small"), LATENT, 3 * SMALL * SMALL)?,
            deepen: convolution(&mut scope.scope("deepen"), [wide, deep], 2, LEAKY)?,
            pieces,
            enter,
            deep: in_depth,
            rise,
            join,
            middle,
            enlarge,
            refine,
            colors,
        })
    }

    /// The same network, sharing its numbers, whose weights get no gradient.
    #[must_use]
    pub fn detached(&self) -> Self {
        let all =
            |layers: &[ModulatedConv2d]| layers.iter().map(ModulatedConv2d::detached).collect();
        let two = |layers: &[ModulatedConv2d; 2]| [layers[0].detached(), layers[1].detached()];
        Self {
            mapping: [self.mapping[0].detached(), self.mapping[1].detached()],
            small: self.small.detached(),
            pieces: self.pieces.iter().map(Piece::detached).collect(),
            enter: self.enter.detached(),
            deepen: self.deepen.detached(),
            deep: all(&self.deep),
            rise: self.rise.detached(),
            join: self.join.detached(),
            middle: self.middle.detached(),
            enlarge: two(&self.enlarge),
            refine: two(&self.refine),
            colors: all(&self.colors),
        }
    }

    /// Codes `[batch, CODES]` and appearances `[batch, appearance::COUNT]` to latents.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn latent(&self, codes: &Tensor, appearances: &Tensor) -> TensorResult<Tensor> {
        let both = Tensor::cat(&[codes, appearances], 1)?;
        self.mapping[1].forward(&self.mapping[0].forward(&both)?)
    }

    /// The small picture of a latent, `[batch, 3, 32, 32]`, sRGB from 0 to 1.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn small(&self, latent: &Tensor) -> TensorResult<Tensor> {
        let picture = self.small.forward(latent)?.affine(1.0, 0.5)?;
        picture.reshape(((), 3, SMALL, SMALL))
    }

    /// The face, `[batch, 3, 128, 128]`, sRGB from 0 to 1, of codes `[batch, CODES]`, the ink that they
    /// decode to `[batch, 1, 128, 128]`, the latent and the small picture of them.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn paint(
        &self,
        codes: &Tensor,
        ink: &Tensor,
        latent: &Tensor,
        small: &Tensor,
    ) -> TensorResult<Tensor> {
        let mut maps = Vec::with_capacity(PARTS.len());
        for (piece, range) in self.pieces.iter().zip(ranges()) {
            maps.push(piece.forward(&codes.narrow(1, range.start, range.len())?)?);
        }
        let remainder = maps.remove(PARTS.len() - 1);
        let mut parts = maps.remove(0);
        for map in maps {
            parts = (parts + map)?;
        }
        let centred = small.affine(4.0, -2.0)?;
        let folded = folded(ink, SIDE / SMALL)?;
        let x = Tensor::cat(&[&remainder, &parts, &folded, &centred], 1)?;
        let wide = self.enter.forward(&x, latent)?;
        let mut x = self.deepen.forward(&wide)?;
        for layer in &self.deep {
            x = ((&x + layer.forward(&x, latent)?)? * std::f64::consts::FRAC_1_SQRT_2)?;
        }
        let x = pixel_shuffle(&self.rise.forward(&x, latent)?, 2)?;
        let x = self.join.forward(&Tensor::cat(&[&x, &wide], 1)?, latent)?;
        let mut x = ((&x + self.middle.forward(&x, latent)?)? * std::f64::consts::FRAC_1_SQRT_2)?;
        let mut picture = (small + self.colors[0].forward(&x, latent)?)?;
        for (at, (enlarge, refine)) in self.enlarge.iter().zip(&self.refine).enumerate() {
            x = pixel_shuffle(&enlarge.forward(&x, latent)?, 2)?;
            let side = SMALL << (at + 1);
            let ink = folded_to(ink, SIDE / side)?;
            x = refine.forward(&Tensor::cat(&[&x, &ink], 1)?, latent)?;
            picture =
                (upsample_bilinear2d(&picture, 2)? + self.colors[at + 1].forward(&x, latent)?)?;
        }
        Ok(picture)
    }
}

fn folded_to(ink: &Tensor, factor: usize) -> TensorResult<Tensor> {
    if factor == 1 {
        Ok(ink.clone())
    } else {
        folded(ink, factor)
    }
}

/// Squares of pixels become channels: `[batch, 1, n, n]` to `[batch, factor², n / factor, …]`.
fn folded(ink: &Tensor, factor: usize) -> TensorResult<Tensor> {
    let (batch, _, height, width) = ink.dims4()?;
    let (rows, columns) = (height / factor, width / factor);
    ink.reshape((batch, rows, factor, columns, factor))?
        .permute((0, 2, 4, 1, 3))?
        .contiguous()?
        .reshape((batch, factor * factor, rows, columns))
}
