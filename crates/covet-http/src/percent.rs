//! Percent-decoding with the results of Python's `urllib.parse.unquote`, which ASGI servers use for paths:
//! a broken escape stays as it is, invalid UTF-8 becomes U+FFFD, bytes above 0x7F are Latin-1 letters.

use std::borrow::Cow;

/// Decodes escapes to bytes; what needs no decoding is borrowed.
pub fn decode(input: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'%', input) else {
        return Cow::Borrowed(input);
    };
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    let mut next = Some(first);
    while let Some((plain, escape)) = next.and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(plain);
        match escape {
            [_, high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(nibble(*high) << 4 | nibble(*low));
                rest = after;
            }
            _ => {
                out.push(b'%');
                rest = escape.get(1..).unwrap_or_default();
            }
        }
        next = memchr::memchr(b'%', rest);
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// Decodes a raw path to text. An escaped slash becomes a slash, as ASGI wants it.
pub fn decode_path(raw: &[u8]) -> Cow<'_, str> {
    unquote(raw)
}

/// `urllib.parse.unquote(input.decode("latin-1"))`.
pub fn unquote(input: &[u8]) -> Cow<'_, str> {
    if let Some(text) = plain(input) {
        return Cow::Borrowed(text);
    }
    if input.is_ascii() {
        return unquote_ascii(input);
    }
    let mut text = String::with_capacity(input.len() + 16);
    for run in input.chunk_by(|left, right| left.is_ascii() == right.is_ascii()) {
        if run.is_ascii() {
            // Each ASCII run is decoded by itself: escapes cannot join raw letters to one character.
            text.push_str(&unquote_ascii(run));
        } else {
            text.extend(run.iter().map(|byte| char::from(*byte)));
        }
    }
    Cow::Owned(text)
}

/// What nearly every path is: ASCII without an escape.
fn plain(input: &[u8]) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii() && byte != b'%';
    let plain = input.iter().fold(true, |all, byte| all & is_plain(*byte));
    plain.then(|| std::str::from_utf8(input).ok())?
}

fn unquote_ascii(input: &[u8]) -> Cow<'_, str> {
    match decode(input) {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_pythons() {
        for (input, text) in [
            (&b"/a"[..], "/a"),
            (b"/caf%C3%A9", "/café"),
            (b"/a%2Fb%2fc", "/a/b/c"),
            (b"%", "%"),
            (b"%4", "%4"),
            (b"%zz%41", "%zzA"),
            (b"%%41", "%A"),
            (b"%41%", "A%"),
            (b"%ff%fe", "\u{fffd}\u{fffd}"),
            (b"%ed%a0%80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"%f0%9f%98", "\u{fffd}"),
            (b"%E2%82x", "\u{fffd}x"),
            (b"a+b", "a+b"),
            (b"%00", "\0"),
            (b"\xe9%C3\xa9", "é\u{fffd}©"),
        ] {
            assert_eq!(unquote(input), text, "{input:?}");
        }
    }

    #[test]
    fn plain_input_is_borrowed() {
        assert!(matches!(decode_path(b"/plain"), Cow::Borrowed("/plain")));
    }
}
