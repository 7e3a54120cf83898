//! Executes the compiled plan of a route: takes values from the request, converts them, calls the dependencies and
//! the endpoint, and turns what they return into bytes. Called by both doors. Never writes a 422 itself: whatever is
//! irregular is `Prepared::Fallback` before anything was called, and Python answers that request from its start.
//!
//! Life of a request: `Plan::from_python` once per route; `plan.prepare(py, source, body)`; `Execution::new(plan,
//! values, host)`, then `start()` (the least the plan needs, see `Started`) or `into_run()` (one awaitable that does
//! everything inside the task that awaits it); the door answers with the `Outcome`.

use pyo3::prelude::*;

use crate::object::ffi::install_send;

mod body;
mod call;
mod convert;
mod execution;
mod extract;
mod host;
mod job;
mod outcome;
mod parked;
mod probe;
mod reply;
mod response;
mod run;
mod source;
mod spec;
mod values;

pub(crate) use execution::{Execution, Started};
pub(crate) use extract::Prepared;
pub(crate) use host::Host;
pub(crate) use job::Job;
pub(crate) use outcome::{Answer, Outcome};
pub(crate) use response::fields as raw_fields;
pub(crate) use run::PlanRun;
pub(crate) use source::ValueSource;
pub(crate) use spec::Plan;
pub(crate) use values::Values;

/// A response object as a native answer, its background left to it; None when only its `__call__` knows what it sends.
pub(crate) fn native_answer(response: &Bound<'_, PyAny>) -> PyResult<Option<Answer>> {
    match response::is_response(response)? {
        true => response::native(response, None),
        false => Ok(None),
    }
}

/// Add what Python may see of plans to the extension module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    install_send::<PlanRun>(module.py());
    module.add_class::<Plan>()
}
