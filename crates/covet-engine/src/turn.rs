//! A connection's turn: it is out of the table, everything that can go on does, and then it rests again.
//! Turns never nest: what an endpoint, a stream or a waker orders meanwhile waits in a queue.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use covet_http::{Body, Refusal, ResponseHead, response};

use crate::connection::{Connection, Deadline, Phase};
use crate::exchange::{Answer, Exchange, Intake};
use crate::hub::Hub;
use crate::runtime::Record;
use crate::slots::Key;

/// Requests of one connection in one turn; the next turn comes after everybody else's.
const REQUESTS: u32 = 2;
/// Steps in one turn, so that a stream that is always ready cannot keep the thread.
const STEPS: u32 = 64;
/// Pipelined answers gathered before they are written, unless there are so many bytes.
const GATHER_ANSWERS: u32 = 16;
const GATHER_BYTES: usize = 16 << 10;

/// What an endpoint ordered through its reply.
pub(crate) struct Command {
    pub(crate) key: Key,
    pub(crate) id: u64,
    pub(crate) order: Order,
}

pub(crate) enum Order {
    Send(ResponseHead, Body),
    Inform(u16, Vec<(Bytes, Bytes)>),
    /// The reply was dropped.
    Abandon,
}

/// What to do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something changed: look again.
    Again,
    /// Nothing can be done until something happens.
    Wait,
    /// There is more to do, after others had their turn.
    Yield,
    /// The connection is over.
    Gone,
}

/// The work on one connection.
pub(crate) struct Turn<'a> {
    pub(crate) hub: &'a Rc<Hub>,
    pub(crate) connection: &'a mut Connection,
    pub(crate) now: Instant,
    pub(crate) requests: u32,
}

impl Hub {
    /// Gives a connection its turn, now.
    pub(crate) fn turn(self: &Rc<Self>, key: Key) {
        let taken = self.slots.borrow_mut().take(key);
        let Some(mut connection) = taken else {
            return self.forget_commands(key);
        };
        let now = self.clock.get();
        let mut turn = Turn {
            hub: self,
            connection: &mut connection,
            now,
            requests: REQUESTS,
        };
        match catch_unwind(AssertUnwindSafe(|| turn.run())) {
            Ok(Step::Gone) => self.dispose(connection),
            Ok(Step::Yield) => {
                self.rest(connection);
                self.schedule(key);
            }
            Ok(_) => self.rest(connection),
            Err(panic) => {
                self.log_panic(panic.as_ref());
                self.last_words(&mut connection);
                self.dispose(connection);
            }
        }
    }

    /// Puts a connection back with as little memory as it needs.
    fn rest(&self, mut connection: Box<Connection>) {
        if connection.inbound.is_empty() {
            connection.inbound = bytes::BytesMut::new();
        }
        if connection.outbound.tail.is_empty() {
            self.return_tail(std::mem::take(&mut connection.outbound.tail));
        }
        if let Some((at, _)) = connection.deadline(&self.limits, self.drain.since()) {
            if connection.timer.is_none_or(|timer| at < timer) {
                connection.timer = Some(at);
                self.remind(connection.key, at);
            }
        }
        self.slots.borrow_mut().put(connection);
    }

    /// Ends a connection. Whoever waits for its request learns that the client is gone.
    pub(crate) fn dispose(self: &Rc<Self>, mut connection: Box<Connection>) {
        let _ = self.driver.borrow_mut().remove(connection.stream.source());
        let left = connection.eof || connection.hup || connection.dead;
        if let Some(exchange) = &mut connection.exchange {
            if !exchange.replying {
                self.tally.end();
            }
            if exchange.status == 0 && left {
                exchange.status = CLIENT_LEFT;
            }
            if exchange.status != 0 {
                self.record(&connection.peer, exchange);
            }
        }
        let (_, watchers, label) = self.slots.borrow_mut().remove(connection.key);
        for watcher in watchers {
            watcher.wake();
        }
        drop(label);
        drop(connection);
    }

    /// Takes the next order for a connection.
    fn next_command(&self, key: Key) -> Option<Command> {
        let mut commands = self.commands.borrow_mut();
        let index = commands.iter().position(|command| command.key == key)?;
        commands.remove(index)
    }

    /// The connection is gone: orders for it only end the count.
    fn forget_commands(&self, key: Key) {
        while let Some(command) = self.next_command(key) {
            self.forget(command);
        }
    }

    /// An order that came too late only ends the count.
    pub(crate) fn forget(&self, command: Command) {
        if !matches!(command.order, Order::Inform(..)) {
            self.tally.end();
        }
        drop(command);
    }

    pub(crate) fn log_panic(&self, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        self.runtime
            .log(&Record::Failed(format!("a panic was contained: {text}").into()));
    }

    /// After a panic: a 500 if nothing of an answer was written.
    fn last_words(&self, connection: &mut Connection) {
        let silent = |exchange: &Exchange| matches!(exchange.answer, Answer::Waiting);
        if connection.exchange.as_ref().is_some_and(silent) {
            response::write_refusal(&mut connection.outbound.tail, &FAILURE, &self.date.get());
            if let Some(exchange) = &mut connection.exchange {
                exchange.status = FAILURE.status;
            }
            let _ = connection.outbound.write(&mut connection.stream);
        }
    }
}

/// The status of a request, in the access log only, whose client left before it was answered. No standard has one;
/// this is nginx's.
const CLIENT_LEFT: u16 = 499;

