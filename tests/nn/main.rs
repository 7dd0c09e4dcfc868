//! Operations, training and files of `nn`.

mod bench;
mod cases;
mod conv;
mod files;
mod ops;
mod optim;
mod rescale;
mod sparse;
mod teacher;
mod tensors;
mod train;
