//! The awaitable of a running plan: one object that behaves like a coroutine and drives the coroutines of the plan's
//! dependencies and endpoint, one after the other, in whatever task awaits it. It needs nothing of asyncio: what they
//! yield goes out untouched, what is sent or thrown goes in untouched. Its state is taken out while Python runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::execution::Execution;
use super::host::Host;
use super::outcome::Outcome;
use super::parked::{Parked, Signal};
use crate::object::awaitable::stop_iteration;
use crate::object::ffi::{Step, Stepped};

impl Stepped for PlanRun {
    fn step<'py>(&self, value: Bound<'py, PyAny>) -> Step<'py> {
        self.advance(value.py(), Signal::Send(value))
    }
}

enum State {
    /// Not stepped yet; an awaitable that exists already is awaited first.
    Fresh(Parked),
    Suspended(Parked),
    Running,
    /// Every call was made; `deliver` hands the outcome to the door.
    Finished(Outcome, Arc<dyn Host>),
    Done,
}

/// A plan in progress.
#[pyclass(frozen, weakref, module = "covet._engine")]
pub(crate) struct PlanRun {
    state: Mutex<State>,
    delivered: AtomicBool,
}

impl PlanRun {
    /// The awaitable of a whole plan; `first` is awaited as the current call.
    pub(super) fn new(
        py: Python<'_>,
        execution: Execution,
        first: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<Self>> {
        Self::fresh(py, Parked::whole(execution, first)?)
    }

    /// The awaitable of a plan with generator dependencies: Python's exit stacks around the calls and the answer.
    pub(super) fn with_exits(py: Python<'_>, mut execution: Execution) -> PyResult<Py<Self>> {
        static EXITS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let exits = EXITS.import(py, "covet.dependencies.exits", "Exits")?.call0()?;
        execution.set_exits(exits.clone().unbind());
        let host = execution.host();
        let calls = Self::fresh(py, Parked::calls(execution))?;
        let around = exits.call_method1(intern!(py, "run"), (&calls,))?;
        Self::fresh(py, Parked::around(host, calls, around))
    }

    fn fresh(py: Python<'_>, parked: Parked) -> PyResult<Py<Self>> {
        Py::new(
            py,
            Self {
                state: Mutex::new(State::Fresh(parked)),
                delivered: AtomicBool::new(false),
            },
        )
    }

    /// Was the outcome handed to the door?
    pub(super) fn is_delivered(&self) -> bool {
        self.delivered.load(Ordering::Acquire)
    }

    /// One step, without a StopIteration object.
    fn advance<'py>(&self, py: Python<'py>, signal: Signal<'py>) -> Step<'py> {
        let mut parked = match self.take(&signal) {
            Ok(parked) => parked,
            Err(error) => return Step::Raised(error),
        };
        let step = parked.drive(py, signal);
        let (next, rest) = match step {
            Step::Yielded(_) => (State::Suspended(parked), None),
            _ => match parked.outcome.take() {
                Some(outcome) => (State::Finished(outcome, parked.host()), Some(parked)),
                None => (State::Done, Some(parked)),
            },
        };
        self.put(next);
        // Dropped after the state is settled: a finaliser may look at this object.
        drop(rest);
        step
    }

    /// Take the state out; a coroutine refuses the same things with the same words.
    fn take(&self, signal: &Signal<'_>) -> PyResult<Parked> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Running) {
            State::Suspended(parked) => Ok(parked),
            State::Fresh(parked) => match signal {
                Signal::Send(value) if !value.is_none() => {
                    *state = State::Fresh(parked);
                    Err(PyTypeError::new_err(
                        "can't send non-None value to a just-started coroutine",
                    ))
                }
                _ => Ok(parked),
            },
            State::Running => Err(PyValueError::new_err("coroutine already executing")),
            over @ (State::Finished(..) | State::Done) => {
                *state = over;
                Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine"))
            }
        }
    }

