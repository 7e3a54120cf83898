//! Starts a coroutine as a real asyncio.Task and runs its first step at once. The door and the plans call it.
//! Never a fake or shared task: asyncio.timeout, TaskGroup, anyio and sniffio depend on `current_task()`.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::ffi::{Arguments, Context, LoopBound};

/// What the first step of a task came to.
pub(crate) enum Started {
    /// Finished without suspending.
    Finished(Py<PyAny>),
    /// Ended by this error.
    Raised(PyErr),
    /// Suspended; it goes on in the loop.
    Pending(Py<PyAny>),
}

/// How a task ended.
pub(crate) type Outcome = PyResult<Py<PyAny>>;

#[derive(Clone, Copy, PartialEq)]
enum Strategy {
    /// `Task(..., eager_start=True)`, Python 3.12 and later.
    Eager,
    /// Python 3.11: the first step is captured from a shadowed `call_soon`.
    Captured,
    /// The user (or a debugger) has a say in how tasks are made.
    Factory,
}

/// Everything that starting a task needs, looked up once a loop.
pub(crate) struct Tasks {
    running: Py<PyAny>,
    kind: Py<PyAny>,
    is_done: Py<PyAny>,
    result: Py<PyAny>,
    /// The keywords of an eager task, `context` aside: made once, since a dict of its own is a tenth of a task's cost.
    eager: Py<PyDict>,
    plain_names: Py<PyTuple>,
    native: Strategy,
    strategy: Cell<Strategy>,
}

impl Tasks {
    /// Look up what the loop and this Python offer.
    pub(crate) fn new(py: Python<'_>, running: &Bound<'_, PyAny>) -> PyResult<Self> {
        let kind = py.import("asyncio")?.getattr("Task")?;
        let native = if !calls_itself_asyncio(running)? {
            Strategy::Factory
        } else if py.version_info() >= (3, 12) {
            Strategy::Eager
        } else {
            Strategy::Captured
        };
        let tasks = Self {
            running: running.clone().unbind(),
            is_done: kind.getattr("done")?.unbind(),
            result: kind.getattr("result")?.unbind(),
            kind: kind.unbind(),
            eager: eager_keywords(running)?.unbind(),
            plain_names: names(py, &["loop", "context"])?,
            native,
            strategy: Cell::new(native),
        };
        tasks.refresh(py)?;
        Ok(tasks)
    }

    /// Look again whether the user has set a task factory. Once a pass is enough.
    pub(crate) fn refresh(&self, py: Python<'_>) -> PyResult<()> {
        let factory = self
            .running
            .bind(py)
            .call_method0(intern!(py, "get_task_factory"))?;
        self.strategy.set(if factory.is_none() {
            self.native
        } else {
            Strategy::Factory
        });
        Ok(())
    }

    /// The loop that runs the tasks.
    pub(crate) fn running(&self) -> &Py<PyAny> {
        &self.running
    }

    /// Start `coroutine` inside `context`. An Err is SystemExit, KeyboardInterrupt or a loop that refuses tasks.
    pub(crate) fn start(
        &self,
        py: Python<'_>,
        coroutine: &Py<PyAny>,
        context: &Context,
    ) -> PyResult<Started> {
        let task = match self.strategy.get() {
            Strategy::Eager => self.eager(py, coroutine, context)?,
            Strategy::Captured => self.captured(py, coroutine, context)?,
            Strategy::Factory => return self.by_factory(py, coroutine, context),
        };
        self.look(py, task)
    }

