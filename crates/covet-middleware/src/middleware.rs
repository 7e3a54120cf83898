//! The trait of a native middleware. One object serves every request on its thread, so what belongs to a
//! single request never lives in it; whatever it decides goes back to the caller as a value.

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
pub trait Middleware {
    /// Its name in the log and in introspection.
    fn name(&self) -> &'static str;

    /// Looks at a request, and may change it, before its body is read.
    fn before(&self, head: &mut RequestHead, now: Instant) -> Flow {
        let _ = (head, now);
        Flow::Continue
    }

    /// Goes on after [`Flow::Ask`] with what the store said.
    fn resume(&self, head: &mut RequestHead, answer: StoreAnswer, now: Instant) -> Flow {
        let _ = (head, answer, now);
        Flow::Continue
    }

    /// Looks at an answer, and may change it, before any of it is sent.
    fn after(&self, head: &mut ResponseHead) {
        let _ = head;
    }

    /// A filter for the body of the answer whose head this is. Asked after [`Middleware::after`].
    fn filter(&self, head: &mut ResponseHead) -> Option<Box<dyn BodyFilter>> {
        let _ = head;
        None
    }
}
