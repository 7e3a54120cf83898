//! One request on the socket door, from the head to the end of its task: the body on its way in, the answer on its
//! way out, and who waits for either. Shared by `receive`, `send` and plans; lives on the loop's thread only.
//!
//! Invariant: no borrow is held while a waker runs, a chunk is dropped or anything Python is called.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak as ArcWeak};
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use covet_engine::{Peer, Reply, Request};
use covet_http::channel::{BodySender, Pressure, channel};
use covet_http::{Body, BodyError, BodyStream, RequestHead, ResponseHead};
use covet_router::{Params, Span};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use super::location::Location;
use super::site::Site;
use super::table::{Settings, Table};
use crate::object::ffi::{self, LoopBound};
use crate::object::fork;

/// An exchange as Python objects hold it.
pub(crate) type SharedExchange = Arc<LoopBound<Exchange>>;

/// Bytes of an answer that wait for the socket before `send` makes its caller wait.
const HIGH_WATER: usize = 64 * 1024;

/// The request body as far as nobody has received it.
pub(crate) enum Incoming {
    /// All of it.
    Whole(Bytes),
    /// It is still coming.
    Stream(Box<dyn BodyStream>),
    /// Everything was received.
    Over,
}

/// How far the answer is.
pub(crate) enum Outgoing {
    /// Nothing was sent.
    Idle,
    /// The head waits for the first piece of the body, so that both go out in one write.
    Held(ResponseHead),
    /// The head is out.
    Streaming(BodySender),
    /// Complete, or given up.
    Over,
}

/// What `receive` gives.
pub(crate) enum Received {
    /// A piece of the body, and whether more follow.
    Piece(Bytes, bool),
    /// The client is gone, or the answer is complete.
    Disconnect,
}

/// One request.
pub(crate) struct Exchange {
    pub(crate) site: Rc<Site>,
    pub(crate) head: Box<RequestHead>,
    pub(crate) peer: Rc<Peer>,
    reply: RefCell<Option<Reply>>,
    pub(crate) incoming: RefCell<Incoming>,
    pub(crate) outgoing: RefCell<Outgoing>,
    /// Made when somebody asks; the same one ever after.
    pub(crate) scope: RefCell<Option<Py<PyAny>>>,
    pub(crate) request: RefCell<Option<Py<PyAny>>>,
    /// The row of a resolved path.
    pub(crate) found: RefCell<Option<Found>>,
    /// The native middleware that the answer leaves through.
    around: RefCell<Option<Around>>,
    /// Does the scope know the route?
    pub(crate) routed: Cell<bool>,
    /// The application's handlers have heard of an error.
    pub(crate) handled: Cell<bool>,
    task: RefCell<Option<Py<PyAny>>>,
    gone: Cell<bool>,
    listens: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
    pub(crate) flight: Cell<Option<usize>>,
    pub(crate) cancels: Cell<bool>,
    /// Since when it is known to last.
    begun: Cell<Option<Instant>>,
}

/// What routing found out, with names and texts of the parameters.
pub(crate) type FoundParts = (Arc<Table>, u32, Vec<(String, String)>);

/// What routing found out.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) table: Arc<Table>,
    pub(crate) tag: u32,
    pub(crate) params: Params,
}

/// The application's outermost native middleware, as far as the request has entered it.
pub(crate) struct Around {
    pub(crate) table: Arc<Table>,
    pub(crate) entered: usize,
}

impl Exchange {
    /// Take over a request and its reply.
    pub(crate) fn new(
        site: Rc<Site>,
        request: Request,
        reply: Reply,
        around: Option<Around>,
    ) -> SharedExchange {
        let incoming = match request.body {
            Body::Empty => Incoming::Whole(Bytes::new()),
            Body::Full(bytes) => Incoming::Whole(bytes),
            Body::Stream(stream) => Incoming::Stream(stream),
        };
        Arc::new(LoopBound::new(Self {
            site,
            head: request.head,
            peer: request.peer,
            reply: RefCell::new(Some(reply)),
            incoming: RefCell::new(incoming),
            outgoing: RefCell::new(Outgoing::Idle),
            scope: RefCell::default(),
            request: RefCell::default(),
            found: RefCell::default(),
            around: RefCell::new(around),
            routed: Cell::new(false),
            handled: Cell::new(false),
            task: RefCell::default(),
            gone: Cell::new(false),
            listens: Cell::new(false),
            waiting: RefCell::default(),
            flight: Cell::new(None),
            cancels: Cell::new(false),
            begun: Cell::new(None),
        }))
    }

