//! From what a Python middleware says of itself (`covet.middleware.native`: a name and plain data) to the Rust object
//! that follows the same rules. Pure conversion; called when a stack is built. A predicate calls Python: whoever
//! runs the stack holds no borrow then.

use std::sync::Arc;

use bytes::Bytes;
use covet_middleware::{Cors, CorsOptions, Fields, Gzip, GzipOptions, Middleware, OriginPredicate};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

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
    Ok(CorsOptions {
        allow_origins: read(options, "allow_origins")?,
        allow_all_origins: read(options, "allow_all_origins")?,
        allow_origin_regex: read::<Option<Py<PyAny>>>(options, "allow_origin_regex")?.map(predicate),
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

/// A callable that Python decides with. What it cannot decide is not allowed.
fn predicate(callable: Py<PyAny>) -> OriginPredicate {
    Box::new(move |origin| {
        Python::attach(|py| {
            let verdict = callable
                .bind(py)
                .call1((origin,))
                .and_then(|verdict| verdict.is_truthy());
            verdict.unwrap_or_else(|error| {
                journal::log_exception(
                    py,
                    "CORS: allow_origin_regex failed; the origin is refused",
                    &error,
                );
                false
            })
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ffi::CStr;

    use bytes::BytesMut;
    use covet_http::{Decoder, Event, Limits, RequestHead, ResponseHead};

    use super::*;

    /// The middleware that a Python expression describes.
    fn described(py: Python<'_>, expression: &CStr) -> PyResult<Option<Arc<dyn Middleware>>> {
        native_middleware(&py.eval(expression, None, None)?)
    }

    fn request(fields: &str) -> RequestHead {
        let text = format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
        match Decoder::new().decode(&mut BytesMut::from(text.as_str()), &Limits::default()) {
            Ok(Event::Head(head)) => head,
            other => unreachable!("{other:?}"),
        }
    }

    const CORS: &CStr = c"('cors', {
        'allow_origins': [], 'allow_all_origins': False, 'allow_methods': ['GET'],
        'allow_origin_regex': lambda origin: {'http://yes': 'a match', 'http://no': None}[origin],
        'allow_headers': [], 'allow_all_headers': False, 'allow_credentials': False,
        'allow_private_network': False, 'preflight_explicit_allow_origin': True,
        'simple_headers': [(b'x-a', b'caf\\xe9')], 'preflight_headers': [(b'vary', b'Origin')],
    })";
    const GZIP: &CStr = c"('gzip', {
        'minimum_size': 500, 'compresslevel': 9, 'thread_minimum_size': 1000, 'exclude_content_types': ['a/*'],
    })";

    #[test]
    fn each_name_becomes_its_middleware() {
        Python::initialize();
        Python::attach(|py| {
            let name = |expression| described(py, expression).unwrap().map(|made| made.name());
            assert_eq!(name(CORS), Some("cors"));
            assert_eq!(name(GZIP), Some("gzip"));
            assert_eq!(name(c"('unheard_of', {})"), None);
            assert_eq!(name(c"None"), None);
        });
    }

    #[test]
    fn what_is_no_description_is_an_error() {
        Python::initialize();
        Python::attach(|py| {
            for wrong in [
                c"1",
                c"('gzip', {})",
                c"('gzip', {'minimum_size': -1})",
                c"('cors',)",
            ] {
                assert!(described(py, wrong).is_err(), "{wrong:?}");
            }
        });
    }

    #[test]
    fn python_decides_about_origins_and_an_error_means_no() {
        Python::initialize();
        Python::attach(|py| {
            let cors = described(py, CORS).unwrap().unwrap();
            for (origin, allowed) in [
                ("http://yes", true),
                ("http://no", false),
                ("http://error", false),
            ] {
                let mut head = ResponseHead::new(200);
                cors.after(&request(&format!("origin: {origin}\r\n")), &mut head);
                let named = head.get(b"access-control-allow-origin");
                assert_eq!(named.map(|value| value.to_vec()), allowed.then(|| origin.into()));
                assert_eq!(head.get(b"x-a").unwrap(), &b"caf\xe9"[..]);
            }
        });
    }
}
