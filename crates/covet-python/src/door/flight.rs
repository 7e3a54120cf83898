//! Runs requests of the socket door: a native plan step by step, or the ASGI callable in a task. Called by the
//! endpoint, then by tasks and threads that finish. Every path ends in exactly one answer and in `conclude`.

use std::sync::Arc;

use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;

use super::asgi_out::pair;
use super::conclusion::{conclude, overloaded, respond};
use super::exchange::{Exchange, Outgoing, SharedExchange};
use super::passage::Passage;
use super::socket_host::SocketHost;
use crate::object::ffi::{Arguments, Context};
use crate::object::pool::Full;
use crate::object::task::{self, Outcome, Started as Task};
use crate::object::worker::Pace;
use crate::plan::{Execution, Job, Outcome as PlanOutcome, Plan, Started, Values};

/// A request on its way.
pub(crate) struct Flight {
    exchange: SharedExchange,
    context: Context,
}

/// A request on its way through a plan.
struct Planned {
    flight: Flight,
    pace: Arc<Pace>,
}

/// What is done with the outcome of a task.
type Next = Box<dyn FnOnce(Python<'_>, Outcome)>;

/// Run the plan of a request whose values are ready.
pub(crate) fn native(
    py: Python<'_>,
    exchange: SharedExchange,
    plan: Py<Plan>,
    values: Values,
    pace: Arc<Pace>,
) {
    let Some(flight) = Flight::new(py, exchange) else {
        return;
    };
    let host = Arc::new(SocketHost {
        exchange: flight.exchange.clone(),
        pace: pace.clone(),
    });
    let execution = Execution::new(plan, values, host);
    let planned = Planned { flight, pace };
    let started = planned.inside(py, |py| execution.start(py));
    planned.go_on(py, started);
}

/// Run the application's ASGI callable from the beginning.
pub(crate) fn python(py: Python<'_>, exchange: SharedExchange) {
    match call_app(py, &exchange) {
        Ok(coroutine) => {
            if let Some(flight) = Flight::new(py, exchange) {
                flight.last(py, coroutine);
            }
        }
        Err(error) => conclude(py, &exchange, Err(error)),
    }
}

/// Run the function middleware of a request that has a row.
pub(crate) fn stepwise(py: Python<'_>, exchange: SharedExchange) {
    match call_steps(py, &exchange) {
        Ok(coroutine) => {
            if let Some(flight) = Flight::new(py, exchange) {
                flight.last(py, coroutine);
            }
        }
        Err(error) => conclude(py, &exchange, Err(error)),
    }
}

fn call_steps(py: Python<'_>, exchange: &SharedExchange) -> PyResult<Py<PyAny>> {
    let steps = Exchange::here(exchange)?.found_settings(|settings| {
        let steps = settings.pipeline.steps.as_ref();
        steps.map(|steps| steps.clone_ref(py))
    });
    let steps = steps.ok_or_else(|| PyRuntimeError::new_err("the application has no function middleware"))?;
    let passage = Py::new(py, Passage::new(exchange.clone()))?.into_any();
    call(steps.bind(py), [&passage])
}

fn call_app(py: Python<'_>, exchange: &SharedExchange) -> PyResult<Py<PyAny>> {
    let inner = Exchange::here(exchange)?;
    let scope = inner.scope(py)?;
    let (receive, send) = pair(py, exchange)?;
    call(inner.inside(py).bind(py), [&scope, &receive, &send])
}

fn call<const N: usize>(callable: &Bound<'_, PyAny>, values: [&Py<PyAny>; N]) -> PyResult<Py<PyAny>> {
    let mut arguments = Arguments::new();
    values.into_iter().for_each(|value| arguments.push(value));
    Ok(arguments.call(callable, None)?.unbind())
}

/// The coroutine of a response object.
pub(crate) fn respond_with(
    py: Python<'_>,
    exchange: &SharedExchange,
    response: &Py<PyAny>,
) -> PyResult<Py<PyAny>> {
    let inner = Exchange::here(exchange)?;
    let scope = inner.route_scope(py)?;
    let (receive, send) = pair(py, exchange)?;
    call(response.bind(py), [&scope, &receive, &send])
}

/// `route_error(scope, receive, send, exc)`, or `late_error` when an answer has begun; the error itself when the
/// application has none. Once a request: what the handlers raise is nobody's to handle.
pub(crate) fn route_error(py: Python<'_>, exchange: &SharedExchange, error: PyErr) -> PyResult<Py<PyAny>> {
    let inner = Exchange::here(exchange)?;
    if inner.handled.replace(true) {
        return Err(error);
    }
    let begun = !matches!(*inner.outgoing.borrow(), Outgoing::Idle);
    let handler = inner.found_settings(|settings| {
        let handler = if begun {
            &settings.late_error
        } else {
            &settings.route_error
        };
        handler.as_ref().map(|handler| handler.clone_ref(py))
    });
    let Some(handler) = handler else { return Err(error) };
    let scope = inner.route_scope(py)?;
    inner.show_request(py)?;
    let (receive, send) = pair(py, exchange)?;
    let error = error.into_value(py).into_any();
    call(handler.bind(py), [&scope, &receive, &send, &error])
}

impl Flight {
    fn new(py: Python<'_>, exchange: SharedExchange) -> Option<Self> {
        let context = exchange.get()?.site.base.copy(py);
        match context {
            Ok(context) => Some(Self { exchange, context }),
            Err(error) => {
                conclude(py, &exchange, Err(error));
                None
            }
        }
    }

    /// Run a coroutine in a task; `next` gets its outcome, now or when it ends.
    fn run(&self, py: Python<'_>, coroutine: &Py<PyAny>, next: Next) {
        let Some(inner) = self.exchange.get() else { return };
        match inner.site.tasks.start(py, coroutine, &self.context) {
            Ok(Task::Finished(value)) => next(py, Ok(value)),
            Ok(Task::Raised(error)) => next(py, Err(error)),
            Ok(Task::Pending(task)) => self.wait(py, task, next),
            Err(error) => {
                if !task::is_fatal(py, &error) {
                    // It never ran; closing it keeps Python from warning about that.
                    drop(coroutine.call_method0(py, "close"));
                }
                conclude(py, &self.exchange, Err(error));
            }
        }
    }

    fn wait(&self, py: Python<'_>, task: Py<PyAny>, next: Next) {
        let Some(inner) = self.exchange.get() else { return };
        inner.set_task(task.clone_ref(py));
        self.depart(inner);
        let site = inner.site.clone();
        let done = move |py: Python<'_>, outcome: Outcome| {
            next(py, outcome);
            site.report_fatal(py)
        };
        // In the server's context: the request's own is entered again by what comes next.
        if let Err(error) = inner.site.tasks.when_done(py, &task, &inner.site.base, done) {
            conclude(py, &self.exchange, Err(error));
        }
    }

    /// From here on the request outlives the pass.
    fn depart(&self, inner: &Exchange) {
        inner.site.launch(&self.exchange);
        if inner.cancels.get() {
            Exchange::listen(&self.exchange);
        }
    }

    /// Run the last coroutine of a request: the whole ASGI callable, or an error's answer.
    fn last(self, py: Python<'_>, coroutine: Py<PyAny>) {
        let exchange = self.exchange.clone();
        let next: Next = Box::new(move |py, outcome| conclude(py, &exchange, outcome));
        self.run(py, &coroutine, next);
    }
}