    /// The exchange, on its own thread.
    pub(crate) fn here(this: &SharedExchange) -> PyResult<&Self> {
        this.get()
            .ok_or_else(|| PyRuntimeError::new_err("a request belongs to the thread of its event loop"))
    }

    /// Send a whole answer; a second one is dropped.
    pub(crate) fn respond(&self, mut head: ResponseHead, body: Body) {
        if fork::is_child() {
            ffi::attached(|py| fork::leave(py, None));
        }
        let reply = self.reply.borrow_mut().take();
        let before = self.outgoing.replace(Outgoing::Over);
        drop(before);
        if let Some(reply) = reply {
            let body = self.leave(&mut head, body);
            self.site.sign(&mut head);
            reply.send(head, body);
        }
        self.wake_all();
    }

    /// Take the answer outwards through the application's native middleware, once.
    fn leave(&self, head: &mut ResponseHead, body: Body) -> Body {
        match self.around.take() {
            Some(around) => {
                around
                    .table
                    .settings
                    .pipeline
                    .outer
                    .leave(around.entered, &self.head, head, body)
            }
            None => body,
        }
    }

    /// What answers from here on stands outside of the application's native middleware.
    pub(crate) fn step_outside(&self) {
        drop(self.around.take());
    }

    /// The ASGI application that answers on the Python path: what is inside of the native middleware, or everything.
    pub(crate) fn inside(&self, py: Python<'_>) -> Py<PyAny> {
        let around = self.around.borrow();
        let inside = around
            .as_ref()
            .and_then(|around| around.table.settings.pipeline.inside.as_ref());
        inside.unwrap_or(&self.site.app).clone_ref(py)
    }

    /// What reports call this request: its route, or else what the client asked for.
    pub(crate) fn name(&self) -> String {
        let label = self
            .found
            .borrow()
            .as_ref()
            .and_then(|found| Some(found.table.row(found.tag)?.label.to_string()));
        label.unwrap_or_else(|| {
            format!(
                "{} {}",
                self.head.method.as_str(),
                String::from_utf8_lossy(&self.head.path)
            )
        })
    }

    /// What routing found out, for the scope.
    pub(crate) fn found_parts(&self) -> Option<FoundParts> {
        let found = self.found.borrow();
        let found = found.as_ref()?;
        let path = Location::of(&self.head, &self.site.options.root_path, &found.table);
        let names = found.table.router.names(found.tag);
        let text = |span: &Span| {
            let name = names
                .get(usize::from(span.name))
                .map(|name| name.to_string())
                .unwrap_or_default();
            (
                name,
                span.text(path.route(), path.host().unwrap_or_default())
                    .to_owned(),
            )
        };
        let params = found.params.iter().map(text).collect();
        Some((found.table.clone(), found.tag, params))
    }

    /// It lasts longer than one pass: from here on its age counts.
    pub(crate) fn last_on(&self, flight: usize) {
        self.flight.set(Some(flight));
        self.begun.set(Some(Instant::now()));
    }

    /// How long it has lasted.
    pub(crate) fn age(&self) -> Duration {
        self.begun.get().map(|begun| begun.elapsed()).unwrap_or_default()
    }

    /// Put the request object that a plan made into the scope, for exception handlers: it holds a body that was read.
    pub(crate) fn show_request(&self, py: Python<'_>) -> PyResult<()> {
        let request = self
            .request
            .borrow()
            .as_ref()
            .map(|request| request.clone_ref(py));
        let Some(request) = request else { return Ok(()) };
        let scope = self.scope(py)?;
        scope.bind(py).set_item(intern!(py, "covet.request"), request)
    }

