//! The table of connections. A connection is taken out while it is worked on; what replies may ask about it
//! meanwhile (is the client gone, who wants to know, what is the request called) stays in the slot.
//!
//! Invariant: nothing foreign is run or dropped under a borrow of this table: methods give back what the
//! caller must wake or drop.

use std::rc::Rc;
use std::task::Waker;

use slab::Slab;

use crate::connection::Connection;

/// Names a connection for ever: slots are used again, generations are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl Key {
    /// Belongs to the engine itself, never to a connection.
    pub(crate) const ENGINE: Self = Self {
        slot: u32::MAX,
        generation: u32::MAX,
    };
}

struct Slot {
    generation: u32,
    /// Waits in a queue for its turn.
    queued: bool,
    /// The client of the current request is gone.
    gone: bool,
    /// The request whose reply is still wanted; 0 for none.
    request: u64,
    label: Option<Rc<str>>,
    watchers: Vec<Waker>,
    /// `None` while it is taken.
    connection: Option<Box<Connection>>,
}

/// All connections.
#[derive(Default)]
pub(crate) struct Slots {
    slots: Slab<Slot>,
    generation: u32,
}

impl Slots {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Adds the connection that `make` builds for its key.
    pub(crate) fn insert(&mut self, make: impl FnOnce(Key) -> Box<Connection>) -> Key {
        self.generation = self.generation.wrapping_add(1);
        let entry = self.slots.vacant_entry();
        let key = Key {
            slot: entry.key() as u32,
            generation: self.generation,
        };
        entry.insert(Slot {
            generation: key.generation,
            queued: false,
            gone: false,
            request: 0,
            label: None,
            watchers: Vec::new(),
            connection: Some(make(key)),
        });
        key
    }

    fn slot(&self, key: Key) -> Option<&Slot> {
        self.slots
            .get(key.slot as usize)
            .filter(|slot| slot.generation == key.generation)
    }

    fn slot_mut(&mut self, key: Key) -> Option<&mut Slot> {
        self.slots
            .get_mut(key.slot as usize)
            .filter(|slot| slot.generation == key.generation)
    }

    /// The key of the connection that has a slot now.
    pub(crate) fn key_at(&self, slot: usize) -> Option<Key> {
        self.slots.get(slot).map(|found| Key {
            slot: slot as u32,
            generation: found.generation,
        })
    }

    /// Every connection.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.slots
            .iter()
            .map(|(slot, found)| Key {
                slot: slot as u32,
                generation: found.generation,
            })
            .collect()
    }

    /// Marks the connection as waiting for its turn; false when it already was, or is gone.
    pub(crate) fn enqueue(&mut self, key: Key) -> bool {
        self.slot_mut(key)
            .is_some_and(|slot| !std::mem::replace(&mut slot.queued, true))
    }

    /// Lends the connection for a look; `None` while it is taken.
    pub(crate) fn peek(&mut self, key: Key) -> Option<&mut Connection> {
        self.slot_mut(key).and_then(|slot| slot.connection.as_deref_mut())
    }

    /// Takes the connection for its turn.
    pub(crate) fn take(&mut self, key: Key) -> Option<Box<Connection>> {
        let slot = self.slot_mut(key)?;
        slot.queued = false;
        slot.connection.take()
    }

    /// Puts a taken connection back.
    pub(crate) fn put(&mut self, connection: Box<Connection>) {
        if let Some(slot) = self.slot_mut(connection.key) {
            slot.connection = Some(connection);
        }
    }

    /// Forgets a connection. The caller drops what comes back, and wakes the watchers.
    pub(crate) fn remove(&mut self, key: Key) -> (Option<Box<Connection>>, Vec<Waker>, Option<Rc<str>>) {
        if self.slot(key).is_none() {
            return (None, Vec::new(), None);
        }
        let slot = self.slots.remove(key.slot as usize);
        (slot.connection, slot.watchers, slot.label)
    }

    /// A request has begun.
    pub(crate) fn begin(&mut self, key: Key, request: u64) {
        if let Some(slot) = self.slot_mut(key) {
            slot.request = request;
            slot.gone = false;
        }
    }

    /// The request is over; its reply, if any is left, is ignored from now on.
    pub(crate) fn end(&mut self, key: Key) -> (Vec<Waker>, Option<Rc<str>>) {
        match self.slot_mut(key) {
            Some(slot) => {
                slot.request = 0;
                (std::mem::take(&mut slot.watchers), slot.label.take())
            }
            None => (Vec::new(), None),
        }
    }

    /// The client of the current request is gone: who wants to know?
    pub(crate) fn lose(&mut self, key: Key) -> Vec<Waker> {
        match self.slot_mut(key) {
            Some(slot) => {
                slot.gone = true;
                std::mem::take(&mut slot.watchers)
            }
            None => Vec::new(),
        }
    }

    pub(crate) fn is_gone(&self, key: Key, request: u64) -> bool {
        self.slot(key)
            .is_none_or(|slot| slot.gone || slot.request != request)
    }

    /// Keeps a waker for [`lose`](Self::lose); gives it back when the client is gone already.
    pub(crate) fn watch(&mut self, key: Key, request: u64, waker: Waker) -> Option<Waker> {
        match self.slot_mut(key) {
            Some(slot) if slot.request == request && !slot.gone => {
                slot.watchers.push(waker);
                None
            }
            _ => Some(waker),
        }
    }

    /// Sets the label and gives back what must be dropped.
    pub(crate) fn label(&mut self, key: Key, request: u64, label: Rc<str>) -> Option<Rc<str>> {
        match self.slot_mut(key) {
            Some(slot) if slot.request == request => slot.label.replace(label),
            _ => Some(label),
        }
    }

    /// The label of the current request.
    pub(crate) fn labelled(&self, key: Key) -> Option<Rc<str>> {
        self.slot(key).and_then(|slot| slot.label.clone())
    }
}
