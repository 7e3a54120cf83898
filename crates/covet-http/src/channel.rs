//! A body that one part of a thread writes and another reads, with back-pressure counted in bytes.
//! The engine uses it both ways: request bytes towards a handler, answer bytes towards a socket.
//!
//! Invariant: no borrow is held while a waker runs or a chunk is dropped; both may run Python and come back.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Poll, Waker};

use bytes::Bytes;

use crate::body::{BodyError, BodyStream};

/// What the writer should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressure {
    /// Go on.
    Ready,
    /// Wait: the reader has enough to do.
    Full,
    /// Stop: the reader is gone, or the end was already said.
    Closed,
}

/// A body channel that asks its writer to wait while `capacity` bytes or more are unread.
pub fn channel(capacity: usize) -> (BodySender, BodyReceiver) {
    let shared = Rc::new(Shared {
        capacity: capacity.max(1),
        ..Shared::default()
    });
    (
        BodySender {
            shared: Rc::clone(&shared),
        },
        BodyReceiver { shared },
    )
}

#[derive(Default)]
struct Shared {
    capacity: usize,
    chunks: RefCell<VecDeque<Bytes>>,
    unread: Cell<usize>,
    /// The writer said it is over: `Ok` for the end, `Err` for a failure.
    over: RefCell<Option<Result<(), BodyError>>>,
    reader_gone: Cell<bool>,
    reader: Cell<Option<Waker>>,
    writer: Cell<Option<Waker>>,
}

impl Shared {
    fn wake(slot: &Cell<Option<Waker>>) {
        if let Some(waker) = slot.take() {
            waker.wake();
        }
    }

    fn pressure(&self) -> Pressure {
        if self.reader_gone.get() || self.over.borrow().is_some() {
            Pressure::Closed
        } else if self.unread.get() >= self.capacity {
            Pressure::Full
        } else {
            Pressure::Ready
        }
    }

    fn end(&self, how: Result<(), BodyError>) {
        let mut over = self.over.borrow_mut();
        if over.is_some() {
            return;
        }
        *over = Some(how);
        drop(over);
        Self::wake(&self.reader);
    }

    fn pop(&self) -> Option<Bytes> {
        let chunk = self.chunks.borrow_mut().pop_front()?;
        let before = self.unread.get();
        let after = before.saturating_sub(chunk.len());
        self.unread.set(after);
        if before >= self.capacity && after < self.capacity {
            Self::wake(&self.writer);
        }
        Some(chunk)
    }
}

/// The writing end.
pub struct BodySender {
    shared: Rc<Shared>,
}

impl BodySender {
    /// Hands over a chunk; it is always taken unless the answer is [`Pressure::Closed`]. Empty chunks vanish.
    pub fn push(&self, chunk: Bytes) -> Pressure {
        if self.shared.pressure() == Pressure::Closed {
            return Pressure::Closed;
        }
        if !chunk.is_empty() {
            self.shared
                .unread
                .set(self.shared.unread.get().saturating_add(chunk.len()));
            self.shared.chunks.borrow_mut().push_back(chunk);
            Shared::wake(&self.shared.reader);
        }
        self.shared.pressure()
    }

    /// Says that the body is complete.
    pub fn finish(&self) {
        self.shared.end(Ok(()));
    }

    /// Says that the body broke; the reader still gets what was pushed before.
    pub fn fail(&self, error: BodyError) {
        self.shared.end(Err(error));
    }

    /// Ready when the reader wants more or is gone; otherwise `waker` is woken at that moment.
    pub fn poll_ready(&self, waker: &Waker) -> Poll<Pressure> {
        match self.shared.pressure() {
            Pressure::Full => {
                drop(self.shared.writer.replace(Some(waker.clone())));
                Poll::Pending
            }
            other => Poll::Ready(other),
        }
    }

    /// True once the reader is gone or the end was said.
    pub fn is_closed(&self) -> bool {
        self.shared.pressure() == Pressure::Closed
    }

    /// Bytes that were pushed and not read yet.
    pub fn unread(&self) -> usize {
        self.shared.unread.get()
    }
}

/// A writer that vanishes without a word did not finish.
impl Drop for BodySender {
    fn drop(&mut self) {
        self.shared.end(Err(BodyError::Disconnected));
    }
}

/// The reading end.
pub struct BodyReceiver {
    shared: Rc<Shared>,
}

impl BodyStream for BodyReceiver {
    fn poll_chunk(&mut self, waker: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
        if let Some(chunk) = self.shared.pop() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        let mut over = self.shared.over.borrow_mut();
        match over.as_mut() {
            Some(Ok(())) => Poll::Ready(None),
            Some(end) => Poll::Ready(std::mem::replace(end, Ok(())).err().map(Err)),
            None => {
                drop(over);
                drop(self.shared.reader.replace(Some(waker.clone())));
                Poll::Pending
            }
        }
    }

