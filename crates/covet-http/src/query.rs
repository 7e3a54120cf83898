//! Query strings with the results of Python's `urllib.parse.parse_qsl(text, keep_blank_values=True)`.
//! Also the parser of urlencoded forms that are small enough to be in memory.

use std::borrow::Cow;

use crate::percent::unquote;

/// Iterates the decoded pairs in order. `&` separates, the first `=` divides, `+` is a space,
/// empty pieces are left out, a piece without `=` has an empty value.
pub fn pairs(query: &[u8]) -> Pairs<'_> {
    Pairs { rest: Some(query) }
}

/// The iterator of [`pairs`].
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let piece = cut(&mut self.rest, b'&')?;
            if !piece.is_empty() {
                let mut piece = Some(piece);
                let name = cut(&mut piece, b'=').unwrap_or_default();
                return Some((decode(name), decode(piece.unwrap_or_default())));
            }
        }
    }
}

/// Takes what precedes the next `mark`; the rest is `None` after the last piece.
fn cut<'a>(rest: &mut Option<&'a [u8]>, mark: u8) -> Option<&'a [u8]> {
    let whole = (*rest)?;
    match memchr::memchr(mark, whole).and_then(|at| whole.split_at_checked(at)) {
        Some((before, after)) => {
            *rest = after.get(1..);
            Some(before)
        }
        None => {
            *rest = None;
            Some(whole)
        }
    }
}

fn decode(part: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'+', part).is_none() {
        return unquote(part);
    }
    // Before the escapes, as Python does it: `%2B` stays a plus.
    let spaced: Vec<u8> = part
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    Cow::Owned(unquote(&spaced).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(query: &str) -> Vec<(String, String)> {
        pairs(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    #[test]
    fn results_are_pythons() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(all(""), []);
        assert_eq!(all("&&"), []);
        assert_eq!(
            all("a=1&b=2&a=3"),
            [pair("a", "1"), pair("b", "2"), pair("a", "3")]
        );
        assert_eq!(
            all("a&b=&=c&="),
            [pair("a", ""), pair("b", ""), pair("", "c"), pair("", "")]
        );
        assert_eq!(all("a=b=c"), [pair("a", "b=c")]);
        assert_eq!(all("a+b=c+%2B%20d"), [pair("a b", "c + d")]);
        assert_eq!(all("a;b=1"), [pair("a;b", "1")]);
        assert_eq!(all("%C3%A9=%ff"), [pair("é", "\u{fffd}")]);
    }

    #[test]
    fn plain_pairs_are_borrowed() {
        assert!(matches!(
            pairs(b"a=b").next(),
            Some((Cow::Borrowed("a"), Cow::Borrowed("b")))
        ));
    }
}
