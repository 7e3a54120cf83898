//! The socket door: what the engine calls for every request. Finds the route, runs its plan, and hands everything
//! else to the application's ASGI callable from the beginning. Never answers what Python might answer otherwise.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use covet_engine::{Admission, Endpoint, Peer, Reply, Request};
use covet_http::{Body, Framing, RequestHead, ResponseHead};
use covet_middleware::{Entry, StoreAnswer};
use covet_router::Params;
use pyo3::prelude::*;

use super::conclusion::not_found;
use super::exchange::{Around, Exchange, Found, SharedExchange};
use super::flight;
use super::head_source::HeadSource;
use super::journal::log;
use super::location::Location;
use super::site::Site;
use super::table::{Row, Table, Verdict};
use crate::object::ffi;
use crate::plan::Prepared;

/// The endpoint of one server.
pub(crate) struct SocketDoor {
    site: Rc<Site>,
    /// What `admit` found out, for the `call` that usually follows at once.
    last: RefCell<Option<Resolved>>,
}

struct Resolved {
    /// Identity of the head: nobody else has these bytes while we hold them.
    target: Bytes,
    table: Arc<Table>,
    verdict: Verdict,
    params: Params,
}

impl SocketDoor {
    /// The door of `site`.
    pub(crate) fn new(site: Rc<Site>) -> Self {
        Self {
            site,
            last: RefCell::new(None),
        }
    }

    /// None: the application's ASGI callable answers everything.
    fn table(&self, py: Python<'_>) -> Option<Arc<Table>> {
        let table = self.site.tables.as_ref()?.current(py)?;
        table.settings.direct.then_some(table)
    }

    fn resolve(&self, py: Python<'_>, head: &RequestHead) -> Option<Resolved> {
        let table = self.table(py)?;
        let mut params = Params::new();
        let location = Location::of(head, &self.site.options.root_path, &table);
        let verdict = table.resolve(
            location.route(),
            head.method.as_str(),
            location.host(),
            &mut params,
        );
        Some(Resolved {
            target: head.target.clone(),
            table,
            verdict,
            params,
        })
    }

    /// What `admit` found out, if it was about this head and nothing has changed since.
    fn recall(&self, py: Python<'_>, head: &RequestHead) -> Option<Resolved> {
        let last = self.last.borrow_mut().take();
        match last {
            Some(last) if last.target.as_ptr() == head.target.as_ptr() && last.table.is_current() => {
                Some(last)
            }
            other => {
                drop(other);
                self.resolve(py, head)
            }
        }
    }

    fn admission(&self, py: Python<'_>, head: &RequestHead) -> Admission {
        let Some(resolved) = self.resolve(py, head) else {
            return Admission::Streaming;
        };
        let row = match resolved.verdict {
            Verdict::Native(tag) => resolved.table.row(tag),
            Verdict::Python(_) | Verdict::NotFound => None,
        };
        let collects = row.is_some_and(|row| row.takes_body && fits(&resolved.table, row, &head.framing));
        let given = row.and_then(|row| row.max_body.or(resolved.table.settings.max_body));
        *self.last.borrow_mut() = Some(resolved);
        match collects {
            true => Admission::Buffered {
                max: given.unwrap_or(self.site.options.max_body),
            },
            false => Admission::Streaming,
        }
    }

    fn dispatch(&self, py: Python<'_>, request: Request, reply: Reply) {
        let resolved = self.recall(py, &request.head);
        let table = match &resolved {
            Some(resolved) => Some(resolved.table.clone()),
            None => self.site.tables.as_ref().and_then(|tables| tables.current(py)),
        };
        let around = match enter(table, &request.head) {
            Ok(around) => around,
            Err((around, head, body)) => {
                let exchange = Exchange::new(self.site.clone(), request, reply, Some(around));
                if let Some(inner) = exchange.get() {
                    inner.respond(head, body);
                }
                return;
            }
        };
        match resolved {
            Some(Resolved {
                table,
                verdict: Verdict::Native(tag),
                params,
                ..
            }) => self.native(py, request, reply, Found { table, tag, params }, around),
            // Function middleware sees unknown paths too.
            Some(Resolved {
                verdict: Verdict::NotFound,
                table,
                ..
            }) if table.settings.pipeline.steps.is_none() => {
                let exchange = Exchange::new(self.site.clone(), request, reply, around);
                exchange.get().into_iter().for_each(not_found);
            }
            Some(Resolved {
                table,
                verdict: Verdict::Python(tag),
                ..
            }) => {
                let cancels = table.cancels_outside(tag);
                self.python(
                    py,
                    Exchange::new(self.site.clone(), request, reply, around),
                    cancels,
                );
            }
            _ => self.python(
                py,
                Exchange::new(self.site.clone(), request, reply, around),
                false,
            ),
        }
    }

