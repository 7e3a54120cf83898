//! `Server`: one application behind listening sockets, inside the loop that is running. Python's server and the
//! tests make it; it converts options, builds the parts, and holds them until `close`.

use std::cell::RefCell;
use std::os::fd::RawFd;
use std::rc::Rc;

use bytes::Bytes;
use covet_engine::{Counters, Engine, Listener, Settings};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use super::limits;
use crate::door::asgi_host;
use crate::door::proxies::Proxies;
use crate::door::runtime::LoopRuntime;
use crate::door::site::{Callbacks, Held, Options, Site};
use crate::door::socket::SocketDoor;
use crate::door::table::Tables;
use crate::object::driver::Driver;
use crate::object::ffi::{self, LoopBound};
use crate::object::fork;
use crate::object::pool::Pool;
use crate::object::task::Tasks;

/// A running server's parts.
struct Parts {
    engine: Engine,
    driver: Rc<Driver>,
    site: Rc<Site>,
}

/// One application behind listening sockets.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Server {
    app: Py<PyAny>,
    listeners: Vec<RawFd>,
    running: Py<PyAny>,
    options: Py<PyDict>,
    callbacks: Py<PyDict>,
    parts: LoopBound<RefCell<Option<Parts>>>,
    last: LoopBound<RefCell<Counters>>,
}

#[pymethods]
impl Server {
    #[new]
    #[pyo3(signature = (app, listeners, r#loop, options, callbacks))]
    fn new(
        app: Py<PyAny>,
        listeners: Vec<RawFd>,
        r#loop: Py<PyAny>,
        options: Py<PyDict>,
        callbacks: Py<PyDict>,
    ) -> Self {
        Self {
            app,
            listeners,
            running: r#loop,
            options,
            callbacks,
            parts: LoopBound::new(RefCell::new(None)),
            last: LoopBound::new(RefCell::default()),
        }
    }

    /// Accept from now on. Call on the loop's thread, after lifespan start-up.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let slot = self.slot()?;
        if slot.borrow().is_some() {
            return Err(PyRuntimeError::new_err("the server runs already"));
        }
        fork::watch(py)?;
        let parts = self.build(py)?;
        let pass_parts = (parts.engine.clone(), parts.site.clone());
        let pass = Box::new(move |py: Python<'_>| pass(py, &pass_parts.0, &pass_parts.1));
        parts.driver.start(py, parts.engine.epoll_fd(), pass)?;
        parts.driver.rearm();
        *slot.borrow_mut() = Some(parts);
        Ok(())
    }

    /// Stop accepting and let requests finish; `drained` is called once, at the latest after `deadline` seconds.
    fn drain(slf: &Bound<'_, Self>, deadline: f64) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let Some((engine, site)) = this.running()? else {
            return Ok(());
        };
        let cut = slf.getattr(intern!(py, "_cut"))?;
        this.running
            .bind(py)
            .call_method1(intern!(py, "call_later"), (deadline.max(0.0), cut))?;
        site.begin_drain(py);
        engine.drain();
        site.check_drained(py);
        Ok(())
    }

    /// The drain's deadline has passed.
    fn _cut(&self, py: Python<'_>) -> PyResult<()> {
        let Some((engine, site)) = self.running()? else {
            return Ok(());
        };
        site.cancel_all(py);
        self.remember(engine.counters())?;
        engine.close();
        site.give_up_drain(py);
        Ok(())
    }

    /// Cut everything off, stop the threads, give the descriptors back.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(parts) = self.slot()?.borrow_mut().take() else {
            return Ok(());
        };
        self.remember(parts.engine.counters())?;
        parts.driver.stop(py)?;
        parts.site.cancel_all(py);
        parts.engine.close();
        parts.site.pool.stop(py);
        Ok(())
    }

    #[getter]
    fn connections(&self) -> PyResult<usize> {
        Ok(self.counters()?.connections)
    }

    #[getter]
    fn in_progress(&self) -> PyResult<usize> {
        Ok(self.counters()?.in_progress)
    }

    #[getter]
    fn requests_total(&self) -> PyResult<u64> {
        Ok(self.counters()?.requests)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.app)?;
        visit.call(&self.running)?;
        visit.call(&self.options)?;
        visit.call(&self.callbacks)
    }

    /// Requests in progress: (label, age in seconds, task if any), oldest first.
    fn held(&self, py: Python<'_>) -> PyResult<Vec<Held>> {
        Ok(self.running()?.map_or_else(Vec::new, |(_, site)| site.held(py)))
    }
}

