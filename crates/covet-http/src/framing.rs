//! Where a request body ends (RFC 9112, 6). The one place that reads Content-Length and Transfer-Encoding.
//! Anything two parsers could read differently is refused: that difference is request smuggling.

use crate::refusal::Refusal;

/// How the body of a request is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No body was announced.
    None,
    /// Exactly so many bytes follow, perhaps none.
    Length(u64),
    /// The body comes in chunks.
    Chunked,
}

/// What the head said about framing, collected field by field.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    length: Option<u64>,
    chunked: bool,
}

impl Announced {
    /// Takes a Content-Length field. A second one is refused even when equal.
    pub(crate) fn content_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.length.is_some() {
            return Err(Refusal::bad("repeated Content-Length"));
        }
        self.length = Some(parse_length(value).ok_or(Refusal::bad("malformed Content-Length"))?);
        Ok(())
    }

    /// Takes a Transfer-Encoding field. `chunked` alone is understood, once.
    pub(crate) fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.chunked {
            return Err(Refusal::bad("repeated Transfer-Encoding"));
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Refusal::bad("unsupported Transfer-Encoding"));
        }
        self.chunked = true;
        Ok(())
    }

    /// The verdict once all fields were seen.
    pub(crate) fn settle(&self, minor: u8) -> Result<Framing, Refusal> {
        match (self.chunked, self.length) {
            (false, None) => Ok(Framing::None),
            (false, Some(length)) => Ok(Framing::Length(length)),
            (true, Some(_)) => Err(Refusal::bad("Transfer-Encoding together with Content-Length")),
            (true, None) if minor == 0 => Err(Refusal::bad("Transfer-Encoding in HTTP/1.0")),
            (true, None) => Ok(Framing::Chunked),
        }
    }
}

/// Digits only: no sign, no list, no space, no overflow.
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_plain_digits() {
        assert_eq!(parse_length(b"0"), Some(0));
        assert_eq!(parse_length(b"0012"), Some(12));
        assert_eq!(parse_length(b"18446744073709551615"), Some(u64::MAX));
        for odd in [
            &b""[..],
            b"+3",
            b"-1",
            b"3, 3",
            b"3 3",
            b"0x3",
            b"3.0",
            b"18446744073709551616",
            b"\xb3",
        ] {
            assert_eq!(parse_length(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn transfer_encoding_stands_alone() {
        let mut both = Announced::default();
        both.transfer_encoding(b"chunked").unwrap();
        both.content_length(b"3").unwrap();
        assert_eq!(both.settle(1).unwrap_err().status, 400);
        let mut once = Announced::default();
        once.transfer_encoding(b"Chunked").unwrap();
        assert_eq!(once.settle(1), Ok(Framing::Chunked));
        assert!(once.settle(0).is_err());
        assert!(once.transfer_encoding(b"chunked").is_err());
        for odd in [
            &b"gzip, chunked"[..],
            b"chunked, chunked",
            b"identity",
            b"xchunked",
            b"",
            b"chunked;a=b",
        ] {
            assert!(Announced::default().transfer_encoding(odd).is_err(), "{odd:?}");
        }
    }
}