    /// The application's ASGI callable answers.
    fn python(&self, py: Python<'_>, exchange: SharedExchange, cancels: bool) {
        if let Some(inner) = exchange.get() {
            inner
                .cancels
                .set(cancels || self.site.options.cancel_on_disconnect);
        }
        flight::python(py, exchange);
    }

    /// A row has a plan: run it, inside the function middleware if there is any. What only Python can do is Python's.
    fn native(&self, py: Python<'_>, request: Request, reply: Reply, found: Found, around: Option<Around>) {
        let table = found.table.clone();
        let Some(row) = table.row(found.tag) else { return };
        let Some(plan) = &row.plan else { return };
        let streams = row.takes_body && matches!(request.body, Body::Stream(_));
        let only_python = table.settings.pipeline.steps.is_some() && table.cancels_inside(found.tag);
        if streams || only_python || !fits(&table, row, &request.head.framing) {
            let cancels = table.cancels_outside(Some(found.tag));
            let exchange = Exchange::new(self.site.clone(), request, reply, around);
            return self.python(py, exchange, cancels);
        }
        if table.settings.pipeline.steps.is_some() {
            let exchange = Exchange::new(self.site.clone(), request, reply, around);
            return self.stepwise(py, exchange, found);
        }
        let prepared = {
            let source = HeadSource::new(&request.head, &self.site.options.root_path, &found);
            let body: &[u8] = match &request.body {
                Body::Full(bytes) => bytes,
                Body::Empty | Body::Stream(_) => b"",
            };
            plan.get().prepare(py, &source, body)
        };
        let (plan, pace) = (plan.clone_ref(py), row.pace.clone());
        let tag = Some(found.tag);
        let exchange = Exchange::new(self.site.clone(), request, reply, around);
        let Some(inner) = exchange.get() else { return };
        match prepared {
            Prepared::Ready(values) => {
                inner
                    .cancels
                    .set(table.cancels(tag) || self.site.options.cancel_on_disconnect);
                *inner.found.borrow_mut() = Some(found);
                flight::native(py, exchange, plan, values, pace);
            }
            Prepared::Fallback(_) => self.python(py, exchange, table.cancels_outside(tag)),
        }
    }

    /// The outermost function middleware answers; what it calls goes on in `Passage`.
    fn stepwise(&self, py: Python<'_>, exchange: SharedExchange, found: Found) {
        let Some(inner) = exchange.get() else { return };
        let cancels = found.table.cancels_outside(Some(found.tag));
        inner
            .cancels
            .set(cancels || self.site.options.cancel_on_disconnect);
        *inner.found.borrow_mut() = Some(found);
        flight::stepwise(py, exchange);
    }
}

/// What a native middleware answered, and how far the request had come.
type EarlyAnswer = (Around, ResponseHead, Body);

/// Go inwards through the application's outermost native middleware; an Err is its early answer.
fn enter(table: Option<Arc<Table>>, head: &RequestHead) -> Result<Option<Around>, EarlyAnswer> {
    let Some(table) = table.filter(|table| !table.settings.pipeline.outer.is_empty()) else {
        return Ok(None);
    };
    // No store is mounted here yet: a middleware that asks for one is told so.
    let entry = table
        .settings
        .pipeline
        .outer
        .enter(head, Instant::now(), |_| StoreAnswer::Unavailable);
    match entry {
        Entry::Through => {
            let entered = table.settings.pipeline.outer.len();
            Ok(Some(Around { table, entered }))
        }
        Entry::Answered(entered, head, body) => Err((Around { table, entered }, head, body)),
    }
}

impl Endpoint for SocketDoor {
    fn admit(&self, head: &RequestHead, _peer: &Peer) -> Admission {
        ffi::attached(|py| self.admission(py, head))
    }

    fn call(&self, request: Request, reply: Reply) {
        // A panic becomes this request's 500 (the dropped reply), never the end of the worker.
        let run = AssertUnwindSafe(|| ffi::attached(|py| self.dispatch(py, request, reply)));
        if catch_unwind(run).is_err() {
            ffi::attached(|py| {
                log(
                    py,
                    "error",
                    "a request made the engine panic; it was answered with 500",
                )
            });
        }
    }
}

/// Is the body surely within the limit of the application or route? Beyond it Python refuses, in the application's
/// own words; so it does with a length nobody knows.
fn fits(table: &Table, row: &Row, framing: &Framing) -> bool {
    match (row.max_body.or(table.settings.max_body), framing) {
        (None, _) | (_, Framing::None) => true,
        (Some(limit), Framing::Length(length)) => *length <= limit,
        (Some(_), Framing::Chunked) => false,
    }
}
