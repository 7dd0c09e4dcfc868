//! The notebook's text with what is known of its tokens.
//!
//! Tokens are tied to byte ranges of the text. An edit keeps what lies before it: the tokens
//! behind would be predicted from another text now, so they lose their probabilities; that the
//! model wrote them stays true, so their marking moves along.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::engine::Position;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Bytes of the text; a token may hold a part of a character.
    pub range: Range<usize>,
    /// What was expected in its place.
    pub position: Position,
}

/// A text, its tokens, and which parts the model wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    text: String,
    spans: Vec<Span>,
    generated: Vec<Range<usize>>,
    /// Where the next token of a running completion begins.
    #[serde(skip)]
    cursor: usize,
}

impl Document {
    /// A text of which nothing is known yet.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tokens whose probabilities are known, in order.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The parts the model wrote, in order.
    #[must_use]
    pub fn generated(&self) -> &[Range<usize>] {
        &self.generated
    }

    /// The token at a byte.
    #[must_use]
    pub fn span_at(&self, byte: usize) -> Option<&Span> {
        let at = self.spans.partition_point(|s| s.range.end <= byte);
        self.spans.get(at).filter(|s| s.range.contains(&byte))
    }

    /// Takes an edited text.
    pub fn edit(&mut self, text: String) {
        let (old, new) = (self.text.as_bytes(), text.as_bytes());
        let prefix = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let longest = old.len().min(new.len()) - prefix;
        let suffix = old
            .iter()
            .rev()
            .zip(new.iter().rev())
            .take(longest)
            .take_while(|(a, b)| a == b)
            .count();
        let (old_end, new_len) = (old.len() - suffix, new.len());
        let moved = |byte: usize| byte + new_len - self.text.len();
        let mut generated = Vec::with_capacity(self.generated.len() + 1);
        for range in &self.generated {
            // What was typed into a generated part is not generated.
            let before = range.start..range.end.min(prefix);
            let after = range.start.max(old_end)..range.end;
            if !before.is_empty() {
                generated.push(before);
            }
            if !after.is_empty() {
                generated.push(moved(after.start)..moved(after.end));
            }
        }
        self.generated = generated;
        self.spans.retain(|s| s.range.end <= prefix);
        self.text = text;
    }

    /// Begins to take in a run's tokens, from the first on.
    pub fn begin_tokens(&mut self) {
        self.spans.clear();
        self.cursor = 0;
    }

    /// Ties the next tokens of the prompt to the text. Tokens that do not stand in it, such as a
    /// start token, are passed over.
    pub fn add_prompt(&mut self, positions: &[Position]) {
        for position in positions {
            let piece = position.bytes.as_slice();
            let rest = &self.text.as_bytes()[self.cursor.min(self.text.len())..];
            // A vocabulary of the SentencePiece kind writes a space before the text.
            let pieces = [piece, piece.strip_prefix(b" ").unwrap_or(piece)];
            // Bytes without a token are dropped from the ids, so a token may stand a little later.
            let found = pieces.iter().find_map(|piece| {
                let near = 0..rest.len().min(DROPPED_BYTES + 1);
                let skip = near
                    .into_iter()
                    .find(|skip| !piece.is_empty() && rest[*skip..].starts_with(piece))?;
                Some((skip, piece.len()))
            });
            if let Some((skip, len)) = found {
                let start = self.cursor + skip;
                self.spans.push(Span {
                    range: start..start + len,
                    position: position.clone(),
                });
                self.cursor = start + len;
            }
        }
    }

    /// Marks the end of the prompt: what comes now is the model's.
    pub fn end_prompt(&mut self) {
        self.cursor = self.text.len();
        self.generated.push(self.text.len()..self.text.len());
    }