    /// Ask the settings of the table that matched.
    pub(crate) fn found_settings<T>(&self, ask: impl FnOnce(&Settings) -> Option<T>) -> Option<T> {
        self.found
            .borrow()
            .as_ref()
            .and_then(|found| ask(&found.table.settings))
    }

    /// Keep the head until the body begins. False: an answer was begun before.
    pub(crate) fn hold(&self, head: ResponseHead) -> bool {
        let mut outgoing = self.outgoing.borrow_mut();
        let idle = matches!(*outgoing, Outgoing::Idle);
        if idle {
            *outgoing = Outgoing::Held(head);
        }
        idle
    }

    /// Send a piece of the body. None: there is no answer that it could belong to.
    pub(crate) fn push(this: &SharedExchange, piece: Bytes, more: bool) -> Option<Pressure> {
        let exchange = this.get()?;
        if fork::is_child() {
            ffi::attached(|py| fork::leave(py, None));
        }
        match exchange.outgoing.replace(Outgoing::Over) {
            Outgoing::Idle => {
                *exchange.outgoing.borrow_mut() = Outgoing::Idle;
                None
            }
            Outgoing::Held(head) if !more => {
                exchange.respond(head, Body::from(piece));
                Some(Pressure::Ready)
            }
            Outgoing::Held(head) => {
                Self::listen(this);
                Some(exchange.stream(head, piece))
            }
            Outgoing::Streaming(sender) => {
                let pressure = sender.push(piece);
                if more {
                    *exchange.outgoing.borrow_mut() = Outgoing::Streaming(sender);
                    return Some(pressure);
                }
                sender.finish();
                exchange.wake_all();
                Some(Pressure::Ready)
            }
            Outgoing::Over => None,
        }
    }

    fn stream(&self, mut head: ResponseHead, piece: Bytes) -> Pressure {
        let (sender, receiver) = channel(HIGH_WATER);
        let pressure = sender.push(piece);
        *self.outgoing.borrow_mut() = Outgoing::Streaming(sender);
        let reply = self.reply.borrow_mut().take();
        if let Some(reply) = reply {
            let body = self.leave(&mut head, Body::Stream(Box::new(receiver)));
            self.site.sign(&mut head);
            reply.send(head, body);
        }
        pressure
    }

    /// Is there room for more of the body?
    pub(crate) fn poll_room(&self, waker: &Waker) -> Poll<()> {
        match &*self.outgoing.borrow() {
            Outgoing::Streaming(sender) => sender.poll_ready(waker).map(drop),
            _ => Poll::Ready(()),
        }
    }

    /// Give up a streamed answer.
    pub(crate) fn fail(&self, why: &str) {
        let outgoing = self.outgoing.replace(Outgoing::Over);
        if let Outgoing::Streaming(sender) = outgoing {
            // Nobody waits for the rest of a stream whose client has left: that is no failure.
            let gone = self.is_gone();
            sender.fail(if gone {
                BodyError::Disconnected
            } else {
                BodyError::Failed(why.to_owned())
            });
        }
        self.wake_all();
    }

    /// Send an interim answer such as 103.
    pub(crate) fn informational(&self, status: u16, headers: Vec<(Bytes, Bytes)>) {
        let reply = self.reply.borrow_mut().take();
        if let Some(reply) = reply {
            reply.informational(status, headers);
            *self.reply.borrow_mut() = Some(reply);
        }
    }

