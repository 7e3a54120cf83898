//! What all requests of one server share: the application, its table, tasks, threads and options, and the requests
//! whose tasks have not ended. Lives on the loop's thread. No borrow is held across a call into Python.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;
use covet_http::ResponseHead;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::exchange::SharedExchange;
use super::proxies::Proxies;
use super::table::Tables;
use crate::object::ffi::{self, Context};
use crate::object::pool::Pool;
use crate::object::task::Tasks;

/// What the operator chose, as far as the door is concerned.
pub(crate) struct Options {
    pub(crate) scheme: String,
    pub(crate) root_path: String,
    /// The lifespan's state, copied into every scope.
    pub(crate) state: Option<Py<PyAny>>,
    /// Fields added to every answer.
    pub(crate) headers: Vec<(Bytes, Bytes)>,
    pub(crate) proxies: Proxies,
    pub(crate) max_body: u64,
    pub(crate) cancel_on_disconnect: bool,
}

/// Whom the server tells.
pub(crate) struct Callbacks {
    /// `access(client, method, target, http_version, status, seconds, size, request_id)`.
    access: Option<Py<PyAny>>,
    /// `drained()`.
    drained: Option<Py<PyAny>>,
    /// `fatal(error)`; without it the error leaves through the loop.
    fatal: Option<Py<PyAny>>,
}

impl Callbacks {
    /// Take them from a dict by name.
    pub(crate) fn read(callbacks: &Bound<'_, PyDict>) -> PyResult<Self> {
        let named = |name: &str| -> PyResult<Option<Py<PyAny>>> {
            Ok(callbacks
                .get_item(name)?
                .filter(|value| !value.is_none())
                .map(Bound::unbind))
        };
        Ok(Self {
            access: named("access")?,
            drained: named("drained")?,
            fatal: named("fatal")?,
        })
    }
}

/// How far a drain is.
#[derive(Default)]
struct Drain {
    begun: Cell<bool>,
    engine_done: Cell<bool>,
    reported: Cell<bool>,
}

/// One server's surroundings.
pub(crate) struct Site {
    pub(crate) app: Py<PyAny>,
    /// None: the application is not ours, everything goes through its ASGI callable.
    pub(crate) tables: Option<Tables>,
    pub(crate) tasks: Tasks,
    pub(crate) pool: Rc<Pool>,
    /// Every request's context is a copy of this one.
    pub(crate) base: Context,
    pub(crate) options: Options,
    callbacks: Callbacks,
    drain: Drain,
    /// What was left at the end has been cancelled.
    is_cut: Cell<bool>,
    flights: RefCell<slab::Slab<SharedExchange>>,
    fatal: RefCell<Option<PyErr>>,
    names: RefCell<HashMap<Box<[u8]>, Py<PyBytes>>>,
    lengths: Vec<Bytes>,
}

/// A request that lasts: what reports call it, its age in seconds, the task that works on it if one does.
pub(crate) type Held = (String, f64, Option<Py<PyAny>>);

/// Field names kept as Python objects; clients choose names, so their number is bounded.
const MOST_NAMES: usize = 256;
/// Bodies shorter than this have their length ready as text.
const LENGTHS: usize = 1024;

impl Site {
    /// The surroundings of a server that is about to start.
    pub(crate) fn new(
        py: Python<'_>,
        app: Py<PyAny>,
        tables: Option<Tables>,
        tasks: Tasks,
        pool: Rc<Pool>,
        options: Options,
        callbacks: Callbacks,
    ) -> PyResult<Rc<Self>> {
        Ok(Rc::new(Self {
            app,
            tables,
            tasks,
            pool,
            base: Context::current(py)?,
            options,
            callbacks,
            drain: Drain::default(),
            is_cut: Cell::new(false),
            flights: RefCell::default(),
            fatal: RefCell::default(),
            names: RefCell::default(),
            lengths: (0..LENGTHS)
                .map(|length| Bytes::from(length.to_string()))
                .collect(),
        }))
    }

    /// The loop everything runs in.
    pub(crate) fn running(&self) -> &Py<PyAny> {
        self.tasks.running()
    }

    /// Who keeps the access log, if anybody does.
    pub(crate) fn access(&self) -> Option<&Py<PyAny>> {
        self.callbacks.access.as_ref()
    }

    /// An answer leaves: add what the operator wants on it.
    pub(crate) fn sign(&self, head: &mut ResponseHead) {
        head.headers.extend(self.options.headers.iter().cloned());
    }

