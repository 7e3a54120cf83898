//! `receive` and `send` of the socket door: the ASGI conversation over one exchange. Python middleware and handlers
//! call them. Misuse is a RuntimeError in the caller, never a broken answer.

use std::sync::Arc;
use std::task::{Poll, Waker};

use bytes::Bytes;
use covet_http::ResponseHead;
use covet_http::channel::Pressure;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};

use super::exchange::{Exchange, Outgoing, Received, SharedExchange};
use crate::object::awaitable::{Done, Later};

/// `await receive()`.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Receive {
    pub(crate) exchange: SharedExchange,
}

#[pymethods]
impl Receive {
    fn __call__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Poll::Ready(received) = Exchange::poll_received(&self.exchange, Waker::noop()) {
            return Done::with(py, message(py, received)?);
        }
        let exchange = here(&self.exchange)?;
        let running = exchange.site.running();
        let shared = self.exchange.clone();
        let ask = move |py: Python<'_>, waker: &Waker| {
            Exchange::poll_received(&shared, waker).map(|received| message(py, received))
        };
        Later::with(py, running, Box::new(ask))
    }
}

/// `await send(message)`.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Send {
    pub(crate) exchange: SharedExchange,
}

#[pymethods]
impl Send {
    fn __call__(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let message = message
            .cast::<PyDict>()
            .map_err(|_| PyTypeError::new_err("an ASGI message must be a dict"))?;
        let kind = message
            .get_item(intern!(py, "type"))?
            .ok_or_else(|| PyRuntimeError::new_err("an ASGI message needs a 'type'"))?;
        match kind.cast::<PyString>()?.to_str()? {
            "http.response.start" => self.start(message)?,
            "http.response.body" => return self.body(py, message),
            "http.response.early_hint" => self.early_hint(message)?,
            "http.response.debug" => {}
            other => {
                let what = here(&self.exchange)?.expects();
                return Err(PyRuntimeError::new_err(format!(
                    "Expected ASGI message {what}, but got '{other}'."
                )));
            }
        }
        Done::none(py)
    }

    /// What is sent from here on stands outside of the application's native middleware.
    fn step_outside(&self) -> PyResult<()> {
        here(&self.exchange)?.step_outside();
        Ok(())
    }
}

impl Send {
    fn start(&self, message: &Bound<'_, PyDict>) -> PyResult<()> {
        let exchange = here(&self.exchange)?;
        if !matches!(*exchange.outgoing.borrow(), Outgoing::Idle) && !exchange.is_gone() {
            let what = exchange.expects();
            return Err(PyRuntimeError::new_err(format!(
                "Expected ASGI message {what}, but got 'http.response.start'."
            )));
        }
        exchange.hold(head(message)?);
        Ok(())
    }

    fn body(&self, py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
        let exchange = here(&self.exchange)?;
        let piece = match message.get_item(intern!(py, "body"))? {
            Some(body) => copy(&body)?,
            None => Bytes::new(),
        };
        let more = match message.get_item(intern!(py, "more_body"))? {
            Some(more) => more.is_truthy()?,
            None => false,
        };
        match Exchange::push(&self.exchange, piece, more) {
            Some(Pressure::Closed) if more => pause(py),
            Some(Pressure::Ready | Pressure::Closed) => Done::none(py),
            Some(Pressure::Full) => {
                let shared = self.exchange.clone();
                let ask = move |py: Python<'_>, waker: &Waker| match shared.get() {
                    Some(exchange) => exchange.poll_room(waker).map(|()| Ok(py.None())),
                    None => Poll::Ready(Ok(py.None())),
                };
                Later::with(py, exchange.site.running(), Box::new(ask))
            }
            // As other servers do: what is sent to nobody is dropped without a word.
            None if exchange.is_gone() && more => pause(py),
            None if exchange.is_gone() => Done::none(py),
            None => {
                let what = exchange.expects();
                Err(PyRuntimeError::new_err(format!(
                    "Expected ASGI message {what}, but got 'http.response.body'."
                )))
            }
        }
    }

    fn early_hint(&self, message: &Bound<'_, PyDict>) -> PyResult<()> {
        let exchange = here(&self.exchange)?;
        let mut headers = Vec::new();
        if let Some(links) = message.get_item(intern!(message.py(), "links"))? {
            for link in links.try_iter()? {
                headers.push((Bytes::from_static(b"link"), copy(&link?)?));
            }
        }
        if !exchange.has_begun() {
            exchange.informational(103, headers);
        }
        Ok(())
    }
}

