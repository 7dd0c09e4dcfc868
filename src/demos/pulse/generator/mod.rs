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
//! - No noise: a vector has one picture.
//!
//! ```text
//! z ─ features ─ mapping ─► w ──┬─► coefficients · principal pictures ─► 32 px ─┬──────────► picture
//!                               ├─► modulated convolutions, 16, 32, … px ◄──────┘               ▲
//!                               └─► colours of each resolution from 32 px on ───────────────────┘
//! ```

mod basis;
mod features;
pub mod file;
mod job;
pub mod metrics;
mod net;
mod objective;
mod people;
pub mod search;
mod sheet;
mod timing;

pub use basis::Basis;
pub use features::Features;
pub use job::{FacesConfig, FacesJob, FacesOptions, Output, Plan};
pub use net::{Generator, Sizes};
pub use objective::{Evaluation, Faces, evaluate};
pub use people::People;
pub use sheet::sheet;
pub use timing::search_time;
