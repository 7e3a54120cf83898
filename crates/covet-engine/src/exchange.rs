//! One request on its way through the engine: how far its body came in and its answer went out.
//! Lives in the connection from the complete head to the complete answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use covet_http::channel::BodySender;
use covet_http::{BodyStream, Framing, Headers, Limits, Method, Refusal, RequestHead, ResponseHead};

use crate::settings::Settings;

/// Under this name clients, proxies and applications agree on what a request is called.
const REQUEST_ID: &[u8] = b"x-request-id";

/// A request in progress.
pub(crate) struct Exchange {
    /// Counted from 1 in this engine.
    pub(crate) id: u64,
    pub(crate) method: Method,
    pub(crate) minor: u8,
    /// The client wants to go on after this request.
    pub(crate) keep_alive: bool,
    /// The client waits for `100 Continue`.
    pub(crate) expects: bool,
    /// Body bytes that were not decoded yet, when the client said how many.
    pub(crate) owed: Option<u64>,
    /// Somebody holds a `Reply` for it.
    pub(crate) replying: bool,
    /// The endpoint was told that the client is gone.
    pub(crate) lost: bool,
    /// Middlewares that the answer must leave through.
    pub(crate) entered: usize,
    /// The head as those middlewares left it on the way in; `None` without any.
    pub(crate) request: Option<Box<RequestHead>>,
    pub(crate) intake: Intake,
    pub(crate) answer: Answer,
    /// The answer is a stream of events: it has no end of its own, and its client comes back after one.
    pub(crate) events: bool,
    pub(crate) started: Instant,
    /// `None` without an access log.
    pub(crate) logged: Option<Box<Logged>>,
    pub(crate) status: u16,
    /// Body bytes answered.
    pub(crate) sent: u64,
}

impl Exchange {
    /// A request whose head is complete.
    pub(crate) fn new(id: u64, head: &RequestHead, settings: &Settings, now: Instant) -> Self {
        Self {
            id,
            method: head.method.clone(),
            minor: head.minor,
            keep_alive: head.keep_alive,
            expects: head.expect_continue,
            owed: match head.framing {
                Framing::Length(length) => Some(length),
                Framing::None | Framing::Chunked => None,
            },
            replying: false,
            lost: false,
            entered: settings.middleware.len(),
            request: None,
            intake: Intake::Over,
            answer: Answer::Waiting,
            events: false,
            started: now,
            logged: settings.access_log.then(|| Logged::new(head)),
            status: 0,
            sent: 0,
        }
    }

    /// Body bytes were decoded.
    pub(crate) fn owe_less(&mut self, bytes: usize) {
        self.owed = self.owed.map(|owed| owed.saturating_sub(bytes as u64));
    }
}

/// What the access log wants to know of a request that the endpoint has taken.
pub(crate) struct Logged {
    pub(crate) target: Bytes,
    pub(crate) headers: Headers,
    /// What the answer calls the request.
    pub(crate) request_id: Option<Bytes>,
}

impl Logged {
    fn new(head: &RequestHead) -> Box<Self> {
        Box::new(Self {
            target: head.target.clone(),
            headers: head.headers.clone(),
            request_id: None,
        })
    }

    /// Takes the name that the application, or a middleware of it, gave the request.
    pub(crate) fn answered(&mut self, head: &ResponseHead) {
        self.request_id = head
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(REQUEST_ID))
            .map(|(_, value)| value.clone());
    }

    /// The application's name for the request, or else the client's.
    pub(crate) fn request_id(&self) -> Option<&[u8]> {
        self.request_id
            .as_deref()
            .or_else(|| self.headers.get(REQUEST_ID))
    }
}

/// Where the request body goes.
pub(crate) enum Intake {
    /// It was read to its end, or there was none.
    Over,
    /// Collected for a call that has not been made.
    Collect(Box<Collection>),
    /// Pulled by whoever got the stream.
    Feed(Feed),
    /// Nobody wants it: read up to so many bytes until then, to keep the connection.
    Discard { left: u64, until: Instant },
}

/// A body in memory.
pub(crate) struct Collection {
    pub(crate) head: Box<RequestHead>,
    /// The first piece as it came: usually the whole body.
    pub(crate) first: Bytes,
    /// All pieces, once there is a second one.
    pub(crate) body: BytesMut,
    pub(crate) pace: Pace,
}

/// A collected body reserves so much before its bytes are there.
const RESERVE: u64 = 1 << 20;

impl Collection {
    pub(crate) fn new(head: Box<RequestHead>, now: Instant) -> Self {
        let mut pace = Pace::new(now);
        pace.wait(now);
        Self {
            head,
            first: Bytes::new(),
            body: BytesMut::new(),
            pace,
        }
    }

