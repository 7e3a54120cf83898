//! The limits as Python names them: times in seconds, sizes in bytes. Names and defaults are `covet_http::Limits`'s.

use std::time::Duration;

use covet_http::Limits as Bounds;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A bound that Python can read and set.
trait Setting: Sized {
    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
    fn read(value: &Bound<'_, PyAny>) -> PyResult<Self>;
}

macro_rules! whole {
    ($($kind:ty),*) => {$(
        impl Setting for $kind {
            fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Ok(self.into_pyobject(py)?.into_any())
            }

            fn read(value: &Bound<'_, PyAny>) -> PyResult<Self> {
                value.extract()
            }
        }
    )*};
}

whole!(usize, u64, u32);

impl Setting for Duration {
    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.as_secs_f64().into_pyobject(py)?.into_any())
    }

    fn read(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let seconds: f64 = value.extract()?;
        Self::try_from_secs_f64(seconds).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

macro_rules! bounds {
    ($($name:ident),* $(,)?) => {
        /// Take over every limit that `options` names.
        pub(crate) fn read(options: &Bound<'_, PyDict>) -> PyResult<Bounds> {
            let mut bounds = Bounds::default();
            $(
                if let Some(value) = options.get_item(stringify!($name))? {
                    bounds.$name = Setting::read(&value)?;
                }
            )*
            Ok(bounds)
        }

        fn show(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
            let bounds = Bounds::default();
            let shown = PyDict::new(py);
            $(shown.set_item(stringify!($name), bounds.$name.show(py)?)?;)*
            Ok(shown)
        }
    };
}

bounds![
    max_fields,
    max_line,
    max_head,
    max_body,
    max_trailers,
    max_chunk_extension,
    json_depth,
    form_fields,
    form_files,
    form_field_size,
    part_fields,
    part_head,
    spool_size,
    max_upload,
    header_timeout,
    body_idle_timeout,
    body_min_rate,
    body_rate_grace,
    keep_alive,
    write_stall,
    tls_handshake,
    drain,
    h2_header_list,
    h2_streams,
    h2_resets,
    websocket_message,
    websocket_queue,
    websocket_ping,
    websocket_pong,
];

/// Names and defaults of every limit.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Limits;

#[pymethods]
impl Limits {
    /// Return a new dict of names and defaults; times are seconds, sizes are bytes.
    #[staticmethod]
    fn defaults(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        show(py)
    }
}
