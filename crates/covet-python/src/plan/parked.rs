//! A run of a plan between two steps: what it waits for, and how it goes on. Owned by a `PlanRun`, taken out while
//! Python runs. Every error of user code passes through `fail`, which decides who answers it.

use std::sync::Arc;

use pyo3::exceptions::{PyException, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

use super::call::{contained, steps};
use super::execution::{Execution, Next};
use super::host::Host;
use super::outcome::Outcome;
use super::run::PlanRun;
use crate::object::awaitable::thrown;
use crate::object::ffi::{self, Step};

/// What is given to the coroutine that waits.
pub(super) enum Signal<'py> {
    Send(Bound<'py, PyAny>),
    /// The arguments of `throw`, handed on as they came.
    Throw(Bound<'py, PyTuple>),
}

/// Which part of a request a run is.
enum Part {
    /// The calls, then the answer.
    Whole(Execution),
    /// The calls only: the outcome is kept, errors go out.
    Calls(Execution),
    /// A coroutine of Python that awaits this run of the calls and answers.
    Around(Py<PlanRun>),
}

/// A run between two steps.
pub(super) struct Parked {
    part: Part,
    host: Arc<dyn Host>,
    inner: Option<Py<PyAny>>,
    /// The door's coroutine is being driven: no call of the plan is left.
    answering: bool,
    /// What the calls came to, when this run is only of them.
    pub(super) outcome: Option<Outcome>,
}

impl Parked {
    pub(super) fn whole(execution: Execution, first: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let inner = first
            .map(|awaitable| steps(awaitable).map(Bound::unbind))
            .transpose()?;
        Ok(Self {
            inner,
            ..Self::new(execution.host(), Part::Whole(execution))
        })
    }

    pub(super) fn calls(execution: Execution) -> Self {
        Self::new(execution.host(), Part::Calls(execution))
    }

    pub(super) fn around(host: Arc<dyn Host>, calls: Py<PlanRun>, coroutine: Bound<'_, PyAny>) -> Self {
        Self {
            inner: Some(coroutine.unbind()),
            ..Self::new(host, Part::Around(calls))
        }
    }

    fn new(host: Arc<dyn Host>, part: Part) -> Self {
        Self {
            part,
            host,
            inner: None,
            answering: false,
            outcome: None,
        }
    }

    pub(super) fn host(&self) -> Arc<dyn Host> {
        self.host.clone()
    }

    pub(super) fn inner(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.inner.as_ref().map(|inner| inner.clone_ref(py))
    }

    /// The endpoint, for names and code objects in task dumps.
    pub(super) fn endpoint<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match &self.part {
            Part::Whole(execution) | Part::Calls(execution) => execution.endpoint(py),
            Part::Around(calls) => calls.get().endpoint(py),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.inner)?;
        match &self.part {
            Part::Whole(execution) | Part::Calls(execution) => execution.traverse(visit),
            Part::Around(calls) => {
                visit.call(calls)?;
                self.host.traverse(visit)
            }
        }
    }

    /// Step what is waited for; make the next calls until one of them waits or all are done.
    pub(super) fn drive<'py>(&mut self, py: Python<'py>, signal: Signal<'py>) -> Step<'py> {
        let mut signal = Some(signal);
        if self.inner.is_none() {
            if let Some(Signal::Throw(arguments)) = signal.take() {
                return Step::Raised(error_of(&arguments));
            }
        }
        loop {
            if let Some(inner) = self.inner.take() {
                let inner = inner.into_bound(py);
                match step(&inner, signal.take()) {
                    Step::Yielded(value) => {
                        self.inner = Some(inner.unbind());
                        return Step::Yielded(value);
                    }
                    Step::Returned(value) if self.answering => return Step::Returned(value),
                    Step::Raised(error) if self.answering => return Step::Raised(error),
                    Step::Raised(error) => match self.fail(py, contained(py, error)) {
                        Some(end) => return end,
                        None => continue,
                    },
                    Step::Returned(value) => match &mut self.part {
                        Part::Whole(execution) | Part::Calls(execution) => execution.store(value.unbind()),
                        Part::Around(_) => return Step::Returned(value),
                    },
                }
            }
            if let Some(end) = self.go_on(py) {
                return end;
            }
        }
    }

    /// Make the next calls. Some: the run is over.
    fn go_on<'py>(&mut self, py: Python<'py>) -> Option<Step<'py>> {
        let (Part::Whole(execution) | Part::Calls(execution)) = &mut self.part else {
            return Some(Step::Returned(py.None().into_bound(py)));
        };
        let next = execution.advance(py).and_then(|next| match next {
            Next::Await(awaitable) => steps(awaitable).map(|steps| Ok(steps.unbind())),
            Next::Finished(outcome) => Ok(Err(outcome)),
        });
        match next {
            Ok(Ok(inner)) => {
                self.inner = Some(inner);
                None
            }
            Ok(Err(outcome)) if matches!(self.part, Part::Calls(_)) => {
                self.outcome = Some(outcome);
                Some(Step::Returned(py.None().into_bound(py)))
            }
            Ok(Err(outcome)) => match self.host.deliver(py, outcome) {
                Ok(rest) => self.answer(py, rest),
                Err(error) => self.fail(py, error),
            },
            Err(error) => self.fail(py, contained(py, error)),
        }
    }

    /// An error of user code: the door answers it, unless it is none for clients (a bare BaseException), others have
    /// to see it first (the exit stacks around the calls), or the answer is out already.
    fn fail<'py>(&mut self, py: Python<'py>, error: PyErr) -> Option<Step<'py>> {
        let passes = match &self.part {
            Part::Whole(_) => false,
            Part::Calls(_) => true,
            Part::Around(calls) => calls.get().is_delivered(),
        };
        if passes || !error.is_instance_of::<PyException>(py) {
            return Some(Step::Raised(error));
        }
        match self.host.failed(py, error) {
            Ok(rest) => self.answer(py, rest),
            Err(error) => Some(Step::Raised(error)),
        }
    }

    /// Drive the rest of the answer, if there is any.
    fn answer<'py>(&mut self, py: Python<'py>, rest: Option<Py<PyAny>>) -> Option<Step<'py>> {
        self.answering = true;
        let Some(rest) = rest else {
            return Some(Step::Returned(py.None().into_bound(py)));
        };
        match steps(rest.into_bound(py)) {
            Ok(steps) => {
                self.inner = Some(steps.unbind());
                None
            }
            Err(error) => Some(Step::Raised(error)),
        }
    }
}

