//! Fields of CSV files.

/// Text as a field: in quotes where it has commas, quotes or line ends.
#[must_use]
pub fn field(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_field_is_quoted_only_where_it_must_be() {
        assert_eq!(field("plain text"), "plain text");
        assert_eq!(field("one, two"), "\"one, two\"");
        assert_eq!(field("the \"end\""), "\"the \"\"end\"\"\"");
    }
}
