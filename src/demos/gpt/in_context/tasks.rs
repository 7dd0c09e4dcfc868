//! Tasks whose answers can be told right from wrong, made by seed.
//!
//! Arithmetic and the five ways to scramble a word are those of the paper (sections 3.9.1 and
//! 3.9.2); the others are small enough for a small model to show the rising curve.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::lists::{CAPITALS, OPPOSITES, PLURALS, WORDS};
use crate::rng::Rng;

/// A task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// Countries to capitals
    #[default]
    Capitals,
    /// Nouns to their plurals
    Plurals,
    /// Words to their opposites
    Opposites,
    /// A word's first letter
    FirstLetter,
    /// The last of three words
    LastWord,
    /// Two-digit addition
    Add2,
    /// Two-digit subtraction
    Sub2,
    /// Three-digit addition
    Add3,
    /// Three-digit subtraction
    Sub3,
    /// Four-digit addition
    Add4,
    /// Four-digit subtraction
    Sub4,
    /// Five-digit addition
    Add5,
    /// Five-digit subtraction
    Sub5,
    /// Two-digit multiplication
    Mul2,
    /// One-digit numbers with three operations
    Composite,
    /// Letters cycled round
    Cycle,
    /// Anagrams of all but the first and last letters
    Anagram1,
    /// Anagrams of all but the first and last two letters
    Anagram2,
    /// Random symbols between the letters
    Insertion,
    /// Words backwards
    Reversed,
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is asked.
    pub input: String,
    /// What is right.
    pub answer: String,
}

impl TaskKind {
    /// What it is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Capitals => "Capitals",
            Self::Plurals => "Plurals",
            Self::Opposites => "Opposites",
            Self::FirstLetter => "First letter",
            Self::LastWord => "Last word",
            Self::Add2 => "2-digit addition",
            Self::Sub2 => "2-digit subtraction",
            Self::Add3 => "3-digit addition",
            Self::Sub3 => "3-digit subtraction",
            Self::Add4 => "4-digit addition",
            Self::Sub4 => "4-digit subtraction",
            Self::Add5 => "5-digit addition",
            Self::Sub5 => "5-digit subtraction",
            Self::Mul2 => "2-digit multiplication",
            Self::Composite => "One digit, three operations",
            Self::Cycle => "Cycled letters",
            Self::Anagram1 => "Anagrams, ends kept",
            Self::Anagram2 => "Anagrams, two letters kept",
            Self::Insertion => "Symbols between letters",
            Self::Reversed => "Reversed words",
        }
    }

    /// What the task is, in a sentence for the prompt.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Capitals => "Name the capital of the country.",
            Self::Plurals => "Write the plural of the word.",
            Self::Opposites => "Write the opposite of the word.",
            Self::FirstLetter => "Write the first letter of the word.",
            Self::LastWord => "Write the last of the words.",
            Self::Composite => "Work out the expression.",
            Self::Cycle | Self::Anagram1 | Self::Anagram2 | Self::Insertion | Self::Reversed => {
                "Please unscramble the letters into a word, and write that word:"
            }
            _ => "Answer the question with a number.",
        }
    }

    /// Words before a question and before its answer.
    fn frame(self) -> [&'static str; 2] {
        match self {
            Self::Add2
            | Self::Sub2
            | Self::Add3
            | Self::Sub3
            | Self::Add4
            | Self::Sub4
            | Self::Add5
            | Self::Sub5
            | Self::Mul2
            | Self::Composite => ["Q: ", "A:"],
            _ => ["Input: ", "Output:"],
        }
    }

    /// So many items, no two with the same question where the task has as many.
    #[must_use]
    pub fn items(self, count: usize, rng: &mut Rng) -> Vec<Item> {
        match self {
            Self::Capitals => pairs(CAPITALS, count, rng),
            Self::Plurals => pairs(PLURALS, count, rng),
            Self::Opposites => pairs(OPPOSITES, count, rng),
            _ => {
                let mut items: Vec<Item> = Vec::with_capacity(count);
                let mut tries = 0;
                while items.len() < count {
                    let item = self.item(rng);
                    tries += 1;
                    let is_new = items.iter().all(|old| old.input != item.input);
                    if is_new || tries > 50 * count {
                        items.push(item);
                    }
                }
                items
            }
        }
    }

    fn item(self, rng: &mut Rng) -> Item {
        let below = |rng: &mut Rng, digits: u32| number(rng, 10_usize.pow(digits));
        let sum = |rng: &mut Rng, digits, word: &str, sign: i64| {
            let (a, b) = (below(rng, digits), below(rng, digits));
            Item {
                input: format!("What is {a} {word} {b}?"),
                answer: (a + sign * b).to_string(),
            }
        };
        match self {
            Self::Add2 => sum(rng, 2, "plus", 1),
            Self::Sub2 => sum(rng, 2, "minus", -1),
            Self::Add3 => sum(rng, 3, "plus", 1),
            Self::Sub3 => sum(rng, 3, "minus", -1),
            Self::Add4 => sum(rng, 4, "plus", 1),
            Self::Sub4 => sum(rng, 4, "minus", -1),
            Self::Add5 => sum(rng, 5, "plus", 1),
            Self::Sub5 => sum(rng, 5, "minus", -1),
            Self::Mul2 => {
                let (a, b) = (below(rng, 2), below(rng, 2));
                Item {
                    input: format!("What is {a} times {b}?"),
                    answer: (a * b).to_string(),
                }
            }
            Self::Composite => composite(rng),
            Self::LastWord => {
                let [a, b, c] = std::array::from_fn(|_| word(rng));
                Item {
                    input: format!("{a} {b} {c}"),
                    answer: c.to_owned(),
                }
            }
            _ => {
                let word = word(rng);
                Item {
                    input: match self {
                        Self::FirstLetter => word.to_owned(),
                        _ => self.scrambled(word, rng),
                    },
                    answer: match self {
                        Self::FirstLetter => word.chars().take(1).collect(),
                        _ => word.to_owned(),
                    },
                }
            }
        }
    }

    /// A word as the paper scrambles it.
    fn scrambled(self, word: &str, rng: &mut Rng) -> String {
        let mut letters: Vec<char> = word.chars().collect();
        let len = letters.len();
        match self {
            Self::Cycle => letters.rotate_left(1 + rng.below(len - 1)),
            Self::Anagram1 => shuffled(&mut letters[1..len - 1], rng),
            Self::Anagram2 => shuffled(&mut letters[2..len - 2], rng),
            Self::Insertion => {
                const SYMBOLS: [char; 8] = [' ', '.', ',', '!', '/', '-', '?', '*'];
                let mut all = String::new();
                for (at, letter) in letters.iter().enumerate() {
                    if at > 0 {
                        all.push(SYMBOLS[rng.below(SYMBOLS.len())]);
                    }
                    all.push(*letter);
                }
                return all;
            }
            _ => letters.reverse(),
        }
        letters.into_iter().collect()
    }
}

