//! Body filters: what a middleware may do to the bytes of an answer. A small whole body is filtered in one go and
//! stays whole; a large one, and every stream, is filtered step by step as it is pulled, so that the thread that
//! serves all connections never works long for one. Nothing is held back but what the filter itself keeps.

use std::task::{Poll, Waker};

use bytes::Bytes;
use covet_http::{Body, BodyError, BodyStream};

/// Bytes that a filter gets at once from a body that is filtered in steps.
pub(crate) const STEP: usize = 64 << 10;

/// Changes the bytes of one body. Parts go in by [`push`](Self::push) in order, then comes [`finish`](Self::finish).
/// What is ready is appended to `out`, which is only ever written to.
pub trait BodyFilter {
    /// Takes a part of the body.
    fn push(&mut self, part: &[u8], out: &mut Vec<u8>);

    /// A piece of a stream is complete: whoever reads the answer must be able to read it now.
    fn flush(&mut self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// The body is over; gives the rest.
    fn finish(&mut self, out: &mut Vec<u8>);

    /// Bytes from which on a whole body leaves as a stream, filtered in steps.
    fn whole_limit(&self) -> usize {
        128 << 10
    }
}

/// The body as `filter` leaves it.
pub fn filtered(body: Body, mut filter: Box<dyn BodyFilter>) -> Body {
    match body {
        Body::Stream(inner) => Filtered::of(Source::Pieces(inner), Bytes::new(), filter),
        Body::Full(bytes) if bytes.len() >= filter.whole_limit() => Filtered::of(Source::Over, bytes, filter),
        whole => {
            let mut out = Vec::new();
            if let Body::Full(bytes) = whole {
                filter.push(&bytes, &mut out);
            }
            filter.finish(&mut out);
            Bytes::from(out).into()
        }
    }
}

/// Where the next piece comes from.
enum Source {
    Pieces(Box<dyn BodyStream>),
    /// There is none.
    Over,
}

struct Filtered {
    source: Source,
    /// What is left of the current piece.
    piece: Bytes,
    filter: Box<dyn BodyFilter>,
    /// Bytes filtered since others had their turn; never more than a step.
    worked: usize,
    done: bool,
}

impl Filtered {
    fn of(source: Source, piece: Bytes, filter: Box<dyn BodyFilter>) -> Body {
        Body::Stream(Box::new(Self {
            source,
            piece,
            filter,
            worked: 0,
            done: false,
        }))
    }