    /// Call `then` once with the outcome of a pending task.
    pub(crate) fn when_done(
        &self,
        py: Python<'_>,
        task: &Py<PyAny>,
        context: &Context,
        then: impl FnOnce(Python<'_>, Outcome) -> PyResult<()> + 'static,
    ) -> PyResult<()> {
        let then: Then = Box::new(then);
        let callback = Py::new(
            py,
            Continuation {
                then: LoopBound::new(RefCell::new(Some(then))),
            },
        )?
        .into_any();
        let method = task.bind(py).getattr(intern!(py, "add_done_callback"))?;
        let names = PyTuple::new(py, [intern!(py, "context")])?;
        let mut arguments = Arguments::new();
        arguments.push(&callback);
        arguments.push(context.object());
        arguments.call(&method, Some(&names)).map(drop)
    }

    fn eager(&self, py: Python<'_>, coroutine: &Py<PyAny>, context: &Context) -> PyResult<Py<PyAny>> {
        // A task that starts another while it starts may use the dict again: every value in it is kept alive by
        // whoever put it there, and is only read before the first step.
        let keywords = self.eager.bind(py);
        keywords.set_item(intern!(py, "context"), context.object())?;
        let task = self.kind.bind(py).call((coroutine,), Some(keywords));
        // An idle server must not keep the last request's context alive.
        keywords.set_item(intern!(py, "context"), py.None())?;
        Ok(task?.unbind())
    }

    fn captured(&self, py: Python<'_>, coroutine: &Py<PyAny>, context: &Context) -> PyResult<Py<PyAny>> {
        let running = self.running.bind(py);
        let busy = py
            .import(intern!(py, "asyncio"))?
            .call_method1(intern!(py, "current_task"), (running,))?;
        let call_soon = running.getattr(intern!(py, "call_soon"))?.unbind();
        let capture = Py::new(
            py,
            Capture {
                call_soon,
                step: Mutex::new(None),
            },
        )?;
        let mut arguments = Arguments::new();
        arguments.push(coroutine);
        arguments.push(&self.running);
        arguments.push(context.object());
        let shadowed = busy.is_none() && running.setattr(intern!(py, "call_soon"), &capture).is_ok();
        let task = arguments.call(self.kind.bind(py), Some(self.plain_names.bind(py)));
        if shadowed {
            running.delattr(intern!(py, "call_soon"))?;
        }
        let task = task?.unbind();
        let step = capture
            .get()
            .step
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(step) = step {
            context.run(py, || step.call0(py))?;
        }
        Ok(task)
    }

    /// A factory need not know the `context` keyword: it copies the context it is called in.
    fn by_factory(&self, py: Python<'_>, coroutine: &Py<PyAny>, context: &Context) -> PyResult<Started> {
        let running = self.running.bind(py);
        let task = context.run(py, || {
            running.call_method1(intern!(py, "create_task"), (coroutine,))
        })?;
        self.look(py, task.unbind())
    }

    fn look(&self, py: Python<'_>, task: Py<PyAny>) -> PyResult<Started> {
        let mut arguments = Arguments::new();
        arguments.push(&task);
        if !arguments.call(self.is_done.bind(py), None)?.is_truthy()? {
            return Ok(Started::Pending(task));
        }
        Ok(match arguments.call(self.result.bind(py), None) {
            Ok(value) => Started::Finished(value.unbind()),
            Err(error) => Started::Raised(error),
        })
    }
}

/// Must the process end because of `error`?
pub(crate) fn is_fatal(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py)
}

/// A loop with its own `create_task` (a debugger's, a test's) is asked; asyncio's and uvloop's need not be.
fn calls_itself_asyncio(running: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Ok(function) = running.getattr("create_task")?.getattr("__func__") else {
        return Ok(false);
    };
    let module = function.getattr("__module__")?;
    Ok(module.eq("asyncio.base_events")? || module.eq("uvloop.loop")?)
}

fn eager_keywords<'py>(running: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(running.py());
    keywords.set_item("loop", running)?;
    keywords.set_item("eager_start", true)?;
    Ok(keywords)
}

fn names(py: Python<'_>, names: &[&str]) -> PyResult<Py<PyTuple>> {
    let interned: Vec<_> = names
        .iter()
        .map(|name| pyo3::types::PyString::intern(py, name))
        .collect();
    Ok(PyTuple::new(py, interned)?.unbind())
}

type Then = Box<dyn FnOnce(Python<'_>, Outcome) -> PyResult<()>>;

/// The one done-callback of a pending task.
#[pyclass(frozen, module = "covet._engine")]
struct Continuation {
    then: LoopBound<RefCell<Option<Then>>>,
}

#[pymethods]
impl Continuation {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let then = self.then.get().and_then(|then| then.borrow_mut().take());
        match then {
            Some(then) => then(py, task.call_method0(intern!(py, "result")).map(Bound::unbind)),
            None => Ok(()),
        }
    }
}

/// Stands in for `loop.call_soon` while a task is made: takes the task's first step, passes on everything else.
#[pyclass(frozen, module = "covet._engine")]
struct Capture {
    call_soon: Py<PyAny>,
    step: Mutex<Option<Py<PyAny>>>,
}

#[pymethods]
impl Capture {
    #[pyo3(signature = (callback, *args, context=None))]
    fn __call__(
        &self,
        py: Python<'_>,
        callback: Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let kind = callback.get_type();
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        if step.is_none() && kind.name()?.to_cow()?.contains("TaskStepMethWrapper") {
            *step = Some(callback.unbind());
            return Ok(py.None());
        }
        drop(step);
        let all: Vec<_> = std::iter::once(callback).chain(args.iter()).collect();
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "context"), context)?;
        self.call_soon.call(py, PyTuple::new(py, all)?, Some(&keywords))
    }
}
