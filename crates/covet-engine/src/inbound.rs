//! The way in: bytes from the socket through the decoder, to a call of the endpoint or into a body.
//! Called by a turn; every refusal of a request comes from here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use covet_http::channel::Pressure;
use covet_http::{Body, BodyError, Event, Framing, Refusal, RequestHead, ResponseHead, response};
use covet_middleware::{Entry, StoreAnswer};

use crate::connection::Phase;
use crate::endpoint::{Admission, Request};
use crate::exchange::{Answer, Collection, Exchange, Feed, Intake, Pace};
use crate::hub::{Hub, Tally};
use crate::intake::InboundBody;
use crate::pass;
use crate::reply::Reply;
use crate::runtime::Record;
use crate::turn::{Step, Turn};

/// What a read brought.
enum Read {
    Some,
    Blocked,
    End,
    Failed,
}

impl Turn<'_> {
    /// One step between requests.
    pub(crate) fn idle(&mut self) -> Step {
        if self.connection.inbound.is_empty() {
            if self.connection.readable {
                return self.read_more();
            }
            return if self.connection.eof {
                self.conclude()
            } else {
                Step::Wait
            };
        }
        if self.requests == 0 || self.hub.dispatched.get() >= pass::DISPATCHES {
            return Step::Yield;
        }
        let connection = &mut *self.connection;
        match connection
            .decoder
            .decode(&mut connection.inbound, &self.hub.limits)
        {
            Ok(Event::Head(head)) => {
                connection.head_since = None;
                self.requests -= 1;
                self.dispatch(head);
                Step::Again
            }
            // Between requests a decoder gives nothing but heads.
            Ok(Event::Chunk(_) | Event::End) => Step::Gone,
            Ok(Event::NeedMore) if connection.readable => self.read_more(),
            Ok(Event::NeedMore) if connection.eof => self.conclude(),
            Ok(Event::NeedMore) => {
                connection.head_since.get_or_insert(self.now);
                Step::Wait
            }
            Err(refusal) => {
                self.break_request(refusal, None);
                Step::Again
            }
        }
    }

    /// The peer has sent its last byte and no request is in progress.
    fn conclude(&mut self) -> Step {
        match self.connection.decoder.finish(&self.connection.inbound) {
            Err(refusal) => self.break_request(refusal, None),
            Ok(()) => self.connection.phase = Phase::Closing,
        }
        Step::Again
    }

    /// The wait for another request is over. One that has come by now is served. One that crosses the end on its way
    /// finds the connection closed in order, not reset (RFC 9112, 9.6): its client knows that nobody has seen it.
    pub(crate) fn leave(&mut self) -> Step {
        match self.read() {
            Read::Some | Read::End => {}
            Read::Blocked => self.connection.phase = Phase::Closing,
            Read::Failed => return Step::Gone,
        }
        Step::Again
    }

    fn read_more(&mut self) -> Step {
        match self.read() {
            Read::Failed => Step::Gone,
            Read::Some | Read::Blocked | Read::End => Step::Again,
        }
    }

    /// Reads once. A short read means that the socket is drained, unless the peer has hung up: then the end
    /// may come in the same event and nobody would tell again.
    fn read(&mut self) -> Read {
        let connection = &mut *self.connection;
        let mut scratch = self.hub.lend_scratch();
        let outcome = connection.stream.read(&mut scratch);
        let read = match outcome {
            Ok(0) => {
                connection.readable = false;
                connection.eof = true;
                Read::End
            }
            Ok(len) => {
                connection.readable = len == scratch.len() || connection.hup;
                let bytes = scratch.get(..len).unwrap_or_default();
                if connection.inbound.is_empty() {
                    connection.inbound = BytesMut::from(bytes);
                } else {
                    connection.inbound.extend_from_slice(bytes);
                }
                Read::Some
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                connection.readable = false;
                Read::Blocked
            }
            Err(_) => Read::Failed,
        };
        self.hub.return_scratch(scratch);
        read
    }

    /// A complete head: from here on there is a request in progress.
    fn dispatch(&mut self, head: Box<RequestHead>) {
        let hub = Rc::clone(self.hub);
        let id = Tally::count(&hub.tally.requests);
        hub.dispatched.set(hub.dispatched.get() + 1);
        let overloaded = hub
            .settings
            .limit_concurrency
            .filter(|limit| hub.tally.in_progress.get() >= *limit);
        hub.tally.begin();
        self.connection.exchange = Some(Exchange::new(id, &head, &hub.settings, self.now));
        hub.slots.borrow_mut().begin(self.connection.key, id);
        let early = self.enter_middleware(&head);
        let admission = match (early, overloaded) {
            (Some((answer, body)), _) => Admission::Answer(answer, body),
            (None, Some(limit)) => {
                Tally::count(&hub.tally.refused);
                hub.runtime.log(&Record::Overloaded(limit));
                overload()
            }
            (None, None) => hub.endpoint.admit(&head, &self.connection.peer),
        };
        self.admit(head, admission);
    }

    /// Runs the way in of the native middleware; an early answer comes back.
    fn enter_middleware(&mut self, head: &RequestHead) -> Option<(ResponseHead, Body)> {
        let stack = &self.hub.settings.middleware;
        if stack.is_empty() {
            return None;
        }
        // No store is mounted in the engine: whoever asks is told so.
        let entry = stack.enter(head, self.now, |_| StoreAnswer::Unavailable);
        let exchange = self.connection.exchange.as_mut()?;
        exchange.request = Some(Box::new(head.clone()));
        match entry {
            Entry::Through => None,
            Entry::Answered(depth, answer, body) => {
                exchange.entered = depth;
                Some((answer, body))
            }
        }
    }

    fn admit(&mut self, head: Box<RequestHead>, admission: Admission) {
        if matches!(head.framing, Framing::None | Framing::Length(0)) {
            let connection = &mut *self.connection;
            let end = connection
                .decoder
                .decode(&mut connection.inbound, &self.hub.limits);
            debug_assert!(matches!(end, Ok(Event::End)));
            return match admission {
                Admission::Answer(answer, body) => self.answer(answer, body),
                _ => self.call(head, Body::Empty),
            };
        }
        match admission {
            Admission::Answer(answer, body) => {
                self.discard();
                self.answer(answer, body);
            }
            Admission::Buffered { max } => self.collect(head, max),
            Admission::Streaming => self.stream(head),
        }
    }

    /// Collects the body before the call.
    fn collect(&mut self, head: Box<RequestHead>, max: u64) {
        self.connection.decoder.set_body_limit(max);
        self.set_intake(Intake::Collect(Box::new(Collection::new(head, self.now))));
    }

    /// Calls at once: with the whole body if it is here already, else with a stream.
    fn stream(&mut self, head: Box<RequestHead>) {
        let connection = &mut *self.connection;
        connection.decoder.set_body_limit(u64::MAX);
        let mut pieces = Vec::new();
        let whole = loop {
            match connection
                .decoder
                .decode(&mut connection.inbound, &self.hub.limits)
            {
                Ok(Event::Chunk(piece)) => pieces.push(piece),
                Ok(Event::End) => break true,
                Ok(Event::NeedMore | Event::Head(_)) => break false,
                Err(refusal) => return self.break_request(refusal, None),
            }
        };
        if whole {
            return self.call(head, join(pieces).into());
        }
        let (sender, wanted, body) = InboundBody::open(self.hub, connection.key, head.framing);
        let mut pace = Pace::new(self.now);
        for piece in pieces {
            pace.receive(piece.len(), self.now);
            if let Some(exchange) = &mut self.connection.exchange {
                exchange.owe_less(piece.len());
            }
            sender.push(piece);
        }
        self.set_intake(Intake::Feed(Feed { sender, wanted, pace }));
        self.call(head, Body::Stream(Box::new(body)));
    }

    pub(crate) fn set_intake(&mut self, intake: Intake) {
        if let Some(exchange) = &mut self.connection.exchange {
            // Dropping the old one may wake a reader.
            drop(std::mem::replace(&mut exchange.intake, intake));
        }
    }

    fn call(&mut self, head: Box<RequestHead>, body: Body) {
        let Some(exchange) = &mut self.connection.exchange else {
            return;
        };
        exchange.replying = true;
        let peer = Rc::clone(&self.connection.peer);
        let reply = Reply::new(self.hub, self.connection.key, exchange.id, Rc::clone(&peer));
        let request = Request { head, body, peer };
        let endpoint = &self.hub.endpoint;
        // The reply dies in the panic, which answers 500.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| endpoint.call(request, reply))) {
            self.hub.log_panic(panic.as_ref());
        }
    }

    /// Moves body bytes on. `Wait` when there are none, or when nobody wants them yet.
    pub(crate) fn take_in(&mut self) -> Step {
        let now = self.now;
        let connection = &mut *self.connection;
        let Some(exchange) = &mut connection.exchange else {
            return Step::Again;
        };
        if let Intake::Feed(feed) = &mut exchange.intake {
            if feed.sender.is_closed() || !feed.wanted.get() {
                feed.pace.pause(now);
                return Step::Wait;
            }
            feed.pace.wait(now);
        }
        let event = match connection
            .decoder
            .decode(&mut connection.inbound, &self.hub.limits)
        {
            Ok(event) => event,
            Err(refusal) => {
                self.break_request(refusal, None);
                return Step::Again;
            }
        };
        match event {
            Event::Chunk(piece) => self.take_piece(piece),
            Event::End => self.body_is_over(),
            Event::NeedMore | Event::Head(_) => self.need_body(),
        }
    }

    fn take_piece(&mut self, piece: Bytes) -> Step {
        let Some(exchange) = &mut self.connection.exchange else {
            return Step::Again;
        };
        exchange.owe_less(piece.len());
        match &mut exchange.intake {
            Intake::Over => {}
            Intake::Collect(collection) => {
                collection.pace.receive(piece.len(), self.now);
                collection.push(piece);
            }
            Intake::Feed(feed) => {
                feed.pace.receive(piece.len(), self.now);
                if feed.sender.push(piece) == Pressure::Full {
                    feed.wanted.set(false);
                }
            }
            Intake::Discard { left, .. } => match left.checked_sub(piece.len() as u64) {
                Some(rest) => *left = rest,
                None => return self.stop_reading(),
            },
        }
        Step::Again
    }

    /// The rest of an unwanted body is too much: the connection ends instead.
    fn stop_reading(&mut self) -> Step {
        self.connection.last = true;
        self.set_intake(Intake::Over);
        Step::Again
    }

    fn body_is_over(&mut self) -> Step {
        let Some(exchange) = &mut self.connection.exchange else {
            return Step::Again;
        };
        match std::mem::replace(&mut exchange.intake, Intake::Over) {
            Intake::Collect(collection) => {
                let (head, body) = collection.whole();
                self.call(head, body.into());
            }
            Intake::Feed(feed) => feed.sender.finish(),
            Intake::Over | Intake::Discard { .. } => {}
        }
        Step::Again
    }

    /// The decoder has no more bytes: ask the client, or the socket, for some.
    fn need_body(&mut self) -> Step {
        let connection = &mut *self.connection;
        if connection.eof {
            let refusal = connection
                .decoder
                .finish(&connection.inbound)
                .err()
                .unwrap_or(Refusal::BODY_TIMEOUT);
            self.break_request(refusal, Some(BodyError::Disconnected));
            return Step::Again;
        }
        let Some(exchange) = &mut connection.exchange else {
            return Step::Again;
        };
        let wanted = match &exchange.intake {
            // One piece is enough for the reader to go on; it pulls again.
            Intake::Feed(feed) => feed.sender.unread() == 0,
            _ => true,
        };
        if !wanted {
            if let Intake::Feed(feed) = &mut exchange.intake {
                feed.wanted.set(false);
                feed.pace.pause(self.now);
            }
            return Step::Wait;
        }
        if exchange.expects && matches!(exchange.answer, Answer::Waiting) {
            exchange.expects = false;
            let continued = response::write_informational(&mut connection.outbound.tail, 100, &[]);
            debug_assert!(continued.is_ok());
        }
        if connection.readable {
            self.read_more()
        } else {
            Step::Wait
        }
    }

    /// The request cannot be served: malformed, too large or too slow. Says so unless an answer has begun.
    pub(crate) fn break_request(&mut self, refusal: Refusal, error: Option<BodyError>) {
        let hub = self.hub;
        Tally::count(&hub.tally.refused);
        hub.runtime.log(&Record::Refused {
            peer: &self.connection.peer,
            refusal,
        });
        self.connection.last = true;
        let started = matches!(&self.connection.exchange, Some(exchange) if !matches!(exchange.answer, Answer::Waiting));
        let intake = self
            .connection
            .exchange
            .as_mut()
            .map(|one| std::mem::replace(&mut one.intake, Intake::Over));
        if !started {
            response::write_refusal(&mut self.connection.outbound.tail, &refusal, &hub.date.get());
            if let Some(exchange) = &mut self.connection.exchange {
                exchange.status = refusal.status;
                exchange.answer = Answer::Done;
            }
            self.lose_exchange();
            self.connection.phase = Phase::Closing;
        }
        if let Some(Intake::Feed(feed)) = intake {
            feed.sender.fail(error.unwrap_or(BodyError::Refused(refusal)));
        }
    }

    /// Reads on and forgets, for a while.
    pub(crate) fn linger(&mut self, until: std::time::Instant, left: usize) -> Step {
        if self.connection.eof || self.connection.dead {
            return Step::Gone;
        }
        if !self.connection.readable {
            return Step::Wait;
        }
        match self.read() {
            Read::End | Read::Failed => Step::Gone,
            Read::Blocked => Step::Wait,
            Read::Some => {
                let read = std::mem::take(&mut self.connection.inbound).len();
                let Some(left) = left.checked_sub(read) else {
                    return Step::Gone;
                };
                self.connection.phase = Phase::Lingering { until, left };
                Step::Again
            }
        }
    }
}

impl Hub {
    /// A body is pulled: at once when nobody works, else in this pass.
    pub(crate) fn pull(self: &Rc<Self>, key: crate::slots::Key) {
        if self.busy.get() {
            self.schedule(key);
        } else {
            self.enter(|hub| hub.turn(key));
        }
    }
}

fn join(mut pieces: Vec<Bytes>) -> Bytes {
    match pieces.len() {
        0 | 1 => pieces.pop().unwrap_or_default(),
        _ => pieces.concat().into(),
    }
}

/// The answer to one request too many.
fn overload() -> Admission {
    let mut head = ResponseHead::new(503);
    head.headers.push((
        Bytes::from_static(b"content-type"),
        Bytes::from_static(b"text/plain; charset=utf-8"),
    ));
    head.headers
        .push((Bytes::from_static(b"retry-after"), Bytes::from_static(b"1")));
    Admission::Answer(
        head,
        Body::Full(Bytes::from_static(b"too many requests in progress\n")),
    )
}
