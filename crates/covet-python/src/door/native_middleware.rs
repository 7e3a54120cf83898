//! From what a Python middleware says of itself (`covet.middleware.native`: a name and plain data) to the Rust object
//! that follows the same rules. Pure conversion; called when a stack is built. A predicate calls Python: whoever
//! runs the stack holds no borrow then.

use std::sync::Arc;

use bytes::Bytes;
use covet_middleware::{Cors, CorsOptions, Fields, Gzip, GzipOptions, Middleware, OriginPredicate};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::journal;

/// The middleware that `(name, options)` describes; `None` for an unknown name, and for Python's `None`.
pub(crate) fn native_middleware(data: &Bound<'_, PyAny>) -> PyResult<Option<Arc<dyn Middleware>>> {
    if data.is_none() {
        return Ok(None);
    }
    let (name, options): (String, Bound<'_, PyDict>) = data.extract()?;
    Ok(match name.as_str() {
        "cors" => Some(Arc::new(Cors::new(cors(&options)?))),
        "gzip" => Some(Arc::new(Gzip::new(gzip(&options)?))),
        _ => None,
    })
}

fn cors(options: &Bound<'_, PyDict>) -> PyResult<CorsOptions> {
    let origins: Py<PyAny> = read(options, "allow_origins")?;
    let pattern: Option<Py<PyAny>> = read(options, "allow_origin_regex")?;
    // A collection that can change is asked each time: an origin that was taken away is refused at once.
    let lasts = origins.bind(options.py()).is_instance_of::<PyTuple>();
    Ok(CorsOptions {
        allow_origins: if lasts {
            origins.extract(options.py())?
        } else {
            Vec::new()
        },
        allow_all_origins: read(options, "allow_all_origins")?,
        allow_origin_regex: match ((!lasts).then_some(origins), pattern) {
            (None, None) => None,
            (live, pattern) => Some(predicate(live, pattern)),
        },
        allow_methods: read(options, "allow_methods")?,
        allow_headers: read(options, "allow_headers")?,
        allow_all_headers: read(options, "allow_all_headers")?,
        allow_credentials: read(options, "allow_credentials")?,
        allow_private_network: read(options, "allow_private_network")?,
        preflight_explicit_allow_origin: read(options, "preflight_explicit_allow_origin")?,
        simple_headers: fields(options, "simple_headers")?,
        preflight_headers: fields(options, "preflight_headers")?,
    })
}

fn gzip(options: &Bound<'_, PyDict>) -> PyResult<GzipOptions> {
    Ok(GzipOptions {
        minimum_size: read(options, "minimum_size")?,
        compresslevel: read(options, "compresslevel")?,
        thread_minimum_size: read(options, "thread_minimum_size")?,
        exclude_content_types: read(options, "exclude_content_types")?,
    })
}

fn read<'py, T: FromPyObjectOwned<'py>>(options: &Bound<'py, PyDict>, name: &'static str) -> PyResult<T> {
    let value = options.get_item(name)?.ok_or_else(|| PyKeyError::new_err(name))?;
    value.extract().map_err(Into::into)
}

fn fields(options: &Bound<'_, PyDict>, name: &'static str) -> PyResult<Fields> {
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = read(options, name)?;
    let shared = |(name, value)| (Bytes::from(name), Bytes::from(value));
    Ok(pairs.into_iter().map(shared).collect())
}

/// What Python decides with: a collection that may change, and a callable. What it cannot decide is not allowed.
fn predicate(live: Option<Py<PyAny>>, pattern: Option<Py<PyAny>>) -> OriginPredicate {
    Box::new(move |origin| {
        Python::attach(|py| {
            allows(py, live.as_ref(), pattern.as_ref(), origin).unwrap_or_else(|error| {
                journal::log_exception(
                    py,
                    "CORS: allow_origins or allow_origin_regex failed; the origin is refused",
                    &error,
                );
                false
            })
        })
    })
}

fn allows(
    py: Python<'_>,
    live: Option<&Py<PyAny>>,
    pattern: Option<&Py<PyAny>>,
    origin: &str,
) -> PyResult<bool> {
    if let Some(pattern) = pattern
        && pattern.bind(py).call1((origin,))?.is_truthy()?
    {
        return Ok(true);
    }
    live.map_or(Ok(false), |live| live.bind(py).contains(origin))
}
