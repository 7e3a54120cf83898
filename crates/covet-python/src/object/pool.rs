//! The loop's side of the thread pool: jobs go out in batches, results come back through a doorbell. Used by the
//! door and the plans under asyncio; under trio anyio's threads serve instead. Lives and dies on the loop's thread.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::ffi::{Context, LoopBound};
use super::task::Outcome;
use super::worker::{Job, Pace, Shared, Work, Worker};

/// Receives the outcome of a job on the loop's thread. Its error ends the loop's callback, so: fatal ones only.
pub(crate) type Completion = Box<dyn FnOnce(Python<'_>, Outcome) -> PyResult<()>>;

/// More jobs than this waiting for a thread means overload: refuse.
const MOST_WAITING: usize = 4096;
/// anyio's own default, used when its limiter cannot be asked.
pub(crate) const DEFAULT_THREADS: usize = 40;
/// No limiter setting makes more threads than this.
const MOST_THREADS: usize = 1024;

/// The queue is full; the answer is 503.
#[derive(Debug)]
pub(crate) struct Full;

/// One pool a server.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    running: Py<PyAny>,
    spawn: Py<PyAny>,
    /// Nobody has said how many threads: anyio's limiter does.
    follows_limiter: bool,
    /// Its `total_tokens` is the number of threads, also when users change it. Asked for with the first thread, since
    /// it costs the import of anyio's backend; None: it cannot be had.
    limiter: OnceCell<Option<Py<PyAny>>>,
    waiting: RefCell<slab::Slab<Completion>>,
    batch: RefCell<Vec<Job>>,
    long: Cell<usize>,
    /// Inside a pass of the engine jobs are collected; `flush` ends it.
    collecting: Cell<bool>,
    stopped: Cell<bool>,
}

impl Pool {
    /// A pool on the event loop `running` (which must be this thread's). Threads start when jobs come.
    pub(crate) fn new(
        py: Python<'_>,
        running: &Bound<'_, PyAny>,
        threads: Option<usize>,
    ) -> PyResult<Rc<Self>> {
        let shared = Arc::new(Shared::new(threads.unwrap_or(DEFAULT_THREADS))?);
        let spawner = Spawner {
            shared: shared.clone(),
            running: running.clone().unbind(),
            threads: std::sync::Mutex::default(),
        };
        let pool = Rc::new(Self {
            shared: shared.clone(),
            running: running.clone().unbind(),
            spawn: Py::new(py, spawner)?.into_any(),
            follows_limiter: threads.is_none(),
            limiter: OnceCell::new(),
            waiting: RefCell::default(),
            batch: RefCell::default(),
            long: Cell::new(0),
            collecting: Cell::new(false),
            stopped: Cell::new(false),
        });
        let inbox = Py::new(
            py,
            Inbox {
                pool: LoopBound::new(Rc::downgrade(&pool)),
            },
        )?;
        running.call_method1(intern!(py, "add_reader"), (shared.bell.descriptor(), inbox))?;
        py.import("atexit")?
            .call_method1("register", (pool.spawn.bind(py).getattr("stop")?,))?;
        Ok(pool)
    }

    /// Run `work` on a thread, inside `context`; `then` gets the outcome here.
    pub(crate) fn submit(
        &self,
        py: Python<'_>,
        work: Work,
        context: Context,
        pace: &Arc<Pace>,
        then: Completion,
    ) -> Result<(), Full> {
        let waiting = self.waiting.borrow().len();
        if waiting >= MOST_WAITING && self.shared.waiting() >= MOST_WAITING {
            return Err(Full);
        }
        let id = self.waiting.borrow_mut().insert(then);
        self.batch.borrow_mut().push(Job {
            id,
            work,
            context,
            pace: pace.clone(),
        });
        self.long.set(self.long.get() + usize::from(pace.is_long()));
        if !self.collecting.get() {
            self.flush(py);
        }
        Ok(())
    }

    /// As `submit`, with a future of the loop that gets the outcome.
    pub(crate) fn future(
        &self,
        py: Python<'_>,
        work: Work,
        context: Context,
        pace: &Arc<Pace>,
    ) -> PyResult<Result<Py<PyAny>, Full>> {
        let future = self
            .running
            .bind(py)
            .call_method0(intern!(py, "create_future"))?
            .unbind();
        let answer = future.clone_ref(py);
        let then: Completion = Box::new(move |py, outcome| settle(future.bind(py), outcome));
        Ok(self.submit(py, work, context, pace, then).map(|()| answer))
    }

    /// Does it serve the event loop that is running in this thread?
    pub(crate) fn serves(&self, py: Python<'_>) -> PyResult<bool> {
        let asyncio = py.import(intern!(py, "asyncio"))?;
        let running = asyncio.call_method0(intern!(py, "_get_running_loop"))?;
        Ok(!self.stopped.get() && running.is(&self.running))
    }

