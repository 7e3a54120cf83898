//! The body of a plan's answer while function middleware looks at the response: an async iterator for Python, the
//! bytes themselves for the door as long as nobody has iterated. Made by `Passage` only.

use std::cell::RefCell;
use std::task::{Poll, Waker};

use bytes::Bytes;
use covet_http::Body;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::object::awaitable::Done;
use crate::object::ffi::LoopBound;

/// A body that is there already. It is given once, piece by piece or as a whole.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct NativeBody {
    /// None once somebody has begun to iterate.
    whole: LoopBound<RefCell<Option<Body>>>,
    rest: LoopBound<RefCell<Body>>,
}

impl NativeBody {
    /// Hold a body. A stream in it never waits for anybody: it is a filter over a whole body, which only pauses.
    pub(crate) fn new(body: Body) -> Self {
        Self {
            whole: LoopBound::new(RefCell::new(Some(body))),
            rest: LoopBound::new(RefCell::new(Body::Empty)),
        }
    }

    /// The length, if the body is still here and its length is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.whole.get()?.borrow().as_ref()?.size_hint()
    }

    /// Is all of it still here?
    pub(crate) fn is_whole(&self) -> bool {
        self.whole.get().is_some_and(|whole| whole.borrow().is_some())
    }

    /// All of it, unless somebody has begun to iterate.
    pub(crate) fn take(&self) -> Option<Body> {
        self.whole.get()?.borrow_mut().take()
    }

    fn next(&self) -> PyResult<Option<Bytes>> {
        let moved = || PyRuntimeError::new_err("a response belongs to the thread of its event loop");
        let rest = self.rest.get().ok_or_else(moved)?;
        let mut rest = rest.borrow_mut();
        if let Some(whole) = self.take() {
            *rest = whole;
        }
        match std::mem::take(&mut *rest) {
            Body::Empty => Ok(None),
            Body::Full(bytes) => Ok(Some(bytes)),
            Body::Stream(mut stream) => loop {
                match stream.poll_chunk(Waker::noop()) {
                    Poll::Ready(Some(Ok(piece))) => {
                        *rest = Body::Stream(stream);
                        break Ok(Some(piece));
                    }
                    Poll::Ready(None) => break Ok(None),
                    Poll::Ready(Some(Err(error))) => break Err(PyRuntimeError::new_err(error.to_string())),
                    // A pause for the sake of others, which whoever iterates takes between the pieces.
                    Poll::Pending => {}
                }
            },
        }
    }
}

#[pymethods]
impl NativeBody {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.next()? {
            Some(piece) => Done::with(py, PyBytes::new(py, &piece).into_any().unbind()).map(Some),
            None => Ok(None),
        }
    }

    /// As of an async generator: nothing follows.
    fn aclose(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        drop(self.take());
        let rest = self.rest.get().map(|rest| rest.replace(Body::Empty));
        drop(rest);
        Done::none(py)
    }
}
