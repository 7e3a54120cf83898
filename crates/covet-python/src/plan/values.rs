//! The values of one request while its plan runs: parameters, body, results of calls, and the objects that are made
//! only when somebody asks for them. Filled by `extract`, read by `execution` and `reply`.

use pyo3::exceptions::PySystemError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::{PyTraverseError, PyVisit};

/// Slots in the plan's order: parameters, the body, then one result per call.
pub(crate) struct Values {
    slots: Vec<Option<Py<PyAny>>>,
    /// The response object whose headers and status are merged into the answer.
    pub(super) response: Option<Py<PyAny>>,
    /// Tasks to run after the answer.
    pub(super) background: Option<Py<PyAny>>,
    /// The exit stacks of generator dependencies.
    pub(super) exits: Option<Py<PyAny>>,
}

impl Values {
    pub(super) fn new(slots: usize) -> Self {
        let mut empty = Vec::with_capacity(slots);
        empty.resize_with(slots, || None);
        Self {
            slots: empty,
            response: None,
            background: None,
            exits: None,
        }
    }

    /// Fill a slot; one that does not exist is ignored (the plan's data was checked when it was parsed).
    pub(super) fn set(&mut self, slot: usize, value: Py<PyAny>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(value);
        }
    }

    pub(super) fn get(&self, slot: usize) -> PyResult<&Py<PyAny>> {
        self.slots
            .get(slot)
            .and_then(Option::as_ref)
            .ok_or_else(|| PySystemError::new_err("a plan reads a value that is not there yet"))
    }

    /// The injected response: without a status and a length until the handler sets them.
    pub(super) fn response(&mut self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        if self.response.is_none() {
            let response = response_class(py)?.call0()?;
            response
                .getattr(intern!(py, "headers"))?
                .del_item(intern!(py, "content-length"))?;
            response.setattr(intern!(py, "status_code"), py.None())?;
            self.response = Some(response.unbind());
        }
        self.response
            .as_ref()
            .ok_or_else(|| PySystemError::new_err("no response object"))
    }

    /// The one list of background tasks of this request.
    pub(super) fn background(&mut self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        static TASKS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        if self.background.is_none() {
            self.background = Some(
                TASKS
                    .import(py, "covet.background", "BackgroundTasks")?
                    .call0()?
                    .unbind(),
            );
        }
        self.background
            .as_ref()
            .ok_or_else(|| PySystemError::new_err("no background tasks"))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for value in self.slots.iter().flatten() {
            visit.call(value)?;
        }
        visit.call(&self.response)?;
        visit.call(&self.background)?;
        visit.call(&self.exits)
    }
}

/// `covet.responses.Response`, imported when first needed.
pub(super) fn response_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static RESPONSE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    RESPONSE.import(py, "covet.responses", "Response")
}
