//! The numbers, lengths and transforms in attributes.

use kurbo::Affine;

/// Numbers beyond this are refused: nothing on a page is that large.
const MOST: f64 = 1e7;
/// The most transforms of one element.
const MAX_TRANSFORMS: usize = 100;

/// Reads an attribute from its beginning.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    pub(super) fn skip_space(&mut self) {
        while self.byte(0).is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Passes over spaces and at most one comma.
    pub(super) fn skip_comma(&mut self) {
        self.skip_space();
        if self.byte(0) == Some(b',') {
            self.at += 1;
            self.skip_space();
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Whether a number could begin here.
    pub(super) fn is_at_number(&self) -> bool {
        self.byte(0)
            .is_some_and(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'))
    }

    /// The next sign, if it is a letter.
    pub(super) fn letter(&mut self) -> Option<u8> {
        let letter = self.byte(0).filter(u8::is_ascii_alphabetic)?;
        self.at += 1;
        Some(letter)
    }

    /// What is wrong where something else was expected.
    pub(super) fn unexpected(&self, expected: &str) -> String {
        match self.text[self.at..].chars().next() {
            Some(found) => format!(
                "'{}' stands where {expected} was expected, at character {}",
                found.escape_default(),
                self.at + 1
            ),
            None => format!("it ends where {expected} was expected"),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.byte(0).is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    /// A number, and the comma behind it.
    pub(super) fn number(&mut self) -> Result<f64, String> {
        self.skip_space();
        let start = self.at;
        if matches!(self.byte(0), Some(b'+' | b'-')) {
            self.at += 1;
        }
        let mut digits = self.digits();
        if self.byte(0) == Some(b'.') {
            self.at += 1;
            digits += self.digits();
        }
        if digits == 0 {
            self.at = start;
            return Err(self.unexpected("a number"));
        }
        if matches!(self.byte(0), Some(b'e' | b'E')) {
            let signed = usize::from(matches!(self.byte(1), Some(b'+' | b'-')));
            // Otherwise it is the beginning of a unit.
            if self.byte(1 + signed).is_some_and(|b| b.is_ascii_digit()) {
                self.at += 1 + signed;
                self.digits();
            }
        }
        let text = &self.text[start..self.at];
        let value: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
        if !value.is_finite() || value.abs() > MOST {
            return Err(format!("the number {text} is out of range"));
        }
        self.skip_comma();
        Ok(value)
    }

    /// A flag of an arc, which needs no space behind it.
    pub(super) fn flag(&mut self) -> Result<bool, String> {
        self.skip_space();
        let flag = match self.byte(0) {
            Some(b'0') => false,
            Some(b'1') => true,
            _ => return Err(self.unexpected("0 or 1")),
        };
        self.at += 1;
        self.skip_comma();
        Ok(flag)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

/// A length in pixels; `whole` is what 100 % are.
pub(super) fn length(text: &str, whole: f64) -> Result<f64, String> {
    let mut scanner = Scanner::new(text);
    let value = scanner.number()?;
    let unit = match scanner.rest().trim() {
        "" | "px" => 1.0,
        "pt" => 96.0 / 72.0,
        "mm" => 96.0 / 25.4,
        "cm" => 96.0 / 2.54,
        "in" => 96.0,
        "pc" | "em" => 16.0,
        "ex" => 8.0,
        "%" => whole / 100.0,
        unit => return Err(format!("the length {text} has an unknown unit, {unit}")),
    };
    Ok(value * unit)
}

/// All numbers of a list.
pub(super) fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let mut scanner = Scanner::new(text);
    let mut numbers = Vec::new();
    scanner.skip_space();
    while !scanner.is_at_end() {
        numbers.push(scanner.number()?);
    }
    Ok(numbers)
}

/// A list of transforms, the last of which is done first.
pub(super) fn transform(text: &str) -> Result<Affine, String> {
    let mut rest = text.trim();
    let mut all = Affine::IDENTITY;
    for _ in 0..MAX_TRANSFORMS {
        if rest.is_empty() {
            return Ok(all);
        }
        let parts = rest.split_once('(').and_then(|(name, behind)| {
            let (inside, behind) = behind.split_once(')')?;
            Some((name.trim(), inside, behind))
        });
        let Some((name, inside, behind)) = parts else {
            return Err(format!("the transform {} has no brackets", excerpt(rest)));
        };
        all *= one_transform(name, &numbers(inside)?)?;
        rest = behind.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    }
    Err(format!(
        "an element has more than {MAX_TRANSFORMS} transforms"
    ))
}

fn one_transform(name: &str, values: &[f64]) -> Result<Affine, String> {
    Ok(match (name, values) {
        ("matrix", &[a, b, c, d, e, f]) => Affine::new([a, b, c, d, e, f]),
        ("translate", &[x]) => Affine::translate((x, 0.0)),
        ("translate", &[x, y]) => Affine::translate((x, y)),
        ("scale", &[both]) => Affine::scale(both),
        ("scale", &[x, y]) => Affine::scale_non_uniform(x, y),
        ("rotate", &[angle]) => Affine::rotate(angle.to_radians()),
        ("rotate", &[angle, x, y]) => Affine::rotate_about(angle.to_radians(), (x, y)),
        ("skewX", &[angle]) => Affine::new([1.0, 0.0, angle.to_radians().tan(), 1.0, 0.0, 0.0]),
        ("skewY", &[angle]) => Affine::new([1.0, angle.to_radians().tan(), 0.0, 1.0, 0.0, 0.0]),
        _ => {
            return Err(format!(
                "the transform {} with {} numbers is unknown",
                excerpt(name),
                values.len()
            ));
        }
    })
}

/// The beginning of a text from a file, for an error.
pub(super) fn excerpt(text: &str) -> String {
    let mut start: String = text.chars().take(24).flat_map(char::escape_debug).collect();
    if text.chars().nth(24).is_some() {
        start.push('…');
    }
    start
}
