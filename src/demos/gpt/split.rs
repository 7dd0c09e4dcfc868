//! Splitting text into words before byte-pair encoding.
//!
//! Byte-pair merges never cross a word's border, so the ids depend on these rules to the letter.
//! Every model family has its own, written by their authors as regular expressions with
//! look-ahead. Here they are written out, as passes that each cut the pieces of the pass before,
//! the way llama.cpp applies them. Character classes are those of Unicode 15.1, which it uses.

use std::ops::Range;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// A family's rule, named as in `tokenizer.ggml.pre`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitRule {
    /// `gpt-2`: contractions, words, numbers, the rest, each with one leading space.
    Gpt2,
    /// `smollm`, `starcoder`, `refact`, `command-r`: every digit alone, then as GPT-2.
    SingleDigits,
    /// `llama-bpe`: up to three digits together.
    Llama3,
    /// `qwen2`: as Llama 3 with every digit alone.
    Qwen2,
    /// No rule named: punctuation first, then as GPT-2, digits in threes.
    Default,
}

impl SplitRule {
    /// The rule with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "smollm" | "starcoder" | "refact" | "command-r" => Self::SingleDigits,
            "gpt-2" | "mpt" => Self::Gpt2,
            "llama-bpe" | "llama3" | "llama-v3" => Self::Llama3,
            "qwen2" => Self::Qwen2,
            "default" => Self::Default,
            _ => return None,
        })
    }

    /// Cuts code points into words, in order.
    pub fn split(self, text: &[u32]) -> Vec<Range<usize>> {
        let whole = 0..text.len();
        let whole = if whole.is_empty() {
            Vec::new()
        } else {
            vec![whole]
        };
        match self {
            Self::Gpt2 => pass(text, &whole, gpt2),
            Self::SingleDigits => pass(
                text,
                &pass(text, &whole, |t| isolate(t, is_number, 1)),
                gpt2,
            ),
            Self::Llama3 => pass(text, &whole, |t| llama3(t, 3)),
            Self::Qwen2 => pass(text, &whole, |t| llama3(t, 1)),
            Self::Default => {
                let pieces = pass(text, &whole, |t| isolate(t, is_punctuation, usize::MAX));
                let pieces = pass(text, &pieces, gpt2);
                let pieces = pass(text, &pieces, |t| isolate(t, is_number, usize::MAX));
                pass(text, &pieces, digit_triple)
            }
        }
    }
}

/// Cuts every piece with `next`, which returns the length of the word a text begins with.
fn pass(
    text: &[u32],
    pieces: &[Range<usize>],
    next: impl Fn(&[u32]) -> usize,
) -> Vec<Range<usize>> {
    let mut words = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let mut at = piece.start;
        while at < piece.end {
            let end = at + next(&text[at..piece.end]).max(1);
            words.push(at..end);
            at = end;
        }
    }
    words
}

/// A run of at most `most` characters of a class, or all before the next of them.
fn isolate(text: &[u32], class: fn(u32) -> bool, most: usize) -> usize {
    match run(text, class) {
        0 => run(text, |c| !class(c)),
        len => len.min(most),
    }
}

/// Three ASCII digits, or all before the next three.
fn digit_triple(text: &[u32]) -> usize {
    let triple = |t: &[u32]| t.len() == 3 && t.iter().all(|c| (0x30..0x3a).contains(c));
    match text.windows(3).position(triple) {
        Some(0) => 3,
        Some(before) => before,
        None => text.len(),
    }
}

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
fn gpt2(text: &[u32]) -> usize {
    if let Some(len) = contraction(text, false) {
        return len;
    }
    let skip = usize::from(text[0] == SPACE && text.len() > 1);
    let after = &text[skip..];
    let kind = Kind::of(after[0]);
    if kind != Kind::White {
        return skip + run(after, |c| Kind::of(c) == kind);
    }
    white_run(text)
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
fn llama3(text: &[u32], digits: usize) -> usize {
    if let Some(len) = contraction(text, true) {
        return len;
    }
    let first = Kind::of(text[0]);
    let second = text.get(1).map(|c| Kind::of(*c));
    if first == Kind::Letter {
        return run(text, |c| Kind::of(c) == Kind::Letter);
    }
    if first != Kind::Number && !is_line_end(text[0]) && second == Some(Kind::Letter) {
        return 1 + run(&text[1..], |c| Kind::of(c) == Kind::Letter);
    }
    if first == Kind::Number {
        return run(text, is_number).min(digits);
    }
    let skip = usize::from(text[0] == SPACE);
    let other = run(&text[skip..], |c| Kind::of(c) == Kind::Other);
    if other > 0 {
        let end = skip + other;
        return end + run(&text[end..], is_line_end);
    }
    let white = run(text, is_white);
    match text[..white].iter().rposition(|c| is_line_end(*c)) {
        Some(last) => last + 1,
        None => white_run(text),
    }
}

/// White space up to the last before a word, which takes that one along.
fn white_run(text: &[u32]) -> usize {
    let len = run(text, is_white);
    if len > 1 && len < text.len() {
        len - 1
    } else {
        len
    }
}

fn run(text: &[u32], class: impl Fn(u32) -> bool) -> usize {
    text.iter().take_while(|c| class(**c)).count()
}

/// The length of `'s` and its like.
fn contraction(text: &[u32], any_case: bool) -> Option<usize> {
    if text[0] != u32::from('\'') {
        return None;
    }
    let letter = |i: usize| {
        let c = char::from_u32(*text.get(i)?)?;
        Some(if any_case { c.to_ascii_lowercase() } else { c })
    };
    match (letter(1)?, letter(2)) {
        ('s' | 't' | 'm' | 'd', _) => Some(2),
        ('r' | 'v', Some('e')) | ('l', Some('l')) => Some(3),
        _ => None,
    }
}

const SPACE: u32 = 0x20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Number,
    White,
    Other,
}