/// A number from 0 to below an end.
fn number(rng: &mut Rng, end: usize) -> i64 {
    i64::try_from(rng.below(end)).unwrap_or(0)
}

fn word(rng: &mut Rng) -> &'static str {
    WORDS[rng.below(WORDS.len())]
}

fn shuffled(letters: &mut [char], rng: &mut Rng) {
    for at in (1..letters.len()).rev() {
        letters.swap(at, rng.below(at + 1));
    }
}

/// One-digit numbers with three operations, two of them in brackets: `Q: What is 6+(4*8)?`.
fn composite(rng: &mut Rng) -> Item {
    let mut digit = || number(rng, 10);
    let (a, b, c) = (digit(), digit(), digit());
    let signs = ['+', '-', '*'];
    let (outer, inner) = (signs[rng.below(3)], signs[rng.below(3)]);
    let apply = |a: i64, sign: char, b: i64| match sign {
        '+' => a + b,
        '-' => a - b,
        _ => a * b,
    };
    Item {
        input: format!("What is {a}{outer}({b}{inner}{c})?"),
        answer: apply(a, outer, apply(b, inner, c)).to_string(),
    }
}

/// Pairs in random order, over and over where there are too few.
fn pairs(all: &[(&str, &str)], count: usize, rng: &mut Rng) -> Vec<Item> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, rng.below(at + 1));
    }
    let places = order.into_iter().cycle().take(count);
    places
        .map(|place| Item {
            input: all[place].0.to_owned(),
            answer: all[place].1.to_owned(),
        })
        .collect()
}

/// The parts of prompts: examples can be added one by one, and every prompt of fewer examples is
/// the beginning of one of more.
pub struct Prompts {
    kind: TaskKind,
    head: String,
    examples: Vec<Item>,
    query: Item,
}

impl Prompts {
    /// A query with as many examples as will be asked for. With `shuffled` the examples have each
    /// other's answers.
    #[must_use]
    pub fn new(kind: TaskKind, most: usize, described: bool, shuffle: bool, rng: &mut Rng) -> Self {
        let mut items = kind.items(most + 1, rng);
        let query = items.swap_remove(0);
        if shuffle && items.len() > 1 {
            let answers: Vec<String> = items.iter().map(|item| item.answer.clone()).collect();
            let by = 1 + rng.below(answers.len() - 1);
            for (at, item) in items.iter_mut().enumerate() {
                item.answer.clone_from(&answers[(at + by) % answers.len()]);
            }
        }
        Self {
            kind,
            head: if described {
                format!("{}\n\n", kind.description())
            } else {
                String::new()
            },
            examples: items,
            query,
        }
    }

    /// What is right.
    #[must_use]
    pub fn answer(&self) -> &str {
        &self.query.answer
    }

    /// The prompt with so many examples.
    #[must_use]
    pub fn text(&self, shots: usize) -> String {
        let [ask, tell] = self.kind.frame();
        let mut text = self.head.clone();
        for Item { input, answer } in self.examples.iter().take(shots) {
            text += &format!("{ask}{input}\n{tell} {answer}\n\n");
        }
        text += &format!("{ask}{}\n{tell}", self.query.input);
        text
    }
}
