//! One pass: what is ready gets its turn, within a budget; what is left asks for another pass.
//! Also the small sibling of a pass, for a reply that is sent while nobody works.

use std::rc::Rc;
use std::time::Duration;

use crate::driver::Ready;
use crate::hub::Hub;
use crate::runtime::Record;

/// Requests dispatched in one pass.
pub(crate) const DISPATCHES: u32 = 64;
/// A pass ends after this time, which is looked at after so many turns.
const SLICE: Duration = Duration::from_millis(1);
const GLANCE: u32 = 8;

/// Marks the hub as busy for its lifetime.
struct Busy<'a>(&'a Hub);

impl<'a> Busy<'a> {
    fn enter(hub: &'a Hub) -> Self {
        hub.busy.set(true);
        hub.dispatched.set(0);
        Self(hub)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}

impl Hub {
    /// What `Engine::on_ready` does.
    pub(crate) fn pass(self: &Rc<Self>) {
        self.armed.set(false);
        if self.busy.get() {
            self.again.set(true);
            return;
        }
        if self.closed.get() {
            return;
        }
        let busy = Busy::enter(self);
        self.tick();
        self.collect();
        self.begin_drain();
        self.work();
        self.accept();
        self.end_drain();
        drop(busy);
        self.leave();
    }

    /// Runs `work` while nobody else works, then what was ordered meanwhile.
    pub(crate) fn enter(self: &Rc<Self>, work: impl FnOnce(&Rc<Self>)) {
        let busy = Busy::enter(self);
        self.tick();
        work(self);
        self.carry_out();
        self.end_drain();
        drop(busy);
        self.leave();
    }

    /// What every worker does last.
    fn leave(self: &Rc<Self>) {
        if self.closed.get() {
            self.shut();
            return;
        }
        let left = !self.run.borrow().is_empty()
            || !self.next.borrow().is_empty()
            || !self.commands.borrow().is_empty()
            || self.door.borrow().is_waiting(self.clock.get());
        if self.again.replace(false) || left {
            self.rearm();
        }
    }

    /// Asks the driver, the other threads and the wheel who wants a turn.
    fn collect(&self) {
        let mut ready = self.ready.take();
        let polled = self.driver.borrow_mut().poll(&mut ready);
        match polled {
            Ok(false) => {}
            Ok(true) => self.again.set(true),
            Err(error) => self
                .runtime
                .log(&Record::Failed(format!("cannot poll: {error}").into())),
        }
        for event in ready.drain(..) {
            self.notice(event);
        }
        self.ready.set(ready);
        let woken = std::mem::take(&mut *self.next.borrow_mut());
        self.run.borrow_mut().extend(woken);
        for key in self.inbox.collect() {
            self.schedule(key);
        }
        self.expire();
    }

    /// Slots are not given to new connections before the pass accepts, so an event always finds its own.
    fn notice(&self, event: Ready) {
        if self.door.borrow_mut().knock(event.token) {
            return;
        }
        let mut slots = self.slots.borrow_mut();
        let Some(key) = slots.key_at(event.token) else {
            return;
        };
        let Some(connection) = slots.peek(key) else { return };
        let readable = event.readable || event.read_closed || event.write_closed;
        connection.readable |= readable;
        connection.writable |= event.writable;
        connection.hup |= event.read_closed;
        connection.dead |= event.write_closed;
        // Room to write is no news to a connection that has nothing to write.
        let news = readable || !connection.outbound.is_empty();
        if news && slots.enqueue(key) {
            drop(slots);
            self.run.borrow_mut().push_back(key);
        }
    }

    fn expire(&self) {
        let mut due = Vec::new();
        let now = self.clock.get();
        self.wheel.borrow_mut().expire(now, &mut due);
        for key in due {
            if let Some(connection) = self.slots.borrow_mut().peek(key) {
                connection.timer = None;
                connection.due = true;
            }
            self.schedule(key);
        }
        if self.alarm.get().is_some_and(|alarm| alarm <= now) {
            self.alarm.set(None);
            let next = self.wheel.borrow().next();
            if let Some(at) = next {
                self.alarm_at(at);
            }
        }
    }

    /// Gives turns until nobody wants one or the budget is spent.
    fn work(self: &Rc<Self>) {
        let start = self.clock.get();
        let mut turns = 0u32;
        loop {
            self.carry_out();
            if self.dispatched.get() >= DISPATCHES {
                return;
            }
            let key = self.run.borrow_mut().pop_front();
            let Some(key) = key else { return };
            self.turn(key);
            turns = turns.wrapping_add(1);
            if turns % GLANCE == 0 && self.runtime.now().saturating_duration_since(start) >= SLICE {
                return self.carry_out();
            }
        }
    }

    /// Carries out what was ordered for connections whose turn it was not. What those turns order in their
    /// turn is included, up to a bound.
    fn carry_out(self: &Rc<Self>) {
        for _ in 0..DISPATCHES {
            let key = self.commands.borrow().front().map(|command| command.key);
            match key {
                Some(key) => self.turn(key),
                None => return,
            }
        }
    }

    /// An endpoint's order: carried out now if nobody works.
    pub(crate) fn command(self: &Rc<Self>, command: crate::turn::Command) {
        self.commands.borrow_mut().push_back(command);
        if !self.busy.get() {
            // A closed engine has no connections: its orders are forgotten.
            self.enter(|_| {});
        }
    }
}
