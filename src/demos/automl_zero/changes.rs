//! What is different between two programs, line by line.

use super::program::{Function, Program};
use super::text::line;

/// A line of one program or of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The function.
    pub function: Function,
    /// The instruction as text.
    pub text: String,
    /// Its place in the function of the old program, if it is there.
    pub old: Option<usize>,
    /// Its place in the function of the new program, if it is there.
    pub new: Option<usize>,
}

/// All lines of both programs in order: what both have once, as few lines as possible apart.
#[must_use]
pub fn changes(old: &Program, new: &Program) -> Vec<Change> {
    let lines = |program: &Program, function: Function| -> Vec<String> {
        program.function(function).iter().map(line).collect()
    };
    let mut all = Vec::new();
    for function in Function::ALL {
        let (before, after) = (lines(old, function), lines(new, function));
        aligned(&before, &after, |old, new| {
            let text = new
                .map(|at| &after[at])
                .or(old.map(|at| &before[at]))
                .cloned()
                .unwrap_or_default();
            all.push(Change {
                function,
                text,
                old,
                new,
            });
        });
    }
    all
}

/// Walks through two lists along their longest common subsequence.
fn aligned(
    before: &[String],
    after: &[String],
    mut visit: impl FnMut(Option<usize>, Option<usize>),
) {
    let (rows, columns) = (before.len(), after.len());
    let width = columns + 1;
    // The length of the longest common subsequence of what is left from here on.
    let mut common = vec![0_usize; (rows + 1) * width];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            common[i * width + j] = if before[i] == after[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < rows || j < columns {
        if i < rows && j < columns && before[i] == after[j] {
            visit(Some(i), Some(j));
            (i, j) = (i + 1, j + 1);
        } else if j == columns
            || i < rows && common[(i + 1) * width + j] >= common[i * width + j + 1]
        {
            visit(Some(i), None);
            i += 1;
        } else {
            visit(None, Some(j));
            j += 1;
        }
    }
}