/// What a client is told when the application failed.
pub(crate) const FAILURE: Refusal = Refusal {
    status: 500,
    reason: "Internal Server Error",
    setting: None,
};

impl Turn<'_> {
    fn run(&mut self) -> Step {
        if self.connection.outbound.tail.capacity() == 0 {
            self.connection.outbound.tail = self.hub.lend_tail();
        }
        let mut step = Step::Yield;
        for _ in 0..STEPS {
            step = self.step();
            if step == Step::Wait {
                step = self.flush_and_check();
            }
            if step != Step::Again {
                break;
            }
            step = Step::Yield;
        }
        if step == Step::Yield && !self.may_gather() && self.flush() == Step::Gone {
            step = Step::Gone;
        }
        step
    }

    fn step(&mut self) -> Step {
        self.obey();
        match self.connection.phase {
            Phase::Open if self.connection.exchange.is_some() => self.serve(),
            Phase::Open => self.idle(),
            Phase::Closing => self.closing(),
            Phase::Lingering { until, left } => self.linger(until, left),
        }
    }

    /// Whether answers may wait for those of the requests behind them.
    fn may_gather(&self) -> bool {
        let outbound = &self.connection.outbound;
        self.connection.exchange.is_none()
            && outbound.answers < GATHER_ANSWERS
            && outbound.len() < GATHER_BYTES
    }

    /// Nothing more to do: write what there is, then see whether time is up.
    fn flush_and_check(&mut self) -> Step {
        if self.flush() == Step::Gone {
            return Step::Gone;
        }
        if !std::mem::take(&mut self.connection.due) {
            return Step::Wait;
        }
        match self.connection.deadline(&self.hub.limits, self.hub.drain.since()) {
            Some((at, what)) if at <= self.now => self.overdue(what),
            _ => Step::Wait,
        }
    }

    fn overdue(&mut self, what: Deadline) -> Step {
        match what {
            Deadline::Stalled => {
                self.connection.stream.give_up();
                return Step::Gone;
            }
            Deadline::Close => return Step::Gone,
            Deadline::Leave => return self.leave(),
            Deadline::Refuse(refusal) => self.break_request(refusal, None),
            Deadline::Stop => {
                self.connection.last = true;
                self.end_exchange();
            }
        }
        Step::Again
    }

    /// Carries out what was ordered for this connection.
    fn obey(&mut self) {
        if self.hub.commands.borrow().is_empty() {
            return;
        }
        while let Some(command) = self.hub.next_command(self.connection.key) {
            let current = self
                .connection
                .exchange
                .as_mut()
                .filter(|exchange| exchange.id == command.id);
            let Some(exchange) = current.filter(|exchange| exchange.replying) else {
                self.hub.forget(command);
                continue;
            };
            match command.order {
                Order::Inform(status, headers) => self.inform(status, &headers),
                Order::Send(head, body) => {
                    exchange.replying = false;
                    self.answer(head, body);
                }
                Order::Abandon => {
                    exchange.replying = false;
                    self.fail();
                }
            }
        }
    }

    /// One step of a request in progress.
    fn serve(&mut self) -> Step {
        let connection = &mut *self.connection;
        let Some(exchange) = &mut connection.exchange else {
            return Step::Again;
        };
        let taking = match &exchange.intake {
            Intake::Over => false,
            Intake::Feed(feed) => !feed.sender.is_closed(),
            Intake::Collect(_) | Intake::Discard { .. } => true,
        };
        if connection.dead && !(taking && connection.readable) {
            return Step::Gone;
        }
        if !exchange.lost && !taking && (connection.eof || connection.hup) {
            exchange.lost = true;
            let watchers = self.hub.slots.borrow_mut().lose(connection.key);
            for watcher in watchers {
                watcher.wake();
            }
            return Step::Again;
        }
        if taking {
            let step = self.take_in();
            if step != Step::Wait {
                return step;
            }
        }
        match self.connection.exchange.as_ref().map(|exchange| &exchange.answer) {
            Some(Answer::Stream(..)) => self.pump(),
            Some(Answer::Done) => self.finish(),
            Some(Answer::Waiting) | None => Step::Wait,
        }
    }

    /// Writes what is left, then says the end.
    fn closing(&mut self) -> Step {
        match self.flush() {
            Step::Again => {}
            other => return other,
        }
        if self.connection.eof || self.connection.dead {
            return Step::Gone;
        }
        self.connection.stream.finish();
        self.connection.inbound.clear();
        self.connection.phase = Phase::Lingering {
            until: self.now
                + if self.connection.last {
                    LINGER
                } else {
                    LINGER_UNASKED
                },
            left: LINGER_BYTES,
        };
        Step::Again
    }

    /// Writes the outbound buffer. `Again` when it is empty, `Wait` when the client is slow.
    pub(crate) fn flush(&mut self) -> Step {
        let connection = &mut *self.connection;
        if connection.outbound.is_empty() {
            return Step::Again;
        }
        if connection.writable {
            match connection.outbound.write(&mut connection.stream) {
                Ok(true) => return Step::Again,
                Ok(false) => connection.writable = false,
                Err(_) => return Step::Gone,
            }
        }
        connection.outbound.stalled.get_or_insert(self.now);
        Step::Wait
    }
}

/// How long, and how many bytes, a client may still send after the last answer; and how long where the end comes
/// unasked between two requests.
const LINGER: std::time::Duration = std::time::Duration::from_secs(2);
const LINGER_UNASKED: std::time::Duration = std::time::Duration::from_millis(500);
const LINGER_BYTES: usize = 16 << 20;
