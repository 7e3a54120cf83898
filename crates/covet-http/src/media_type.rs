//! Content-Type and its relatives, read with the results of Python's `email.message.Message`,
//! because FastAPI decides by it whether a body is JSON.

use std::borrow::Cow;

use crate::latin1::{decode, strip};

/// `type/subtype` in lower case and without parameters. A malformed value counts as `text/plain`.
pub fn essence(value: &[u8]) -> Cow<'_, str> {
    let head = value.split(|byte| *byte == b';').next().unwrap_or_default();
    let text = decode(strip(head));
    if text.bytes().filter(|byte| *byte == b'/').count() != 1 {
        return Cow::Borrowed("text/plain");
    }
    if text.chars().any(char::is_uppercase) {
        Cow::Owned(text.to_lowercase())
    } else {
        text
    }
}

/// True for `application/json` and `application/*+json`: what FastAPI parses under strict content types.
pub fn is_json(value: &[u8]) -> bool {
    if value == b"application/json" {
        return true;
    }
    essence(value).split_once('/').is_some_and(|(kind, subtype)| {
        kind == "application" && (subtype == "json" || subtype.ends_with("+json"))
    })
}

/// The value of the parameter `name` (lower case): unquoted, or `None` when it is absent.
pub fn param<'a>(value: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let mut rest = value.get(memchr::memchr(b';', value)?..)?;
    while let Some((b';', tail)) = rest.split_first() {
        let end = param_end(tail);
        let (piece, after) = tail.split_at_checked(end)?;
        rest = after;
        let Some(at) = memchr::memchr(b'=', piece) else {
            continue;
        };
        let (given, content) = piece.split_at_checked(at)?;
        if given.trim_ascii().eq_ignore_ascii_case(name.as_bytes()) {
            return Some(unquote(content.get(1..).unwrap_or_default().trim_ascii()));
        }
    }
    None
}

/// The first `;` outside double quotes.
fn param_end(tail: &[u8]) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in tail.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return at,
            _ => {}
        }
    }
    tail.len()
}

fn unquote(content: &[u8]) -> Cow<'_, str> {
    let [b'"', inner @ .., b'"'] = content else {
        return decode(content);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return decode(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut escaped = false;
    for byte in inner {
        escaped = *byte == b'\\' && !escaped;
        if !escaped {
            text.push(char::from(*byte));
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_what_fastapi_takes_for_json() {
        for yes in [
            &b"application/json"[..],
            b"application/json; charset=utf-8",
            b"Application/JSON",
            b" application/json ;x",
            b"application/vnd.api+json",
            b"application/geo+json;a=b",
            b"application/+json",
        ] {
            assert!(is_json(yes), "{yes:?}");
        }
        for no in [
            &b""[..],
            b"text/plain",
            b"application/jsonx",
            b"text/json",
            b"application/json/x",
            b"json",
            b"application/ json",
            b"application/json, text/plain",
            b"application/x-www-form-urlencoded",
        ] {
            assert!(!is_json(no), "{no:?}");
        }
    }

    #[test]
    fn parameters_are_found_and_unquoted() {
        let value = b"multipart/form-data; a=\"x;y\\\"\\\\z\"; Boundary = abc ; charset";
        assert_eq!(param(value, "boundary").as_deref(), Some("abc"));
        assert_eq!(param(value, "a").as_deref(), Some("x;y\"\\z"));
        assert_eq!(param(value, "charset"), None);
        assert_eq!(param(b"text/plain", "charset"), None);
        assert_eq!(essence(b"text/HTML;charset=x"), "text/html");
        assert_eq!(essence(b"nonsense"), "text/plain");
    }
}
