//! What the engine needs of an event loop: the time, another pass, a place for the log.
//! Implemented by the border crate (asyncio) and by tests (a plain loop with a fake clock).
//! The engine holds no borrow while it calls any of these.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use covet_http::{Headers, Refusal};

use crate::endpoint::Peer;

/// The surroundings of an engine.
pub trait Runtime {
    /// The monotonic time. Asked once a pass, and every few dispatches to keep the pass short.
    fn now(&self) -> Instant;

    /// Seconds since 1970, for the `date` header.
    fn unix_time(&self) -> u64;

    /// Asks for another `Engine::on_ready` in the loop's next turn. Calls are already coalesced.
    fn rearm(&self);

    /// Asks for an `Engine::on_ready` after `delay`, replacing the last wish. Only used where the system has
    /// no timer descriptor (elsewhere than Linux).
    fn wake_after(&self, delay: Duration) {
        let _ = delay;
    }

    /// Takes a remark for the log.
    fn log(&self, record: &Record<'_>);

    /// Takes one line of the access log; only called when `Settings::access_log` is on, before the last bytes of
    /// the answer are written.
    fn access(&self, record: &AccessRecord<'_>) {
        let _ = record;
    }

    /// The drain is over: nothing is in progress any more, or the deadline cut what `held` lists.
    fn drained(&self, held: &[Held]) {
        let _ = held;
    }
}

/// A remark for the log. The texts never contain bytes from a client.
#[derive(Debug)]
pub enum Record<'a> {
    /// A request was refused before any handler saw it, or its body was.
    Refused {
        /// Who sent it.
        peer: &'a Peer,
        /// Why; names the limit, if one refused.
        refusal: Refusal,
    },
    /// Too many requests in progress: answered 503. The number is the limit.
    Overloaded(usize),
    /// Something went wrong that an operator should see, like a panic or an answer that cannot be written.
    Failed(Cow<'a, str>),
    /// The process is out of file descriptors; accepting pauses.
    OutOfDescriptors,
}

/// One request that is over, for the access log.
#[derive(Debug)]
pub struct AccessRecord<'a> {
    /// Who asked.
    pub peer: &'a Peer,
    /// The method.
    pub method: &'a str,
    /// The raw request target.
    pub target: &'a [u8],
    /// The header fields of the request.
    pub headers: &'a Headers,
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub minor: u8,
    /// The status of the answer; 499 when the client left before there was one.
    pub status: u16,
    /// Bytes in the body of the answer, as far as it was made.
    pub bytes: u64,
    /// From the complete head to the complete answer.
    pub duration: Duration,
    /// The `x-request-id` of the answer, or else of the request.
    pub request_id: Option<&'a [u8]>,
}

/// A request that outlived the drain deadline.
#[derive(Debug, Clone)]
pub struct Held {
    /// The number of the request, counted from 1 in this engine.
    pub id: u64,
    /// Its method.
    pub method: String,
    /// What `Reply::set_label` said, usually the route.
    pub label: Option<Rc<str>>,
    /// How long it was in progress.
    pub age: Duration,
}
