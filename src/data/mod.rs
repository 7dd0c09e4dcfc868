//! Plain data that jobs make and views draw, and the readers that bound what a file may ask for.
//!
//! Nothing here needs a window, so that the command line and the science share these types.

pub mod image;
pub mod matrix;

pub use self::image::Image;
pub use self::matrix::Matrix;
