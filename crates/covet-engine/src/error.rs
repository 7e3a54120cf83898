//! The one error of this crate: an engine that cannot start.

use std::{fmt, io};

/// Why an engine or a listener could not be made.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Io(&'static str, io::Error),
    NotASocket,
}

impl Error {
    /// Wraps a system error; `what` completes "cannot …".
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self {
            kind: Kind::Io(what, error),
        }
    }

    /// The system's error number, when the system refused.
    pub fn raw_os_error(&self) -> Option<i32> {
        match &self.kind {
            Kind::Io(_, error) => error.raw_os_error(),
            Kind::NotASocket => None,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Io(what, error) => write!(f, "cannot {what}: {error}"),
            Kind::NotASocket => f.write_str("the inherited descriptor is not a listening TCP or unix socket"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Io(_, error) => Some(error),
            Kind::NotASocket => None,
        }
    }
}
