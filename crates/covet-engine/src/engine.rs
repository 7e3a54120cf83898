//! The public face of the engine: make it, register its descriptor, call `on_ready`, drain it, close it.
//! All state lives in `Hub`, which replies and wakers reach without knowing the types around it.

use std::os::fd::RawFd;
use std::rc::Rc;

use covet_http::Limits;

use crate::endpoint::{Address, Endpoint};
use crate::error::Error;
pub(crate) use crate::hub::Hub;
use crate::listener::Listener;
use crate::runtime::Runtime;
use crate::settings::Settings;

/// A HTTP/1.1 server that somebody else's event loop drives. Clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    hub: Rc<Hub>,
}

/// What the engine holds and did, for introspection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Open connections.
    pub connections: usize,
    /// Requests between their head and their complete answer, or whose handler still runs.
    pub in_progress: usize,
    /// Requests ever begun; a caller that recycles by count compares this.
    pub requests: u64,
    /// Connections ever accepted.
    pub accepted: u64,
    /// Requests refused: malformed, too large, too slow, or too many at once.
    pub refused: u64,
}

impl Engine {
    /// An engine that accepts from `listeners` once `on_ready` is called. Makes descriptors, so call it in
    /// the process that will serve.
    pub fn new(
        listeners: Vec<Listener>,
        endpoint: Rc<dyn Endpoint>,
        runtime: Rc<dyn Runtime>,
        limits: Limits,
        settings: Settings,
    ) -> Result<Self, Error> {
        Ok(Self {
            hub: Hub::start(listeners, endpoint, runtime, limits, settings)?,
        })
    }

    /// The descriptor that is readable when `on_ready` has work. Remove it from the loop before `close`.
    pub fn epoll_fd(&self) -> RawFd {
        self.hub.descriptor()
    }

    /// One pass: accepts, reads, dispatches, writes and fires timers, within a budget. What is left asks for
    /// another pass through `Runtime::rearm`. Called from inside a pass it only leaves a mark.
    pub fn on_ready(&self) {
        self.hub.pass();
    }

    /// Stops accepting, ends idle connections, answers what is in progress with `connection: close`.
    /// `Runtime::drained` reports the end, which comes at the drain deadline at the latest.
    pub fn drain(&self) {
        self.hub.drain();
    }

    /// True once a drain is over.
    pub fn is_drained(&self) -> bool {
        self.hub.is_drained()
    }

    /// Cuts everything now. Replies that are still around become harmless.
    pub fn close(&self) {
        self.hub.close();
    }

    /// What the engine holds and did.
    pub fn counters(&self) -> Counters {
        self.hub.counters()
    }

    /// Where it listens; empty once it drains.
    pub fn addresses(&self) -> Vec<Address> {
        self.hub.addresses()
    }
}