    fn put(&self, next: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn inner(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.look(|state| match state {
            State::Fresh(parked) | State::Suspended(parked) => parked.inner(py),
            State::Running | State::Finished(..) | State::Done => None,
        })
    }

    pub(super) fn endpoint<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.look(|state| match state {
            State::Fresh(parked) | State::Suspended(parked) => parked.endpoint(py),
            State::Running | State::Finished(..) | State::Done => None,
        })
    }

    /// An attribute of the endpoint; None while it runs itself or is done.
    fn of_endpoint(&self, py: Python<'_>, name: &str) -> Option<Py<PyAny>> {
        self.endpoint(py)?.getattr(name).ok().map(Bound::unbind)
    }
}

fn answer_of(py: Python<'_>, step: Step<'_>) -> PyResult<Py<PyAny>> {
    match step {
        Step::Yielded(value) => Ok(value.unbind()),
        Step::Returned(value) => Err(stop_iteration(py, value.unbind())),
        Step::Raised(error) => Err(error),
    }
}

#[pymethods]
impl PlanRun {
    fn send(&self, value: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = value.py();
        answer_of(py, self.advance(py, Signal::Send(value)))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let py = arguments.py();
        answer_of(py, self.advance(py, Signal::Throw(arguments)))
    }

    /// End the coroutine that waits; its `finally` blocks run now.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let state = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*state, State::Running) {
                return Err(PyValueError::new_err("coroutine already executing"));
            }
            std::mem::replace(&mut *state, State::Done)
        };
        let (State::Fresh(parked) | State::Suspended(parked)) = state else {
            return Ok(());
        };
        let Some(inner) = parked.inner(py) else {
            return Ok(());
        };
        match inner.bind(py).getattr_opt(intern!(py, "close"))? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        }
    }

    /// Give the outcome of all calls to the door; what it gives back is to be awaited, None is nothing.
    fn deliver(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let state = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match std::mem::replace(&mut *state, State::Done) {
                State::Finished(outcome, host) => (outcome, host),
                other => {
                    *state = other;
                    return Err(PyRuntimeError::new_err("the calls of this plan gave no response"));
                }
            }
        };
        self.delivered.store(true, Ordering::Release);
        let (outcome, host) = state;
        host.deliver(py, outcome)
    }

    fn __await__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        answer_of(py, self.advance(py, Signal::Send(py.None().into_bound(py))))
    }

    #[getter]
    fn cr_await(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.inner(py)
    }

    /// The frame of the user's coroutine that waits: where a debugger or a task dump wants to look.
    #[getter]
    fn cr_frame(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.inner(py)?
            .bind(py)
            .getattr("cr_frame")
            .ok()
            .map(Bound::unbind)
    }

    #[getter]
    fn cr_code(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let inner = self
            .inner(py)
            .and_then(|inner| inner.bind(py).getattr("cr_code").ok().map(Bound::unbind));
        inner.or_else(|| self.of_endpoint(py, "__code__"))
    }

    #[getter]
    fn cr_running(&self) -> bool {
        self.look(|state| matches!(state, State::Running))
    }

    #[getter]
    fn cr_suspended(&self) -> bool {
        self.look(|state| matches!(state, State::Suspended(_)))
    }

    #[getter]
    fn cr_origin(&self) -> Option<Py<PyAny>> {
        None
    }

    #[getter]
    fn __name__(&self, py: Python<'_>) -> Py<PyAny> {
        self.of_endpoint(py, "__name__")
            .unwrap_or_else(|| intern!(py, "PlanRun").clone().into_any().unbind())
    }

    #[getter]
    fn __qualname__(&self, py: Python<'_>) -> Py<PyAny> {
        self.of_endpoint(py, "__qualname__")
            .unwrap_or_else(|| intern!(py, "PlanRun").clone().into_any().unbind())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(state) = self.state.try_lock() else {
            return Ok(());
        };
        match &*state {
            State::Fresh(parked) | State::Suspended(parked) => parked.traverse(&visit),
            State::Running | State::Done => Ok(()),
            State::Finished(_, host) => host.traverse(&visit),
        }
    }

    fn __clear__(&self) {
        let state = std::mem::replace(
            &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner),
            State::Done,
        );
        drop(state);
    }
}
