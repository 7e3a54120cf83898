//! The verdict that ends a connection: a status, a short reason and the limit that was hit.
//! Reasons are ours alone; a refusal never carries a byte the client sent.

/// Why a request is not served. Whoever gets one answers it with
/// [`write_refusal`](crate::response::write_refusal) and closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status to answer with.
    pub status: u16,
    /// A short plain sentence for the body.
    pub reason: &'static str,
    /// The [`Limits`](crate::Limits) field that refused, for the body and the log.
    pub setting: Option<&'static str>,
}

impl Refusal {
    /// The head did not arrive in time.
    pub const HEADER_TIMEOUT: Self = Self::limit(408, "the request head took too long", "header_timeout");
    /// The body paused for too long.
    pub const BODY_TIMEOUT: Self =
        Self::limit(408, "the request body paused for too long", "body_idle_timeout");
    /// The body trickles.
    pub const BODY_RATE: Self = Self::limit(408, "the request body is too slow", "body_min_rate");
    /// The body is larger than the application reads.
    pub const BODY_SIZE: Self = Self::limit(413, "the request body is too large", "max_body");

    /// A refusal of malformed bytes.
    pub(crate) const fn bad(reason: &'static str) -> Self {
        Self {
            status: 400,
            reason,
            setting: None,
        }
    }

    /// A refusal by the limit called `setting`.
    pub const fn limit(status: u16, reason: &'static str, setting: &'static str) -> Self {
        Self {
            status,
            reason,
            setting: Some(setting),
        }
    }
}