impl Planned {
    /// Do a part of the plan inside the request's context.
    fn inside(&self, py: Python<'_>, part: impl FnOnce(Python<'_>) -> Started) -> Started {
        self.flight
            .context
            .run(py, || Ok(part(py)))
            .unwrap_or_else(Started::Failed)
    }

    fn resume(self, py: Python<'_>, execution: Execution, outcome: Outcome) {
        let started = self.inside(py, |py| execution.resume(py, outcome));
        self.go_on(py, started);
    }

    fn go_on(self, py: Python<'_>, mut started: Started) {
        while let Started::Coroutine(coroutine, execution) = started {
            let Some(inner) = self.flight.exchange.get() else {
                return;
            };
            let outcome = match inner.site.tasks.start(py, &coroutine, &self.flight.context) {
                Ok(Task::Finished(value)) => Ok(value),
                Ok(Task::Raised(error)) => Err(error),
                Ok(Task::Pending(task)) => return self.wait(py, task, execution),
                Err(error) => return conclude(py, &self.flight.exchange, Err(error)),
            };
            started = self.inside(py, |py| execution.resume(py, outcome));
        }
        match started {
            Started::Coroutine(..) => {}
            Started::Awaitable(run) => self.end(py, run.into_any()),
            Started::Pool(job, execution) => self.hop(py, job, execution),
            Started::Done(outcome) => self.answer(py, outcome),
            Started::Failed(error) => self.fail(py, error),
        }
    }

    fn wait(self, py: Python<'_>, task: Py<PyAny>, execution: Execution) {
        let flight = self.flight.again(py);
        flight.wait(
            py,
            task,
            Box::new(move |py, outcome| self.resume(py, execution, outcome)),
        );
    }

    fn hop(self, py: Python<'_>, job: Py<Job>, execution: Execution) {
        let exchange = self.flight.exchange.clone();
        let Some(inner) = exchange.get() else { return };
        let context = match self.flight.context.copy(py) {
            Ok(context) => context,
            Err(error) => return conclude(py, &exchange, Err(error)),
        };
        self.flight.depart(inner);
        let (pace, site) = (self.pace.clone(), inner.site.clone());
        let work = Box::new(move |py: Python<'_>| job.get().call(py));
        let then = Box::new(move |py: Python<'_>, outcome: Outcome| {
            self.resume(py, execution, outcome);
            site.report_fatal(py)
        });
        if let Err(Full) = inner.site.pool.submit(py, work, context, &pace, then) {
            overloaded(inner);
        }
    }

    fn answer(self, py: Python<'_>, outcome: PlanOutcome) {
        let Some(inner) = self.flight.exchange.get() else {
            return;
        };
        match outcome {
            PlanOutcome::Native(answer) => match respond(inner, answer) {
                None => inner.close(),
                Some(background) => match background.call0(py) {
                    Ok(coroutine) => self.end(py, coroutine),
                    Err(error) => self.fail(py, error),
                },
            },
            PlanOutcome::Object(response) => match respond_with(py, &self.flight.exchange, &response) {
                Ok(coroutine) => self.end(py, coroutine),
                Err(error) => self.fail(py, error),
            },
        }
    }

    /// Run what is left of the plan in a task: the calls and the exits, a response object, background tasks.
    fn end(self, py: Python<'_>, coroutine: Py<PyAny>) {
        let flight = self.flight.again(py);
        let next: Next = Box::new(move |py, outcome| match outcome {
            Err(error) => self.fail(py, error),
            done => conclude(py, &self.flight.exchange, done),
        });
        flight.run(py, &coroutine, next);
    }

    /// An error that the dependencies have seen: the application's handlers answer it, or hear of it.
    fn fail(self, py: Python<'_>, error: PyErr) {
        if !error.is_instance_of::<PyException>(py) {
            return conclude(py, &self.flight.exchange, Err(error));
        }
        match route_error(py, &self.flight.exchange, error) {
            Ok(coroutine) => self.flight.last(py, coroutine),
            Err(error) => conclude(py, &self.flight.exchange, Err(error)),
        }
    }
}

impl Flight {
    fn again(&self, py: Python<'_>) -> Self {
        Self {
            exchange: self.exchange.clone(),
            context: self.context.clone_ref(py),
        }
    }
}
