//! One connection at rest: its socket, its buffers, the request in progress, and which deadline runs.
//! What happens in a turn is in `turn`, `inbound` and `answer`.

use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use covet_http::{Decoder, Limits, Refusal};

use crate::endpoint::Peer;
use crate::exchange::{Exchange, Intake};
use crate::outbound::Outbound;
use crate::slots::Key;
use crate::stream::Stream;

/// How long a draining engine still waits for a request where one is likely: on a connection that has just been
/// used, or that has brought none yet.
const DRAIN_IDLE: Duration = Duration::from_secs(1);

/// A client.
pub(crate) struct Connection {
    pub(crate) key: Key,
    pub(crate) stream: Stream,
    pub(crate) peer: Rc<Peer>,
    pub(crate) decoder: Decoder,
    /// Read and not decoded yet.
    pub(crate) inbound: BytesMut,
    pub(crate) outbound: Outbound,
    pub(crate) exchange: Option<Exchange>,
    pub(crate) phase: Phase,
    /// The socket may have something to read.
    pub(crate) readable: bool,
    /// The socket may take bytes.
    pub(crate) writable: bool,
    /// The system reported that the peer sends no more; there may still be bytes to read.
    pub(crate) hup: bool,
    /// The peer takes nothing any more.
    pub(crate) dead: bool,
    /// The last byte was read.
    pub(crate) eof: bool,
    /// The current answer is the last one.
    pub(crate) last: bool,
    /// No request has been answered yet.
    pub(crate) fresh: bool,
    /// Its deadline may have passed.
    pub(crate) due: bool,
    /// When the last request ended, or the connection began.
    pub(crate) since: Instant,
    /// When the head in progress began.
    pub(crate) head_since: Option<Instant>,
    /// The earliest entry in the wheel.
    pub(crate) timer: Option<Instant>,
    pub(crate) waker: Option<Waker>,
}

/// What a connection is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Requests and answers.
    Open,
    /// Writing what is left, then the end.
    Closing,
    /// Reading what the client still sends, so that the system does not reset the connection and destroy
    /// the last answer on its way.
    Lingering { until: Instant, left: usize },
}

/// What happens when time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// Close without a word.
    Close,
    /// The same, and whatever is on its way to a peer that takes nothing is lost.
    Stalled,
    /// End a connection that is between requests.
    Leave,
    /// Refuse the request.
    Refuse(Refusal),
    /// Give up reading a body that nobody wants.
    Stop,
}

impl Connection {
    pub(crate) fn new(key: Key, stream: Stream, peer: Peer, now: Instant) -> Self {
        Self {
            key,
            stream,
            peer: Rc::new(peer),
            decoder: Decoder::new(),
            inbound: BytesMut::new(),
            outbound: Outbound::default(),
            exchange: None,
            phase: Phase::Open,
            readable: false,
            writable: true,
            hup: false,
            dead: false,
            eof: false,
            last: false,
            fresh: true,
            due: false,
            since: now,
            head_since: None,
            timer: None,
            waker: None,
        }
    }

    /// The next moment at which something must happen although no byte moves. `draining`: since when.
    pub(crate) fn deadline(&self, limits: &Limits, draining: Option<Instant>) -> Option<(Instant, Deadline)> {
        let stalled = self
            .outbound
            .stalled
            .map(|since| (since + limits.write_stall, Deadline::Stalled));
        let other = match self.phase {
            Phase::Closing => None,
            Phase::Lingering { until, .. } => Some((until, Deadline::Close)),
            Phase::Open => match &self.exchange {
                // It waits for its client to read, not for another request.
                None if self.outbound.is_full() => None,
                None => Some(self.idle_deadline(limits, draining)),
                Some(exchange) => exchange.deadline(limits),
            },
        };
        match (stalled, other) {
            (Some(one), Some(other)) => Some(if one.0 <= other.0 { one } else { other }),
            (one, other) => one.or(other),
        }
    }

    fn idle_deadline(&self, limits: &Limits, draining: Option<Instant>) -> (Instant, Deadline) {
        if let Some(since) = self.head_since {
            let refuse = Deadline::Refuse(Refusal::HEADER_TIMEOUT);
            return (since + limits.header_timeout, refuse);
        }
        let at = match draining {
            Some(begun) if self.fresh => self.since.max(begun) + DRAIN_IDLE,
            Some(_) => self.since + DRAIN_IDLE.min(limits.keep_alive),
            None => self.since + limits.keep_alive,
        };
        (at, Deadline::Leave)
    }
}

impl Exchange {
    fn deadline(&self, limits: &Limits) -> Option<(Instant, Deadline)> {
        let refuse = |(at, refusal)| (at, Deadline::Refuse(refusal));
        match &self.intake {
            Intake::Over => None,
            Intake::Collect(collection) => collection.pace.deadline(limits).map(refuse),
            Intake::Feed(feed) => feed.pace.deadline(limits).map(refuse),
            Intake::Discard { until, .. } => Some((*until, Deadline::Stop)),
        }
    }
}
