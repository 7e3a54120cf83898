//! The request target (RFC 9112, 3.2): which of its four forms it has, and its path and query.
//! The path of a request comes from here and nowhere else.

use std::ops::Range;

use crate::host::{self, Authority};
use crate::method::Method;
use crate::refusal::Refusal;

/// Where path and query lie inside the target, and who it names when it is absolute.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// `None` stands for the path `/` of an absolute target that has none.
    pub(crate) path: Option<Range<usize>>,
    /// The bytes after the first `?`; an empty range without one.
    pub(crate) query: Range<usize>,
    /// The authority and default port of an absolute target.
    pub(crate) authority: Option<(Authority<'a>, u16)>,
}

/// Splits a target, or refuses what no honest client sends.
pub(crate) fn split<'a>(method: &Method, target: &'a [u8]) -> Result<Target<'a>, Refusal> {
    if *method == Method::Connect {
        return Err(Refusal::bad("CONNECT is not served here"));
    }
    if !target
        .iter()
        .all(|byte| matches!(byte, b'!'..=b'~') && *byte != b'#')
    {
        return Err(Refusal::bad("the request target has a forbidden character"));
    }
    match target {
        [b'/', ..] => Ok(divide(target, 0, None)),
        b"*" if *method == Method::Options => Ok(divide(target, 0, None)),
        _ => absolute(target),
    }
}

fn absolute(target: &[u8]) -> Result<Target<'_>, Refusal> {
    let (start, port) = if has_scheme(target, b"http://") {
        (7, 80)
    } else if has_scheme(target, b"https://") {
        (8, 443)
    } else {
        return Err(Refusal::bad("the request target must start with a slash"));
    };
    let rest = target.get(start..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    let authority = host::parse(rest.get(..len).unwrap_or_default())
        .ok_or(Refusal::bad("malformed authority in the request target"))?;
    Ok(divide(target, start + len, Some((authority, port))))
}

fn has_scheme(target: &[u8], scheme: &[u8]) -> bool {
    target
        .get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn divide<'a>(target: &'a [u8], start: usize, authority: Option<(Authority<'a>, u16)>) -> Target<'a> {
    let end = target.len();
    let mark = memchr::memchr(b'?', target.get(start..).unwrap_or_default()).map(|at| start + at);
    let path = start..mark.unwrap_or(end);
    let query = mark.map_or(end..end, |at| at + 1..end);
    Target {
        path: (!path.is_empty()).then_some(path),
        query,
        authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(target: &[u8]) -> (String, String) {
        let split = split(&Method::Get, target).unwrap();
        let text = |range: Range<usize>| String::from_utf8_lossy(&target[range]).into_owned();
        (split.path.map_or("/".into(), text), text(split.query))
    }

    #[test]
    fn path_and_query_part_at_the_first_question_mark() {
        for (target, path, query) in [
            ("/", "/", ""),
            ("/a/b?c=d?e", "/a/b", "c=d?e"),
            ("/a?", "/a", ""),
            ("//evil.com/x", "//evil.com/x", ""),
            ("http://a", "/", ""),
            ("HTTP://a:80?q", "/", "q"),
            ("https://a/p?q", "/p", "q"),
        ] {
            assert_eq!(
                parts(target.as_bytes()),
                (path.to_owned(), query.to_owned()),
                "{target}"
            );
        }
    }

    #[test]
    fn odd_targets_are_refused() {
        for target in [
            &b"a"[..],
            b"*",
            b"a:80",
            b"/a#b",
            b"/\xc3\xa9",
            b"/\x7f",
            b"/a\tb",
            b"ftp://a/",
            b"http:///a",
            b"http://",
            b"http://u@a/",
            b"http://a b/",
            b"?a",
            b"\\",
            b"http:/a",
        ] {
            assert!(split(&Method::Get, target).is_err(), "{target:?}");
        }
        assert!(split(&Method::Connect, b"a:80").is_err());
        assert!(split(&Method::Connect, b"/").is_err());
        assert!(split(&Method::Options, b"*").is_ok());
        assert!(split(&Method::Options, b"*/").is_err());
    }
}