    /// A body's length as a field value; the usual ones are made once.
    pub(crate) fn length(&self, length: usize) -> Bytes {
        if let Some(known) = self.lengths.get(length) {
            return known.clone();
        }
        Bytes::copy_from_slice(itoa::Buffer::new().format(length).as_bytes())
    }

    /// Remember a request whose task goes on.
    pub(crate) fn launch(&self, exchange: &SharedExchange) {
        if let Some(inner) = exchange.get()
            && inner.flight.get().is_none()
        {
            inner.last_on(self.flights.borrow_mut().insert(exchange.clone()));
        }
    }

    /// Its task has ended.
    pub(crate) fn land(&self, flight: usize) -> Option<SharedExchange> {
        let landed = self.flights.borrow_mut().try_remove(flight);
        if self.drain.begun.get() {
            ffi::attached(|py| self.check_drained(py));
        }
        landed
    }

    /// Requests whose tasks have not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.flights.borrow().len()
    }

    /// Has the server cancelled what was left?
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    /// Cancel every task that is left.
    pub(crate) fn cancel_all(&self, py: Python<'_>) {
        self.is_cut.set(true);
        let left: Vec<SharedExchange> = self
            .flights
            .borrow()
            .iter()
            .map(|(_, flight)| flight.clone())
            .collect();
        for exchange in &left {
            if let Some(exchange) = exchange.get() {
                exchange.cancel(py);
            }
        }
    }

    /// An error that ends the process; the pass reports it when its books are in order.
    pub(crate) fn set_fatal(&self, error: PyErr) {
        let old = self.fatal.replace(Some(error));
        drop(old);
    }

    /// Tell of that error, if there is one.
    pub(crate) fn report_fatal(&self, py: Python<'_>) -> PyResult<()> {
        match (self.fatal.take(), &self.callbacks.fatal) {
            (None, _) => Ok(()),
            (Some(error), Some(callback)) => callback.call1(py, (error.into_value(py),)).map(drop),
            (Some(error), None) => Err(error),
        }
    }

    /// From now on the end of the last request is reported.
    pub(crate) fn begin_drain(&self, py: Python<'_>) {
        self.drain.begun.set(true);
        self.check_drained(py);
    }

    /// The engine has nothing left in progress.
    pub(crate) fn engine_drained(&self, py: Python<'_>) {
        self.drain.engine_done.set(true);
        self.check_drained(py);
    }

    /// Report the end of a drain, once.
    pub(crate) fn check_drained(&self, py: Python<'_>) {
        if self.drain.engine_done.get() && self.in_flight() == 0 {
            self.give_up_drain(py);
        }
    }

    /// Report it now, whatever is left.
    pub(crate) fn give_up_drain(&self, py: Python<'_>) {
        if self.drain.reported.replace(true) {
            return;
        }
        if let Some(Err(error)) = self.callbacks.drained.as_ref().map(|callback| callback.call0(py)) {
            error.write_unraisable(py, None);
        }
    }

    /// Requests whose tasks have not ended: label, age in seconds and task, oldest first.
    pub(crate) fn held(&self, py: Python<'_>) -> Vec<Held> {
        let flights = self.flights.borrow();
        let inner = flights.iter().filter_map(|(_, flight)| flight.get());
        let mut held: Vec<_> = inner
            .map(|flight| (flight.name(), flight.age().as_secs_f64(), flight.task(py)))
            .collect();
        held.sort_by(|left, right| right.1.total_cmp(&left.1));
        held
    }

    /// What `scope["asgi"]` says: the version whose `send` never raises because a client has gone.
    pub(crate) fn asgi_version<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let version = PyDict::new(py);
        version.set_item(intern!(py, "version"), intern!(py, "3.0"))?;
        version.set_item(intern!(py, "spec_version"), intern!(py, "2.3"))?;
        Ok(version.into_any())
    }

    /// A field name as bytes; the usual ones are made once.
    pub(crate) fn field_name<'py>(&self, py: Python<'py>, name: &[u8]) -> Bound<'py, PyBytes> {
        if let Some(known) = self.names.borrow().get(name) {
            return known.bind(py).clone();
        }
        let made = PyBytes::new(py, name);
        let mut names = self.names.borrow_mut();
        if names.len() < MOST_NAMES && name.len() <= 64 {
            names.insert(name.into(), made.clone().unbind());
        }
        made
    }
}
