//! The body of a request or an answer, one type on all floors: nothing, bytes, or pieces that come later.

use std::fmt;
use std::task::{Poll, Waker};

use bytes::Bytes;

use crate::refusal::Refusal;

/// A body.
#[derive(Default)]
pub enum Body {
    /// No bytes.
    #[default]
    Empty,
    /// All bytes at once.
    Full(Bytes),
    /// Bytes that come piece by piece.
    Stream(Box<dyn BodyStream>),
}

impl Body {
    /// The length in bytes, when it is known.
    pub fn size_hint(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Full(bytes) => Some(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Full(bytes)
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// A source of body pieces. It belongs to one thread.
pub trait BodyStream {
    /// The next piece, `None` after the last. While pending, `waker` is woken when another poll makes sense.
    /// After `None` or an error the answer is `None` for ever.
    fn poll_chunk(&mut self, waker: &Waker) -> Poll<Option<Result<Bytes, BodyError>>>;

    /// The bytes still to come, when that is known exactly.
    fn size_hint(&self) -> Option<u64> {
        None
    }
}

/// Why a body ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyError {
    /// The other side went away before the end.
    Disconnected,
    /// The request body was malformed, too large or too slow.
    Refused(Refusal),
    /// The producer of the body failed; the text is for the log.
    Failed(String),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected => f.write_str("the other side disconnected before the end of the body"),
            Self::Refused(refusal) => f.write_str(refusal.reason),
            Self::Failed(why) => write!(f, "the body could not be produced: {why}"),
        }
    }
}

impl std::error::Error for BodyError {}