impl Kind {
    fn of(c: u32) -> Self {
        match c {
            0x41..=0x5a | 0x61..=0x7a => Self::Letter,
            0x30..=0x39 => Self::Number,
            _ if is_white(c) => Self::White,
            0..0x80 => Self::Other,
            _ if contains(&LETTERS, c) => Self::Letter,
            _ if contains(&NUMBERS, c) => Self::Number,
            _ => Self::Other,
        }
    }
}

fn is_number(c: u32) -> bool {
    Kind::of(c) == Kind::Number
}

fn is_line_end(c: u32) -> bool {
    matches!(c, 0x0a | 0x0d)
}

fn is_white(c: u32) -> bool {
    matches!(c, 0x09..=0x0d | 0x20 | 0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
}

fn is_punctuation(c: u32) -> bool {
    contains(&PUNCTUATION, c)
}

static LETTERS: LazyLock<Vec<(u32, u32)>> = LazyLock::new(|| ranges(r"[\p{L}&&\p{age=15.1}]"));
static NUMBERS: LazyLock<Vec<(u32, u32)>> = LazyLock::new(|| ranges(r"[\p{N}&&\p{age=15.1}]"));
static PUNCTUATION: LazyLock<Vec<(u32, u32)>> =
    LazyLock::new(|| ranges(r"[[\p{P}&&\p{age=15.1}]$+<=>\^~|]"));

fn contains(ranges: &[(u32, u32)], c: u32) -> bool {
    ranges
        .binary_search_by(|(first, last)| {
            if *last < c {
                std::cmp::Ordering::Less
            } else if *first > c {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

/// The code points of a character class, as sorted ranges.
fn ranges(class: &str) -> Vec<(u32, u32)> {
    match regex_syntax::parse(class).map(regex_syntax::hir::Hir::into_kind) {
        Ok(HirKind::Class(Class::Unicode(class))) => class
            .iter()
            .map(|r| (u32::from(r.start()), u32::from(r.end())))
            .collect(),
        // The three classes are constants; the tests below read them all.
        other => unreachable!("{class} is a character class, not {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::SplitRule;

    fn words(rule: SplitRule, text: &str) -> Vec<String> {
        let points: Vec<u32> = text.chars().map(u32::from).collect();
        let word = |r: std::ops::Range<usize>| {
            points[r]
                .iter()
                .filter_map(|c| char::from_u32(*c))
                .collect()
        };
        rule.split(&points).into_iter().map(word).collect()
    }

    #[test]
    fn gpt2_as_its_expression_says() {
        assert_eq!(
            words(SplitRule::Gpt2, "It's  2 a.m., we'LL go\n\n now  "),
            [
                "It", "'s", " ", " 2", " a", ".", "m", ".,", " we", "'", "LL", " go", "\n\n",
                " now", "  "
            ]
        );
    }

    #[test]
    fn digits_alone_leave_the_space_behind() {
        assert_eq!(
            words(SplitRule::SingleDigits, "in 1984"),
            ["in", " ", "1", "9", "8", "4"]
        );
    }

    #[test]
    fn llama3_takes_three_digits_and_line_ends() {
        assert_eq!(
            words(SplitRule::Llama3, "x=12345;\n\n  y'S"),
            ["x", "=", "123", "45", ";\n\n", " ", " y", "'S"]
        );
        assert_eq!(words(SplitRule::Qwen2, "12"), ["1", "2"]);
    }

    #[test]
    fn without_a_rule_punctuation_stands_alone() {
        assert_eq!(
            words(SplitRule::Default, "a,b 12345"),
            ["a", ",", "b", " ", "123", "45"]
        );
    }
}
