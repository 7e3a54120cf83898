//! Response objects of Python as native answers. Only those whose sending holds no surprise: `__call__` is
//! `Response`'s own, the body is there as bytes, and the headers frame it rightly. All others stay objects.

use bytes::Bytes;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyFunction, PyInt, PyList, PyTuple};

use super::outcome::{Answer, Outcome};
use super::values::response_class;

/// Up to this size a body is copied; above, its bytes object is kept alive until it is sent.
const COPIED: usize = 16 * 1024;

/// Is this a response? Quick for what handlers return most.
pub(super) fn is_response(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    use pyo3::types::{PyDict, PyString};
    if value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_none()
    {
        return Ok(false);
    }
    value.is_instance(response_class(value.py())?)
}

/// Answer with a response object; `background` runs where it has no tasks of its own.
pub(super) fn outcome(response: Bound<'_, PyAny>, background: Option<&Py<PyAny>>) -> PyResult<Outcome> {
    let py = response.py();
    let own = response.getattr(intern!(py, "background"))?;
    let background = match (own.is_none(), background) {
        (true, Some(tasks)) => {
            response.setattr(intern!(py, "background"), tasks)?;
            Some(tasks.clone_ref(py))
        }
        (true, None) => None,
        (false, _) => Some(own.unbind()),
    };
    match native(&response, background)? {
        Some(answer) => Ok(Outcome::Native(answer)),
        None => Ok(Outcome::Object(response.unbind())),
    }
}

pub(super) fn native(response: &Bound<'_, PyAny>, background: Option<Py<PyAny>>) -> PyResult<Option<Answer>> {
    let py = response.py();
    let call = response.get_type().getattr(intern!(py, "__call__"))?;
    if !plain_call(py)?.is_some_and(|plain| call.is(plain)) {
        return Ok(None);
    }
    let body = response.getattr(intern!(py, "body"))?;
    let status = response.getattr(intern!(py, "status_code"))?;
    let raw = response.getattr(intern!(py, "raw_headers"))?;
    let (Ok(body), Ok(status), Ok(raw)) = (
        body.cast_exact::<PyBytes>(),
        status.cast_exact::<PyInt>(),
        raw.cast_exact::<PyList>(),
    ) else {
        return Ok(None);
    };
    let Some(status) = status
        .extract::<u16>()
        .ok()
        .filter(|status| (200..=999).contains(status))
    else {
        return Ok(None);
    };
    let Some(headers) = fields(raw) else {
        return Ok(None);
    };
    Ok(
        framing(status, &headers, body.as_bytes().len()).map(|framed| Answer {
            status,
            headers,
            framed,
            body: body_bytes(body),
            background,
        }),
    )
}

/// `Response.__call__` as this package wrote it; None when somebody had replaced it before it was first asked for.
fn plain_call(py: Python<'_>) -> PyResult<Option<&Py<PyAny>>> {
    static CALL: PyOnceLock<Option<Py<PyAny>>> = PyOnceLock::new();
    let found = CALL.get_or_try_init(py, || -> PyResult<_> {
        let call = response_class(py)?.getattr(intern!(py, "__call__"))?;
        let ours = call.is_exact_instance_of::<PyFunction>()
            && !call.hasattr(intern!(py, "__wrapped__"))?
            && call
                .getattr(intern!(py, "__module__"))?
                .eq("covet.responses.base")?;
        Ok(ours.then(|| call.unbind()))
    })?;
    Ok(found.as_ref())
}

/// Raw headers as bytes; None unless every one is a pair of bytes.
pub(crate) fn fields(raw: &Bound<'_, PyList>) -> Option<Vec<(Bytes, Bytes)>> {
    let mut fields = Vec::with_capacity(raw.len() + 1);
    for field in raw {
        let pair = field
            .cast_exact::<PyTuple>()
            .ok()
            .filter(|pair| pair.len() == 2)?;
        let (name, value) = (pair.get_item(0).ok()?, pair.get_item(1).ok()?);
        fields.push((
            known(name.cast_exact::<PyBytes>().ok()?),
            known(value.cast_exact::<PyBytes>().ok()?),
        ));
    }
    Some(fields)
}

/// Copy a header's bytes; the commonest need no copy.
fn known(bytes: &Bound<'_, PyBytes>) -> Bytes {
    match bytes.as_bytes() {
        b"content-type" => Bytes::from_static(b"content-type"),
        b"content-length" => Bytes::from_static(b"content-length"),
        b"application/json" => Bytes::from_static(b"application/json"),
        other => Bytes::copy_from_slice(other),
    }
}

/// Do the headers hold the content-length? None: it is wrong, or missing where there must be one.
fn framing(status: u16, headers: &[(Bytes, Bytes)], body: usize) -> Option<bool> {
    let mut lengths = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let framing = match (lengths.next(), lengths.next()) {
        (Some((_, value)), None) => {
            let mut digits = itoa::Buffer::new();
            digits.format(body).as_bytes() == &**value && !bodyless(status)
        }
        (None, None) => return (bodyless(status) && body == 0).then_some(false),
        _ => false,
    };
    let encoded = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(b"transfer-encoding"));
    (framing && !encoded).then_some(true)
}

/// Statuses for which a response writes no content-length.
pub(super) fn bodyless(status: u16) -> bool {
    status < 200 || matches!(status, 204 | 304)
}

/// The body of an answer out of a bytes object.
pub(super) fn body_bytes(body: &Bound<'_, PyBytes>) -> Bytes {
    if body.as_bytes().len() <= COPIED {
        Bytes::copy_from_slice(body.as_bytes())
    } else {
        Bytes::from_owner(PyBackedBytes::from(body.clone()))
    }
}

/// The class for bytes that are a body already.
pub(super) fn plain(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    response_class(py).map(|class| class.as_any())
}
