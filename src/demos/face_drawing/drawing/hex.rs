//! Bytes as text, for pictures in sessions.

/// Two hexadecimal digits for each byte.
#[must_use]
pub fn write(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)])
        .collect()
}

/// The bytes of such a text; `None` when it is no such text, or of more than `most` bytes.
#[must_use]
pub fn read(text: &str, most: usize) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() > 2 * most || !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok())
        .collect()
}
