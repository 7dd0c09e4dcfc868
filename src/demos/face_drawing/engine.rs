//! From ink to faces: what both the command line and the tab ask.

use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::appearance;
use super::bank;
use super::cast::Cast;
use super::fit::Fit;
use super::job::PartView;
use super::landmarks::{self, Landmarks};
use super::manifold::{self, Neighbours};
use super::map::Map;
use super::model::{Codec, Model};
use super::parts::{PARTS, PerPart, SIDE, ranges};
use crate::data::Image;
use crate::error::{Error, Result};
use crate::human::sampler::{BROWS, HAIR};
use crate::human::{Kit, Quality, Wardrobe};
use crate::rng::Rng;

/// Ink that a part has at least when it is drawn: pixels full of it.
const LEAST_INK: f32 = 2.0;
/// How far an answer's numbers go from their means.
const FARTHEST: f64 = 2.5;

/// How a drawing is understood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refinement {
    /// How far each part is moved onto the manifold: 0 as it is drawn, 1 all the way.
    pub parts: PerPart<f32>,
    /// Neighbours that span the manifold, K.
    pub neighbours: usize,
    /// People of the bank whose parts stand in for what is drawn.
    #[serde(default)]
    pub swapped: PerPart<Option<usize>>,
}

impl Default for Refinement {
    fn default() -> Self {
        Self {
            parts: [1.0; PARTS.len()],
            neighbours: 30,
            swapped: [None; PARTS.len()],
        }
    }
}

/// What a drawing is understood as.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// The codes as they were drawn.
    pub raw: Vec<f32>,
    /// The codes as they are painted.
    pub codes: Vec<f32>,
    /// Each part's neighbours in the bank.
    pub parts: PerPart<Neighbours>,
    /// Which parts are drawn at all.
    pub drawn: PerPart<bool>,
}

/// Numbers of the appearance that somebody set; the others follow from the drawing.
pub type Set = [Option<f32>; appearance::COUNT];

/// The networks and the kit.
pub struct Engine {
    cast: Cast,
    model: Model,
    device: Device,
    fit: Fit,
    places: Vec<usize>,
    doubt: Vec<f64>,
    maps: Vec<Map>,
    landmark_mean: Vec<f32>,
    landmark_spread: Vec<f32>,
}