fn step<'py>(inner: &Bound<'py, PyAny>, signal: Option<Signal<'py>>) -> Step<'py> {
    match signal {
        Some(Signal::Throw(arguments)) => throw(inner, &arguments),
        Some(Signal::Send(value)) => ffi::send(inner, &value),
        None => ffi::send(inner, inner.py().None().bind(inner.py())),
    }
}

/// Hand `throw` on. An iterator without it cannot catch anything: the error passes by.
fn throw<'py>(inner: &Bound<'py, PyAny>, arguments: &Bound<'py, PyTuple>) -> Step<'py> {
    let py = inner.py();
    let outcome = match inner.getattr_opt(intern!(py, "throw")) {
        Ok(Some(throw)) => throw.call1(arguments),
        Ok(None) => Err(error_of(arguments)),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(value) => Step::Yielded(value),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            match error.value(py).getattr(intern!(py, "value")) {
                Ok(value) => Step::Returned(value),
                Err(error) => Step::Raised(error),
            }
        }
        Err(error) => Step::Raised(error),
    }
}

fn error_of(arguments: &Bound<'_, PyTuple>) -> PyErr {
    match arguments.get_item(0) {
        Ok(kind) => thrown(&kind, arguments.get_item(1).ok()),
        Err(error) => error,
    }
}
