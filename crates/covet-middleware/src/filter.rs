//! Body filters: what a middleware may do to the bytes of an answer. A whole body is filtered in one go,
//! a streamed one piece by piece as it is pulled.

use std::task::{Poll, Waker};

use bytes::{Bytes, BytesMut};
use covet_http::{Body, BodyError, BodyStream};

/// Changes the bytes of one body. Pieces go in by [`push`](Self::push) in order, then [`finish`](Self::finish).
pub trait BodyFilter {
    /// Takes a piece, gives what is ready; an empty answer means that more input is needed.
    fn push(&mut self, piece: Bytes) -> Bytes;

    /// The input is over; gives the rest.
    fn finish(&mut self) -> Bytes;
}

/// The body as `filter` leaves it.
pub fn filtered(body: Body, mut filter: Box<dyn BodyFilter>) -> Body {
    match body {
        Body::Stream(inner) => Body::Stream(Box::new(Filtered {
            inner,
            filter,
            over: false,
        })),
        Body::Empty => filter.finish().into(),
        Body::Full(bytes) => {
            let first = filter.push(bytes);
            let rest = filter.finish();
            match (first.is_empty(), rest.is_empty()) {
                (_, true) => first.into(),
                (true, false) => rest.into(),
                (false, false) => {
                    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
                    whole.extend_from_slice(&first);
                    whole.extend_from_slice(&rest);
                    Body::Full(whole.freeze())
                }
            }
        }
    }
}

struct Filtered {
    inner: Box<dyn BodyStream>,
    filter: Box<dyn BodyFilter>,
    over: bool,
}

impl BodyStream for Filtered {
    fn poll_chunk(&mut self, waker: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
        while !self.over {
            let ready = match self.inner.poll_chunk(waker) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => {
                    self.over = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Some(Ok(piece))) => self.filter.push(piece),
                Poll::Ready(None) => {
                    self.over = true;
                    self.filter.finish()
                }
            };
            if !ready.is_empty() {
                return Poll::Ready(Some(Ok(ready)));
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Doubles every byte and ends with `!`.
    struct Double;

    impl BodyFilter for Double {
        fn push(&mut self, piece: Bytes) -> Bytes {
            piece
                .iter()
                .flat_map(|byte| [*byte, *byte])
                .collect::<Vec<_>>()
                .into()
        }

        fn finish(&mut self) -> Bytes {
            Bytes::from_static(b"!")
        }
    }

    #[test]
    fn a_whole_body_is_filtered_at_once() {
        let Body::Full(bytes) = filtered(Body::Full(Bytes::from_static(b"ab")), Box::new(Double)) else {
            panic!("expected one piece");
        };
        assert_eq!(bytes, "aabb!");
        assert!(matches!(filtered(Body::Empty, Box::new(Double)), Body::Full(bytes) if bytes == "!"));
    }

    #[test]
    fn a_stream_is_filtered_piece_by_piece() {
        let (sender, receiver) = covet_http::channel::channel(10);
        let Body::Stream(mut stream) = filtered(Body::Stream(Box::new(receiver)), Box::new(Double)) else {
            panic!("expected a stream");
        };
        let waker = Waker::noop();
        assert!(stream.poll_chunk(waker).is_pending());
        sender.push(Bytes::from_static(b"a"));
        assert_eq!(
            stream.poll_chunk(waker),
            Poll::Ready(Some(Ok(Bytes::from_static(b"aa"))))
        );
        sender.finish();
        assert_eq!(
            stream.poll_chunk(waker),
            Poll::Ready(Some(Ok(Bytes::from_static(b"!"))))
        );
        assert_eq!(stream.poll_chunk(waker), Poll::Ready(None));
    }
}
