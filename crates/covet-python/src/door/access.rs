//! The access log at the border: a record of the engine as one call of Python. The runtime calls it for each request
//! that is over, and only when the server was given a callback.

use covet_engine::AccessRecord;
use pyo3::prelude::*;

use super::proxies::Proxies;

/// Whoever sends a longer name for a request sees only its beginning in the log.
const LONGEST_ID: usize = 128;

/// Call `access(client, method, target, http_version, status, seconds, size, request_id)`.
pub(crate) fn note(py: Python<'_>, access: &Py<PyAny>, proxies: &Proxies, record: &AccessRecord<'_>) {
    let client = match proxies.origin(record.peer, record.headers).client {
        Some((host, port)) => format!("{host}:{port}"),
        None => String::new(),
    };
    let version = if record.minor == 0 { "1.0" } else { "1.1" };
    let id = record
        .request_id
        .map(|id| String::from_utf8_lossy(id.get(..LONGEST_ID).unwrap_or(id)));
    let line = (
        client,
        record.method,
        String::from_utf8_lossy(record.target),
        version,
        record.status,
        record.duration.as_secs_f64(),
        record.bytes,
        id,
    );
    if let Err(error) = access.call1(py, line) {
        error.write_unraisable(py, None);
    }
}
