//! Header values as text. ASGI applications read them as Latin-1, so every byte is one character.

use std::borrow::Cow;

/// Bytes as Latin-1 text; ASCII is borrowed.
pub fn decode(input: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(input) {
        Ok(text) if input.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(input.iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// Removes at both ends what Python's `str.strip` removes from Latin-1 text.
pub fn strip(input: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b'\t'..=b'\r' | 0x1c..=b' ' | 0x85 | 0xa0);
    let start = input.iter().position(|byte| !blank(byte)).unwrap_or(input.len());
    let end = input
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |at| at + 1);
    input.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_characters() {
        assert!(matches!(decode(b"plain"), Cow::Borrowed("plain")));
        assert_eq!(decode(b"caf\xe9"), "café");
    }

    #[test]
    fn blanks_are_pythons() {
        assert_eq!(strip(b" \t\xa0a b\x85\x1f"), b"a b");
        assert_eq!(strip(b" \n "), b"");
    }
}
