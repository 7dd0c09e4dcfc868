//! What the paper's eight models reached, few-shot (table H.1), in percent.

use super::tasks::TaskKind;

/// The models by their number of parameters, as the paper writes them.
pub const SIZES: [&str; 8] = [
    "125M", "350M", "760M", "1.3B", "2.7B", "6.7B", "13B", "175B",
];

/// The paper's few-shot accuracy on a task, for each of [`SIZES`]; none for tasks of our own.
#[must_use]
pub fn few_shot(kind: TaskKind) -> Option<[f64; 8]> {
    Some(match kind {
        TaskKind::Add2 => [2.00, 4.10, 3.50, 4.50, 8.90, 11.9, 55.5, 100.0],
        TaskKind::Sub2 => [1.15, 1.45, 2.25, 2.70, 7.35, 13.6, 52.4, 98.9],
        TaskKind::Add3 => [0.15, 0.45, 0.30, 0.55, 0.75, 0.90, 8.40, 80.4],
        TaskKind::Sub3 => [0.05, 0.10, 0.15, 0.35, 0.65, 1.05, 9.20, 94.2],
        TaskKind::Add4 => [0.00, 0.05, 0.05, 0.00, 0.15, 0.15, 0.40, 25.5],
        TaskKind::Sub4 => [0.00, 0.05, 0.00, 0.00, 0.10, 0.05, 0.40, 26.8],
        TaskKind::Add5 => [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.05, 9.30],
        TaskKind::Sub5 => [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 9.90],
        TaskKind::Mul2 => [1.35, 2.90, 2.70, 2.85, 4.25, 6.10, 7.05, 29.2],
        TaskKind::Composite => [1.70, 2.15, 3.90, 5.75, 6.20, 7.60, 9.95, 21.3],
        TaskKind::Cycle => [4.63, 9.27, 10.7, 14.5, 16.7, 21.9, 27.7, 37.9],
        TaskKind::Anagram1 => [0.50, 1.27, 2.13, 3.05, 3.81, 5.49, 8.38, 15.1],
        TaskKind::Anagram2 => [1.94, 4.80, 7.59, 9.87, 12.6, 18.9, 25.6, 39.7],
        TaskKind::Insertion => [0.11, 0.28, 2.19, 4.18, 6.61, 11.0, 27.3, 67.2],
        TaskKind::Reversed => [0.00, 0.05, 0.00, 0.17, 0.24, 0.30, 0.42, 0.44],
        TaskKind::Capitals
        | TaskKind::Plurals
        | TaskKind::Opposites
        | TaskKind::FirstLetter
        | TaskKind::LastWord => return None,
    })
}
