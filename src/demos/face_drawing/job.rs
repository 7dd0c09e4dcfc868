//! A drawing answered, as a job: the face first, then what is behind it.
//!
//! The tab asks again with every movement of the pen, and the worker answers the newest question
//! only; each step is short enough to be overtaken.

use std::sync::Arc;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::appearance;
use super::drawing::Drawing;
use super::engine::{Engine, Refinement, Set, Understood};
use super::landmarks::{self, Landmarks};
use super::model;
use super::parts::{PARTS, PerPart, SIDE};
use super::style::Style;
use crate::compute::{Flow, Job, StepCx};
use crate::data::Image;
use crate::error::{Error, Result};
use crate::human::Quality;
use crate::rng::Rng;
use crate::store::assets_dir;

/// The most answers at once.
pub const MOST_ANSWERS: usize = 16;
/// Pixels in a side of a neighbour's picture.
const NEIGHBOUR: usize = 64;
/// Pixels in a side of the answers whose spread is shown.
const SPREAD: usize = 64;

/// Which painter makes the face.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Painter {
    /// The network, as in the paper: 128 pixels.
    Net,
    /// The person that the codes stand for, drawn by the kit.
    #[default]
    Kit,
}

/// From where the kit's person is seen, beside the front, radians.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// To the side.
    pub yaw: f32,
    /// Up and down.
    pub pitch: f32,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// [`SIDE`] by [`SIDE`] numbers, 0 paper to 1.
    pub ink: Vec<f32>,
    /// How it is understood.
    pub refinement: Refinement,
    /// The appearance that is set.
    pub set: Set,
    /// Who paints.
    pub painter: Painter,
    /// Pixels in a side of the kit's face.
    pub size: usize,
    /// From where the kit's person is seen.
    pub turn: Turn,
    /// Other answers that the drawing allows.
    pub answers: usize,
    /// Whether neighbours are pictured, which takes longer than everything else.
    pub neighbours: bool,
    /// Whether the maps of the bank are wanted, which never change.
    pub maps: bool,
    /// Where the answers' random numbers begin.
    pub seed: u64,
}

impl Question {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Which one is out of its bounds.
    pub fn check(&self) -> Result<()> {
        if self.ink.len() != SIDE * SIDE || self.ink.iter().any(|v| !(0.0..=1.0).contains(v)) {
            return Err(Error::Input(format!(
                "a drawing's ink is {SIDE} by {SIDE} numbers from 0 to 1"
            )));
        }
        if self.answers > MOST_ANSWERS || !(16..=1024).contains(&self.size) {
            return Err(Error::Input(format!(
                "at most {MOST_ANSWERS} answers, and 16 to 1024 pixels in a side"
            )));
        }
        Ok(())
    }
}

/// How a part was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct PartView {
    /// Whether it is drawn.
    pub drawn: bool,
    /// The numbers of the people nearest to it.
    pub people: Vec<usize>,
    /// Their weights.
    pub weights: Vec<f32>,
    /// Their distances.
    pub distances: Vec<f32>,
    /// Where its code lies on the map of the bank, as it was drawn and as it is painted.
    pub places: [[f32; 2]; 2],
    /// The ink that the code as it was drawn stands for, and the code as it is painted; the part's
    /// side squared.
    pub inks: [Vec<f32>; 2],
}

/// What is heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// The face.
    Face {
        /// Its picture.
        image: Arc<Image>,
        /// The appearance it was painted with.
        appearance: Vec<f32>,
        /// Where the landmarks of who is drawn lie: the kit's person's, or those that were read.
        landmarks: Landmarks,
        /// Milliseconds from ink to picture, on the worker.
        milliseconds: f64,
    },
    /// What lies under the pen: [`SIDE`] by [`SIDE`] numbers of ink.
    Shadow(Vec<f32>),
    /// How each part was understood.
    Parts(Box<PerPart<PartView>>),
    /// The pictures of a part's nearest neighbours.
    Neighbours {
        /// Which part.
        part: usize,
        /// The nearest first.
        images: Vec<Arc<Image>>,
    },
    /// Another answer.
    Answer(Arc<Image>),
    /// How much answers differ: a number for each pixel of 64 by 64, sRGB deviations
    /// from 0 to 1.
    Spread(Vec<f32>),
    /// Where everybody of the bank lies on each part's map.
    Maps(Box<PerPart<Vec<[f32; 2]>>>),
    /// Nothing is drawn.
    Nothing,
}

