//! One call of a plan: a dependency or the endpoint, with where each argument comes from.

use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

use super::host::Host;
use super::job::Job;
use super::values::Values;
use crate::object::ffi::{self, Arguments};

/// How a callable runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CallKind {
    /// `async def`: its coroutine is driven in the request's task.
    Async,
    /// Plain: in the thread pool.
    Pool,
    /// Plain, and trusted to be quick: on the loop.
    Inline,
}

/// Where an argument comes from.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Value(usize),
    Request,
    Response,
    Background,
    Exits,
}

/// One callable and its keyword arguments.
pub(super) struct Call {
    pub(super) callable: Py<PyAny>,
    pub(super) kind: CallKind,
    names: Py<PyTuple>,
    slots: Vec<Slot>,
}

impl Call {
    /// Parse `(callable, kind, names, slots, cacheable)`; slots of values are below `filled`.
    pub(super) fn from_python(data: &Bound<'_, PyAny>, filled: usize) -> PyResult<Self> {
        let py = data.py();
        let (callable, kind, names, slots, _cacheable): (
            Py<PyAny>,
            u8,
            Vec<String>,
            Vec<i64>,
            Bound<'_, PyAny>,
        ) = data.extract()?;
        if names.len() != slots.len() {
            return Err(PyValueError::new_err("a call needs as many names as slots"));
        }
        let kind = match kind {
            0 => CallKind::Async,
            1 | 3 => CallKind::Pool,
            2 => CallKind::Inline,
            _ => return Err(PyValueError::new_err("unknown kind of call")),
        };
        let names = names
            .iter()
            .map(|name| pyo3::types::PyString::intern(py, name))
            .collect::<Vec<_>>();
        let slots = slots
            .into_iter()
            .map(|slot| Slot::parse(slot, filled))
            .collect::<PyResult<_>>()?;
        Ok(Self {
            callable,
            kind,
            names: PyTuple::new(py, names)?.unbind(),
            slots,
        })
    }

    /// Call on this thread. For `Async` the result is the awaitable.
    pub(super) fn call<'py>(
        &self,
        py: Python<'py>,
        values: &mut Values,
        host: &dyn Host,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = self.prepare(py, values, host)?;
        let mut arguments = Arguments::new();
        for slot in &self.slots {
            arguments.push(argument(*slot, values, request.as_ref())?);
        }
        arguments.call(self.callable.bind(py), Some(self.names.bind(py)))
    }

    /// The same call as an object for the pool.
    pub(super) fn job(&self, py: Python<'_>, values: &mut Values, host: &dyn Host) -> PyResult<Py<Job>> {
        let request = self.prepare(py, values, host)?;
        let mut arguments = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            arguments.push(argument(*slot, values, request.as_ref())?.clone_ref(py));
        }
        Py::new(
            py,
            Job::new(self.callable.clone_ref(py), self.names.clone_ref(py), arguments),
        )
    }

    /// Make the objects that exist only on demand, so that taking the arguments only borrows.
    fn prepare(&self, py: Python<'_>, values: &mut Values, host: &dyn Host) -> PyResult<Option<Py<PyAny>>> {
        let mut request = None;
        for slot in &self.slots {
            match slot {
                Slot::Value(_) | Slot::Exits => {}
                Slot::Request => request = Some(host.request(py)?),
                Slot::Response => drop(values.response(py)?),
                Slot::Background => drop(values.background(py)?),
            }
        }
        Ok(request)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.callable)
    }
}

impl Slot {
    fn parse(slot: i64, filled: usize) -> PyResult<Self> {
        match slot {
            -1 | -4 => Ok(Self::Request),
            -2 => Ok(Self::Response),
            -3 => Ok(Self::Background),
            -5 => Ok(Self::Exits),
            _ => match usize::try_from(slot) {
                Ok(slot) if slot < filled => Ok(Self::Value(slot)),
                _ => Err(PyValueError::new_err(
                    "a call reads a slot that nothing has filled before it",
                )),
            },
        }
    }
}

fn argument<'a>(slot: Slot, values: &'a Values, request: Option<&'a Py<PyAny>>) -> PyResult<&'a Py<PyAny>> {
    let made = match slot {
        Slot::Value(index) => return values.get(index),
        Slot::Request => request,
        Slot::Response => values.response.as_ref(),
        Slot::Background => values.background.as_ref(),
        Slot::Exits => values.exits.as_ref(),
    };
    made.ok_or_else(|| PyRuntimeError::new_err("an argument of a plan was not made"))
}

/// What `await awaitable` steps: a coroutine itself, else the iterator of `__await__`.
pub(super) fn steps<'py>(awaitable: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if ffi::is_coroutine(&awaitable) {
        return Ok(awaitable);
    }
    match awaitable.getattr_opt(intern!(awaitable.py(), "__await__"))? {
        Some(steps) => steps.call0(),
        None => {
            let name = awaitable.get_type().name()?;
            Err(PyTypeError::new_err(format!(
                "object {name} can't be used in 'await' expression"
            )))
        }
    }
}

/// An error as a coroutine would let it out: StopIteration would end whoever awaits it (PEP 479).
pub(super) fn contained(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyStopIteration>(py) || error.is_instance_of::<PyStopAsyncIteration>(py) {
        let kind = error
            .get_type(py)
            .name()
            .map_or_else(|_| String::new(), |name| name.to_string());
        let outer = PyRuntimeError::new_err(format!("coroutine raised {kind}"));
        outer.set_cause(py, Some(error));
        return outer;
    }
    error
}