    /// Adds generated text, and the token it came with.
    pub fn add_generated(&mut self, text: &str, position: Option<Position>) {
        self.text += text;
        if let Some(range) = self.generated.last_mut() {
            range.end = self.text.len();
        }
        if let Some(position) = position {
            let end = self.cursor + position.bytes.len();
            self.spans.push(Span {
                range: self.cursor..end,
                position,
            });
            self.cursor = end;
        }
    }

    /// The run is over: tokens of a stop string that was cut off have no place in the text.
    pub fn end_tokens(&mut self) {
        let len = self.text.len();
        self.spans.retain(|s| s.range.start < len);
        if let Some(last) = self.spans.last_mut() {
            last.range.end = last.range.end.min(len);
        }
        self.generated.retain(|r| !r.is_empty());
    }

    /// The text the model wrote last.
    #[must_use]
    pub fn last_generated(&self) -> &str {
        self.generated
            .last()
            .and_then(|r| self.text.get(r.clone()))
            .unwrap_or_default()
    }

    /// Whether every range lies in the text, as a stored document must show.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let within = |r: &Range<usize>| r.start <= r.end && r.end <= self.text.len();
        let borders = |r: &Range<usize>| {
            self.text.is_char_boundary(r.start) && self.text.is_char_boundary(r.end)
        };
        self.spans.iter().all(|s| within(&s.range))
            && self.spans.is_sorted_by(|a, b| a.range.end <= b.range.start)
            && self.generated.iter().all(|r| within(r) && borders(r))
            && self.generated.is_sorted_by(|a, b| a.end <= b.start)
    }
}

/// A control character or two may have no token.
const DROPPED_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{Document, Position};

    fn token(text: &str) -> Position {
        Position {
            id: 0,
            bytes: text.into(),
            logprob: Some(-1.0),
            rank: Some(1),
            top: Arc::new([]),
        }
    }

    fn sample() -> Document {
        let mut doc = Document::new("Q: two\nA:");
        doc.begin_tokens();
        doc.add_prompt(&["<s>", "Q", ":", " two", "\n", "A", ":"].map(token));
        doc.end_prompt();
        doc.add_generated(" 2", Some(token(" 2")));
        doc.add_generated("", Some(token("\n")));
        doc.end_tokens();
        doc
    }

    #[test]
    fn tokens_find_their_place() {
        let doc = sample();
        assert_eq!(doc.text(), "Q: two\nA: 2");
        assert_eq!(
            doc.spans().len(),
            7,
            "neither the start token nor the stop string"
        );
        assert_eq!(doc.span_at(4).map(|s| s.range.clone()), Some(2..6));
        assert_eq!(doc.last_generated(), " 2");
        assert!(doc.is_consistent());
    }

    #[test]
    fn an_edit_keeps_what_lies_before_and_moves_the_marking() {
        let mut doc = sample();
        doc.edit("Q: three\nA: 2".into());
        assert_eq!(doc.spans().len(), 2);
        assert_eq!(doc.last_generated(), " 2");
        doc.edit("Q: three\nA: 12".into());
        assert_eq!(doc.generated(), [11..12, 13..14], "the 1 is the user's");
    }

    #[test]
    fn a_dropped_byte_does_not_lose_the_rest() {
        let mut doc = Document::new("a\u{4}b");
        doc.begin_tokens();
        doc.add_prompt(&["a", "b"].map(token));
        assert_eq!(doc.spans()[1].range, 2..3);
    }

    proptest! {
        #[test]
        fn any_edits_leave_it_consistent(edits in prop::collection::vec("[ab\u{e9}\u{1f600}]{0,8}", 1..8)) {
            let mut doc = sample();
            for text in edits {
                doc.edit(text);
                prop_assert!(doc.is_consistent(), "{doc:?}");
                doc.end_prompt();
                doc.add_generated("b\u{e9}", Some(token("b\u{e9}")));
                doc.end_tokens();
                prop_assert!(doc.generated().iter().all(|r| r.end <= doc.text().len()));
            }
        }
    }
}