/// The engine on the worker, or a new one.
///
/// # Errors
/// When a file is missing or damaged.
pub fn engine_of_worker<T>(cx: &mut StepCx<'_, T>) -> Result<Box<Engine>> {
    if let Some(engine) = cx.resources().take::<Engine>() {
        return Ok(engine);
    }
    let assets = assets_dir();
    let engine = Engine::load(&model::shipped(&assets), &assets, &Device::Cpu)?;
    Ok(Box::new(engine))
}

/// The job.
pub struct DrawJob {
    question: Question,
    stage: Stage,
}

enum Stage {
    Face,
    Shadow(Box<Understood>),
    Parts(Box<Understood>),
    Neighbours(Box<Understood>, usize),
    Answers(Box<Understood>, Vec<Vec<f32>>),
}

impl DrawJob {
    /// An answer to a question.
    ///
    /// # Errors
    /// When a number is out of its bounds.
    pub fn new(question: Question) -> Result<Self> {
        question.check()?;
        Ok(Self {
            question,
            stage: Stage::Face,
        })
    }

    /// A face of codes; `away` draws what the drawing leaves open.
    fn face(&self, engine: &Engine, codes: &[f32], away: Option<&mut Rng>) -> Result<Face> {
        let question = &self.question;
        match question.painter {
            Painter::Net => {
                let mut appearance = engine.appearance(codes, &question.set)?;
                if let Some(rng) = away {
                    engine.stray_appearance(&mut appearance, &question.set, rng);
                }
                let image = engine.paint(codes, &appearance)?;
                let (_, landmarks) = engine.read(codes)?;
                Ok(Face {
                    image,
                    appearance,
                    landmarks,
                })
            }
            Painter::Kit => {
                let wardrobe = engine.cast().wardrobe();
                let mut z = match away {
                    None => engine.person(&wardrobe, codes, &question.set)?,
                    Some(rng) => engine.other_person(&wardrobe, codes, &question.set, rng)?,
                };
                let appearance = engine.appearance_of(&z);
                let landmarks = engine.cast().landmarks(&wardrobe, &z);
                engine.turn(&mut z, [question.turn.yaw, question.turn.pitch]);
                let samples = if question.size > 256 { 2 } else { 3 };
                let quality = Quality {
                    size: question.size,
                    samples,
                };
                let image = engine.draw(&wardrobe, &z, quality)?;
                Ok(Face {
                    image,
                    appearance,
                    landmarks,
                })
            }
        }
    }

    fn advance(&mut self, engine: &Engine, cx: &mut StepCx<'_, Heard>) -> Result<Flow> {
        let stage = std::mem::replace(&mut self.stage, Stage::Face);
        self.stage = match stage {
            Stage::Face => {
                let from = std::time::Instant::now();
                let question = &self.question;
                let swapped = question.refinement.swapped.iter().any(Option::is_some);
                if question.ink.iter().sum::<f32>() < 1.0 && !swapped {
                    cx.emit(Heard::Nothing);
                    return Ok(Flow::Finished);
                }
                let understood = engine.understand(&question.ink, &question.refinement)?;
                let face = self.face(engine, &understood.codes, None)?;
                cx.emit(Heard::Face {
                    image: Arc::new(face.image),
                    appearance: face.appearance,
                    landmarks: face.landmarks,
                    milliseconds: from.elapsed().as_secs_f64() * 1e3,
                });
                Stage::Shadow(Box::new(understood))
            }
            Stage::Shadow(understood) => {
                cx.emit(Heard::Shadow(engine.shadow(&understood)?));
                Stage::Parts(understood)
            }
            Stage::Parts(understood) => {
                cx.emit(Heard::Parts(Box::new(engine.views(&understood)?)));
                if self.question.maps {
                    cx.emit(Heard::Maps(Box::new(engine.maps())));
                }
                if self.question.neighbours {
                    Stage::Neighbours(understood, 0)
                } else {
                    Stage::Answers(understood, Vec::new())
                }
            }
            Stage::Neighbours(understood, part) => {
                let images = engine.neighbours(&understood.parts[part], NEIGHBOUR)?;
                cx.emit(Heard::Neighbours { part, images });
                if part + 1 < PARTS.len() {
                    Stage::Neighbours(understood, part + 1)
                } else {
                    Stage::Answers(understood, Vec::new())
                }
            }
            Stage::Answers(understood, mut small) => {
                if small.len() == self.question.answers {
                    if small.len() > 1 {
                        cx.emit(Heard::Spread(spread(&small)));
                    }
                    return Ok(Flow::Finished);
                }
                let rng = Rng::new(self.question.seed).split("answers");
                let mut rng = rng.split(&small.len().to_string());
                let face = self.face(engine, &understood.codes, Some(&mut rng))?;
                small.push(shrunk(&face.image, SPREAD));
                cx.emit(Heard::Answer(Arc::new(face.image)));
                Stage::Answers(understood, small)
            }
        };
        Ok(Flow::Continue)
    }
}

