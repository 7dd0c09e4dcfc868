//! A learned generator of faces, whose every layer has a latent of its own.
//!
//! It is built as `StyleGAN2` is (Karras et al. 2020, section 2): a mapping network makes a latent
//! `w` out of what describes a person, and convolutions that `w` modulates draw the face, with
//! colours added at every resolution. Each layer takes its own `w`, as the search of PULSE (Menon
//! et al. 2020, section 3.3) needs for its geodesic cross loss.
//!
//! What is different, and why:
//!
//! - Every picture of the training is of a person whose vector is known, so the network is taught
//!   with the right answer for each vector rather than against a critic. That gives the right face
//!   within an hour of one processor core, softer than an adversary would have it. There is no
//!   adversarial training here.
//! - In place of a learned constant the convolutions begin with a picture of 32 pixels: a
//!   combination of the corpus' principal pictures, whose coefficients are linear in the first
//!   layer's latent. Convolutions alone, trained for an hour on one core, stay blurred far beyond
//!   that.
//! - People are drawn cut out, and the backdrop, a known function of seven of the vector's numbers, is
//!   put behind them: the network need not learn what is known.
//! - Each feature is multiplied by how much pictures depend on it, before the first layer. A network
//!   treats its inputs alike at first; most of the vector's numbers move a nostril, some the
//!   light, and what it makes of people it has not seen is far better when it begins with that.
//! - No noise: a vector has one picture.
//!
//! ```text
//! z ─ features ─ mapping ─► w ──┬─► coefficients · principal pictures ─► 32 px ─┬────► person, cut out
//! │                             ├─► modulated convolutions, 16, 32, … px ◄──────┘          ▲      │
//! │                             └─► colours of each resolution from 32 px on ──────────────┘      ▼
//! └─ backdrop ───────────────────────────────────────────────────────────────────────────────► picture
//! ```

mod basis;
pub mod file;
mod job;
pub mod metrics;
mod net;
mod objective;
mod people;
mod relevance;
pub mod search;
mod sheet;
mod timing;

pub use basis::Basis;
pub use job::{FacesConfig, FacesJob, FacesOptions, Output, Plan};
pub use net::{Generator, Sizes};
pub use objective::{Evaluation, Faces, evaluate};
pub use people::{Kind, People};
pub use relevance::relevance;
pub use sheet::sheet;
pub use timing::search_time;

use super::features::Choices;

/// No search goes through the features, so that options need not blend into each other.
pub const CHOICES: Choices = Choices {
    ends: 0.001,
    numbers: false,
};