impl Exchange {
    /// What `send` would accept now, for error messages.
    fn expects(&self) -> &'static str {
        match *self.outgoing.borrow() {
            Outgoing::Idle => "'http.response.start'",
            Outgoing::Held(_) | Outgoing::Streaming(_) => "'http.response.body'",
            Outgoing::Over => "nothing more, the response is complete",
        }
    }
}

/// Suspend once: an endless stream to nobody would never let the loop tell it that the client has left.
fn pause(py: Python<'_>) -> PyResult<Py<PyAny>> {
    let asyncio = py.import(intern!(py, "asyncio"))?;
    Ok(asyncio.call_method1(intern!(py, "sleep"), (0,))?.unbind())
}

fn here(exchange: &SharedExchange) -> PyResult<&Exchange> {
    exchange
        .get()
        .ok_or_else(|| PyRuntimeError::new_err("receive() and send() belong to the thread of their loop"))
}

fn message(py: Python<'_>, received: Received) -> PyResult<Py<PyAny>> {
    let message = PyDict::new(py);
    match received {
        Received::Piece(piece, more) => {
            message.set_item(intern!(py, "type"), intern!(py, "http.request"))?;
            message.set_item(intern!(py, "body"), PyBytes::new(py, &piece))?;
            message.set_item(intern!(py, "more_body"), more)?;
        }
        Received::Disconnect => message.set_item(intern!(py, "type"), intern!(py, "http.disconnect"))?,
    }
    Ok(message.into_any().unbind())
}

fn head(message: &Bound<'_, PyDict>) -> PyResult<ResponseHead> {
    let py = message.py();
    let status = message
        .get_item(intern!(py, "status"))?
        .ok_or_else(|| PyRuntimeError::new_err("'http.response.start' needs a 'status'"))?;
    let mut head = ResponseHead {
        status: status.extract()?,
        headers: Vec::new(),
    };
    if let Some(headers) = message.get_item(intern!(py, "headers"))? {
        for field in headers.try_iter()? {
            let field = field?;
            let (name, value) = (field.get_item(0)?, field.get_item(1)?);
            let (name, value) = (copy(&name)?, copy(&value)?);
            if name
                .iter()
                .chain(value.iter())
                .any(|byte| matches!(byte, b'\r' | b'\n' | 0))
            {
                return Err(PyRuntimeError::new_err(format!(
                    "Invalid HTTP header {:?}: it contains a control character.",
                    String::from_utf8_lossy(&name)
                )));
            }
            head.headers.push((name, value));
        }
    }
    Ok(head)
}

/// Bytes-like to bytes. Short pieces are copied: keeping the object alive costs more.
fn copy(object: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Bytes::copy_from_slice(bytes.as_bytes()));
    }
    if object.is_instance_of::<PyByteArray>() || object.is_instance_of::<PyMemoryView>() {
        let bytes = object.py().get_type::<PyBytes>().call1((object,))?;
        return Ok(Bytes::copy_from_slice(bytes.cast::<PyBytes>()?.as_bytes()));
    }
    let kind = object.get_type().name()?.to_string();
    Err(PyTypeError::new_err(format!(
        "ASGI wants bytes for bodies and headers, not {kind}"
    )))
}

/// The pair of callables for one exchange.
pub(crate) fn pair(py: Python<'_>, exchange: &SharedExchange) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    let receive = Py::new(
        py,
        Receive {
            exchange: Arc::clone(exchange),
        },
    )?;
    let send = Py::new(
        py,
        Send {
            exchange: Arc::clone(exchange),
        },
    )?;
    Ok((receive.into_any(), send.into_any()))
}