    /// Collect jobs from now on, until `flush`.
    pub(crate) fn collect(&self) {
        self.collecting.set(true);
    }

    /// Hand over what was collected.
    pub(crate) fn flush(&self, py: Python<'_>) {
        self.collecting.set(false);
        if self.batch.borrow().is_empty() {
            return;
        }
        let wake = self
            .shared
            .queue(&mut self.batch.borrow_mut(), self.long.replace(0));
        wake.rouse();
        for _ in 0..wake.spawn_run {
            self.start_thread(py, false);
        }
        if wake.spawn_watch {
            self.start_thread(py, true);
        }
    }

    /// End the threads; what waits is dropped. Threads inside a job end after it.
    pub(crate) fn stop(&self, py: Python<'_>) {
        self.stopped.set(true);
        let stopped = self
            .running
            .bind(py)
            .call_method1(intern!(py, "remove_reader"), (self.shared.bell.descriptor(),));
        let stopped = stopped.and_then(|_| self.spawn.bind(py).call_method0("stop"));
        if let Err(error) = stopped.and_then(|stop| py.import("atexit")?.call_method1("unregister", (stop,)))
        {
            error.write_unraisable(py, None);
        }
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        drop(waiting);
    }

    fn start_thread(&self, py: Python<'_>, watching: bool) {
        if self.follows_limiter
            && let Some(limiter) = self.limiter.get_or_init(|| limiter(py))
        {
            let tokens = limiter
                .getattr(py, intern!(py, "total_tokens"))
                .and_then(|tokens| tokens.extract::<f64>(py));
            if let Ok(tokens) = tokens {
                self.shared.set_most((tokens as usize).min(MOST_THREADS));
            }
        }
        if let Err(error) = self.spawn.call1(py, (watching,)) {
            error.write_unraisable(py, None);
        }
    }

    fn deliver(&self, py: Python<'_>) -> PyResult<()> {
        self.shared.bell.clear();
        let mut fatal = Ok(());
        for (id, outcome) in self.shared.results() {
            let then = self.waiting.borrow_mut().try_remove(id);
            if let Some(then) = then
                && let Err(error) = then(py, outcome)
            {
                fatal = Err(error);
            }
        }
        fatal
    }
}

fn limiter(py: Python<'_>) -> Option<Py<PyAny>> {
    let found = py
        .import("covet.concurrency")
        .and_then(|module| module.call_method0("default_limiter_of_loop"));
    found
        .map_err(|error| error.write_unraisable(py, None))
        .ok()
        .map(Bound::unbind)
}

fn settle(future: &Bound<'_, PyAny>, outcome: Outcome) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match outcome {
        Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error.into_value(py),))?,
    };
    Ok(())
}

/// The reader callback of the doorbell.
#[pyclass(frozen, module = "covet._engine")]
struct Inbox {
    pool: LoopBound<Weak<Pool>>,
}

#[pymethods]
impl Inbox {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        match self.pool.get().and_then(Weak::upgrade) {
            Some(pool) => pool.deliver(py),
            None => Ok(()),
        }
    }
}

/// Starts threads, also for the threads themselves, and ends them.
#[pyclass(frozen, module = "covet._engine")]
struct Spawner {
    shared: Arc<Shared>,
    running: Py<PyAny>,
    threads: std::sync::Mutex<Vec<Py<PyAny>>>,
}

#[pymethods]
impl Spawner {
    fn __call__(slf: Bound<'_, Self>, watching: bool) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let place = this.shared.moor();
        let worker = Worker {
            shared: this.shared.clone(),
            place,
            watching,
            spawn: slf.clone().into_any().unbind(),
            running: this.running.clone_ref(py),
        };
        let options = PyDict::new(py);
        options.set_item("target", Py::new(py, worker)?)?;
        options.set_item("name", format!("covet-{place}"))?;
        options.set_item("daemon", true)?;
        let thread = py
            .import("threading")?
            .getattr("Thread")?
            .call((), Some(&options))?;
        if let Err(error) = thread.call_method0("start") {
            this.shared.unmoor(watching);
            return Err(error);
        }
        this.threads
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(thread.unbind());
        Ok(())
    }

    /// End all threads; wait a moment for those that sleep.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        drop(self.shared.stop());
        let threads = std::mem::take(
            &mut *self
                .threads
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        let deadline = std::time::Instant::now() + std::time::Duration::from_millis(200);
        for thread in threads {
            let left = deadline
                .saturating_duration_since(std::time::Instant::now())
                .as_secs_f64();
            thread.call_method1(py, "join", (left,))?;
        }
        Ok(())
    }
}
