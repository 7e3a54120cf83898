//! The end: a drain that loses nothing and takes no longer than its deadline, and the cut that follows.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use crate::hub::Hub;
use crate::runtime::Held;
use crate::slots::Key;

/// How far a drain is.
#[derive(Default)]
pub(crate) struct Drain {
    since: Cell<Option<Instant>>,
    begun: Cell<bool>,
    over: Cell<bool>,
}

impl Drain {
    pub(crate) fn is_on(&self) -> bool {
        self.since.get().is_some()
    }

    /// When it was ordered.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since.get()
    }
}

impl Hub {
    /// Orders the drain. It begins with the next pass, which first reads what has arrived already.
    pub(crate) fn drain(&self) {
        if !self.drain.is_on() {
            self.drain.since.set(Some(self.runtime.now()));
            self.rearm();
        }
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.drain.over.get()
    }

    /// Closes the door and has every connection look at the time again: idle ones have little left.
    pub(crate) fn begin_drain(self: &Rc<Self>) {
        let Some(since) = self.drain.since() else {
            return;
        };
        if self.drain.begun.replace(true) {
            return;
        }
        self.close_door(true);
        let keys = self.slots.borrow().keys();
        for key in keys {
            if let Some(connection) = self.slots.borrow_mut().peek(key) {
                connection.due = true;
            }
            self.schedule(key);
        }
        self.remind(Key::ENGINE, since + self.limits.drain);
    }

    /// Ends the drain when nothing is left, or when time is up.
    pub(crate) fn end_drain(self: &Rc<Self>) {
        let Some(since) = self.drain.since() else {
            return;
        };
        if !self.drain.begun.get() || self.drain.over.get() {
            return;
        }
        let idle = self.slots.borrow().len() == 0 && self.tally.in_progress.get() == 0;
        if !idle && self.clock.get() < since + self.limits.drain {
            return;
        }
        self.drain.over.set(true);
        let held = self.held();
        self.cut();
        self.runtime.drained(&held);
    }

    /// The requests that are still in progress.
    fn held(&self) -> Vec<Held> {
        let now = self.clock.get();
        let mut slots = self.slots.borrow_mut();
        let mut held = Vec::new();
        for key in slots.keys() {
            let label = slots.labelled(key);
            let exchange = slots
                .peek(key)
                .and_then(|connection| connection.exchange.as_ref());
            if let Some(exchange) = exchange {
                held.push(Held {
                    id: exchange.id,
                    method: exchange.method.as_str().to_owned(),
                    label,
                    age: now.saturating_duration_since(exchange.started),
                });
            }
        }
        held
    }

    /// Ends every connection.
    fn cut(self: &Rc<Self>) {
        let keys = self.slots.borrow().keys();
        for key in keys {
            let connection = self.slots.borrow_mut().take(key);
            if let Some(connection) = connection {
                self.dispose(connection);
            }
        }
    }

    /// Orders the end. Carried out at once, or by whoever works when they are done.
    pub(crate) fn close(self: &Rc<Self>) {
        self.closed.set(true);
        if !self.busy.get() {
            self.shut();
        }
    }

    /// Ends everything.
    pub(crate) fn shut(self: &Rc<Self>) {
        self.busy.set(true);
        self.close_door(false);
        self.cut();
        loop {
            let command = self.commands.borrow_mut().pop_front();
            match command {
                Some(command) => self.forget(command),
                None => break,
            }
        }
        self.run.borrow_mut().clear();
        self.next.borrow_mut().clear();
        self.busy.set(false);
    }
}
