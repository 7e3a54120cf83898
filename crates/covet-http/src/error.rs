//! The one error of this crate: an answer that must not be written as it stands.
//! What is wrong with a *request* is a [`Refusal`](crate::Refusal), not an error.

use std::fmt;

/// An answer that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Status,
    Name,
    Value,
    Length,
    Chunked,
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Status => "the response status must be a number from 100 to 999",
            Kind::Name => "a response header name is empty or has characters other than token characters",
            Kind::Value => "a response header value contains a control character",
            Kind::Length => "the content-length header differs from the length of the body",
            Kind::Chunked => "a HTTP/1.0 client cannot read a chunked body",
        })
    }
}

impl std::error::Error for Error {}
