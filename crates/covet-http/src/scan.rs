//! Finds the end of a request head in bytes that arrive in pieces, and refuses oversize heads on the way.
//! Looks at every byte once however slowly they drip, so a slow client cannot make the parse quadratic.
//!
//! Invariant: the verdict depends on the bytes alone, never on how they were split. Rules are therefore
//! applied in the order of the byte positions at which they break.

use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::token::is_token;

/// A complete head: its bytes, the last empty line included, and its number of field lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) len: usize,
    pub(crate) fields: usize,
}

/// How far the head at the front of the buffer was looked at.
#[derive(Debug, Default)]
pub(crate) struct HeadScan {
    scanned: usize,
    line_start: usize,
    lines: usize,
}

impl HeadScan {
    /// Looks at what is new in `buf`. `None` asks for more bytes.
    pub(crate) fn advance(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<Extent>, Refusal> {
        if self.scanned == 0 && !buf.first().is_none_or(|byte| is_token(*byte)) {
            return Err(Refusal::bad("the request does not start with a method"));
        }
        let offset = self.scanned;
        for at in memchr::memchr_iter(b'\n', buf.get(offset..).unwrap_or_default()) {
            let end = offset + at + 1;
            self.check_size(end, limits)?;
            let line = buf.get(self.line_start..end).unwrap_or_default();
            if let Some(extent) = self.take_line(line, end, limits)? {
                return Ok(Some(extent));
            }
        }
        self.scanned = buf.len();
        self.check_size(buf.len(), limits)?;
        Ok(None)
    }

    fn take_line(&mut self, line: &[u8], end: usize, limits: &Limits) -> Result<Option<Extent>, Refusal> {
        if !line.ends_with(b"\r\n") {
            return Err(Refusal::bad("a line ends without CR LF"));
        }
        if self.lines == 0 {
            check_version(line)?;
        } else if line.len() == 2 {
            return Ok(Some(Extent {
                len: end,
                fields: self.lines - 1,
            }));
        } else if self.lines > limits.max_fields {
            return Err(Refusal::limit(431, "too many header fields", "max_fields"));
        }
        self.lines += 1;
        self.line_start = end;
        Ok(None)
    }

    /// Of the two size rules the one that broke at the earlier byte speaks.
    fn check_size(&self, end: usize, limits: &Limits) -> Result<(), Refusal> {
        let line_bound = self.line_start + limits.max_line;
        if end > line_bound && line_bound <= limits.max_head {
            return Err(match self.lines {
                0 => Refusal::limit(414, "the request line is too long", "max_line"),
                _ => Refusal::limit(431, "a header line is too long", "max_line"),
            });
        }
        if end > limits.max_head {
            return Err(Refusal::limit(431, "the request head is too large", "max_head"));
        }
        Ok(())
    }
}

/// The request line must end in a version we speak. Checked early, so HTTP/0.9 does not wait for a timeout.
fn check_version(line: &[u8]) -> Result<(), Refusal> {
    match line
        .strip_suffix(b"\r\n")
        .and_then(<[u8]>::split_last_chunk::<9>)
        .map(|(_, version)| version)
    {
        Some(b" HTTP/1.1" | b" HTTP/1.0") => Ok(()),
        Some([b' ', b'H', b'T', b'T', b'P', b'/', b'2'..=b'9', b'.', b'0'..=b'9']) => Err(Refusal {
            status: 505,
            reason: "this version of HTTP is not spoken here",
            setting: None,
        }),
        _ => Err(Refusal::bad("malformed request line or HTTP version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";

    #[test]
    fn a_head_is_found_however_it_is_split() {
        let limits = Limits::default();
        let mut drip = HeadScan::default();
        for end in 0..27 {
            assert_eq!(drip.advance(&GET[..end], &limits), Ok(None), "{end}");
        }
        let whole = Some(Extent { len: 27, fields: 1 });
        assert_eq!(drip.advance(GET, &limits), Ok(whole));
        assert_eq!(HeadScan::default().advance(GET, &limits), Ok(whole));
    }

    #[test]
    fn the_rule_that_breaks_first_speaks() {
        let limits = Limits {
            max_line: 64,
            max_head: 100,
            ..Limits::default()
        };
        let setting = |bytes: &[u8]| HeadScan::default().advance(bytes, &limits).unwrap_err();
        assert_eq!(setting(&[b'G'; 65]).status, 414);
        let line = [b"GET / HTTP/1.1\r\n".to_vec(), vec![b'a'; 200]].concat();
        assert_eq!(setting(&line).setting, Some("max_line"));
        let head = [b"GET / HTTP/1.1\r\n".to_vec(), b"a: b\r\n".repeat(60)].concat();
        assert_eq!(setting(&head).setting, Some("max_head"));
    }
}