    pub(crate) fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() && self.body.is_empty() {
            self.first = piece;
            return;
        }
        if self.body.is_empty() {
            let expected = match self.head.framing {
                Framing::Length(length) => length.min(RESERVE) as usize,
                Framing::None | Framing::Chunked => self.first.len() + piece.len(),
            };
            self.body.reserve(expected);
            self.body.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.body.extend_from_slice(&piece);
    }

    pub(crate) fn whole(self) -> (Box<RequestHead>, Bytes) {
        (
            self.head,
            if self.body.is_empty() {
                self.first
            } else {
                self.body.freeze()
            },
        )
    }
}

/// The engine's end of a streamed request body.
pub(crate) struct Feed {
    pub(crate) sender: BodySender,
    /// The reader waits for a piece.
    pub(crate) wanted: Rc<Cell<bool>>,
    pub(crate) pace: Pace,
}

/// How far the answer is.
pub(crate) enum Answer {
    /// The endpoint has not answered.
    Waiting,
    /// Pieces are pulled from the stream.
    Stream(Box<dyn BodyStream>, Frame),
    /// Every byte is in the outbound buffer.
    Done,
}

/// How a streamed answer is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// So many bytes are still owed.
    Known(u64),
    Chunked,
    UntilClose,
}

/// How fast a body comes, counted only while somebody waits for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    received: u64,
    waited: Duration,
    waiting: Option<Instant>,
    last: Instant,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
            last: now,
        }
    }

    /// Somebody waits for the body from now on.
    pub(crate) fn wait(&mut self, now: Instant) {
        if self.waiting.is_none() {
            self.waiting = Some(now);
            self.last = now;
        }
    }

    /// Nobody waits any more.
    pub(crate) fn pause(&mut self, now: Instant) {
        if let Some(since) = self.waiting.take() {
            self.waited += now.saturating_duration_since(since);
        }
    }

    pub(crate) fn receive(&mut self, bytes: usize, now: Instant) {
        self.received = self.received.saturating_add(bytes as u64);
        self.last = now;
    }

    /// When the client will have been too slow if nothing more comes, and what it is told then.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<(Instant, Refusal)> {
        let since = self.waiting?;
        let idle = self.last + limits.body_idle_timeout;
        let earned = self
            .received
            .checked_div(limits.body_min_rate)
            .map(Duration::from_secs);
        let allowed = earned.map(|earned| earned.max(limits.body_rate_grace).saturating_sub(self.waited));
        match allowed.and_then(|allowed| since.checked_add(allowed)) {
            Some(slow) if slow < idle => Some((slow, Refusal::BODY_RATE)),
            _ => Some((idle, Refusal::BODY_TIMEOUT)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn nobody_waiting_means_no_deadline() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.deadline(&Limits::default()), None);
        pace.wait(start);
        pace.pause(start + SECOND);
        assert_eq!(pace.deadline(&Limits::default()), None);
    }

    #[test]
    fn a_trickle_is_too_slow_after_the_grace() {
        let start = Instant::now();
        let limits = Limits::default();
        let mut pace = Pace::new(start);
        pace.wait(start);
        assert_eq!(
            pace.deadline(&limits),
            Some((start + SECOND * 10, Refusal::BODY_RATE))
        );
        pace.receive(1_000, start + SECOND);
        assert_eq!(
            pace.deadline(&limits),
            Some((start + SECOND * 10, Refusal::BODY_RATE))
        );
        pace.receive(9_000, start + SECOND * 2);
        assert_eq!(
            pace.deadline(&limits),
            Some((start + SECOND * 20, Refusal::BODY_RATE))
        );
    }

    #[test]
    fn a_fast_client_may_pause_only_so_long() {
        let start = Instant::now();
        let limits = Limits::default();
        let mut pace = Pace::new(start);
        pace.wait(start);
        pace.receive(1_000_000, start + SECOND);
        assert_eq!(
            pace.deadline(&limits),
            Some((start + SECOND * 31, Refusal::BODY_TIMEOUT))
        );
    }

    #[test]
    fn the_handlers_own_pauses_do_not_count() {
        let start = Instant::now();
        let limits = Limits::default();
        let mut pace = Pace::new(start);
        pace.wait(start);
        pace.receive(100, start + SECOND);
        pace.pause(start + SECOND);
        pace.wait(start + SECOND * 1_000);
        assert_eq!(
            pace.deadline(&limits),
            Some((start + SECOND * 1_009, Refusal::BODY_RATE))
        );
    }
}