    /// Filters as much of the current piece as the step still allows.
    fn step(&mut self, out: &mut Vec<u8>) {
        let part = self.piece.split_to(self.piece.len().min(STEP - self.worked));
        self.worked += part.len();
        self.filter.push(&part, out);
        if self.piece.is_empty() && matches!(self.source, Source::Pieces(_)) {
            self.filter.flush(out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.done = true;
        self.source = Source::Over;
        self.filter.finish(out);
    }

    /// Does the next bit of work; what it gave is in `out`.
    fn advance(&mut self, waker: &Waker, out: &mut Vec<u8>) -> Poll<Result<(), BodyError>> {
        if !self.piece.is_empty() {
            self.step(out);
            return Poll::Ready(Ok(()));
        }
        let next = match &mut self.source {
            Source::Pieces(stream) => stream.poll_chunk(waker),
            Source::Over => Poll::Ready(None),
        };
        match next {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => self.finish(out),
            Poll::Ready(Some(Ok(piece))) if piece.is_empty() => {
                self.filter.flush(out);
                // Nobody counts what an endless row of nothing costs.
                self.worked = STEP;
            }
            Poll::Ready(Some(Ok(piece))) => {
                self.piece = piece;
                self.step(out);
            }
            Poll::Ready(Some(Err(error))) => {
                self.done = true;
                self.source = Source::Over;
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl BodyStream for Filtered {
    fn poll_chunk(&mut self, waker: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
        let mut out = Vec::new();
        while out.is_empty() && !self.done {
            if self.worked == STEP {
                self.worked = 0;
                waker.wake_by_ref();
                return Poll::Pending;
            }
            match self.advance(waker, &mut out) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
            }
        }
        Poll::Ready((!out.is_empty()).then(|| Ok(out.into())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use covet_http::channel::channel;

    use super::*;

    /// Doubles every byte, says `.` when flushed and `!` at the end.
    struct Double;

    impl BodyFilter for Double {
        fn push(&mut self, part: &[u8], out: &mut Vec<u8>) {
            out.extend(part.iter().flat_map(|byte| [*byte, *byte]));
        }

        fn flush(&mut self, out: &mut Vec<u8>) {
            out.push(b'.');
        }

        fn finish(&mut self, out: &mut Vec<u8>) {
            out.push(b'!');
        }
    }

    /// Keeps everything to itself until it knows how much there was.
    #[derive(Default)]
    struct Count(usize);

    impl BodyFilter for Count {
        fn push(&mut self, part: &[u8], _: &mut Vec<u8>) {
            assert!(part.len() <= STEP, "{} bytes at once", part.len());
            self.0 += part.len();
        }

        fn finish(&mut self, out: &mut Vec<u8>) {
            out.extend_from_slice(self.0.to_string().as_bytes());
        }

        fn whole_limit(&self) -> usize {
            10
        }
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl std::task::Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn stream(body: Body, filter: impl BodyFilter + 'static) -> Box<dyn BodyStream> {
        match filtered(body, Box::new(filter)) {
            Body::Stream(stream) => stream,
            other => panic!("expected a stream, not {other:?}"),
        }
    }

    fn ready(text: &'static str) -> Poll<Option<Result<Bytes, BodyError>>> {
        Poll::Ready(Some(Ok(Bytes::from_static(text.as_bytes()))))
    }

    #[test]
    fn a_whole_body_is_filtered_at_once() {
        let whole = filtered(Body::Full("ab".into()), Box::new(Double));
        assert!(matches!(whole, Body::Full(bytes) if bytes == "aabb!"));
        assert!(matches!(filtered(Body::Empty, Box::new(Double)), Body::Full(bytes) if bytes == "!"));
    }

    #[test]
    fn a_stream_is_filtered_piece_by_piece() {
        let (sender, receiver) = channel(10);
        let mut stream = stream(Body::Stream(Box::new(receiver)), Double);
        let waker = Waker::noop();
        assert!(stream.poll_chunk(waker).is_pending());
        sender.push("a".into());
        assert_eq!(stream.poll_chunk(waker), ready("aa."));
        sender.finish();
        assert_eq!(stream.poll_chunk(waker), ready("!"));
        assert_eq!(stream.poll_chunk(waker), Poll::Ready(None));
    }

    #[test]
    fn a_broken_stream_is_not_finished() {
        let (sender, receiver) = channel(10);
        let mut stream = stream(Body::Stream(Box::new(receiver)), Double);
        sender.fail(BodyError::Disconnected);
        assert_eq!(
            stream.poll_chunk(Waker::noop()),
            Poll::Ready(Some(Err(BodyError::Disconnected)))
        );
        assert_eq!(stream.poll_chunk(Waker::noop()), Poll::Ready(None));
    }

    #[test]
    fn a_large_whole_body_is_filtered_in_steps_between_which_others_run() {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut stream = stream(Body::Full(vec![0; STEP * 2 + 1].into()), Count::default());
        for rest in 1..=2 {
            assert!(stream.poll_chunk(&waker).is_pending());
            assert_eq!(wakes.0.load(Ordering::Relaxed), rest);
        }
        assert_eq!(stream.poll_chunk(&waker), ready("131073"));
        assert_eq!(stream.poll_chunk(&waker), Poll::Ready(None));
    }

    #[test]
    fn a_large_piece_is_flushed_once() {
        let (sender, receiver) = channel(STEP * 4);
        sender.push(vec![b'a'; STEP + 1].into());
        let mut stream = stream(Body::Stream(Box::new(receiver)), Double);
        let first = stream.poll_chunk(Waker::noop());
        assert!(matches!(first, Poll::Ready(Some(Ok(part))) if part.len() == STEP * 2));
        assert!(stream.poll_chunk(Waker::noop()).is_pending());
        assert_eq!(stream.poll_chunk(Waker::noop()), ready("aa."));
    }

    /// Gives empty pieces without end.
    struct Nothing;

    impl BodyStream for Nothing {
        fn poll_chunk(&mut self, _: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
            Poll::Ready(Some(Ok(Bytes::new())))
        }
    }

    #[test]
    fn endless_empty_pieces_let_others_run() {
        let mut stream = stream(Body::Stream(Box::new(Nothing)), Count::default());
        assert!(stream.poll_chunk(Waker::noop()).is_pending());
        assert!(stream.poll_chunk(Waker::noop()).is_pending());
    }

    #[test]
    fn many_small_pieces_are_one_step_together() {
        let (sender, receiver) = channel(STEP * 4);
        for _ in 0..3 {
            sender.push(vec![0; STEP / 2].into());
        }
        sender.finish();
        let mut stream = stream(Body::Stream(Box::new(receiver)), Count::default());
        assert!(stream.poll_chunk(Waker::noop()).is_pending());
        assert_eq!(stream.poll_chunk(Waker::noop()), ready("98304"));
    }
}
