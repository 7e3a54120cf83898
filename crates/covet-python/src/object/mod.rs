//! Python objects and how to call them: calls, tasks, awaitables, threads, the loop. Knows nothing of HTTP.

pub(crate) mod awaitable;
pub(crate) mod doorbell;
pub(crate) mod driver;
pub(crate) mod ffi;
pub(crate) mod fork;
pub(crate) mod pool;
pub(crate) mod task;
pub(crate) mod worker;