impl Server {
    fn slot(&self) -> PyResult<&RefCell<Option<Parts>>> {
        self.parts
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("a Server belongs to the thread of its loop"))
    }

    fn running(&self) -> PyResult<Option<(Engine, Rc<Site>)>> {
        Ok(self
            .slot()?
            .borrow()
            .as_ref()
            .map(|parts| (parts.engine.clone(), parts.site.clone())))
    }

    fn counters(&self) -> PyResult<Counters> {
        match self.running()? {
            Some((engine, _)) => Ok(engine.counters()),
            None => Ok(self.last.get().map(|last| *last.borrow()).unwrap_or_default()),
        }
    }

    fn remember(&self, counters: Counters) -> PyResult<()> {
        if let Some(last) = self.last.get() {
            *last.borrow_mut() = Counters {
                connections: 0,
                in_progress: 0,
                ..counters
            };
        }
        Ok(())
    }

    fn build(&self, py: Python<'_>) -> PyResult<Parts> {
        let options = self.options.bind(py);
        let callbacks = self.callbacks.bind(py);
        let running = self.running.bind(py);
        let bounds = limits::read(options)?;
        let limit: usize = option(options, "limit_concurrency")?.unwrap_or(0);
        let threads: usize = option(options, "threads")?.unwrap_or(0);
        let pool = Pool::new(py, running, (threads > 0).then_some(threads))?;
        asgi_host::lend(&pool);
        let compile = self.app.bind(py).getattr_opt("__covet_table__")?;
        let site = Site::new(
            py,
            self.app.clone_ref(py),
            compile.map(|compile| Tables::new(compile.unbind())),
            Tasks::new(py, running)?,
            pool,
            door_options(options, bounds.max_body)?,
            Callbacks::read(callbacks)?,
        )?;
        let driver = Driver::new(self.running.clone_ref(py));
        let runtime = Rc::new(LoopRuntime {
            driver: driver.clone(),
            site: site.clone(),
        });
        let door = Rc::new(SocketDoor::new(site.clone()));
        let settings = Settings {
            limit_concurrency: (limit > 0).then_some(limit),
            access_log: site.access().is_some(),
            ..Settings::default()
        };
        let engine = Engine::new(self.sockets()?, door, runtime, bounds, settings);
        Ok(Parts {
            engine: engine.map_err(|error| PyOSError::new_err(error.to_string()))?,
            driver,
            site,
        })
    }

    fn sockets(&self) -> PyResult<Vec<Listener>> {
        let inherit = |descriptor: &RawFd| {
            let owned = ffi::duplicate(*descriptor)?;
            Listener::inherited(owned).map_err(|error| PyOSError::new_err(error.to_string()))
        };
        self.listeners.iter().map(inherit).collect()
    }
}

/// One turn of the engine, and what belongs before and after it.
fn pass(py: Python<'_>, engine: &Engine, site: &Rc<Site>) -> PyResult<()> {
    if fork::is_child() {
        fork::leave(py, None);
    }
    site.tasks.refresh(py)?;
    site.pool.collect();
    engine.on_ready();
    site.pool.flush(py);
    site.report_fatal(py)
}

fn option<'py, T>(options: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error: Into<PyErr>>,
{
    match options.get_item(name)? {
        Some(value) if !value.is_none() => value.extract().map(Some).map_err(Into::into),
        _ => Ok(None),
    }
}

fn door_options(options: &Bound<'_, PyDict>, max_body: u64) -> PyResult<Options> {
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = option(options, "headers")?.unwrap_or_default();
    let mut headers: Vec<(Bytes, Bytes)> = pairs
        .into_iter()
        .map(|(name, value)| (Bytes::from(name), Bytes::from(value)))
        .collect();
    if option(options, "server_header")?.unwrap_or(false) {
        headers.insert(0, (Bytes::from_static(b"server"), Bytes::from_static(b"covet")));
    }
    let trusted: Vec<String> = option(options, "trusted_proxies")?.unwrap_or_default();
    Ok(Options {
        scheme: option(options, "scheme")?.unwrap_or_else(|| "http".to_owned()),
        root_path: option(options, "root_path")?.unwrap_or_default(),
        state: option(options, "state")?,
        headers,
        proxies: Proxies::new(&trusted),
        max_body,
        cancel_on_disconnect: option(options, "cancel_on_disconnect")?.unwrap_or(false),
    })
}
