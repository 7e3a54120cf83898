//! How a connection is woken: by a waker that a body stream got. On the engine's own thread the connection
//! goes straight into the next pass; from any other thread it goes through a locked list and one write to
//! the descriptor that the pass waits for. The lock is held for a push and a swap, never across a call.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use crate::hub::Hub;
use crate::slots::Key;

static ENGINES: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// The engines of this thread; nearly always one.
    static LOCAL: RefCell<Vec<(u64, Weak<Hub>)>> = const { RefCell::new(Vec::new()) };
}

/// What other threads reach of an engine.
pub(crate) struct Inbox {
    engine: u64,
    keys: Mutex<Vec<Key>>,
    rung: AtomicBool,
    bell: Arc<mio::Waker>,
}

impl Inbox {
    pub(crate) fn new(bell: Arc<mio::Waker>) -> Arc<Self> {
        let engine = ENGINES.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            engine,
            keys: Mutex::default(),
            rung: AtomicBool::new(false),
            bell,
        })
    }

    /// Makes the engine reachable for wakers on this thread.
    pub(crate) fn settle(&self, hub: &Rc<Hub>) {
        LOCAL.with_borrow_mut(|engines| engines.push((self.engine, Rc::downgrade(hub))));
    }

    /// A waker for one connection.
    pub(crate) fn waker(self: &Arc<Self>, key: Key) -> Waker {
        Waker::from(Arc::new(Alarm {
            inbox: Arc::clone(self),
            key,
        }))
    }

    /// Takes what other threads sent.
    pub(crate) fn collect(&self) -> Vec<Key> {
        if !self.rung.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ring(&self, key: Key) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        if !self.rung.swap(true, Ordering::AcqRel) {
            // It fails only when the engine's descriptor is gone, and then nobody waits.
            let _ = self.bell.wake();
        }
    }

    fn local(&self) -> Option<Rc<Hub>> {
        let find = |engines: &RefCell<Vec<(u64, Weak<Hub>)>>| {
            engines
                .borrow()
                .iter()
                .find(|(engine, _)| *engine == self.engine)
                .and_then(|(_, hub)| hub.upgrade())
        };
        LOCAL.try_with(find).ok().flatten()
    }
}

/// The engine is gone, or never came to be.
impl Drop for Inbox {
    fn drop(&mut self) {
        let _ = LOCAL.try_with(|engines| engines.borrow_mut().retain(|(engine, _)| *engine != self.engine));
    }
}

struct Alarm {
    inbox: Arc<Inbox>,
    key: Key,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match self.inbox.local() {
            Some(hub) => hub.wake(self.key),
            None => self.inbox.ring(self.key),
        }
    }
}
