//! What a pool thread does: take jobs, run each in its context, hand results back in batches, sleep last-in
//! first-out. Shared with the loop's side (`pool`). No lock here is held across Python or across a sleep.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;

use super::doorbell::Doorbell;
use super::ffi::Context;
use super::fork;
use super::task::Outcome;

/// What a job runs, attached, on a pool thread.
pub(crate) type Work = Box<dyn FnOnce(Python<'_>) -> Outcome + Send>;

/// How long jobs of one route take: short ones share a thread, long ones get one each.
#[derive(Default)]
pub(crate) struct Pace(AtomicU32);

impl Pace {
    /// Above this a job probably blocks: wake a thread for each.
    const LONG: u32 = 100;

    /// Do jobs like this take long?
    pub(crate) fn is_long(&self) -> bool {
        self.0.load(Ordering::Relaxed) > Self::LONG
    }

    /// One more measurement; an eighth of the average is the newest.
    fn record(&self, took: Duration) {
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).min(1 << 24);
        let old = self.0.load(Ordering::Relaxed);
        self.0.store(old - old / 8 + took / 8, Ordering::Relaxed);
    }
}

/// One call that waits for a thread.
pub(crate) struct Job {
    pub(crate) id: usize,
    pub(crate) work: Work,
    pub(crate) context: Context,
    pub(crate) pace: Arc<Pace>,
}

const RUN: u8 = 1;
const WATCH: u8 = 2;

/// The place where one thread sleeps.
struct Berth {
    order: AtomicU8,
    thread: Mutex<Option<Thread>>,
}

impl Berth {
    fn wake(&self, order: u8) {
        self.order.store(order, Ordering::Release);
        if let Some(thread) = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            thread.unpark();
        }
    }
}

/// Who sleeps, who runs, what waits.
#[derive(Default)]
pub(crate) struct State {
    queue: VecDeque<Job>,
    berths: Vec<Arc<Berth>>,
    /// Sleeping threads; the last to sleep is the first to wake, so caches and connections stay warm.
    parked: Vec<usize>,
    running: usize,
    /// Is a thread looking out for a runner that blocks?
    watched: bool,
    popped: u64,
    most: usize,
    stopping: bool,
}

/// The part of the pool that threads and loop share.
pub(crate) struct Shared {
    state: Mutex<State>,
    results: Mutex<Vec<(usize, Outcome)>>,
    pub(crate) bell: Doorbell,
}

/// What has to be done, outside the lock, after jobs were queued.
#[derive(Default)]
pub(crate) struct Wake {
    run: Vec<Arc<Berth>>,
    watch: Option<Arc<Berth>>,
    /// New threads to start, with their first order.
    pub(crate) spawn_run: usize,
    pub(crate) spawn_watch: bool,
}

impl Wake {
    /// Wake who sleeps. Starting new threads is the caller's.
    pub(crate) fn rouse(&self) {
        self.run.iter().for_each(|berth| berth.wake(RUN));
        if let Some(berth) = &self.watch {
            berth.wake(WATCH);
        }
    }
}

/// Starting a thread takes a while; more than this many at once would hold up the loop.
const SPAWNS_AT_ONCE: usize = 4;
/// How long a runner may sit in one job before the watching thread takes over.
const PATIENCE: Duration = Duration::from_micros(400);
/// Rounds without work after which nobody watches any more.
const QUIET_ROUNDS: u32 = 25;
/// The loop learns of results at the latest after this many.
const BATCH: usize = 32;

