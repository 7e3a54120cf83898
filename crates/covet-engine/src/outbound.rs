//! What is still to be written to one connection. Heads and small bodies are gathered in one buffer, so that
//! an answer, or many pipelined ones, leave in one system call; large bodies are kept as they are.
//! The buffer's memory is lent by the engine and goes back when everything was written.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};

use crate::stream::Stream;

/// From this size on a body is not copied.
const LARGE: usize = 16 << 10;
/// Pieces handed to the system at once.
const SLICES: usize = 16;

/// While so much waits to be written nothing is added to it: no stream is pulled, no request begun.
const HIGH_WATER: usize = 64 << 10;

/// Bytes on their way to a client.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    /// Written before `tail`.
    segments: VecDeque<Bytes>,
    queued: usize,
    /// Where new bytes are gathered.
    pub(crate) tail: BytesMut,
    /// Complete answers that were not flushed yet.
    pub(crate) answers: u32,
    /// Since when the peer takes nothing.
    pub(crate) stalled: Option<Instant>,
}

impl Outbound {
    /// Bytes not written yet.
    pub(crate) fn len(&self) -> usize {
        self.queued + self.tail.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Nothing more should be added until it is written.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= HIGH_WATER
    }

    /// Appends bytes; large ones are shared, not copied.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if bytes.len() < LARGE {
            self.tail.extend_from_slice(&bytes);
            return;
        }
        if !self.tail.is_empty() {
            let gathered = self.tail.split().freeze();
            self.queue(gathered);
        }
        self.queue(bytes);
    }

    fn queue(&mut self, bytes: Bytes) {
        self.queued += bytes.len();
        self.segments.push_back(bytes);
    }

    /// Writes as much as the socket takes; true when nothing is left.
    pub(crate) fn write(&mut self, stream: &mut Stream) -> io::Result<bool> {
        while !self.is_empty() {
            let outcome = match self.segments.is_empty() {
                true => stream.write(&self.tail),
                false => self.write_vectored(stream),
            };
            match outcome {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.answers = 0;
        Ok(true)
    }

    fn write_vectored(&self, stream: &mut Stream) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let pieces = self
            .segments
            .iter()
            .map(|bytes| bytes.as_ref())
            .chain([self.tail.as_ref()]);
        let mut used = 0;
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            used += 1;
        }
        stream.write_vectored(slices.get(..used).unwrap_or_default())
    }

    fn advance(&mut self, mut written: usize) {
        self.stalled = None;
        while let Some(first) = self.segments.front_mut() {
            if first.len() > written {
                first.advance(written);
                self.queued -= written;
                return;
            }
            written -= first.len();
            self.queued -= first.len();
            self.segments.pop_front();
        }
        if written >= self.tail.len() {
            // Keeps the whole capacity, where `advance` would lose it.
            self.tail.clear();
        } else {
            self.tail.advance(written);
        }
    }
}
