//! What a plan's awaitable asks of the socket door. Made once a request; everything is forwarded to the exchange.

use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::asgi_out::pair;
use super::conclusion::respond;
use super::exchange::{Exchange, SharedExchange};
use super::flight::{respond_with, route_error};
use crate::object::ffi::Context;
use crate::object::worker::Pace;
use crate::plan::{Host, Job, Outcome};

/// The door of one request.
pub(crate) struct SocketHost {
    pub(crate) exchange: SharedExchange,
    pub(crate) pace: Arc<Pace>,
}

impl Host for SocketHost {
    fn request(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let exchange = Exchange::here(&self.exchange)?;
        if let Some(request) = &*exchange.request.borrow() {
            return Ok(request.clone_ref(py));
        }
        let class =
            exchange.found_settings(|settings| settings.request.as_ref().map(|class| class.clone_ref(py)));
        let class = class.ok_or_else(|| PyRuntimeError::new_err("the application named no request class"))?;
        let scope = exchange.route_scope(py)?;
        let (receive, send) = pair(py, &self.exchange)?;
        let request = class.call1(py, (scope, receive, send))?;
        *exchange.request.borrow_mut() = Some(request.clone_ref(py));
        Ok(request)
    }

    fn run_sync(&self, py: Python<'_>, job: Py<Job>) -> PyResult<Py<PyAny>> {
        let exchange = Exchange::here(&self.exchange)?;
        let work = Box::new(move |py: Python<'_>| job.get().call(py));
        match exchange
            .site
            .pool
            .future(py, work, Context::current(py)?, &self.pace)?
        {
            Ok(future) => Ok(future),
            Err(_full) => Err(busy(py)),
        }
    }

    fn deliver(&self, py: Python<'_>, outcome: Outcome) -> PyResult<Option<Py<PyAny>>> {
        match outcome {
            Outcome::Native(answer) => {
                let background = respond(Exchange::here(&self.exchange)?, answer);
                background.map(|background| background.call0(py)).transpose()
            }
            Outcome::Object(response) => respond_with(py, &self.exchange, &response).map(Some),
        }
    }

    fn failed(&self, py: Python<'_>, error: PyErr) -> PyResult<Option<Py<PyAny>>> {
        route_error(py, &self.exchange, error).map(Some)
    }

    fn traverse(&self, _visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The exchange is shared: what it holds is let go when its task ends, not by the collector.
        Ok(())
    }
}

/// 503 as an exception that the application's handlers may dress.
pub(crate) fn busy(py: Python<'_>) -> PyErr {
    let raised = || -> PyResult<Bound<'_, PyAny>> {
        let class = py.import("covet.exceptions")?.getattr("HTTPException")?;
        let headers = pyo3::types::PyDict::new(py);
        headers.set_item("Retry-After", "1")?;
        class.call1((503, py.None(), headers))
    };
    raised().map_or_else(|error| error, PyErr::from_value)
}
