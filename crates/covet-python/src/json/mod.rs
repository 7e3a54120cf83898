//! The JSON writer: a Python object to the bytes that `json.dumps(jsonable_encoder(x), ensure_ascii=False,
//! allow_nan=False, separators=(",", ":"))` gives. Called by plans and by Python. Where the bytes would not surely be
//! the same it gives up (`Written::Fallback`) and Python writes them.

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

mod number;
mod objects;
mod text;
mod writer;

/// What became of a value.
pub(crate) enum Written {
    /// Its JSON text.
    Bytes(Bytes),
    /// Python has to write it, or to raise.
    Fallback,
}

/// Write `value`. User code it runs (serialisers of models, encoders) may raise.
pub(crate) fn write(value: &Bound<'_, PyAny>) -> PyResult<Written> {
    writer::with_buffer(value, |buffer| {
        // A large text moves out instead of being copied; the next one begins with a new buffer.
        const MOVED: usize = 64 * 1024;
        if buffer.len() > MOVED {
            Bytes::from(std::mem::take(buffer))
        } else {
            Bytes::copy_from_slice(buffer)
        }
    })
    .map(|written| written.map_or(Written::Fallback, Written::Bytes))
}

/// Write a value as answers without a response model are written; None when only Python can.
#[pyfunction]
#[pyo3(signature = (value, /))]
fn json_dumps<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    writer::with_buffer(value, |buffer| PyBytes::new(value.py(), buffer))
}

/// Add the writer to the extension module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(json_dumps, module)?)
}
