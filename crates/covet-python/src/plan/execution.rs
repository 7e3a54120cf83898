//! One request's way through its plan: which call is next, and what to do with its result. `start`/`resume` do as
//! much as possible without a task; `PlanRun` does the rest inside one. Never blocks, never awaits by itself.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::call::{Call, CallKind, contained};
use super::host::Host;
use super::job::Job;
use super::outcome::Outcome;
use super::run::PlanRun;
use super::spec::Plan;
use super::values::Values;
use crate::object::ffi;

/// What the caller has to do next. Each `Execution` handed out waits for exactly one `resume`.
pub(crate) enum Started {
    /// Step this coroutine, the user's own, in a real task; then `resume` with its result.
    Coroutine(Py<PyAny>, Execution),
    /// Give this to a real task. It delivers its outcome to the host; its own result is None.
    Awaitable(Py<PlanRun>),
    /// Run the job in the pool, in a copy of the request's context; then `resume` with its result.
    Pool(Py<Job>, Execution),
    /// Answer with this.
    Done(Outcome),
    /// User code raised.
    Failed(PyErr),
}

/// What comes next inside a task.
pub(super) enum Next<'py> {
    /// Drive this, then `store` its result.
    Await(Bound<'py, PyAny>),
    /// Every call was made.
    Finished(Outcome),
}

/// The state of a running plan.
pub(crate) struct Execution {
    plan: Py<Plan>,
    values: Values,
    host: Arc<dyn Host>,
    next: usize,
}

impl Execution {
    /// Begin: nothing is called yet.
    pub(crate) fn new(plan: Py<Plan>, values: Values, host: Arc<dyn Host>) -> Self {
        Self {
            plan,
            values,
            host,
            next: 0,
        }
    }

    /// Run until something has to be waited for. Call it inside the request's context.
    pub(crate) fn start(mut self, py: Python<'_>) -> Started {
        if self.plan.get().exits {
            return self.into_run(py).map_or_else(Started::Failed, Started::Awaitable);
        }
        loop {
            let plan = self.plan.clone_ref(py);
            let Some(call) = plan.get().calls.get(self.next) else {
                return self.complete(py);
            };
            if let Err(error) = self.take_body(py, plan.get()) {
                return Started::Failed(contained(py, error));
            }
            match call.kind {
                CallKind::Inline => {
                    if let Err(error) = self.call_inline(py, call) {
                        return Started::Failed(error);
                    }
                }
                CallKind::Pool => {
                    return match call.job(py, &mut self.values, &*self.host) {
                        Ok(job) => Started::Pool(job, self),
                        Err(error) => Started::Failed(error),
                    };
                }
                CallKind::Async => return self.start_async(py, plan.get(), call),
            }
        }
    }

    /// Go on with the result of the coroutine or job that was handed out.
    pub(crate) fn resume(mut self, py: Python<'_>, result: PyResult<Py<PyAny>>) -> Started {
        match result {
            Ok(value) => {
                self.store(value);
                self.start(py)
            }
            Err(error) => Started::Failed(contained(py, error)),
        }
    }

    /// Everything in one awaitable.
    pub(crate) fn into_run(self, py: Python<'_>) -> PyResult<Py<PlanRun>> {
        if self.plan.get().exits {
            PlanRun::with_exits(py, self)
        } else {
            PlanRun::new(py, self, None)
        }
    }

    /// The door of this request.
    pub(super) fn host(&self) -> Arc<dyn Host> {
        self.host.clone()
    }

    /// Give the exit stacks that the calls open generators in.
    pub(super) fn set_exits(&mut self, exits: Py<PyAny>) {
        self.values.exits = Some(exits);
    }

    /// The user's own coroutine where it is all that is left; otherwise one awaitable for the rest.
    fn start_async(mut self, py: Python<'_>, plan: &Plan, call: &Call) -> Started {
        let last = self.next + 1 == plan.calls.len();
        let run = if last {
            match call.call(py, &mut self.values, &*self.host) {
                Ok(coroutine) if ffi::is_coroutine(&coroutine) => {
                    return Started::Coroutine(coroutine.unbind(), self);
                }
                Ok(awaitable) => PlanRun::new(py, self, Some(awaitable)),
                Err(error) => return Started::Failed(contained(py, error)),
            }
        } else {
            self.into_run(py)
        };
        run.map_or_else(Started::Failed, Started::Awaitable)
    }

    /// Run until something has to be awaited, inside a task.
    pub(super) fn advance<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        loop {
            let plan = self.plan.clone_ref(py);
            let Some(call) = plan.get().calls.get(self.next) else {
                return self.finish(py).map(Next::Finished);
            };
            self.take_body(py, plan.get())?;
            match call.kind {
                CallKind::Async => return call.call(py, &mut self.values, &*self.host).map(Next::Await),
                CallKind::Inline => self.call_inline(py, call)?,
                CallKind::Pool => {
                    let job = call.job(py, &mut self.values, &*self.host)?;
                    return Ok(Next::Await(self.host.run_sync(py, job)?.into_bound(py)));
                }
            }
        }
    }

    /// Keep the result of the current call and go to the next one.
    pub(super) fn store(&mut self, value: Py<PyAny>) {
        self.values.set(self.next + self.plan.get().first_result(), value);
        self.next += 1;
    }

    /// The endpoint, for names and code objects in task dumps.
    pub(super) fn endpoint<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.plan
            .get()
            .calls
            .last()
            .map(|call| call.callable.bind(py).clone())
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.plan)?;
        self.values.traverse(visit)?;
        self.host.traverse(visit)
    }

    /// Before the endpoint, and once: make the values of a late body.
    fn take_body(&mut self, py: Python<'_>, plan: &Plan) -> PyResult<()> {
        match plan.late_body(self.next) {
            Some(body) => body.take(
                py,
                plan.params.len(),
                &plan.from_body,
                &mut self.values,
                &*self.host,
            ),
            None => Ok(()),
        }
    }

    fn call_inline(&mut self, py: Python<'_>, call: &Call) -> PyResult<()> {
        let value = call
            .call(py, &mut self.values, &*self.host)
            .map_err(|error| contained(py, error))?;
        self.store(value.unbind());
        Ok(())
    }

    fn complete(mut self, py: Python<'_>) -> Started {
        self.finish(py).map_or_else(Started::Failed, Started::Done)
    }

    fn finish(&mut self, py: Python<'_>) -> PyResult<Outcome> {
        let plan = self.plan.get();
        let value = self
            .values
            .get(plan.first_result() + self.next.saturating_sub(1))?
            .bind(py)
            .clone();
        plan.reply.finish(&value, &self.values, &*self.host)
    }
}