/// A face with the appearance it has.
struct Face {
    image: Image,
    appearance: Vec<f32>,
    landmarks: Landmarks,
}

impl Job for DrawJob {
    type Output = Heard;

    fn step(&mut self, cx: &mut StepCx<'_, Heard>) -> Result<Flow> {
        let engine = engine_of_worker(cx)?;
        let flow = self.advance(&engine, cx);
        cx.resources().put(engine);
        flow
    }
}

/// Somebody to be drawn by the person at the pen.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The true picture.
    pub image: Image,
    /// Where the landmarks lie.
    pub landmarks: Landmarks,
    /// How far the mean face's landmarks lie from them, pixels of 128: what drawing anybody is worth.
    pub mean_face: f64,
    /// A clean drawing with a pen, which stays hidden until it is asked for.
    pub drawing: Drawing,
}

/// Makes a task.
pub struct NewTask {
    /// Where random numbers begin.
    pub seed: u64,
    /// Pixels in a side of the true picture.
    pub size: usize,
}

impl Job for NewTask {
    type Output = Task;

    fn step(&mut self, cx: &mut StepCx<'_, Task>) -> Result<Flow> {
        let engine = engine_of_worker(cx)?;
        let cast = engine.cast();
        let wardrobe = cast.wardrobe();
        let z = cast.vector(&Rng::new(self.seed).split("task"), 0);
        let subject = cast.subject(&wardrobe, z);
        let quality = Quality {
            size: self.size,
            samples: 3,
        };
        let image = engine.draw(&wardrobe, &subject.z, quality)?;
        let zeros = vec![0.0; cast.sampler().dims()];
        let mean_face = cast.landmarks(&wardrobe, &zeros);
        let task = Task {
            image,
            mean_face: landmarks::distance(&mean_face, &subject.landmarks),
            drawing: subject.drawing(Style::Pen),
            landmarks: subject.landmarks,
        };
        drop(wardrobe);
        cx.resources().put(engine);
        cx.emit(task);
        Ok(Flow::Finished)
    }
}

/// A picture's three planes at a smaller side, 0 to 1.
fn shrunk(image: &Image, side: usize) -> Vec<f32> {
    let from = image.width as usize;
    (0..3)
        .flat_map(|channel| {
            let plane: Vec<f32> = image
                .rgba
                .chunks_exact(4)
                .map(|pixel| f32::from(pixel[channel]) / 255.0)
                .collect();
            crate::data::area::shrink(&plane, from, side)
        })
        .collect()
}

/// The deviation of each pixel over pictures of three planes, the mean of the planes' variances
/// taken.
fn spread(pictures: &[Vec<f32>]) -> Vec<f32> {
    let count = pictures.len() as f32;
    let variance = |at: usize| {
        let mean = pictures.iter().map(|p| p[at]).sum::<f32>() / count;
        pictures.iter().map(|p| (p[at] - mean).powi(2)).sum::<f32>() / count
    };
    let pixels = SPREAD * SPREAD;
    (0..pixels)
        .map(|at| {
            ((0..3)
                .map(|plane| variance(plane * pixels + at))
                .sum::<f32>()
                / 3.0)
                .sqrt()
        })
        .collect()
}

/// The appearance numbers that nobody set.
#[must_use]
pub fn unset() -> Set {
    [None; appearance::COUNT]
}
