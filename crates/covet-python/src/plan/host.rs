//! What an executing plan asks of the door that runs it. The socket door and the ASGI door each implement it.

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::job::Job;
use super::outcome::Outcome;

/// One request, as its plan sees the door. Python may move a plan's awaitable to another thread (a garbage
/// collection there drops it), so state that is bound to the loop's thread belongs in a `LoopBound`.
pub(crate) trait Host: Send + Sync {
    /// The request object: made when first asked for, the same one ever after.
    fn request(&self, py: Python<'_>) -> PyResult<Py<PyAny>>;

    /// Run `job` (a callable without arguments) in the thread pool, in a copy of the current context. The awaitable
    /// given back is driven inside the request's task; it may be any object with `__await__`.
    fn run_sync(&self, py: Python<'_>, job: Py<Job>) -> PyResult<Py<PyAny>>;

    /// Answer. A coroutine given back (response objects, background tasks) is driven in the same task.
    fn deliver(&self, py: Python<'_>, outcome: Outcome) -> PyResult<Option<Py<PyAny>>>;

    /// An `Exception` left a dependency, the endpoint or the serialiser (never a bare BaseException: those go on to
    /// the task). A coroutine given back is driven in the same task.
    fn failed(&self, py: Python<'_>, error: PyErr) -> PyResult<Option<Py<PyAny>>>;

    /// Visit every Python object held, for the garbage collector.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;
}
