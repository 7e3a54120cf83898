//! What a plan gives its door to answer with.

use bytes::Bytes;
use pyo3::prelude::*;

/// An answer that needs no Python to be sent.
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// Every header field in Python's order. Content-length is among them only when `framed`: otherwise the door
    /// writes it, first, from the body's length, unless the status forbids a body (1xx, 204, 304).
    pub(crate) headers: Vec<(Bytes, Bytes)>,
    /// The headers hold a content-length already, and it is right.
    pub(crate) framed: bool,
    /// The whole body.
    pub(crate) body: Bytes,
    /// A callable to call without arguments and await after the answer is sent (background tasks).
    pub(crate) background: Option<Py<PyAny>>,
}

/// How a request that ran to its end is answered.
pub(crate) enum Outcome {
    /// By these bytes.
    Native(Answer),
    /// By awaiting `response(scope, receive, send)`, background tasks included.
    Object(Py<PyAny>),
}
