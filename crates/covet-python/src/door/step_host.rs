//! What a plan's awaitable asks of the socket door when function middleware is around it: the answer becomes the
//! response object that `call_next` gives, and errors go out to the middleware.

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::exchange::Exchange;
use super::passage::Passage;
use super::socket_host::SocketHost;
use crate::object::awaitable::Done;
use crate::plan::{Host, Job, Outcome};

/// The door of one request behind function middleware.
pub(crate) struct StepHost {
    socket: SocketHost,
    passage: Py<Passage>,
    /// The native middleware that the answer leaves through.
    segment: Option<usize>,
    /// `deliver(response)`: what comes between a response and the exits of its dependencies.
    deliver: Option<Py<PyAny>>,
}

impl StepHost {
    /// The host of the plan that `passage` runs.
    pub(crate) fn new(
        socket: SocketHost,
        passage: Py<Passage>,
        segment: Option<usize>,
        deliver: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            socket,
            passage,
            segment,
            deliver,
        }
    }
}

impl Host for StepHost {
    fn request(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.socket.request(py)
    }

    fn run_sync(&self, py: Python<'_>, job: Py<Job>) -> PyResult<Py<PyAny>> {
        self.socket.run_sync(py, job)
    }

    fn deliver(&self, py: Python<'_>, outcome: Outcome) -> PyResult<Option<Py<PyAny>>> {
        let response = match outcome {
            Outcome::Native(answer) => self.passage.get().response(py, answer, self.segment)?,
            Outcome::Object(response) => response,
        };
        match &self.deliver {
            Some(deliver) => deliver.call1(py, (response,)).map(Some),
            None => Done::with(py, response).map(Some),
        }
    }

    fn failed(&self, py: Python<'_>, error: PyErr) -> PyResult<Option<Py<PyAny>>> {
        Exchange::here(&self.socket.exchange)?.show_request(py)?;
        Err(error)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.deliver)?;
        visit.call(&self.passage)
    }
}
