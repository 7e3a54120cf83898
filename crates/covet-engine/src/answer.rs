//! The way out: an endpoint's answer becomes bytes, framed and in order, and the request ends.
//! Called by a turn. What cannot be written as it stands becomes a 500, never a broken message.

use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use covet_http::response::{self, is_bodiless};
use covet_http::{Body, BodyError, Delivery, Length, Method, ResponseHead};

use crate::connection::Phase;
use crate::endpoint::Peer;
use crate::exchange::{Answer, Exchange, Frame, Intake};
use crate::hub::Hub;
use crate::runtime::{AccessRecord, Record};
use crate::turn::{FAILURE, Step, Turn};

/// Pieces pulled in one step, so that tiny ones share a write and endless ones share the thread.
const PIECES: u32 = 64;
/// An unread request body is read to its end up to this size, or for this long, to keep the connection.
const DISCARD_BYTES: u64 = 64 << 10;
const DISCARD_TIME: Duration = Duration::from_secs(2);
const CHUNKED_ROOM: usize = 2;

impl Turn<'_> {
    /// Begins the answer; a whole body ends it, too.
    pub(crate) fn answer(&mut self, mut head: ResponseHead, mut body: Body) {
        let hub = self.hub;
        let connection = &mut *self.connection;
        let Some(exchange) = &mut connection.exchange else {
            return;
        };
        if let Some(request) = exchange.request.take() {
            let stack = &hub.settings.middleware;
            body = stack.leave(exchange.entered, &request, &mut head, body);
        }
        let is_head = exchange.method == Method::Head;
        let silent = is_head || is_bodiless(head.status);
        let frame = match &body {
            Body::Stream(_) => Frame::of(&head, exchange.minor),
            Body::Empty | Body::Full(_) => Frame::Known(0),
        };
        let delivery = Delivery {
            minor: exchange.minor,
            keep_alive: !connection.last
                && exchange.keep_alive
                && !connection.eof
                && !hub.drain.is_on()
                && exchange.may_reach_next_request()
                && !head.wants_close(),
            request_method_is_head: is_head,
            body: match &body {
                Body::Empty => Length::Empty,
                Body::Full(bytes) => Length::Known(bytes.len() as u64),
                Body::Stream(_) if silent => Length::Empty,
                Body::Stream(_) => frame.length(),
            },
        };
        exchange.status = head.status;
        if let Some(logged) = &mut exchange.logged {
            logged.answered(&head);
        }
        let tail = &mut connection.outbound.tail;
        let written = match head.status {
            200..=999 => {
                response::write_head(tail, &head, delivery, &hub.date.get()).map_err(|e| e.to_string())
            }
            status => Err(format!("status {status} cannot end a request")),
        };
        if let Err(why) = written {
            hub.runtime.log(&Record::Failed(why.into()));
            return self.fail();
        }
        connection.last |= !delivery.keep_alive || (delivery.body == Length::UntilClose && !silent);
        exchange.answer = Answer::Done;
        match body {
            Body::Stream(stream) if !silent => {
                exchange.events = !matches!(frame, Frame::Known(_)) && is_event_stream(&head);
                exchange.answer = Answer::Stream(stream, frame);
            }
            Body::Full(bytes) if !silent => {
                exchange.sent = bytes.len() as u64;
                connection.outbound.push(bytes);
            }
            unwanted => drop(unwanted),
        }
    }

    /// The application failed before it answered.
    pub(crate) fn fail(&mut self) {
        response::write_refusal(&mut self.connection.outbound.tail, &FAILURE, &self.hub.date.get());
        self.connection.last = true;
        if let Some(exchange) = &mut self.connection.exchange {
            exchange.status = FAILURE.status;
            exchange.answer = Answer::Done;
        }
    }

    /// Sends an informational answer, which only HTTP/1.1 knows.
    pub(crate) fn inform(&mut self, status: u16, headers: &[(Bytes, Bytes)]) {
        let Some(exchange) = &self.connection.exchange else {
            return;
        };
        if exchange.minor == 0 || !matches!(exchange.answer, Answer::Waiting) {
            return;
        }
        let tail = &mut self.connection.outbound.tail;
        if let Err(error) = response::write_informational(tail, status, headers) {
            self.hub.runtime.log(&Record::Failed(error.to_string().into()));
        }
    }

    /// Pulls a streamed answer while the client keeps up.
    pub(crate) fn pump(&mut self) -> Step {
        if self.connection.outbound.is_full() {
            match self.flush() {
                Step::Again => {}
                other => return other,
            }
        }
        let waker = match &self.connection.waker {
            Some(waker) => waker.clone(),
            None => self
                .connection
                .waker
                .insert(self.hub.inbox.waker(self.connection.key))
                .clone(),
        };
        for _ in 0..PIECES {
            let Some(exchange) = &mut self.connection.exchange else {
                return Step::Again;
            };
            let Answer::Stream(stream, _) = &mut exchange.answer else {
                return Step::Again;
            };
            match stream.poll_chunk(&waker) {
                Poll::Pending if exchange.events && self.hub.drain.is_on() => self.end_events(),
                Poll::Pending => return Step::Wait,
                Poll::Ready(Some(Ok(piece))) => self.send_piece(piece),
                Poll::Ready(None) => self.end_stream(),
                Poll::Ready(Some(Err(error))) => return self.break_stream(&error),
            }
            if self.connection.outbound.is_full() {
                break;
            }
        }
        Step::Again
    }

    fn send_piece(&mut self, mut piece: Bytes) {
        let connection = &mut *self.connection;
        let Some(exchange) = &mut connection.exchange else {
            return;
        };
        let Answer::Stream(_, frame) = &mut exchange.answer else {
            return;
        };
        let outbound = &mut connection.outbound;
        match frame {
            Frame::Known(left) if (piece.len() as u64) > *left => {
                piece.truncate(*left as usize);
                *left = 0;
                self.mend("the body is longer than its content-length; it was cut", piece);
            }
            Frame::Known(left) => {
                *left -= piece.len() as u64;
                exchange.sent += piece.len() as u64;
                outbound.push(piece);
            }
            Frame::UntilClose => {
                exchange.sent += piece.len() as u64;
                outbound.push(piece);
            }
            Frame::Chunked if piece.is_empty() => {}
            Frame::Chunked => {
                exchange.sent += piece.len() as u64;
                outbound.tail.reserve(CHUNKED_ROOM);
                response::write_chunk_head(&mut outbound.tail, piece.len());
                outbound.push(piece);
                outbound.tail.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Ends an answer whose length was announced wrongly: what fits is sent, then the connection ends.
    fn mend(&mut self, what: &'static str, piece: Bytes) {
        self.hub.runtime.log(&Record::Failed(what.into()));
        self.connection.last = true;
        self.connection.outbound.push(piece);
        self.drop_stream();
    }

    fn end_stream(&mut self) {
        let connection = &mut *self.connection;
        let Some(exchange) = &mut connection.exchange else {
            return;
        };
        let Answer::Stream(_, frame) = exchange.answer else {
            return;
        };
        match frame {
            Frame::Known(1..) => {
                return self.mend(
                    "the body is shorter than its content-length; the connection was closed",
                    Bytes::new(),
                );
            }
            Frame::Known(0) | Frame::UntilClose => {}
            Frame::Chunked => response::write_last_chunk(&mut connection.outbound.tail),
        }
        self.drop_stream();
    }

    /// A drain ends a stream of events in order; to its producer it looks as if the client had left.
    fn end_events(&mut self) {
        let connection = &mut *self.connection;
        connection.last = true;
        if let Some(exchange) = &mut connection.exchange {
            exchange.lost = true;
        }
        let watchers = self.hub.slots.borrow_mut().lose(connection.key);
        self.end_stream();
        for watcher in watchers {
            watcher.wake();
        }
    }

    fn drop_stream(&mut self) {
        if let Some(exchange) = &mut self.connection.exchange {
            drop(std::mem::replace(&mut exchange.answer, Answer::Done));
        }
    }

    /// The answer cannot be completed: the client must see that it is not whole.
    fn break_stream(&mut self, error: &BodyError) -> Step {
        if *error != BodyError::Disconnected {
            self.hub.runtime.log(&Record::Failed(error.to_string().into()));
        }
        match self.flush() {
            Step::Gone => Step::Gone,
            // Without framing only a reset tells an early end from the end; unread bytes make the system send it.
            _ if self.frame() == Some(Frame::UntilClose) => Step::Gone,
            _ => {
                self.connection.last = true;
                self.drop_stream();
                Step::Again
            }
        }
    }

    fn frame(&self) -> Option<Frame> {
        match self.connection.exchange.as_ref().map(|exchange| &exchange.answer) {
            Some(Answer::Stream(_, frame)) => Some(*frame),
            _ => None,
        }
    }

    /// The answer is complete: ends the request, once its body is out of the way.
    pub(crate) fn finish(&mut self) -> Step {
        let Some(exchange) = &self.connection.exchange else {
            return Step::Again;
        };
        match exchange.intake {
            _ if self.connection.last => self.end_exchange(),
            Intake::Over => self.end_exchange(),
            Intake::Discard { .. } => return Step::Wait,
            Intake::Collect(_) | Intake::Feed(_) => self.discard(),
        }
        Step::Again
    }

    /// Nobody wants the rest of the body.
    pub(crate) fn discard(&mut self) {
        self.set_intake(Intake::Discard {
            left: DISCARD_BYTES,
            until: self.now + DISCARD_TIME,
        });
    }

    /// The request is over.
    pub(crate) fn end_exchange(&mut self) {
        let connection = &mut *self.connection;
        connection.outbound.answers += 1;
        connection.since = self.now;
        connection.fresh = false;
        if connection.last {
            connection.phase = Phase::Closing;
        }
        self.lose_exchange();
    }

    /// Takes the request off the connection; whoever still watches it learns that it is over.
    pub(crate) fn lose_exchange(&mut self) {
        let Some(exchange) = self.connection.exchange.take() else {
            return;
        };
        if !exchange.replying {
            self.hub.tally.end();
        }
        let (watchers, label) = self.hub.slots.borrow_mut().end(self.connection.key);
        self.hub.record(&self.connection.peer, &exchange);
        if exchange.replying {
            watchers.into_iter().for_each(std::task::Waker::wake);
        }
        drop(label);
        drop(exchange);
    }
}

impl Hub {
    /// One line for the access log.
    pub(crate) fn record(&self, peer: &Peer, exchange: &Exchange) {
        let Some(logged) = &exchange.logged else { return };
        self.runtime.access(&AccessRecord {
            peer,
            method: exchange.method.as_str(),
            target: &logged.target,
            headers: &logged.headers,
            minor: exchange.minor,
            status: exchange.status,
            bytes: exchange.sent,
            duration: self.runtime.now().saturating_duration_since(exchange.started),
            request_id: logged.request_id(),
        });
    }
}

fn is_event_stream(head: &ResponseHead) -> bool {
    const KIND: &[u8] = b"text/event-stream";
    head.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case(b"content-type")
            && value
                .get(..KIND.len())
                .is_some_and(|kind| kind.eq_ignore_ascii_case(KIND))
    })
}

impl Exchange {
    /// Whether the rest of the request body is small enough to be read for the sake of the connection.
    fn may_reach_next_request(&self) -> bool {
        match self.intake {
            Intake::Over => true,
            // The client may send the body or not (RFC 9110, 10.1.1): nobody can tell where it goes on.
            _ if self.expects => false,
            _ => self.owed.is_none_or(|left| left <= DISCARD_BYTES),
        }
    }
}

impl Frame {
    /// How a streamed body is delimited for this client.
    fn of(head: &ResponseHead, minor: u8) -> Self {
        match head.content_length() {
            Some(length) => Self::Known(length),
            None if minor == 0 => Self::UntilClose,
            None => Self::Chunked,
        }
    }

    fn length(self) -> Length {
        match self {
            Self::Known(length) => Length::Known(length),
            Self::Chunked => Length::Chunked,
            Self::UntilClose => Length::UntilClose,
        }
    }
}
