//! The way back for one request's answer. The endpoint keeps it as long as it likes and uses it once;
//! it never keeps the engine alive, and after the connection is gone every call is harmless.

use std::fmt;
use std::rc::{Rc, Weak};
use std::task::Waker;

use bytes::Bytes;
use covet_http::{Body, ResponseHead};

use crate::endpoint::Peer;
use crate::engine::Hub;
use crate::slots::Key;
use crate::turn::{Command, Order};

/// Answers one request. Dropped unsent, the client gets a 500 and the connection is closed.
pub struct Reply {
    hub: Weak<Hub>,
    key: Key,
    id: u64,
    peer: Rc<Peer>,
    open: bool,
}

impl Reply {
    pub(crate) fn new(hub: &Rc<Hub>, key: Key, id: u64, peer: Rc<Peer>) -> Self {
        Self {
            hub: Rc::downgrade(hub),
            key,
            id,
            peer,
            open: true,
        }
    }

    /// Sends the answer. Outside of a pass it is written to the socket before this returns; inside, at the
    /// end of the connection's turn. A streamed body is pulled as the client reads.
    pub fn send(mut self, head: ResponseHead, body: Body) {
        self.open = false;
        self.command(Order::Send(head, body));
    }

    /// Sends an informational answer (103 Early Hints) ahead of the final one.
    pub fn informational(&self, status: u16, headers: Vec<(Bytes, Bytes)>) {
        self.command(Order::Inform(status, headers));
    }

    /// True when nobody is likely to read the answer: the client closed its end, or the request was ended by
    /// the engine. A client that only closed its sending half still gets the answer.
    pub fn is_disconnected(&self) -> bool {
        self.hub
            .upgrade()
            .is_none_or(|hub| hub.slots.borrow().is_gone(self.key, self.id))
    }

    /// Wakes `waker` once when [`is_disconnected`](Self::is_disconnected) becomes true; at once if it is.
    /// Never after the answer was sent completely.
    pub fn on_disconnect(&self, waker: Waker) {
        let refused = match self.hub.upgrade() {
            Some(hub) => hub.slots.borrow_mut().watch(self.key, self.id, waker),
            None => Some(waker),
        };
        if let Some(waker) = refused {
            waker.wake();
        }
    }

    /// Names the request for reports: usually its route.
    pub fn set_label(&self, label: Rc<str>) {
        let old = self
            .hub
            .upgrade()
            .and_then(|hub| hub.slots.borrow_mut().label(self.key, self.id, label));
        drop(old);
    }

    /// The number of the request, counted from 1 in its engine.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Who asked.
    pub fn peer(&self) -> &Rc<Peer> {
        &self.peer
    }

    fn command(&self, order: Order) {
        if let Some(hub) = self.hub.upgrade() {
            hub.command(Command {
                key: self.key,
                id: self.id,
                order,
            });
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.open {
            self.command(Order::Abandon);
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("id", &self.id)
            .field("peer", &self.peer.remote)
            .finish_non_exhaustive()
    }
}
