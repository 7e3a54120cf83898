//! Native middleware from the plain data that its Python class gives: `(name, options)`.

use std::sync::Arc;

use covet_middleware::Middleware;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pub(crate) fn native_middleware(data: &Bound<'_, PyAny>) -> PyResult<Arc<dyn Middleware>> {
    Err(PyValueError::new_err(format!("unknown native middleware {data}")))
}
