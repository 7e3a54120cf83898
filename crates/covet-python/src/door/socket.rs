//! The socket door: what the engine calls for every request. Finds the route, runs its plan, and hands everything
//! else to the application's ASGI callable from the beginning. Never answers what Python might answer otherwise.

use std::borrow::Cow;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use covet_engine::{Admission, Endpoint, Peer, Reply, Request};
use covet_http::{Body, Framing, RequestHead};
use covet_router::{Params, Source};
use pyo3::prelude::*;

use super::conclusion::not_found;
use super::exchange::{Exchange, Found, SharedExchange};
use super::flight;
use super::journal::log;
use super::location::Location;
use super::site::Site;
use super::table::{Row, Table, Verdict};
use crate::object::ffi;
use crate::plan::{Prepared, ValueSource};

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
        match self.recall(py, &request.head) {
            Some(Resolved {
                table,
                verdict: Verdict::Native(tag),
                params,
                ..
            }) => {
                self.plan(py, request, reply, (table, tag, params));
            }
            Some(Resolved {
                verdict: Verdict::NotFound,
                ..
            }) => {
                let exchange = Exchange::new(self.site.clone(), request, reply);
                exchange.get().into_iter().for_each(not_found);
            }
            Some(Resolved {
                table,
                verdict: Verdict::Python(tag),
                ..
            }) => {
                let cancels = table.cancels_outside(tag);
                self.python(py, Exchange::new(self.site.clone(), request, reply), cancels);
            }
            None => self.python(py, Exchange::new(self.site.clone(), request, reply), false),
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

    fn plan(&self, py: Python<'_>, request: Request, reply: Reply, found: (Arc<Table>, u32, Params)) {
        let (table, tag, params) = found;
        let Some(row) = table.row(tag) else { return };
        let Some(plan) = &row.plan else { return };
        let streams = row.takes_body && matches!(request.body, Body::Stream(_));
        if streams || !fits(&table, row, &request.head.framing) {
            let cancels = table.cancels_outside(Some(tag));
            return self.python(py, Exchange::new(self.site.clone(), request, reply), cancels);
        }
        let prepared = {
            // Only parameters need the path once more.
            let located = (!params.is_empty())
                .then(|| Location::of(&request.head, &self.site.options.root_path, &table));
            let source = HeadSource {
                head: &request.head,
                location: located.as_ref(),
                table: &table,
                tag,
                params: &params,
            };
            let body: &[u8] = match &request.body {
                Body::Full(bytes) => bytes,
                Body::Empty | Body::Stream(_) => b"",
            };
            plan.get().prepare(py, &source, body)
        };
        let (plan, pace) = (plan.clone_ref(py), row.pace.clone());
        let (cancels, cancels_outside) = (table.cancels(Some(tag)), table.cancels_outside(Some(tag)));
        let exchange = Exchange::new(self.site.clone(), request, reply);
        let Some(inner) = exchange.get() else { return };
        match prepared {
            Prepared::Ready(values) => {
                inner
                    .cancels
                    .set(cancels || self.site.options.cancel_on_disconnect);
                *inner.found.borrow_mut() = Some(Found { table, tag });
                flight::native(py, exchange, plan, values, pace);
            }
            Prepared::Fallback(_) => self.python(py, exchange, cancels_outside),
        }
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

/// A plan's values, straight from the request head.
struct HeadSource<'a> {
    head: &'a RequestHead,
    location: Option<&'a Location<'a>>,
    table: &'a Table,
    tag: u32,
    params: &'a Params,
}

impl ValueSource for HeadSource<'_> {
    fn path(&self, name: &str) -> Option<Cow<'_, str>> {
        let names = self.table.router.names(self.tag);
        let span = self
            .params
            .iter()
            .find(|span| names.get(usize::from(span.name)).is_some_and(|n| **n == *name))?;
        // Only what lies in the path: Python lower-cases hosts before it takes parameters from them.
        let location = self.location.filter(|_| span.source == Source::Path)?;
        Some(Cow::Borrowed(span.text(location.route(), "")))
    }

    fn query(&self) -> &[u8] {
        &self.head.query
    }

    fn headers(&self, name: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) {
        for (field, value) in self.head.headers.iter() {
            if field == name && !each(value) {
                return;
            }
        }
    }
}
