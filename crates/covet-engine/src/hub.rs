//! What connections, replies and wakers share: the tables, the queues, the clock of this pass.
//! One `Hub` an engine, on one thread. Who works on it is marked `busy`; whoever comes meanwhile leaves an
//! order in a queue, which the one who works carries out.
//!
//! Invariant: every borrow ends before anything foreign (endpoint, runtime, stream, waker, drop) runs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use covet_http::{Limits, date};

use crate::accept::Door;
use crate::drain::Drain;
use crate::driver::{Driver, NestedPoll, Ready};
use crate::endpoint::{Address, Endpoint};
use crate::engine::Counters;
use crate::error::Error;
use crate::inbox::Inbox;
use crate::listener::Listener;
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::slots::{Key, Slots};
use crate::turn::Command;
use crate::wheel::Wheel;

/// Bytes read from a socket at once, into memory that all connections share.
const SCRATCH: usize = 64 << 10;
/// An outbound buffer that grew larger is not kept.
const TAIL: usize = 256 << 10;
const TICK: Duration = Duration::from_millis(100);

/// The shared state of an engine.
pub(crate) struct Hub {
    pub(crate) endpoint: Rc<dyn Endpoint>,
    pub(crate) runtime: Rc<dyn Runtime>,
    pub(crate) limits: Limits,
    pub(crate) settings: Settings,
    pub(crate) slots: RefCell<Slots>,
    pub(crate) commands: RefCell<VecDeque<Command>>,
    /// Connections that get a turn in this pass, and in the next.
    pub(crate) run: RefCell<VecDeque<Key>>,
    pub(crate) next: RefCell<VecDeque<Key>>,
    pub(crate) driver: RefCell<Box<dyn Driver>>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) wheel: RefCell<Wheel>,
    /// When the driver will ring.
    pub(crate) alarm: Cell<Option<Instant>>,
    pub(crate) door: RefCell<Door>,
    pub(crate) drain: Drain,
    pub(crate) tally: Tally,
    /// The time of this pass.
    pub(crate) clock: Cell<Instant>,
    second: Cell<u64>,
    pub(crate) date: Cell<[u8; 29]>,
    scratch: Cell<Vec<u8>>,
    tail: Cell<BytesMut>,
    pub(crate) ready: Cell<Vec<Ready>>,
    /// Somebody works: a pass, or a turn that a reply began.
    pub(crate) busy: Cell<bool>,
    /// A pass was asked for while somebody worked.
    pub(crate) again: Cell<bool>,
    /// The runtime was asked for another pass.
    pub(crate) armed: Cell<bool>,
    /// Requests dispatched in this pass.
    pub(crate) dispatched: Cell<u32>,
    pub(crate) closed: Cell<bool>,
}

/// What `Counters` reports.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) in_progress: Cell<usize>,
    pub(crate) requests: Cell<u64>,
    pub(crate) accepted: Cell<u64>,
    pub(crate) refused: Cell<u64>,
}

impl Tally {
    pub(crate) fn count(cell: &Cell<u64>) -> u64 {
        cell.set(cell.get() + 1);
        cell.get()
    }

    pub(crate) fn begin(&self) {
        self.in_progress.set(self.in_progress.get() + 1);
    }

    pub(crate) fn end(&self) {
        self.in_progress.set(self.in_progress.get().saturating_sub(1));
    }
}

impl Hub {
    pub(crate) fn start(
        listeners: Vec<Listener>,
        endpoint: Rc<dyn Endpoint>,
        runtime: Rc<dyn Runtime>,
        limits: Limits,
        settings: Settings,
    ) -> Result<Rc<Self>, Error> {
        let mut driver: Box<dyn Driver> = Box::new(NestedPoll::new().map_err(Error::io("make a poll"))?);
        let door = Door::open(listeners, driver.as_mut())?;
        let (now, second) = (runtime.now(), runtime.unix_time());
        let hub = Rc::new(Self {
            endpoint,
            runtime,
            limits,
            settings,
            slots: RefCell::default(),
            commands: RefCell::default(),
            run: RefCell::default(),
            next: RefCell::default(),
            inbox: Inbox::new(driver.bell()),
            driver: RefCell::new(driver),
            wheel: RefCell::new(Wheel::new(now, TICK)),
            alarm: Cell::new(None),
            door: RefCell::new(door),
            drain: Drain::default(),
            tally: Tally::default(),
            clock: Cell::new(now),
            second: Cell::new(second),
            date: Cell::new(date::format(second)),
            scratch: Cell::default(),
            tail: Cell::default(),
            ready: Cell::default(),
            busy: Cell::new(false),
            again: Cell::new(false),
            armed: Cell::new(false),
            dispatched: Cell::new(0),
            closed: Cell::new(false),
        });
        hub.inbox.settle(&hub);
        Ok(hub)
    }

    pub(crate) fn descriptor(&self) -> RawFd {
        self.driver.borrow().descriptor()
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            connections: self.slots.borrow().len(),
            in_progress: self.tally.in_progress.get(),
            requests: self.tally.requests.get(),
            accepted: self.tally.accepted.get(),
            refused: self.tally.refused.get(),
        }
    }

    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.door.borrow().addresses()
    }

    /// Takes the time for what follows.
    pub(crate) fn tick(&self) {
        self.clock.set(self.runtime.now());
        let second = self.runtime.unix_time();
        if self.second.replace(second) != second {
            self.date.set(date::format(second));
        }
    }

    /// Lends the read buffer. Whoever has it runs nothing foreign.
    pub(crate) fn lend_scratch(&self) -> Vec<u8> {
        let mut scratch = self.scratch.take();
        scratch.resize(SCRATCH, 0);
        scratch
    }

    pub(crate) fn return_scratch(&self, scratch: Vec<u8>) {
        self.scratch.set(scratch);
    }

    /// Lends memory for outbound bytes.
    pub(crate) fn lend_tail(&self) -> BytesMut {
        self.tail.take()
    }

    pub(crate) fn return_tail(&self, tail: BytesMut) {
        if tail.capacity() <= TAIL {
            self.tail.set(tail);
        }
    }

    /// Asks for another pass, once.
    pub(crate) fn rearm(&self) {
        if !self.closed.get() && !self.armed.replace(true) {
            self.runtime.rearm();
        }
    }

    /// Gives a connection a turn in the next pass. What wakers do.
    pub(crate) fn wake(&self, key: Key) {
        if self.slots.borrow_mut().enqueue(key) {
            self.next.borrow_mut().push_back(key);
            if !self.busy.get() {
                self.rearm();
            }
        }
    }

    /// Gives a connection a turn in this pass.
    pub(crate) fn schedule(&self, key: Key) {
        if self.slots.borrow_mut().enqueue(key) {
            self.run.borrow_mut().push_back(key);
        }
    }

    /// Has the driver ring at `at`, unless it rings before.
    pub(crate) fn alarm_at(&self, at: Instant) {
        if self.alarm.get().is_some_and(|earlier| earlier <= at) {
            return;
        }
        self.alarm.set(Some(at));
        let delay = at.saturating_duration_since(self.clock.get());
        if !self.driver.borrow_mut().alarm(delay) {
            self.runtime.wake_after(delay);
        }
    }

    /// Puts a key into the wheel.
    pub(crate) fn remind(&self, key: Key, at: Instant) {
        self.wheel.borrow_mut().insert(key, at);
        // A tick later, because the wheel gives out ticks that are over.
        self.alarm_at(at + TICK);
    }
}
