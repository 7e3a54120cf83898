//! The stream a handler gets for a request body that has not arrived completely. Pulling it is what reads
//! the socket: a handler that does not read leaves the bytes with the client.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};

use bytes::Bytes;
use covet_http::channel::{BodyReceiver, BodySender, channel};
use covet_http::{BodyError, BodyStream, Framing};

use crate::hub::Hub;
use crate::slots::Key;

/// Bytes of a body that wait for the handler at most, besides one read.
const CAPACITY: usize = 64 << 10;

/// A request body, pulled from the socket.
pub(crate) struct InboundBody {
    hub: Weak<Hub>,
    key: Key,
    receiver: BodyReceiver,
    wanted: Rc<Cell<bool>>,
    /// Bytes to come, when the request said so.
    left: Option<u64>,
}

impl InboundBody {
    /// The two ends of a body, and the sign that the reader waits.
    pub(crate) fn open(hub: &Rc<Hub>, key: Key, framing: Framing) -> (BodySender, Rc<Cell<bool>>, Self) {
        let (sender, receiver) = channel(CAPACITY);
        let wanted = Rc::new(Cell::new(false));
        let left = match framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let body = Self {
            hub: Rc::downgrade(hub),
            key,
            receiver,
            wanted: Rc::clone(&wanted),
            left,
        };
        (sender, wanted, body)
    }

    fn took(
        &mut self,
        piece: Poll<Option<Result<Bytes, BodyError>>>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if let (Poll::Ready(Some(Ok(bytes))), Some(left)) = (&piece, &mut self.left) {
            *left = left.saturating_sub(bytes.len() as u64);
        }
        piece
    }
}

impl BodyStream for InboundBody {
    /// Never wakes `waker` before it returns.
    fn poll_chunk(&mut self, waker: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
        let waiting = self.receiver.poll_chunk(Waker::noop());
        if waiting.is_ready() {
            return self.took(waiting);
        }
        // Once is enough: from then on bytes that arrive come through by themselves.
        if !self.wanted.replace(true) {
            if let Some(hub) = self.hub.upgrade() {
                hub.pull(self.key);
            }
        }
        let piece = self.receiver.poll_chunk(waker);
        self.took(piece)
    }

    fn size_hint(&self) -> Option<u64> {
        self.left
    }
}

/// Whoever drops the stream wants no more of it.
impl Drop for InboundBody {
    fn drop(&mut self) {
        self.wanted.set(false);
    }
}
