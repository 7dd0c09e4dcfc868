//! `DeepFaceDrawing` (Chen et al., SIGGRAPH 2020): a person draws a rough face, and the picture of a
//! face follows the pen.

pub mod drawing;
