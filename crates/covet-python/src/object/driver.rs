//! Drives an engine from an asyncio or uvloop loop: its descriptor is watched by `add_reader`, further passes are
//! asked for by `call_soon`. The only place that knows how a pass begins and ends.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;

use super::ffi::{self, LoopBound};

/// What is done once a pass. An error is fatal: it leaves through the loop.
pub(crate) type Pass = Box<dyn Fn(Python<'_>) -> PyResult<()>>;

/// The loop's handle on the passes.
pub(crate) struct Driver {
    running: Py<PyAny>,
    reader: RefCell<Option<Py<PyAny>>>,
    descriptor: Cell<Option<RawFd>>,
    asked: Cell<bool>,
}

impl Driver {
    /// A driver for the loop `running`; nothing is registered yet.
    pub(crate) fn new(running: Py<PyAny>) -> Rc<Self> {
        Rc::new(Self {
            running,
            reader: RefCell::default(),
            descriptor: Cell::new(None),
            asked: Cell::new(false),
        })
    }

    /// Call `pass` whenever `descriptor` is readable or a pass was asked for.
    pub(crate) fn start(self: &Rc<Self>, py: Python<'_>, descriptor: RawFd, pass: Pass) -> PyResult<()> {
        let reader = Py::new(
            py,
            Reader {
                driver: LoopBound::new((Rc::downgrade(self), pass)),
            },
        )?
        .into_any();
        self.running
            .bind(py)
            .call_method1(intern!(py, "add_reader"), (descriptor, &reader))?;
        self.descriptor.set(Some(descriptor));
        *self.reader.borrow_mut() = Some(reader);
        Ok(())
    }

    /// Ask for one more pass in the loop's next turn.
    pub(crate) fn rearm(&self) {
        if self.asked.replace(true) {
            return;
        }
        ffi::attached(|py| self.schedule(py, None));
    }

    /// Ask for one more pass after a while.
    pub(crate) fn wake_after(&self, delay: Duration) {
        ffi::attached(|py| self.schedule(py, Some(delay)));
    }

    /// No further pass. Call before the descriptor is closed.
    pub(crate) fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let reader = self.reader.borrow_mut().take();
        if let Some(descriptor) = self.descriptor.take() {
            self.running
                .bind(py)
                .call_method1(intern!(py, "remove_reader"), (descriptor,))?;
        }
        drop(reader);
        Ok(())
    }

    fn schedule(&self, py: Python<'_>, delay: Option<Duration>) {
        let reader = self.reader.borrow().as_ref().map(|reader| reader.clone_ref(py));
        let Some(reader) = reader else { return };
        let running = self.running.bind(py);
        let scheduled = match delay {
            Some(delay) => running.call_method1(intern!(py, "call_later"), (delay.as_secs_f64(), reader)),
            None => running.call_method1(intern!(py, "call_soon"), (reader,)),
        };
        if let Err(error) = scheduled {
            error.write_unraisable(py, None);
        }
    }
}

/// The callback of the loop.
#[pyclass(frozen, module = "covet._engine")]
struct Reader {
    driver: LoopBound<(std::rc::Weak<Driver>, Pass)>,
}

#[pymethods]
impl Reader {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let Some((driver, pass)) = self.driver.get() else {
            return Ok(());
        };
        let Some(driver) = driver.upgrade() else {
            return Ok(());
        };
        driver.asked.set(false);
        ffi::bury();
        pass(py)
    }
}
