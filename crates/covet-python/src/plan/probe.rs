//! Plans without a door, for tests, benchmarks and tools: a request given as plain Python values, and a host whose
//! four duties are methods of a Python object.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::execution::{Execution, Started};
use super::extract::Prepared;
use super::host::Host;
use super::job::Job;
use super::outcome::Outcome;
use super::source::ValueSource;
use super::spec::Plan;
use super::values::Values;

/// A request in pieces.
pub(super) struct Pieces<'py> {
    pub(super) path: Bound<'py, PyDict>,
    pub(super) query: Vec<u8>,
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl ValueSource for Pieces<'_> {
    fn path(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = self.path.get_item(name).ok()??;
        Some(Cow::Owned(
            value.cast_exact::<PyString>().ok()?.to_str().ok()?.to_owned(),
        ))
    }

    fn query(&self) -> &[u8] {
        &self.query
    }

    fn headers(&self, name: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) {
        for (_, value) in self.headers.iter().filter(|(own, _)| own == name) {
            if !each(value) {
                return;
            }
        }
    }
}

/// The values of a request, or the reason why Python has to answer.
pub(super) fn extract<'py>(plan: &Plan, pieces: &Pieces<'py>, body: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let py = pieces.path.py();
    match plan.prepare(py, pieces, body) {
        Prepared::Ready(values) => {
            let count = plan.params.len() + usize::from(plan.body.is_some());
            let read = (0..count)
                .map(|slot| values.get(slot))
                .collect::<PyResult<Vec<_>>>()?;
            PyTuple::new(py, read).map(Bound::into_any)
        }
        Prepared::Fallback(why) => Ok(PyString::new(py, why).into_any()),
    }
}

/// A run of `plan` over values that are there already.
pub(super) fn execution(plan: Py<Plan>, given: &Bound<'_, PyTuple>, host: Py<PyAny>) -> Execution {
    let mut values = Values::new(plan.get().slots());
    for (slot, value) in given.iter().enumerate() {
        values.set(slot, value.unbind());
    }
    Execution::new(plan, values, Arc::new(PythonHost(host)))
}

/// Do what `execution` asks for with the host's `drive(awaitable)` and `work(job)`, until it is answered.
pub(super) fn complete(
    py: Python<'_>,
    execution: Execution,
    host: &Bound<'_, PyAny>,
) -> PyResult<Option<Py<PyAny>>> {
    let mut started = execution.start(py);
    loop {
        started = match started {
            Started::Coroutine(coroutine, rest) => {
                let result = host
                    .call_method1(intern!(py, "drive"), (coroutine,))
                    .map(Bound::unbind);
                rest.resume(py, result)
            }
            Started::Pool(job, rest) => {
                let result = host.call_method1(intern!(py, "work"), (job,)).map(Bound::unbind);
                rest.resume(py, result)
            }
            Started::Awaitable(run) => {
                return host
                    .call_method1(intern!(py, "drive"), (run,))
                    .map(|result| Some(result.unbind()));
            }
            Started::Done(outcome) => return PythonHost(host.clone().unbind()).deliver(py, outcome),
            Started::Failed(error) => return Err(error),
        };
    }
}

/// A host in Python: `request()`, `run_sync(job)`, `deliver(status, headers, framed, body, background)`,
/// `deliver_object(response)`, `failed(error)`.
struct PythonHost(Py<PyAny>);

impl Host for PythonHost {
    fn request(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.call_method0(py, intern!(py, "request"))
    }

    fn run_sync(&self, py: Python<'_>, job: Py<Job>) -> PyResult<Py<PyAny>> {
        self.0.call_method1(py, intern!(py, "run_sync"), (job,))
    }

    fn deliver(&self, py: Python<'_>, outcome: Outcome) -> PyResult<Option<Py<PyAny>>> {
        let rest = match outcome {
            Outcome::Native(answer) => {
                let bytes = |bytes: &bytes::Bytes| PyBytes::new(py, bytes);
                let headers: Vec<_> = answer
                    .headers
                    .iter()
                    .map(|(name, value)| (bytes(name), bytes(value)))
                    .collect();
                let all = (
                    answer.status,
                    headers,
                    answer.framed,
                    bytes(&answer.body),
                    answer.background,
                );
                self.0.call_method1(py, intern!(py, "deliver"), all)?
            }
            Outcome::Object(response) => {
                self.0
                    .call_method1(py, intern!(py, "deliver_object"), (response,))?
            }
        };
        Ok((!rest.is_none(py)).then_some(rest))
    }

    fn failed(&self, py: Python<'_>, error: PyErr) -> PyResult<Option<Py<PyAny>>> {
        let rest = self.0.call_method1(py, intern!(py, "failed"), (error,))?;
        Ok((!rest.is_none(py)).then_some(rest))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}
