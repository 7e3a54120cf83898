//! The chunked body (RFC 9112, 7.1) as a machine that takes framing bytes one at a time.
//! Called by the decoder between pieces of data; extensions and trailers are checked, bounded and dropped.
//!
//! Invariant: a framing byte changes the state the same way however the bytes were split.

use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::token::{is_token, is_value};

/// Where the body stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Hex digits of a size; so many were seen.
    Size(u8),
    /// Inside an extension of so many bytes, its `;` included.
    Extension(usize),
    /// The LF of a size line must come.
    SizeEnd,
    /// So many bytes of data must come.
    Data,
    /// The CR after data must come.
    DataCr,
    /// The LF after data must come.
    DataLf,
    /// A trailer line, or the CR of the last line, must start.
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerEnd,
    /// The LF of the last line must come.
    LastLf,
    Done,
}

/// What the decoder does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Another framing byte.
    Framing,
    /// So many bytes of data, more than none.
    Data(u64),
    /// Nothing: the body is over.
    Nothing,
}

/// One chunked body in progress.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunked {
    step: Step,
    size: u64,
    total: u64,
    trailers: usize,
}

impl Chunked {
    pub(crate) fn new() -> Self {
        Self {
            step: Step::Size(0),
            size: 0,
            total: 0,
            trailers: 0,
        }
    }

    pub(crate) fn need(&self) -> Need {
        match self.step {
            Step::Data => Need::Data(self.size),
            Step::Done => Need::Nothing,
            _ => Need::Framing,
        }
    }

    /// Records that `len` bytes of data were taken; never more than [`Need::Data`] said.
    pub(crate) fn took(&mut self, len: u64) {
        self.size = self.size.saturating_sub(len);
        if self.size == 0 {
            self.step = Step::DataCr;
        }
    }

    /// Takes one framing byte. `body_limit` bounds all data together.
    pub(crate) fn feed(&mut self, byte: u8, limits: &Limits, body_limit: u64) -> Result<(), Refusal> {
        self.step = match (self.step, byte) {
            (Step::Size(digits), _) => self.feed_size(digits, byte)?,
            (Step::Extension(_), b'\r') => Step::SizeEnd,
            (Step::Extension(len), _) => extension(len, byte, limits)?,
            (Step::SizeEnd, b'\n') => self.announced(body_limit)?,
            (Step::DataCr, b'\r') => Step::DataLf,
            (Step::DataLf, b'\n') => Step::Size(0),
            (Step::TrailerStart, b'\r') => Step::LastLf,
            (Step::LastLf, b'\n') => Step::Done,
            (Step::DataCr | Step::DataLf, _) => {
                return Err(Refusal::bad("chunk data is not followed by CR LF"));
            }
            (Step::SizeEnd, _) => return Err(Refusal::bad("a chunk size line ends without CR LF")),
            (Step::LastLf, _) => return Err(Refusal::bad("the chunked body ends without CR LF")),
            (step, _) => self.feed_trailer(step, byte, limits)?,
        };
        Ok(())
    }

    fn feed_size(&mut self, digits: u8, byte: u8) -> Result<Step, Refusal> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            if digits >= 16 {
                return Err(Refusal::bad("chunk size overflow"));
            }
            self.size = self.size << 4 | u64::from(digit);
            return Ok(Step::Size(digits + 1));
        }
        match byte {
            _ if digits == 0 => Err(Refusal::bad("malformed chunk size")),
            b'\r' => Ok(Step::SizeEnd),
            b';' => Ok(Step::Extension(1)),
            _ => Err(Refusal::bad("malformed chunk size")),
        }
    }

    fn announced(&mut self, body_limit: u64) -> Result<Step, Refusal> {
        if self.size == 0 {
            return Ok(Step::TrailerStart);
        }
        self.total = self
            .total
            .checked_add(self.size)
            .ok_or(Refusal::bad("chunk size overflow"))?;
        if self.total > body_limit {
            return Err(Refusal::BODY_SIZE);
        }
        Ok(Step::Data)
    }

    /// A trailer line has the syntax of a header line, or two parsers might disagree on where the body ends.
    fn feed_trailer(&mut self, step: Step, byte: u8, limits: &Limits) -> Result<Step, Refusal> {
        self.trailers += 1;
        if self.trailers > limits.max_trailers {
            return Err(Refusal::limit(431, "the trailers are too large", "max_trailers"));
        }
        match (step, byte) {
            (Step::TrailerStart | Step::TrailerName, byte) if is_token(byte) => Ok(Step::TrailerName),
            (Step::TrailerName, b':') => Ok(Step::TrailerValue),
            (Step::TrailerValue, b'\r') => Ok(Step::TrailerEnd),
            (Step::TrailerValue, byte) if is_value(byte) => Ok(Step::TrailerValue),
            (Step::TrailerEnd, b'\n') => Ok(Step::TrailerStart),
            _ => Err(Refusal::bad("malformed trailer")),
        }
    }
}

fn extension(len: usize, byte: u8, limits: &Limits) -> Result<Step, Refusal> {
    if len >= limits.max_chunk_extension {
        return Err(Refusal::limit(
            400,
            "a chunk extension is too long",
            "max_chunk_extension",
        ));
    }
    match byte {
        b'\t' | b' '..=b'~' => Ok(Step::Extension(len + 1)),
        _ => Err(Refusal::bad("malformed chunk extension")),
    }
}
