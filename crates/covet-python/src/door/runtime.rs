//! What the engine asks of its surroundings, answered by the asyncio loop and Python's loggers.

use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use covet_engine::{AccessRecord, Address, Held, Peer, Record, Runtime};

use super::access::note;
use super::journal::log;
use super::site::Site;
use crate::object::driver::Driver;
use crate::object::ffi;

/// The runtime of one server.
pub(crate) struct LoopRuntime {
    pub(crate) driver: Rc<Driver>,
    pub(crate) site: Rc<Site>,
}

impl LoopRuntime {
    fn note(&self, level: &str, what: &str) {
        ffi::attached(|py| log(py, level, what));
    }
}

impl Runtime for LoopRuntime {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn unix_time(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }

    fn rearm(&self) {
        self.driver.rearm();
    }

    fn wake_after(&self, delay: Duration) {
        self.driver.wake_after(delay);
    }

    fn log(&self, record: &Record<'_>) {
        match record {
            Record::Refused { peer, refusal } => {
                let setting = refusal
                    .setting
                    .map(|name| format!(" ({name})"))
                    .unwrap_or_default();
                let text = format!(
                    "{} refused {}: {}{setting}",
                    refusal.status,
                    name(peer),
                    refusal.reason
                );
                self.note("warning", &text);
            }
            Record::Overloaded(limit) => {
                self.note(
                    "warning",
                    &format!("more than {limit} requests in progress (limit_concurrency): 503"),
                );
            }
            Record::Failed(what) => self.note("error", what),
            Record::OutOfDescriptors => {
                self.note("error", "no file descriptors left (ulimit -n); accepting pauses");
            }
        }
    }

    fn access(&self, record: &AccessRecord<'_>) {
        if let Some(access) = self.site.access() {
            ffi::attached(|py| note(py, access, &self.site.options.proxies, record));
        }
    }

    fn drained(&self, _held: &[Held]) {
        ffi::attached(|py| self.site.engine_drained(py));
    }
}

fn name(peer: &Peer) -> String {
    match &peer.remote {
        Address::Tcp(socket) => socket.to_string(),
        Address::Unix(_) => "a client on the unix socket".to_owned(),
        Address::Unknown => "a client".to_owned(),
    }
}