    /// Known once the writer has finished.
    fn size_hint(&self) -> Option<u64> {
        let finished = matches!(*self.shared.over.borrow(), Some(Ok(())));
        finished.then(|| self.shared.unread.get() as u64)
    }
}

impl Drop for BodyReceiver {
    fn drop(&mut self) {
        self.shared.reader_gone.set(true);
        self.shared.unread.set(0);
        let unread = self.shared.chunks.take();
        drop(unread);
        Shared::wake(&self.shared.writer);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counter() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    #[test]
    fn chunks_come_in_order_and_then_the_end() {
        let (sender, mut receiver) = channel(10);
        let (count, waker) = counter();
        assert!(receiver.poll_chunk(&waker).is_pending());
        assert_eq!(sender.push(Bytes::from_static(b"ab")), Pressure::Ready);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        sender.push(Bytes::from_static(b"c"));
        sender.finish();
        assert_eq!(receiver.size_hint(), Some(3));
        assert_eq!(
            receiver.poll_chunk(&waker),
            Poll::Ready(Some(Ok(Bytes::from_static(b"ab"))))
        );
        assert_eq!(
            receiver.poll_chunk(&waker),
            Poll::Ready(Some(Ok(Bytes::from_static(b"c"))))
        );
        assert_eq!(receiver.poll_chunk(&waker), Poll::Ready(None));
        assert_eq!(receiver.poll_chunk(&waker), Poll::Ready(None));
        assert_eq!(sender.push(Bytes::from_static(b"x")), Pressure::Closed);
    }

    #[test]
    fn a_full_channel_wakes_the_writer_when_read() {
        let (sender, mut receiver) = channel(4);
        let (count, waker) = counter();
        assert_eq!(sender.push(Bytes::from_static(b"abc")), Pressure::Ready);
        assert_eq!(sender.push(Bytes::from_static(b"defg")), Pressure::Full);
        assert!(sender.poll_ready(&waker).is_pending());
        let _ = receiver.poll_chunk(&waker);
        assert_eq!(
            count.0.load(Ordering::Relaxed),
            0,
            "still full: 4 bytes are unread"
        );
        let _ = receiver.poll_chunk(&waker);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(sender.poll_ready(&waker), Poll::Ready(Pressure::Ready));
    }

    #[test]
    fn a_failure_comes_after_what_was_pushed_and_only_once() {
        let (sender, mut receiver) = channel(4);
        let (_, waker) = counter();
        sender.push(Bytes::from_static(b"a"));
        sender.fail(BodyError::Failed("disk".into()));
        sender.finish();
        assert_eq!(
            receiver.poll_chunk(&waker),
            Poll::Ready(Some(Ok(Bytes::from_static(b"a"))))
        );
        let error = BodyError::Failed("disk".into());
        assert_eq!(receiver.poll_chunk(&waker), Poll::Ready(Some(Err(error))));
        assert_eq!(receiver.poll_chunk(&waker), Poll::Ready(None));
    }

    #[test]
    fn a_dropped_reader_closes_and_wakes_the_writer() {
        let (sender, receiver) = channel(1);
        let (count, waker) = counter();
        assert_eq!(sender.push(Bytes::from_static(b"a")), Pressure::Full);
        assert!(sender.poll_ready(&waker).is_pending());
        drop(receiver);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(sender.is_closed());
        assert_eq!(sender.poll_ready(&waker), Poll::Ready(Pressure::Closed));
        assert_eq!(sender.unread(), 0);
    }

    #[test]
    fn a_dropped_writer_is_a_disconnect() {
        let (sender, mut receiver) = channel(1);
        let (count, waker) = counter();
        assert!(receiver.poll_chunk(&waker).is_pending());
        drop(sender);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(
            receiver.poll_chunk(&waker),
            Poll::Ready(Some(Err(BodyError::Disconnected)))
        );
        assert_eq!(receiver.poll_chunk(&waker), Poll::Ready(None));
    }

    /// Dropping a chunk may run Python, which may use the same channel.
    #[test]
    fn a_dropped_chunk_may_come_back() {
        // `Bytes::from_owner` wants `Send`; the sender is reached through a thread-local instead.
        thread_local!(static SENDER: RefCell<Option<BodySender>> = const { RefCell::new(None) });
        struct Owner;
        impl AsRef<[u8]> for Owner {
            fn as_ref(&self) -> &[u8] {
                b"x"
            }
        }
        impl Drop for Owner {
            fn drop(&mut self) {
                SENDER.with_borrow(|sender| {
                    assert_eq!(
                        sender.as_ref().unwrap().push(Bytes::from_static(b"y")),
                        Pressure::Closed
                    )
                });
            }
        }
        let (sender, receiver) = channel(8);
        sender.push(Bytes::from_owner(Owner));
        SENDER.set(Some(sender));
        drop(receiver);
        SENDER.take();
    }
}