impl Shared {
    /// No threads yet.
    pub(crate) fn new(most: usize) -> std::io::Result<Self> {
        let state = State {
            most: most.max(1),
            ..State::default()
        };
        Ok(Self {
            state: Mutex::new(state),
            results: Mutex::default(),
            bell: Doorbell::new()?,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Jobs that no thread has taken.
    pub(crate) fn waiting(&self) -> usize {
        self.state().queue.len()
    }

    /// Follow a changed limit of threads.
    pub(crate) fn set_most(&self, most: usize) {
        self.state().most = most.max(1);
    }

    /// Queue a batch; `long` of them probably block.
    pub(crate) fn queue(&self, jobs: &mut Vec<Job>, long: usize) -> Wake {
        let mut state = self.state();
        state.queue.extend(jobs.drain(..));
        let wanted = if state.running == 0 { long.max(1) } else { long };
        let mut wake = Wake::default();
        for _ in 0..wanted {
            match state.parked.pop() {
                Some(place) => wake.run.extend(state.berths.get(place).cloned()),
                None if state.berths.len() + wake.spawn_run < state.most
                    && wake.spawn_run < SPAWNS_AT_ONCE =>
                {
                    wake.spawn_run += 1;
                }
                None => break,
            }
        }
        state.running += wake.run.len() + wake.spawn_run;
        if wake.run.is_empty() && wake.spawn_run == 0 {
            state.post_watch(&mut wake);
        }
        wake
    }

    /// Take what the threads have finished.
    pub(crate) fn results(&self) -> Vec<(usize, Outcome)> {
        std::mem::take(&mut *self.results.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// End every thread after its job; gives what was never started.
    pub(crate) fn stop(&self) -> VecDeque<Job> {
        let (jobs, berths) = {
            let mut state = self.state();
            state.stopping = true;
            (std::mem::take(&mut state.queue), state.berths.clone())
        };
        berths.iter().for_each(|berth| berth.wake(RUN));
        jobs
    }

    /// A place for a thread that is about to start.
    pub(crate) fn moor(&self) -> usize {
        let mut state = self.state();
        state.berths.push(Arc::new(Berth {
            order: AtomicU8::new(0),
            thread: Mutex::new(None),
        }));
        state.berths.len() - 1
    }

    /// The thread could not be started after all.
    pub(crate) fn unmoor(&self, watching: bool) {
        let mut state = self.state();
        if watching {
            state.watched = false;
        } else {
            state.running = state.running.saturating_sub(1);
        }
    }

    fn take(&self) -> (Option<Job>, Wake) {
        let mut state = self.state();
        let mut wake = Wake::default();
        if state.stopping {
            return (None, wake);
        }
        let job = state.queue.pop_front();
        if job.is_some() {
            state.popped += 1;
            if !state.queue.is_empty() {
                state.post_watch(&mut wake);
            }
        }
        (job, wake)
    }

    fn report(&self, id: usize, outcome: Outcome) {
        self.results
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((id, outcome));
    }
}

impl State {
    /// See to it that somebody looks out for runners that block.
    fn post_watch(&mut self, wake: &mut Wake) {
        if self.watched {
            return;
        }
        if let Some(place) = self.parked.pop() {
            wake.watch = self.berths.get(place).cloned();
            self.watched = true;
        } else if self.berths.len() < self.most {
            wake.spawn_watch = true;
            self.watched = true;
        }
    }
}

/// The target of one `threading.Thread`.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) place: usize,
    pub(crate) watching: bool,
    /// Starts one more thread (the pool knows how); called with `watching`.
    pub(crate) spawn: Py<PyAny>,
    pub(crate) running: Py<PyAny>,
}

#[pymethods]
impl Worker {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let token = claim_token(py, self.running.bind(py))?;
        let berth = self.shared.state().berths.get(self.place).cloned();
        if let Some(berth) = &berth {
            *berth.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
            self.work(py, berth);
        }
        if let Some(token) = token {
            let nothing = py.None();
            token.call_method1(intern!(py, "__exit__"), (&nothing, &nothing, &nothing))?;
        }
        Ok(())
    }
}

impl Worker {
    fn work(&self, py: Python<'_>, berth: &Berth) {
        let mut goes_on = !self.watching || self.watch(py, berth);
        while goes_on {
            self.run_all(py);
            goes_on = self.sleep(py, berth);
        }
    }

    fn run_all(&self, py: Python<'_>) {
        let mut unreported = 0;
        loop {
            let (job, wake) = self.shared.take();
            wake.rouse();
            if wake.spawn_watch {
                self.spawn_watch(py);
            }
            let Some(job) = job else { break };
            let id = job.id;
            let outcome = run(py, job);
            if fork::is_child() {
                fork::leave(py, outcome.as_ref().err());
            }
            self.shared.report(id, outcome);
            unreported += 1;
            if unreported == BATCH {
                self.shared.bell.ring();
                unreported = 0;
            }
        }
        if unreported > 0 {
            self.shared.bell.ring();
        }
    }

    /// Sleep until there is work. False: the pool has ended.
    fn sleep(&self, py: Python<'_>, berth: &Berth) -> bool {
        {
            let mut state = self.shared.state();
            if state.stopping {
                return false;
            }
            if !state.queue.is_empty() {
                return true;
            }
            state.running = state.running.saturating_sub(1);
            state.parked.push(self.place);
        }
        self.lie(py, berth)
    }

    fn lie(&self, py: Python<'_>, berth: &Berth) -> bool {
        let order = py.detach(|| {
            loop {
                match berth.order.swap(0, Ordering::AcqRel) {
                    0 => thread::park(),
                    order => break order,
                }
            }
        });
        if self.shared.state().stopping {
            return false;
        }
        order == RUN || self.watch(py, berth)
    }

    /// Look out for runners that block; true: take over. Sleeps for good when nothing happens.
    fn watch(&self, py: Python<'_>, berth: &Berth) -> bool {
        let takes_over = py.detach(|| self.look_out(berth));
        match takes_over {
            Some(true) => true,
            Some(false) => self.lie(py, berth),
            None => false,
        }
    }

    /// Some(true): work waits and nobody takes it. Some(false): all quiet. None: the pool has ended.
    fn look_out(&self, berth: &Berth) -> Option<bool> {
        let mut quiet = 0;
        loop {
            let before = self.shared.state().popped;
            thread::park_timeout(PATIENCE);
            let mut state = self.shared.state();
            if state.stopping {
                return None;
            }
            if !state.queue.is_empty() && (state.popped == before || state.running == 0) {
                state.watched = false;
                state.running += 1;
                berth.order.store(0, Ordering::Release);
                return Some(true);
            }
            quiet = if state.popped == before { quiet + 1 } else { 0 };
            if quiet > QUIET_ROUNDS {
                state.watched = false;
                state.parked.push(self.place);
                return Some(false);
            }
        }
    }

    fn spawn_watch(&self, py: Python<'_>) {
        if let Err(error) = self.spawn.call1(py, (true,)) {
            error.write_unraisable(py, None);
        }
    }
}

fn run(py: Python<'_>, job: Job) -> Outcome {
    let Job {
        work, context, pace, ..
    } = job;
    let begun = Instant::now();
    let outcome = context.run(py, || work(py));
    pace.record(begun.elapsed());
    outcome.map_err(|error| {
        if !error.is_instance_of::<PyStopIteration>(py) {
            return error;
        }
        // A StopIteration raised into a coroutine would end it silently.
        let wrapped = PyRuntimeError::new_err("a function in the thread pool raised StopIteration");
        wrapped.set_cause(py, Some(error));
        wrapped
    })
}

/// Make `anyio.from_thread` work on this thread: it looks for the loop in anyio's thread-locals.
fn claim_token<'py>(py: Python<'py>, running: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Ok(eventloop) = py.import("anyio._core._eventloop") else {
        return Ok(None);
    };
    let Ok(claim) = eventloop.getattr("claim_worker_thread") else {
        return Ok(None);
    };
    let backend = py.import("anyio._backends._asyncio")?.getattr("AsyncIOBackend")?;
    let token = claim.call1((backend, running))?;
    token.call_method0("__enter__")?;
    eventloop
        .getattr("threadlocals")?
        .setattr("current_cancel_scope", py.None())?;
    Ok(Some(token))
}
