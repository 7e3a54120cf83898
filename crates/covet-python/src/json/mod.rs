//! The JSON writer: a Python object to the bytes that `json.dumps(jsonable_encoder(x), ensure_ascii=False,
//! allow_nan=False, separators=(",", ":"))` gives. Called by plans and by Python. Where the bytes would not surely be
//! the same it gives up (`Written::Fallback`) and Python writes them.

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use writer::{Rules, Writer};

mod number;
mod objects;
mod shape;
mod text;
mod writer;

pub(crate) use shape::Shape;

/// What became of a value.
pub(crate) enum Written {
    /// Its JSON text.
    Bytes(Bytes),
    /// Python has to write it, or to raise.
    Fallback,
}

/// Write `value`. User code it runs (serialisers of models, encoders) may raise.
pub(crate) fn write(value: &Bound<'_, PyAny>) -> PyResult<Written> {
    let written = writer::with_buffer(|writer| writer.value(value, Rules::Encoder), take)?;
    Ok(written.map_or(Written::Fallback, Written::Bytes))
}

/// Write a value of a model's shape as pydantic would.
pub(crate) fn write_shaped(value: &Bound<'_, PyAny>, shape: &Shape) -> PyResult<Written> {
    let written = writer::with_buffer(|writer| shape.write(writer, value), take)?;
    Ok(written.map_or(Written::Fallback, Written::Bytes))
}

/// A large text moves out of the buffer instead of being copied; the next one begins with a new buffer.
fn take(buffer: &mut Vec<u8>) -> Bytes {
    const MOVED: usize = 64 * 1024;
    if buffer.len() > MOVED {
        Bytes::from(std::mem::take(buffer))
    } else {
        Bytes::copy_from_slice(buffer)
    }
}

/// Write a value as answers without a response model are written; None when only Python can.
#[pyfunction]
#[pyo3(signature = (value, /))]
fn json_dumps<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let write = |writer: &mut Writer| writer.value(value, Rules::Encoder);
    writer::with_buffer(write, |buffer| PyBytes::new(value.py(), buffer))
}

/// Write a value of the shape that `plan_shape` found for its schema; None when only pydantic can.
#[pyfunction]
#[pyo3(signature = (value, shape, /))]
fn json_dumps_shaped<'py>(
    value: &Bound<'py, PyAny>,
    shape: &Bound<'py, PyTuple>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let shape = Shape::from_python(shape)?;
    writer::with_buffer(
        |writer| shape.write(writer, value),
        |buffer| PyBytes::new(value.py(), buffer),
    )
}

/// Add the writer to the extension module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(json_dumps, module)?)?;
    module.add_function(wrap_pyfunction!(json_dumps_shaped, module)?)
}
