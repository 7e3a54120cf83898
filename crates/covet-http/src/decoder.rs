//! The push decoder of one HTTP/1.1 connection: bytes go in as they arrive, events come out.
//! The engine owns the socket and the buffer and calls [`Decoder::decode`] until it asks for more bytes.
//! It is the only framing authority: what it refuses ends the connection, and it never guesses.
//!
//! Invariant: the same bytes split anywhere give the same events (pieces of a body may be cut differently).

use bytes::{Buf, Bytes, BytesMut};

use crate::chunked::{Chunked, Need};
use crate::framing::Framing;
use crate::head::{self, RequestHead};
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::scan::HeadScan;

/// What the bytes so far amount to.
#[derive(Debug)]
pub enum Event {
    /// Nothing complete: read more bytes.
    NeedMore,
    /// A request head. [`Event::End`] follows, after any number of chunks.
    Head(Box<RequestHead>),
    /// The next bytes of the body, never empty.
    Chunk(Bytes),
    /// The message is over, with or without a body.
    End,
}

/// The decoder of one connection.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    scan: HeadScan,
    /// Bytes of the head were seen, an empty line before it aside.
    started: bool,
    /// The empty line that may precede a request was seen.
    skipped: bool,
    body_limit: Option<u64>,
}

#[derive(Debug)]
enum State {
    Head,
    /// The head was given out, the body not yet looked at: the last moment to change the limit.
    Announced(Framing),
    Length(u64),
    Chunked(Chunked),
    Refused(Refusal),
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub fn new() -> Self {
        Self {
            state: State::Head,
            scan: HeadScan::default(),
            started: false,
            skipped: false,
            body_limit: None,
        }
    }

    /// Takes the next event off the front of `buf`.
    ///
    /// A refusal is final: answer it, close, and every later call repeats it.
    pub fn decode(&mut self, buf: &mut BytesMut, limits: &Limits) -> Result<Event, Refusal> {
        let outcome = match &mut self.state {
            State::Head => self.decode_head(buf, limits),
            State::Announced(framing) => {
                let framing = *framing;
                self.start_body(framing, limits).and_then(|event| match event {
                    Some(event) => Ok(event),
                    None => self.decode(buf, limits),
                })
            }
            State::Length(left) => {
                let chunk = take_data(buf, left);
                if *left == 0 && chunk.is_none() {
                    self.end();
                    return Ok(Event::End);
                }
                Ok(chunk.map_or(Event::NeedMore, Event::Chunk))
            }
            State::Chunked(_) => self.decode_chunked(buf, limits),
            State::Refused(refusal) => Err(*refusal),
        };
        if let Err(refusal) = &outcome {
            self.state = State::Refused(*refusal);
        }
        outcome
    }

    /// Replaces `max_body` for the message whose head was just given out. No effect once its body is read.
    pub fn set_body_limit(&mut self, limit: u64) {
        self.body_limit = Some(limit);
    }

    /// The peer sent its last byte: fine between messages, a refusal inside one.
    pub fn finish(&self, buf: &BytesMut) -> Result<(), Refusal> {
        match &self.state {
            State::Head if buf.is_empty() => Ok(()),
            State::Head => Err(Refusal::bad("the connection ended inside a request head")),
            State::Announced(Framing::None | Framing::Length(0)) | State::Length(0) => Ok(()),
            State::Refused(refusal) => Err(*refusal),
            _ => Err(Refusal::bad("the connection ended inside a request body")),
        }
    }

    /// True while a head has begun and is not complete (as of the last `decode`): the head deadline runs.
    pub fn in_head(&self) -> bool {
        self.started
    }

    /// True between a head and its [`Event::End`].
    pub fn in_body(&self) -> bool {
        matches!(
            self.state,
            State::Announced(_) | State::Length(_) | State::Chunked(_)
        )
    }

    fn decode_head(&mut self, buf: &mut BytesMut, limits: &Limits) -> Result<Event, Refusal> {
        if !self.skip_empty_line(buf)? {
            return Ok(Event::NeedMore);
        }
        let Some(extent) = self.scan.advance(buf, limits)? else {
            self.started |= !buf.is_empty();
            return Ok(Event::NeedMore);
        };
        let head = head::take(buf, extent)?;
        self.scan = HeadScan::default();
        self.started = false;
        self.skipped = false;
        self.body_limit = None;
        self.state = State::Announced(head.framing);
        // Boxed once: the head passes through many hands, each of which would copy it.
        Ok(Event::Head(Box::new(head)))
    }

    /// One empty line before a request is tolerated (RFC 9112, 2.2). False asks for more bytes.
    fn skip_empty_line(&mut self, buf: &mut BytesMut) -> Result<bool, Refusal> {
        if self.skipped || buf.first() != Some(&b'\r') {
            return Ok(true);
        }
        match buf.get(1) {
            Some(b'\n') => {
                buf.advance(2);
                self.skipped = true;
                Ok(true)
            }
            Some(_) => Err(Refusal::bad("the request does not start with a method")),
            None => Ok(false),
        }
    }

    fn start_body(&mut self, framing: Framing, limits: &Limits) -> Result<Option<Event>, Refusal> {
        match framing {
            Framing::None | Framing::Length(0) => {
                self.end();
                Ok(Some(Event::End))
            }
            Framing::Length(length) if length > self.body_limit(limits) => Err(Refusal::BODY_SIZE),
            Framing::Length(length) => {
                self.state = State::Length(length);
                Ok(None)
            }
            Framing::Chunked => {
                self.state = State::Chunked(Chunked::new());
                Ok(None)
            }
        }
    }

    fn decode_chunked(&mut self, buf: &mut BytesMut, limits: &Limits) -> Result<Event, Refusal> {
        let body_limit = self.body_limit(limits);
        let State::Chunked(body) = &mut self.state else {
            return Ok(Event::NeedMore);
        };
        loop {
            match body.need() {
                Need::Framing => {
                    let Some(byte) = buf.first().copied() else {
                        return Ok(Event::NeedMore);
                    };
                    body.feed(byte, limits, body_limit)?;
                    buf.advance(1);
                }
                Need::Data(mut left) => {
                    let Some(chunk) = take_data(buf, &mut left) else {
                        return Ok(Event::NeedMore);
                    };
                    body.took(chunk.len() as u64);
                    return Ok(Event::Chunk(chunk));
                }
                Need::Nothing => {
                    self.end();
                    return Ok(Event::End);
                }
            }
        }
    }

    fn body_limit(&self, limits: &Limits) -> u64 {
        self.body_limit.unwrap_or(limits.max_body)
    }

    fn end(&mut self) {
        self.state = State::Head;
    }
}

/// Takes what is there of `left` bytes, or `None` when that is nothing.
fn take_data(buf: &mut BytesMut, left: &mut u64) -> Option<Bytes> {
    let len = usize::try_from(*left).unwrap_or(usize::MAX).min(buf.len());
    if len == 0 {
        return None;
    }
    *left -= len as u64;
    Some(buf.split_to(len).freeze())
}
