//! Awaitables made in Rust: one that is done already, and one that asks a poll function and sleeps on an asyncio
//! future in between. Given to Python by the door (`receive`, `send`) and the pool; never used under trio.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Wake, Waker};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::{IntoPyObjectExt, PyTraverseError};

use super::ffi::{self, LoopBound, Step};

/// An awaitable whose result is known. Awaiting it again gives the same result.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Done {
    value: Mutex<Option<Py<PyAny>>>,
}

static NOTHING: PyOnceLock<Py<Done>> = PyOnceLock::new();

impl Done {
    /// The awaitable of `value`.
    pub(crate) fn with(py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        Self {
            value: Mutex::new(Some(value)),
        }
        .into_py_any(py)
    }

    /// The one awaitable of None, shared by everybody.
    pub(crate) fn none(py: Python<'_>) -> PyResult<Py<PyAny>> {
        let done = NOTHING.get_or_try_init(py, || {
            Py::new(
                py,
                Self {
                    value: Mutex::new(None),
                },
            )
        })?;
        Ok(done.clone_ref(py).into_any())
    }

    fn finish(&self, py: Python<'_>) -> PyErr {
        let value = self
            .value
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|v| v.clone_ref(py));
        stop_iteration(py, value.unwrap_or_else(|| py.None()))
    }
}

#[pymethods]
impl Done {
    fn __await__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        Err(self.finish(py))
    }

    fn send(&self, py: Python<'_>, _value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        Err(self.finish(py))
    }

    #[pyo3(signature = (kind, value=None, _traceback=None))]
    fn throw(
        &self,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        Err(thrown(&kind, value))
    }

    fn close(&self) {}

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.value.try_lock() {
            Ok(value) => visit.call(&*value),
            Err(_) => Ok(()),
        }
    }

    fn __clear__(&self) {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(value);
    }
}

/// A StopIteration that carries `value` whatever it is (a tuple or an exception would be unpacked otherwise).
pub(crate) fn stop_iteration(py: Python<'_>, value: Py<PyAny>) -> PyErr {
    match py.get_type::<PyStopIteration>().call1((value,)) {
        Ok(stop) => PyErr::from_value(stop),
        Err(error) => error,
    }
}

/// What `throw(kind, value)` means, as an error.
pub(crate) fn thrown(kind: &Bound<'_, PyAny>, value: Option<Bound<'_, PyAny>>) -> PyErr {
    match value.filter(|value| !value.is_none()) {
        Some(value) if value.is_instance_of::<pyo3::exceptions::PyBaseException>() => {
            PyErr::from_value(value)
        }
        Some(value) => kind.call1((value,)).map_or_else(|error| error, PyErr::from_value),
        None => PyErr::from_value(kind.clone()),
    }
}

/// Asked again and again until it is ready; must register the waker when it is not.
type Ask = Box<dyn FnMut(Python<'_>, &Waker) -> Poll<PyResult<Py<PyAny>>>>;

/// An awaitable that polls Rust and sleeps on a future of the loop meanwhile. For one await only.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Later {
    running: Py<PyAny>,
    ask: LoopBound<std::cell::RefCell<Option<Ask>>>,
    sleep: Mutex<Option<Py<PyAny>>>,
}

impl Later {
    /// The awaitable of what `ask` gives, on the event loop `running`.
    pub(crate) fn with(py: Python<'_>, running: &Py<PyAny>, ask: Ask) -> PyResult<Py<PyAny>> {
        Self {
            running: running.clone_ref(py),
            ask: LoopBound::new(std::cell::RefCell::new(Some(ask))),
            sleep: Mutex::new(None),
        }
        .into_py_any(py)
    }

    fn sleeping(&self) -> Option<Py<PyAny>> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn sleep_on(&self, iterator: Py<PyAny>) {
        *self.sleep.lock().unwrap_or_else(PoisonError::into_inner) = Some(iterator);
    }

    /// Go on until the next future to sleep on.
    fn step(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(iterator) = self.sleeping() {
            match ffi::send(iterator.bind(py), py.None().bind(py)) {
                Step::Yielded(future) => {
                    self.sleep_on(iterator);
                    return Ok(future.unbind());
                }
                Step::Returned(_) => {}
                Step::Raised(error) => return Err(error),
            }
        }
        self.poll(py)
    }

    fn poll(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let cell = self
            .ask
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("awaited on another thread than its loop's"))?;
        // Taken out while it runs: it may run Python, which may come back here.
        let Some(mut ask) = cell.borrow_mut().take() else {
            return Err(PyRuntimeError::new_err(
                "cannot reuse already awaited receive() or send()",
            ));
        };
        let future = self.running.bind(py).call_method0(intern!(py, "create_future"))?;
        let waker = Waker::from(Arc::new(Resolve {
            future: future.clone().unbind(),
            running: self.running.clone_ref(py),
            home: LoopBound::new(()),
        }));
        match ask(py, &waker) {
            Poll::Ready(Ok(value)) => Err(stop_iteration(py, value)),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => {
                *cell.borrow_mut() = Some(ask);
                let iterator = future.call_method0(intern!(py, "__await__"))?;
                match ffi::send(&iterator, py.None().bind(py)) {
                    Step::Yielded(future) => {
                        self.sleep_on(iterator.unbind());
                        Ok(future.unbind())
                    }
                    // Woken before it slept: the loop asks at once again.
                    Step::Returned(_) => self.poll(py),
                    Step::Raised(error) => Err(error),
                }
            }
        }
    }
}

#[pymethods]
impl Later {
    fn __await__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.step(py)
    }

    fn send(&self, py: Python<'_>, _value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.step(py)
    }

    #[pyo3(signature = (kind, value=None, _traceback=None))]
    fn throw(
        &self,
        py: Python<'_>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.close(py);
        // A bare PyErr would be returned to Python as a value, that is, yielded to the task.
        Err(thrown(&kind, value))
    }

    fn close(&self, _py: Python<'_>) {
        let ask = self.ask.get().and_then(|cell| cell.borrow_mut().take());
        drop(ask);
        drop(self.sleeping());
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.running)?;
        match self.sleep.try_lock() {
            Ok(sleep) => visit.call(&*sleep),
            Err(_) => Ok(()),
        }
    }

    fn __clear__(&self) {
        drop(self.sleeping());
    }
}

/// Wakes the loop's task by giving its future a result; from another thread through the loop's own door.
struct Resolve {
    future: Py<PyAny>,
    running: Py<PyAny>,
    home: LoopBound<()>,
}

impl Wake for Resolve {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        ffi::attached(|py| {
            let outcome = if self.home.here() {
                resolve(self.future.bind(py))
            } else {
                let later = pyo3::wrap_pyfunction!(resolve, py);
                later.and_then(|resolve| {
                    let loop_ = self.running.bind(py);
                    loop_
                        .call_method1(intern!(py, "call_soon_threadsafe"), (resolve, &self.future))
                        .map(drop)
                })
            };
            if let Err(error) = outcome {
                error.write_unraisable(py, None);
            }
        });
    }
}

#[pyfunction]
fn resolve(future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
        future.call_method1(intern!(py, "set_result"), (py.None(),))?;
    }
    Ok(())
}
