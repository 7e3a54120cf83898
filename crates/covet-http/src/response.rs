//! The encoder: answer heads, chunks, informational answers and refusals, written into the engine's buffer.
//! Framing is decided here alone: a handler's own framing headers are checked or replaced, never trusted,
//! and a name or value that could split the answer is refused.

use bytes::{Bytes, BytesMut};

use crate::error::{Error, Kind};
use crate::framing::parse_length;
use crate::refusal::Refusal;
use crate::status::status_line;
use crate::token::{are_tokens, are_values, list};

/// Status and headers of an answer, as the application gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// Header fields in order; names in any case.
    pub headers: Vec<(Bytes, Bytes)>,
}

impl ResponseHead {
    /// An answer without header fields.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
        }
    }

    /// The first value of a header, whose name is compared without case.
    pub fn get(&self, name: &[u8]) -> Option<&Bytes> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The length the application announced, when it is a plain number.
    pub fn content_length(&self) -> Option<u64> {
        self.get(b"content-length").and_then(|value| parse_length(value))
    }

    /// True when the application asks for the connection to be closed after this answer.
    pub fn wants_close(&self) -> bool {
        let asks = |value: &Bytes| list(value).any(|member| member.eq_ignore_ascii_case(b"close"));
        self.headers
            .iter()
            .any(|(name, value)| name.eq_ignore_ascii_case(b"connection") && asks(value))
    }
}

/// How the bytes after the head are delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// There is no body. For HEAD and 304 the application's own content-length is kept.
    Empty,
    /// Exactly so many bytes follow (or would follow, to HEAD).
    Known(u64),
    /// Chunks follow: [`write_chunk`], then [`write_last_chunk`]. Not to a HTTP/1.0 client.
    Chunked,
    /// The body ends when the connection does.
    UntilClose,
}

/// What the encoder must know about the request and the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The minor version of the request.
    pub minor: u8,
    /// Whether another request may follow on this connection.
    pub keep_alive: bool,
    /// The request was HEAD: the head describes a body that is not sent.
    pub request_method_is_head: bool,
    /// The framing of the body.
    pub body: Length,
}

/// True when an answer with this status never has a body (RFC 9110, 6.4.1; of 205 15.3.6).
pub const fn is_bodiless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 205 | 304)
}

