//! The Host field and the authority of an absolute target (RFC 9112, 3.2; RFC 3986, 3.2.2 and 3.2.3).
//! The decoder calls it for every request; host-based routing and allow-lists read the same two parts.

use std::net::Ipv6Addr;

/// A well-formed authority without user information.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host as it came; an IP literal keeps its brackets. Never empty.
    pub host: &'a str,
    /// The port, when one was given and not empty.
    pub port: Option<u16>,
}

/// Splits `host [":" port]`, or `None` when it is malformed or empty.
pub fn parse(value: &[u8]) -> Option<Authority<'_>> {
    let text = std::str::from_utf8(value).ok()?;
    let (host, port) = if text.starts_with('[') {
        split_literal(text)?
    } else {
        split_name(text)?
    };
    Some(Authority {
        host,
        port: parse_port(port)?,
    })
}

/// True for a well-formed Host value.
pub fn is_valid(value: &[u8]) -> bool {
    is_ordinary(value) || parse(value).is_some()
}

/// The fast path for what nearly every request has: a name or IPv4 address and perhaps a port.
fn is_ordinary(value: &[u8]) -> bool {
    let end = value
        .iter()
        .position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'));
    match end.map(|at| value.split_at(at)) {
        None => !value.is_empty(),
        Some((host, [b':', port @ ..])) => {
            !host.is_empty() && port.iter().all(u8::is_ascii_digit) && is_small(port)
        }
        Some(_) => false,
    }
}

/// True when so many digits cannot exceed 65535; more leading zeros than a port needs are left to [`parse`].
fn is_small(port: &[u8]) -> bool {
    port.len() < 5 || (port.len() == 5 && port <= b"65535".as_slice())
}

/// True when both name the same place for `http` or `https`: case and a default port do not count.
pub fn same(left: Authority<'_>, right: Authority<'_>, default_port: u16) -> bool {
    left.host.eq_ignore_ascii_case(right.host)
        && left.port.unwrap_or(default_port) == right.port.unwrap_or(default_port)
}

fn split_name(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    (!host.is_empty() && is_reg_name(host.as_bytes())).then_some((host, port))
}

fn split_literal(text: &str) -> Option<(&str, &str)> {
    let close = text.find(']')?;
    let (host, rest) = text.split_at_checked(close + 1)?;
    let address = host.strip_prefix('[')?.strip_suffix(']')?;
    if address.parse::<Ipv6Addr>().is_err() && !is_future(address) {
        return None;
    }
    match rest {
        "" => Some((host, "")),
        _ => Some((host, rest.strip_prefix(':')?)),
    }
}

/// `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`
fn is_future(address: &str) -> bool {
    let Some((version, rest)) = address
        .strip_prefix(['v', 'V'])
        .and_then(|tail| tail.split_once('.'))
    else {
        return false;
    };
    !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte == b':' || is_plain(byte))
}

/// Unreserved and sub-delims: what may stand in a host unescaped.
const fn is_plain(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~'
        | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

fn is_reg_name(host: &[u8]) -> bool {
    let mut rest = host;
    while let Some((first, tail)) = rest.split_first() {
        rest = match (first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => after,
            (byte, after) if is_plain(*byte) => after,
            _ => return false,
        };
    }
    true
}

/// An empty port means the default one (RFC 3986, 3.2.3); the outer `None` is a malformed port.
fn parse_port(port: &str) -> Option<Option<u16>> {
    if port.is_empty() {
        return Some(None);
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    port.parse().ok().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sane_hosts_are_split() {
        for (text, host, port) in [
            ("a", "a", None),
            ("Example.com:8000", "Example.com", Some(8000)),
            ("a:", "a", None),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]:8080", "[::1]", Some(8080)),
            ("[v1.fe:d]", "[v1.fe:d]", None),
            ("x_y-z.t~", "x_y-z.t~", None),
            ("caf%C3%A9", "caf%C3%A9", None),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(Authority { host, port }), "{text}");
            assert!(is_valid(text.as_bytes()));
        }
    }

    #[test]
    fn odd_hosts_are_refused() {
        for text in [
            "",
            ":80",
            "a b",
            "user@h",
            "h:abc",
            "h:80:80",
            "h:65536",
            "h:+80",
            "a/b",
            "example.com/?",
            "a?b",
            "a#b",
            "[::1",
            "::1",
            "[::1]x",
            "[::1]:x",
            "[]",
            "[1.2.3.4]",
            "[fe80::1%eth0]",
            "a\\b",
            "a%zz",
            "a%4",
            "\"a\"",
            "<a>",
            "a\u{e9}",
            "a\tb",
            "[v.x]",
            "[vg.x]",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
        assert!(!is_valid(b"a\xff"));
    }

    proptest::proptest! {
        #[test]
        fn the_fast_path_never_says_more(text in "[a-z0-9.:-]{0,8}") {
            proptest::prop_assert_eq!(is_valid(text.as_bytes()), parse(text.as_bytes()).is_some());
        }
    }

    #[test]
    fn a_default_port_does_not_count() {
        let at = |text: &'static str| parse(text.as_bytes()).unwrap();
        assert!(same(at("A:80"), at("a"), 80));
        assert!(!same(at("a:81"), at("a"), 80));
        assert!(!same(at("b"), at("a"), 80));
    }
}
