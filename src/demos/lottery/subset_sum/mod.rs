//! The strong lottery-ticket hypothesis: a random network that is large enough *contains* a good
//! one. Nothing is trained; weights are only left out.
//!
//! # The theory
//!
//! A weight `w` is what a straight line through 0 does, `x -> w x`. With a `ReLU` network of one
//! hidden layer, first weights `a` and second weights `b`, the kept paths give
//!
//! ```text
//! w x = w relu(x) - w relu(-x)          and for x >= 0     sum of b_i relu(a_i x) = (sum of b_i a_i) x
//! ```
//!
//! over those paths whose `a_i` is positive; a path with a negative one is silent for such x. So
//! the question is which of the numbers `a_i b_i` to keep for a sum near `w`, and how many numbers
//! it takes.
//!
//! * **Malach, Yehudai, Shalev-Shwartz and Shamir 2020** keep a single path for each weight and
//!   wait for one whose two weights are both right. That takes about 1/ε² paths, and a network
//!   wider by a factor of order d⁴ l² / ε² for a target of width d and depth l.
//! * **Orseau, Hutter and Rivasplata 2020** put a weight together from pieces, as a binary number
//!   from its digits: a number of paths that grows with the logarithm of 1/ε, with weights from a
//!   hyperbolic distribution.
//! * **Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos 2020** see the subset-sum problem in
//!   it. n random numbers have 2^n sums, so by Lueker's theorem of 1998 n = O(log 1/ε) uniform ones
//!   are enough: a network twice as deep and wider by a factor of order log(d l / ε), and no
//!   construction can do with less order of width at constant depth.
//!
//! Their experiment cut a two-layer network of 397,000 weights out of 8.34 million random numbers
//! (n = 21 for each weight), kept 3.73 million of them and lost nothing of its 97.19 % on MNIST. It
//! took 21.5 hours on 36 cores with a solver for integer programs (README of
//! `acnagle/optimal-lottery-tickets`).
//!
//! # What is done differently here
//!
//! * The solver is exact and made for this one problem ([`solver`]): microseconds for a weight. Its
//!   answer is the best subset, where theirs may be 1 % from it (`MIPGap = 0.01`).
//! * Their program draws its numbers directly from a uniform distribution over the range of the
//!   target's weights, the same n for a whole row of a weight matrix. Here they are what the theory
//!   speaks of: products of the first and second weights of a random network that exists
//!   ([`network`]). Second weights are independent for every target weight, first weights are shared
//!   by all that read the same input. Its pruned form can be run as it is, neuron by neuron.
//! * Inputs are pixels in [0, 1] or outputs of a `ReLU`, never negative. So the half for x < 0 is not
//!   needed, nor built.
//!
//! [`error_curve`] measures the error against n, and [`gap`] derives what it should be. [`bounds`]
//! has the widths that the papers call for.

pub mod bounds;
pub mod construction;
pub mod counts;
pub mod error_curve;
pub mod gap;
pub mod layer;
mod lists;
pub mod network;
pub mod solver;