impl Engine {
    /// Reads the networks of a folder and the kit of a folder of assets.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn load(weights: &Path, assets: &Path, device: &Device) -> Result<Self> {
        let cast = Cast::new(Kit::head(assets)?);
        let dims = cast.sampler().dims();
        let model = Model::load(weights, dims, device)?;
        let places = appearance::places(cast.sampler())?;
        let reader = &model.reader;
        let numbers =
            |tensor: &Tensor| -> Result<Vec<f32>> { Ok(tensor.flatten_all()?.to_vec1()?) };
        let doubt: Vec<f64> = numbers(&reader.doubt)?.into_iter().map(f64::from).collect();
        let movable = cast.movable(&doubt)?;
        let slopes = reader.slopes.to_vec2::<f32>()?;
        let slopes = slopes
            .into_iter()
            .map(|row| row.into_iter().map(f64::from).collect())
            .collect();
        let maps = (0..PARTS.len())
            .map(|part| Map::new(model.bank.rows(part), PARTS[part].code))
            .collect();
        Ok(Self {
            maps,
            fit: Fit::new(slopes, &movable)?,
            landmark_mean: numbers(&reader.landmark_mean)?,
            landmark_spread: numbers(&reader.landmark_spread)?,
            cast,
            model,
            device: device.clone(),
            places,
            doubt,
        })
    }

    /// The kit's people.
    #[must_use]
    pub fn cast(&self) -> &Cast {
        &self.cast
    }

    /// The networks.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The codes of drawings' ink, [`SIDE`] by [`SIDE`] numbers from 0 to 1 each.
    ///
    /// # Errors
    /// When the device fails.
    pub fn encode(&self, inks: &[Vec<f32>]) -> Result<Vec<Vec<f32>>> {
        let parts = Codec::cut(inks, &self.device)?;
        Ok(self.model.codec.encode(&parts)?.to_vec2()?)
    }

    /// Understands ink: its codes, and where they lie among those of the bank.
    ///
    /// # Errors
    /// When nothing is drawn, or the device fails.
    pub fn understand(&self, ink: &[f32], refinement: &Refinement) -> Result<Understood> {
        let mut drawn = PARTS.map(|part| {
            let mut cut = Vec::new();
            part.cut(ink, &mut cut);
            cut.iter().sum::<f32>() >= LEAST_INK
        });
        let mut raw = self.encode(&[ink.to_vec()])?.swap_remove(0);
        for (part, range) in ranges().into_iter().enumerate() {
            if let Some(person) = self.swapped(refinement, part) {
                drawn[part] = true;
                raw[range].copy_from_slice(self.model.bank.code(part, person));
            }
        }
        if !drawn.contains(&true) {
            return Err(Error::Input("nothing is drawn yet".into()));
        }
        self.refine(raw, drawn, refinement)
    }

    /// Who stands in for what is drawn of a part.
    fn swapped(&self, refinement: &Refinement, part: usize) -> Option<usize> {
        refinement.swapped[part].filter(|&person| person < self.model.bank.count())
    }

    fn refine(
        &self,
        raw: Vec<f32>,
        drawn: PerPart<bool>,
        refinement: &Refinement,
    ) -> Result<Understood> {
        let bank = &self.model.bank;
        let count = refinement.neighbours.clamp(1, bank.count());
        let mut codes = raw.clone();
        let mut parts = Vec::with_capacity(PARTS.len());
        // What is not drawn is taken from those who are like what is drawn.
        let alike = drawn
            .contains(&false)
            .then(|| bank.alike(&raw, &drawn, count));
        for (part, range) in ranges().into_iter().enumerate() {
            let near = match (&alike, self.swapped(refinement, part)) {
                (_, Some(person)) => bank.around(part, person, count)?,
                (Some(alike), _) if !drawn[part] => {
                    manifold::mean(bank.rows(part), range.len(), alike)
                }
                _ => bank.project(part, &raw[range.clone()], count, None)?,
            };
            let share = if drawn[part] {
                refinement.parts[part].clamp(0.0, 1.0)
            } else {
                1.0
            };
            for (code, moved) in codes[range].iter_mut().zip(&near.projected) {
                *code += share * (moved - *code);
            }
            parts.push(near);
        }
        let parts = parts
            .try_into()
            .map_err(|_| Error::Input("there are five parts".into()))?;
        Ok(Understood {
            raw,
            codes,
            parts,
            drawn,
        })
    }

    fn row(&self, values: &[f32]) -> Result<Tensor> {
        Ok(Tensor::from_slice(values, (1, values.len()), &self.device)?)
    }

    /// The ink that codes stand for, [`SIDE`] by [`SIDE`] numbers.
    ///
    /// # Errors
    /// When the device fails.
    pub fn decode(&self, codes: &[f32]) -> Result<Vec<f32>> {
        let ink = self.model.codec.decode(&self.row(codes)?)?;
        Ok(ink.flatten_all()?.to_vec1()?)
    }

    /// What is understood, drawn faintly under the pen: the neighbours' ink by their weights; those
    /// that count against something are left out.
    ///
    /// # Errors
    /// When the device fails.
    pub fn shadow(&self, understood: &Understood) -> Result<Vec<f32>> {
        let mut shadow = vec![0.0_f32; SIDE * SIDE];
        for (part, near) in understood.parts.iter().enumerate().rev() {
            let used: Vec<(usize, f32)> = near
                .people
                .iter()
                .zip(&near.weights)
                .filter(|&(_, &weight)| weight > 0.02)
                .map(|(&person, &weight)| (person, weight.min(0.5) as f32))
                .take(SHADOWS)
                .collect();
            let sum: f32 = used.iter().map(|(_, weight)| weight).sum();
            let codes: Vec<f32> = used
                .iter()
                .flat_map(|&(person, _)| self.model.bank.code(part, person))
                .copied()
                .collect();
            let shape = (used.len(), PARTS[part].code);
            let codes = Tensor::from_vec(codes, shape, &self.device)?;
            let inks = self.model.codec.decode_part(part, &codes)?;
            let inks: Vec<Vec<f32>> = inks.flatten_from(1)?.to_vec2()?;
            let (square, side) = (PARTS[part], PARTS[part].side);
            for (ink, (_, weight)) in inks.iter().zip(&used) {
                for (row, values) in ink.chunks_exact(side).enumerate() {
                    let from = (square.top + row) * SIDE + square.left;
                    for (under, value) in shadow[from..from + side].iter_mut().zip(values) {
                        *under += weight / sum * value;
                    }
                }
            }
        }
        for value in &mut shadow {
            *value = value.clamp(0.0, 1.0);
        }
        Ok(shadow)
    }

    /// The person that codes stand for: numbers with choices made, and where the landmarks were seen.
    ///
    /// # Errors
    /// When the device fails.
    pub fn read(&self, codes: &[f32]) -> Result<(Vec<f64>, Landmarks)> {
        let read = self.model.reader.net.read(&self.row(codes)?)?;
        let numbers =
            |tensor: &Tensor| -> Result<Vec<f32>> { Ok(tensor.flatten_all()?.to_vec1()?) };
        let mut z: Vec<f64> = numbers(&read.z)?
            .into_iter()
            .map(|v| f64::from(v).clamp(-FARTHEST, FARTHEST))
            .collect();
        let sampler = self.cast.sampler();
        let logits = [
            numbers(&read.hair)?,
            numbers(&read.side)?,
            numbers(&read.brows)?,
        ];
        let sizes = [HAIR.len(), 2, BROWS.len()];
        for choice in sampler.choices() {
            let of = |options: usize| sizes.iter().position(|&size| size == options);
            if let Some(found) = of(choice.often.len())
                && sampler.names()[choice.at] != "iris"
            {
                z = sampler.chosen(&z, &choice, most(&logits[found]));
            }
        }
        let places: Vec<f32> = numbers(&read.landmarks)?
            .iter()
            .zip(&self.landmark_spread)
            .zip(&self.landmark_mean)
            .map(|((place, spread), mean)| mean + spread * place)
            .collect();
        Ok((z, places.as_chunks::<2>().0.to_vec()))
    }

    /// The person of codes, with the appearance that was set, whose landmarks lie where they were
    /// seen.
    ///
    /// # Errors
    /// When the device fails.
    pub fn person(&self, wardrobe: &Wardrobe, codes: &[f32], set: &Set) -> Result<Vec<f64>> {
        let (mut z, places) = self.read(codes)?;
        self.dress(&mut z, set);
        debug_assert_eq!(places.len(), landmarks::COUNT);
        Ok(self
            .fit
            .moved(&z, &places, |z| self.cast.landmarks(wardrobe, z)))
    }

    fn dress(&self, z: &mut [f64], set: &Set) {
        for (&place, value) in self.places.iter().zip(set) {
            if let Some(value) = value {
                z[place] = f64::from(*value);
            }
        }
    }

    /// The appearance that the first painter is told: what was set, and what is read for the rest.
    ///
    /// # Errors
    /// When the device fails.
    pub fn appearance(&self, codes: &[f32], set: &Set) -> Result<Vec<f32>> {
        let (mut z, _) = self.read(codes)?;
        self.dress(&mut z, set);
        Ok(self.places.iter().map(|&at| z[at] as f32).collect())
    }

    /// The first painter's face, 128 pixels in a side.
    ///
    /// # Errors
    /// When the device fails.
    pub fn paint(&self, codes: &[f32], appearance: &[f32]) -> Result<Image> {
        let codes = self.row(codes)?;
        let painter = &self.model.painter;
        let latent = painter.latent(&codes, &self.row(appearance)?)?;
        let small = painter.small(&latent)?;
        let ink = self.model.codec.decode(&codes)?;
        let made = painter.paint(&codes, &ink, &latent, &small)?;
        let planes: Vec<f32> = made.flatten_all()?.to_vec1()?;
        let (red, rest) = planes.split_at(SIDE * SIDE);
        let (green, blue) = rest.split_at(SIDE * SIDE);
        let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        let rgba = red
            .iter()
            .zip(green)
            .zip(blue)
            .flat_map(|((&r, &g), &b)| [byte(r), byte(g), byte(b), 255])
            .collect();
        Image::new(SIDE as u32, SIDE as u32, rgba)
    }

    /// The second painter's face: the person drawn by the kit.
    ///
    /// # Errors
    /// Never for sides that pictures have.
    pub fn draw(&self, wardrobe: &Wardrobe, z: &[f64], quality: Quality) -> Result<Image> {
        let (picture, _) = self.cast.picture(wardrobe, z, quality);
        let rgba = picture
            .color
            .iter()
            .flat_map(|&[r, g, b]| [r, g, b, 255])
            .collect();
        Image::new(quality.size as u32, quality.size as u32, rgba)
    }

    /// Another person that the drawing allows: what nobody set is drawn from how far it is in doubt,
    /// and the landmarks are kept.
    ///
    /// # Errors
    /// When the device fails.
    pub fn other_person(
        &self,
        wardrobe: &Wardrobe,
        codes: &[f32],
        set: &Set,
        rng: &mut Rng,
    ) -> Result<Vec<f64>> {
        let (mut z, places) = self.read(codes)?;
        let choices = self.cast.sampler().choices();
        for (at, (value, doubt)) in z.iter_mut().zip(&self.doubt).enumerate() {
            let draw = rng.normal();
            if choices.iter().all(|choice| choice.at != at) {
                *value = (*value + doubt * draw).clamp(-FARTHEST, FARTHEST);
            }
        }
        self.dress(&mut z, set);
        Ok(self
            .fit
            .moved(&z, &places, |z| self.cast.landmarks(wardrobe, z)))
    }

    /// Moves the numbers of an appearance that nobody set by as much as they are in doubt.
    pub fn stray_appearance(&self, appearance: &mut [f32], set: &Set, rng: &mut Rng) {
        for ((value, set), &place) in appearance.iter_mut().zip(set).zip(&self.places) {
            let draw = rng.normal();
            if set.is_none() {
                let moved = f64::from(*value) + self.doubt[place] * draw;
                *value = moved.clamp(-FARTHEST, FARTHEST) as f32;
            }
        }
    }

    /// A person's appearance.
    #[must_use]
    pub fn appearance_of(&self, z: &[f64]) -> Vec<f32> {
        self.places.iter().map(|&at| z[at] as f32).collect()
    }

    /// Turns a person to the side and up, radians.
    pub fn turn(&self, z: &mut [f64], [yaw, pitch]: [f32; 2]) {
        if yaw == 0.0 && pitch == 0.0 {
            return;
        }
        let sampler = self.cast.sampler();
        let mut portrait = sampler.portrait(z);
        portrait.view.yaw += yaw;
        portrait.view.pitch += pitch;
        let turned = sampler.vector(&portrait);
        for name in ["yaw", "pitch"] {
            if let Some(at) = sampler.place(name) {
                z[at] = turned[at];
            }
        }
    }

    /// How each part was understood.
    ///
    /// # Errors
    /// When the device fails.
    pub fn views(&self, understood: &Understood) -> Result<PerPart<PartView>> {
        let mut views = Vec::with_capacity(PARTS.len());
        for (part, range) in ranges().into_iter().enumerate() {
            let both = [&understood.raw, &understood.codes].map(|codes| &codes[range.clone()]);
            let rows = Tensor::from_vec(both.concat(), (2, range.len()), &self.device)?;
            let inks = self.model.codec.decode_part(part, &rows)?;
            let inks: Vec<Vec<f32>> = inks.flatten_from(1)?.to_vec2()?;
            let near = &understood.parts[part];
            views.push(PartView {
                drawn: understood.drawn[part],
                people: near.people.clone(),
                weights: near.weights.iter().map(|&weight| weight as f32).collect(),
                distances: near.distances.clone(),
                places: both.map(|code| self.maps[part].place(code)),
                inks: inks
                    .try_into()
                    .map_err(|_| Error::Input("there are two inks".into()))?,
            });
        }
        views
            .try_into()
            .map_err(|_| Error::Input("there are five parts".into()))
    }

    /// The pictures of the nearest of a part's neighbours.
    ///
    /// # Errors
    /// Never for sides that pictures have.
    pub fn neighbours(&self, near: &Neighbours, size: usize) -> Result<Vec<Arc<Image>>> {
        let wardrobe = self.cast.wardrobe();
        let quality = Quality { size, samples: 2 };
        near.people
            .iter()
            .take(PICTURED)
            .map(|&person| {
                let image = self.draw(&wardrobe, &self.member(person), quality)?;
                Ok(Arc::new(image))
            })
            .collect()
    }

    /// The vector of a person of the bank.
    #[must_use]
    pub fn member(&self, person: usize) -> Vec<f64> {
        self.cast.vector(&bank::people(bank::SEED), person)
    }

    /// Where everybody of the bank lies on each part's map.
    #[must_use]
    pub fn maps(&self) -> PerPart<Vec<[f32; 2]>> {
        std::array::from_fn(|part| self.maps[part].points.clone())
    }
}

/// Neighbours that are pictured, of each part.
const PICTURED: usize = 6;
/// Neighbours that a shadow is made of at most.
const SHADOWS: usize = 8;

fn most(logits: &[f32]) -> usize {
    (0..logits.len())
        .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
        .unwrap_or(0)
}
