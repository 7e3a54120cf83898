//! The Cookie field, read as Starlette reads it: leniently, with Python's unquoting of quoted values.
//! A name that comes again replaces what came before; that is the caller's map, not this iterator.

use std::borrow::Cow;

use crate::latin1::{decode, strip};

/// Iterates (name, value) pairs of one Cookie field. A piece without `=` is a value with an empty name.
pub fn pairs(field: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    field.split(|byte| *byte == b';').filter_map(|piece| {
        let (name, value) = match memchr::memchr(b'=', piece).and_then(|at| piece.split_at_checked(at)) {
            Some((name, rest)) => (strip(name), strip(rest.get(1..).unwrap_or_default())),
            None => (&[][..], strip(piece)),
        };
        (!name.is_empty() || !value.is_empty()).then(|| (decode(name), unquote(value)))
    })
}

/// The value of the last cookie called `name`, which is the one Starlette keeps.
pub fn find<'a>(field: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    pairs(field)
        .filter(|(given, _)| given == name)
        .map(|(_, value)| value)
        .last()
}

/// `http.cookies._unquote`: a value in double quotes loses them, `\ooo` and `\c` stand for one character.
fn unquote(value: &[u8]) -> Cow<'_, str> {
    let [b'"', inner @ .., b'"'] = value else {
        return decode(value);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return decode(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((byte, tail)) = rest.split_first() {
        let (letter, after) = match (byte, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), after)
            }
            // Python's `.` does not match a line feed.
            (b'\\', [quoted, after @ ..]) if *quoted != b'\n' => (*quoted, after),
            (byte, after) => (*byte, after),
        };
        text.push(char::from(letter));
        rest = after;
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(field: &str) -> Vec<(String, String)> {
        pairs(field.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    #[test]
    fn results_are_starlettes() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(all("a=b; c=d"), [pair("a", "b"), pair("c", "d")]);
        assert_eq!(all("a=b;;c=d;"), [pair("a", "b"), pair("c", "d")]);
        assert_eq!(all("value"), [pair("", "value")]);
        assert_eq!(all("=v; n="), [pair("", "v"), pair("n", "")]);
        assert_eq!(
            all("a=b=c; d=\"e;f\""),
            [pair("a", "b=c"), pair("d", "\"e"), pair("", "f\"")]
        );
        assert_eq!(all(r#"a="x\"y\\z\054w""#), [pair("a", "x\"y\\z,w")]);
        assert_eq!(all(r#"a="\400""#), [pair("a", "400")]);
        assert_eq!(all(r#"a="\""#), [pair("a", "\\")]);
        assert_eq!(all(r#"a=""; b="c""#), [pair("a", ""), pair("b", "c")]);
        assert_eq!(all("a=\""), [pair("a", "\"")]);
        assert_eq!(all(" = "), []);
    }

    #[test]
    fn the_last_of_a_name_counts() {
        assert_eq!(find(b"a=1; b=2; a=3", "a").as_deref(), Some("3"));
        assert_eq!(find(b"a=1", "b"), None);
    }

    #[test]
    fn bytes_are_latin_1() {
        assert_eq!(find(b"a=\xe9\xa0", "a").as_deref(), Some("é"));
    }
}