    /// The next piece of the body, or the end of the exchange.
    pub(crate) fn poll_received(this: &SharedExchange, waker: &Waker) -> Poll<Received> {
        let Some(exchange) = this.get() else {
            return Poll::Ready(Received::Disconnect);
        };
        match exchange.incoming.replace(Incoming::Over) {
            Incoming::Whole(bytes) => Poll::Ready(Received::Piece(bytes, false)),
            Incoming::Stream(mut stream) => match stream.poll_chunk(waker) {
                Poll::Ready(Some(Ok(piece))) => {
                    let more = stream.size_hint() != Some(0);
                    if more {
                        *exchange.incoming.borrow_mut() = Incoming::Stream(stream);
                    }
                    Poll::Ready(Received::Piece(piece, more))
                }
                Poll::Ready(None) => Poll::Ready(Received::Piece(Bytes::new(), false)),
                Poll::Ready(Some(Err(_))) => {
                    exchange.gone.set(true);
                    Poll::Ready(Received::Disconnect)
                }
                Poll::Pending => {
                    *exchange.incoming.borrow_mut() = Incoming::Stream(stream);
                    Poll::Pending
                }
            },
            Incoming::Over => Self::poll_end(this, waker),
        }
    }

    fn poll_end(this: &SharedExchange, waker: &Waker) -> Poll<Received> {
        let Some(exchange) = this.get() else {
            return Poll::Ready(Received::Disconnect);
        };
        Self::listen(this);
        if exchange.is_over() {
            return Poll::Ready(Received::Disconnect);
        }
        exchange.waiting.borrow_mut().push(waker.clone());
        Poll::Pending
    }

    /// Is the answer complete, or nobody there to read it?
    pub(crate) fn is_over(&self) -> bool {
        self.is_gone() || matches!(*self.outgoing.borrow(), Outgoing::Over)
    }

    /// Has the client gone?
    pub(crate) fn is_gone(&self) -> bool {
        if !self.gone.get() {
            let gone = match (&*self.reply.borrow(), &*self.outgoing.borrow()) {
                (Some(reply), _) => reply.is_disconnected(),
                (None, Outgoing::Streaming(sender)) => sender.is_closed(),
                _ => false,
            };
            self.gone.set(gone);
        }
        self.gone.get()
    }

    /// Has an answer been begun?
    pub(crate) fn has_begun(&self) -> bool {
        matches!(*self.outgoing.borrow(), Outgoing::Streaming(_) | Outgoing::Over)
    }

    /// Learn of a disconnect when it happens.
    pub(crate) fn listen(this: &SharedExchange) {
        let Some(exchange) = this.get() else { return };
        if exchange.listens.replace(true) {
            return;
        }
        let waker = Waker::from(Arc::new(Departure(Arc::downgrade(this))));
        let reply = exchange.reply.borrow_mut().take();
        if let Some(reply) = reply {
            reply.on_disconnect(waker);
            *exchange.reply.borrow_mut() = Some(reply);
        }
    }

    /// Keep the task that works on this, to cancel it.
    pub(crate) fn set_task(&self, task: Py<PyAny>) {
        let old = self.task.replace(Some(task));
        drop(old);
    }

    /// The task that works on this, if one does.
    pub(crate) fn task(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.task.borrow().as_ref().map(|task| task.clone_ref(py))
    }

    /// Everything is done: let go of what was made for it.
    pub(crate) fn close(&self) {
        if let Some(flight) = self.flight.take() {
            drop(self.site.land(flight));
        }
        drop(self.task.take());
        drop(self.request.take());
        drop(self.scope.take());
        drop(self.found.take());
        drop(self.around.take());
    }

    fn wake_all(&self) {
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    fn depart(&self) {
        self.gone.set(true);
        self.wake_all();
        if self.cancels.get() {
            ffi::attached(|py| self.cancel(py));
        }
    }

    /// Cancel the task that works on this.
    pub(crate) fn cancel(&self, py: Python<'_>) {
        if let Some(Err(error)) = self
            .task(py)
            .map(|task| task.call_method0(py, intern!(py, "cancel")))
        {
            error.write_unraisable(py, None);
        }
    }
}

/// Tells the exchange that its client has gone.
struct Departure(ArcWeak<LoopBound<Exchange>>);

impl Wake for Departure {
    fn wake(self: Arc<Self>) {
        if let Some(exchange) = self.0.upgrade()
            && let Some(exchange) = exchange.get()
        {
            exchange.depart();
        }
    }
}
