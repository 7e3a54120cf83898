//! One call of user code with its arguments, ready for any thread: what a thread pool is given. It never touches the
//! request; the pool decides in which context it runs.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

use crate::object::ffi::Arguments;

/// A callable without arguments.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Job {
    callable: Py<PyAny>,
    names: Py<PyTuple>,
    values: Vec<Py<PyAny>>,
}

impl Job {
    pub(super) fn new(callable: Py<PyAny>, names: Py<PyTuple>, values: Vec<Py<PyAny>>) -> Self {
        Self {
            callable,
            names,
            values,
        }
    }

    /// Make the call.
    pub(crate) fn call(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut arguments = Arguments::new();
        for value in &self.values {
            arguments.push(value);
        }
        arguments
            .call(self.callable.bind(py), Some(self.names.bind(py)))
            .map(Bound::unbind)
    }
}

#[pymethods]
impl Job {
    fn __call__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.call(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.callable)?;
        for value in &self.values {
            visit.call(value)?;
        }
        Ok(())
    }
}
