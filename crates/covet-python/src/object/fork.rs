//! Processes that the application forks. Such a child has the server's descriptors, even its epoll instance: if it went
//! on with the loop, it would answer its parent's clients, and by closing what it takes for its own deafen its parent.
//! Asked wherever the application's code gives control back; a child does not get past that.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PySystemExit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyDict};

const REMARK: &str = "a process that the application forked came back to the server's loop and was ended: \
                      leave such a process with os._exit() in every case, or start it with subprocess";

static IN_CHILD: AtomicBool = AtomicBool::new(false);

/// Notice forks from now on. Whoever starts a server is nobody's child any more.
pub(crate) fn watch(py: Python<'_>) -> PyResult<()> {
    static WATCHING: PyOnceLock<()> = PyOnceLock::new();
    IN_CHILD.store(false, Ordering::Relaxed);
    let watching = WATCHING.get_or_try_init(py, || -> PyResult<()> {
        let note = PyCFunction::new_closure(py, None, None, |_, _| IN_CHILD.store(true, Ordering::Relaxed))?;
        let hooks = PyDict::new(py);
        hooks.set_item("after_in_child", note)?;
        py.import("os")?
            .call_method("register_at_fork", (), Some(&hooks))?;
        Ok(())
    });
    watching.map(drop)
}

/// Is this a process that the application has forked from the server's?
pub(crate) fn is_child() -> bool {
    IN_CHILD.load(Ordering::Relaxed)
}

/// End the child: with the code of its `sys.exit`, or with 1 and a remark.
pub(crate) fn leave(py: Python<'_>, error: Option<&PyErr>) -> ! {
    let code = error
        .filter(|error| error.is_instance_of::<PySystemExit>(py))
        .map(|error| exit_code(py, error));
    if code.is_none() {
        let told = py
            .import(intern!(py, "logging"))
            .and_then(|logging| logging.call_method1(intern!(py, "getLogger"), ("covet.error",)))
            .and_then(|logger| logger.call_method1(intern!(py, "error"), (REMARK,)));
        drop(told);
    }
    // What it printed is its own; nothing else that happens at the end of a process is.
    for stream in ["stdout", "stderr"] {
        let flushed = py
            .import(intern!(py, "sys"))
            .and_then(|sys| sys.getattr(stream)?.call_method0(intern!(py, "flush")));
        drop(flushed);
    }
    let ended = py
        .import(intern!(py, "os"))
        .and_then(|os| os.call_method1(intern!(py, "_exit"), (code.unwrap_or(1),)));
    drop(ended);
    std::process::exit(1);
}

/// What Python's own exit makes of `SystemExit.code`.
fn exit_code(py: Python<'_>, error: &PyErr) -> i32 {
    let code = error.value(py).getattr(intern!(py, "code"));
    match code {
        Ok(code) if code.is_none() => 0,
        Ok(code) => code.extract().unwrap_or(1),
        Err(_) => 1,
    }
}