/// Writes status line and headers. Nothing is left in `out` when the answer is refused.
///
/// Adds `date` when absent, and what framing and the connection demand. The application's
/// `transfer-encoding` and `connection` are dropped (except `connection` of a 101), its `content-length`
/// is dropped when it cannot be true and refused when it contradicts [`Length::Known`].
pub fn write_head(
    out: &mut BytesMut,
    head: &ResponseHead,
    how: Delivery,
    date: &[u8; 29],
) -> Result<(), Error> {
    if how.body == Length::Chunked && how.minor == 0 && !is_bodiless(head.status) {
        return Err(Kind::Chunked.into());
    }
    let start = out.len();
    let written = write_fields(out, head, how, date);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn write_fields(
    out: &mut BytesMut,
    head: &ResponseHead,
    how: Delivery,
    date: &[u8; 29],
) -> Result<(), Error> {
    let size: usize = head
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    out.reserve(size + 160);
    write_status(out, head.status)?;
    let mut dated = head.status < 200;
    let mut lengthy = false;
    for (name, value) in &head.headers {
        match name.len() {
            4 => dated |= name.eq_ignore_ascii_case(b"date"),
            10 if name.eq_ignore_ascii_case(b"connection") && head.status != 101 => continue,
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                // Once only: two equal lengths are a smuggler's answer, whoever wrote them.
                if lengthy || !keeps_length(head.status, how, value)? {
                    continue;
                }
                lengthy = true;
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => continue,
            _ => {}
        }
        write_field(out, name, value)?;
    }
    if !dated {
        out.extend_from_slice(b"date: ");
        out.extend_from_slice(date);
        out.extend_from_slice(b"\r\n");
    }
    write_framing(out, head.status, how, lengthy);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Whether the application's content-length goes out.
fn keeps_length(status: u16, how: Delivery, value: &[u8]) -> Result<bool, Error> {
    let given = parse_length(value).ok_or(Kind::Length)?;
    match how.body {
        _ if status == 304 => Ok(true),
        _ if is_bodiless(status) => Ok(false),
        Length::Empty if how.request_method_is_head => Ok(true),
        Length::Empty if given == 0 => Ok(true),
        Length::Known(length) if length == given => Ok(true),
        Length::Empty | Length::Known(_) => Err(Kind::Length.into()),
        Length::Chunked | Length::UntilClose => Ok(false),
    }
}

fn write_framing(out: &mut BytesMut, status: u16, how: Delivery, lengthy: bool) {
    if status < 200 {
        return;
    }
    if status == 205 {
        // The one bodiless status that ends like others: without a length a client waits for the close.
        out.extend_from_slice(b"content-length: 0\r\n");
    } else if !is_bodiless(status) && !lengthy {
        match how.body {
            // To HEAD an unknown length is left out: zero would be a lie about the GET.
            Length::Empty if how.request_method_is_head => {}
            Length::Empty => out.extend_from_slice(b"content-length: 0\r\n"),
            Length::Known(length) => write_length(out, length),
            Length::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            Length::UntilClose => {}
        }
    }
    let stays = how.keep_alive && (how.body != Length::UntilClose || is_bodiless(status));
    if !stays {
        out.extend_from_slice(b"connection: close\r\n");
    } else if how.minor == 0 {
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
}

fn write_status(out: &mut BytesMut, status: u16) -> Result<(), Error> {
    if let Some(line) = status_line(status) {
        out.extend_from_slice(line);
        return Ok(());
    }
    if !(100..=999).contains(&status) {
        return Err(Kind::Status.into());
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.extend_from_slice(b" \r\n");
    Ok(())
}

fn write_length(out: &mut BytesMut, length: u64) {
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_field(out: &mut BytesMut, name: &[u8], value: &[u8]) -> Result<(), Error> {
    if name.is_empty() || !are_tokens(name) {
        return Err(Kind::Name.into());
    }
    if !are_values(value) {
        return Err(Kind::Value.into());
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Writes one chunk of a chunked body. An empty one is left out: it would end the body.
pub fn write_chunk(out: &mut BytesMut, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    out.reserve(data.len() + 20);
    write_chunk_head(out, data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Writes the size line of a chunk whose data the caller sends by itself, followed by CR LF.
pub fn write_chunk_head(out: &mut BytesMut, len: usize) {
    let mut digits = [0u8; 16];
    let mut rest = len;
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        *place = char::from_digit((rest & 15) as u32, 16).map_or(b'0', |digit| digit as u8);
        rest >>= 4;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(16 - used..).unwrap_or_default());
    out.extend_from_slice(b"\r\n");
}

/// Ends a chunked body.
pub fn write_last_chunk(out: &mut BytesMut) {
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Writes the whole answer to a refused request; the connection is closed after it.
pub fn write_refusal(out: &mut BytesMut, refusal: &Refusal, date: &[u8; 29]) {
    let setting = refusal.setting.map_or([""; 3], |name| [" (setting: ", name, ")"]);
    let length = refusal.reason.len() + setting.iter().map(|part| part.len()).sum::<usize>() + 1;
    out.extend_from_slice(status_line(refusal.status).unwrap_or(b"HTTP/1.1 400 Bad Request\r\n"));
    out.extend_from_slice(b"content-type: text/plain; charset=utf-8\r\ndate: ");
    out.extend_from_slice(date);
    out.extend_from_slice(b"\r\n");
    write_length(out, length as u64);
    out.extend_from_slice(b"connection: close\r\n\r\n");
    out.extend_from_slice(refusal.reason.as_bytes());
    for part in setting {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b"\n");
}

/// Writes an informational answer (100 to 199, not 101) that precedes the final one.
pub fn write_informational(out: &mut BytesMut, status: u16, headers: &[(Bytes, Bytes)]) -> Result<(), Error> {
    if !(100..=199).contains(&status) || status == 101 {
        return Err(Kind::Status.into());
    }
    let start = out.len();
    let mut write = || {
        write_status(out, status)?;
        headers
            .iter()
            .try_for_each(|(name, value)| write_field(out, name, value))
    };
    let written = write();
    match written {
        Ok(()) => out.extend_from_slice(b"\r\n"),
        Err(_) => out.truncate(start),
    }
    written
}
