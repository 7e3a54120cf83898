//! The log of the doors: Python's logger `covet.error`, looked up when something is to be said.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

fn logger(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import(intern!(py, "logging"))?
        .call_method1(intern!(py, "getLogger"), (intern!(py, "covet.error"),))
}

/// Log an exception with its traceback.
pub(crate) fn log_exception(py: Python<'_>, what: &str, error: &PyErr) {
    let fields = PyDict::new(py);
    let logged = fields
        .set_item("exc_info", error.value(py))
        .and_then(|()| logger(py)?.call_method("error", (what,), Some(&fields)));
    if let Err(error) = logged {
        error.write_unraisable(py, None);
    }
}

/// Log a remark.
pub(crate) fn log(py: Python<'_>, level: &str, what: &str) {
    // The text is an argument: a percent sign in it must not be a format.
    let logged = logger(py).and_then(|logger| logger.call_method1(level, ("%s", what)));
    if let Err(error) = logged {
        error.write_unraisable(py, None);
    }
}
