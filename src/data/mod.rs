//! Plain data that jobs make and views draw, and the readers that bound what a file may ask for.
//!
//! Nothing here needs a window, so that the command line and the science share these types.

pub mod area;
pub mod batches;
mod cifar;
pub mod csv;
pub mod dataset;
pub mod gif;
pub mod idx;
pub mod image;
pub mod interval;
pub mod matrix;
mod packed;
pub mod source;

pub use self::batches::Batches;
pub use self::dataset::{Dataset, Datasets, Scale, Shape, Split};
pub use self::idx::Idx;
pub use self::image::Image;
pub use self::matrix::Matrix;
pub use self::packed::MAX_BYTES;
pub use self::source::DatasetSource;
