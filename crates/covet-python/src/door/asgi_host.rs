//! What a plan's awaitable asks of the ASGI door: everything goes through the given scope, `receive` and `send`, and
//! errors go out to whoever awaits, where the application's middleware handles them.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::socket_host::busy;
use super::table::Table;
use crate::object::ffi::Context;
use crate::object::pool::Pool;
use crate::object::worker::Pace;
use crate::plan::{Answer, Host, Job, Outcome};

thread_local! {
    /// The pool of the server that runs in this thread's loop, if there is one.
    static POOL: RefCell<Weak<Pool>> = const { RefCell::new(Weak::new()) };
}

/// Let plans inside ASGI applications use the server's own threads.
pub(crate) fn lend(pool: &Rc<Pool>) {
    POOL.set(Rc::downgrade(pool));
}

/// The door of one request.
pub(crate) struct AsgiHost {
    table: Arc<Table>,
    scope: Py<PyDict>,
    receive: Py<PyAny>,
    send: Py<PyAny>,
    pace: Arc<Pace>,
    request: Mutex<Option<Py<PyAny>>>,
}

impl AsgiHost {
    /// The door of a request.
    pub(crate) fn new(
        py: Python<'_>,
        table: Arc<Table>,
        scope: &Py<PyDict>,
        receive: &Py<PyAny>,
        send: &Py<PyAny>,
        pace: Arc<Pace>,
    ) -> Self {
        let (scope, receive, send) = (scope.clone_ref(py), receive.clone_ref(py), send.clone_ref(py));
        Self {
            table,
            scope,
            receive,
            send,
            pace,
            request: Mutex::new(None),
        }
    }

    fn known_request(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|request| request.clone_ref(py))
    }

    fn message<'py>(&self, py: Python<'py>, answer: &Answer) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyList::empty(py);
        let field =
            |name: &[u8], value: &[u8]| PyTuple::new(py, [PyBytes::new(py, name), PyBytes::new(py, value)]);
        if !answer.framed && !covet_http::response::is_bodiless(answer.status) {
            headers.append(field(
                b"content-length",
                itoa::Buffer::new().format(answer.body.len()).as_bytes(),
            )?)?;
        }
        for (name, value) in &answer.headers {
            headers.append(field(name, value)?)?;
        }
        let start = PyDict::new(py);
        start.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
        start.set_item(intern!(py, "status"), answer.status)?;
        start.set_item(intern!(py, "headers"), headers)?;
        Ok(start)
    }
}

impl Host for AsgiHost {
    fn request(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(request) = self.known_request(py) {
            return Ok(request);
        }
        let class = self.table.settings.request.as_ref();
        let class = class.ok_or_else(|| PyRuntimeError::new_err("the application named no request class"))?;
        let request = class.call1(py, (&self.scope, &self.receive, &self.send))?;
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.clone_ref(py));
        Ok(request)
    }

    fn run_sync(&self, py: Python<'_>, job: Py<Job>) -> PyResult<Py<PyAny>> {
        let pool = POOL.with_borrow(Weak::upgrade);
        if let Some(pool) = pool
            && pool.serves(py)?
        {
            let work = Box::new(move |py: Python<'_>| job.get().call(py));
            return match pool.future(py, work, Context::current(py)?, &self.pace)? {
                Ok(future) => Ok(future),
                Err(_full) => Err(busy(py)),
            };
        }
        let concurrency = py.import(intern!(py, "covet.concurrency"))?;
        Ok(concurrency
            .call_method1(intern!(py, "run_in_threadpool"), (job,))?
            .unbind())
    }

    fn deliver(&self, py: Python<'_>, outcome: Outcome) -> PyResult<Option<Py<PyAny>>> {
        match outcome {
            Outcome::Native(answer) => {
                let deliver = self.table.settings.deliver.as_ref();
                let deliver =
                    deliver.ok_or_else(|| PyRuntimeError::new_err("the application cannot deliver"))?;
                let start = self.message(py, &answer)?;
                let body = PyBytes::new(py, &answer.body);
                deliver
                    .call1(py, (&self.send, start, body, answer.background))
                    .map(Some)
            }
            Outcome::Object(response) => {
                // Not called directly: below a function middleware some responses need a task of their own.
                let isolation = py.import(intern!(py, "covet.middleware.isolation"))?;
                let arguments = (response, &self.scope, &self.receive, &self.send);
                let sending = isolation.call_method1(intern!(py, "send_response"), arguments)?;
                Ok(Some(sending.unbind()))
            }
        }
    }

    fn failed(&self, py: Python<'_>, error: PyErr) -> PyResult<Option<Py<PyAny>>> {
        // For exception handlers: it holds a body that was read.
        if let Some(request) = self.known_request(py) {
            self.scope
                .bind(py)
                .set_item(intern!(py, "covet.request"), request)?;
        }
        Err(error)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.scope)?;
        visit.call(&self.receive)?;
        visit.call(&self.send)?;
        match self.request.try_lock() {
            Ok(request) => visit.call(&*request),
            Err(_) => Ok(()),
        }
    }
}
