//! The trait of a native middleware. One object serves every request, so what belongs to a single request never
//! lives in it, and requests are never changed; whatever it decides goes back to the caller as a value.

use std::time::Instant;

use covet_http::{Body, RequestHead, ResponseHead};

use crate::filter::BodyFilter;
use crate::store::{StoreAnswer, StoreOperation};

/// What a middleware decides before the endpoint sees the request.
#[derive(Debug)]
pub enum Flow {
    /// The next middleware, or the endpoint, goes on.
    Continue,
    /// This is the answer; nothing further inside is asked.
    Answer(ResponseHead, Body),
    /// The caller does this and comes back through [`Middleware::resume`].
    Ask(StoreOperation),
}

/// Something that runs around every dispatch.
pub trait Middleware: Send + Sync {
    /// Its name in the log and in introspection.
    fn name(&self) -> &'static str;

    /// Looks at a request before its body is read.
    fn before(&self, head: &RequestHead, now: Instant) -> Flow {
        let _ = (head, now);
        Flow::Continue
    }

    /// Goes on after [`Flow::Ask`] with what the store said.
    fn resume(&self, head: &RequestHead, answer: StoreAnswer, now: Instant) -> Flow {
        let _ = (head, answer, now);
        Flow::Continue
    }

    /// Looks at the answer to a request, and may change it, before any of it is sent.
    fn after(&self, request: &RequestHead, head: &mut ResponseHead) {
        let _ = (request, head);
    }

    /// A filter for this answer's body, which tells whether it is whole or a stream and how long. Asked after
    /// [`Middleware::after`]; may change the head, but leaves the correction of its length to the stack.
    fn filter(
        &self,
        request: &RequestHead,
        head: &mut ResponseHead,
        body: &Body,
    ) -> Option<Box<dyn BodyFilter>> {
        let _ = (request, head, body);
        None
    }
}
