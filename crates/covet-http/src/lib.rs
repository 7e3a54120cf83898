//! The words of HTTP: parse, frame, limit and write. Bytes and values in, bytes and decisions out.
//! Every floor above uses it: the engine pushes socket bytes into [`Decoder`] and writes answers with
//! [`response`]; plans read [`query`], [`cookies`], [`percent`] and [`media_type`].
//! It never does I/O, reads no clock, draws no random number and knows nothing of Python.
//!
//! ```
//! use bytes::BytesMut;
//! use covet_http::{Decoder, Event, Limits};
//!
//! let mut decoder = Decoder::new();
//! let mut buf = BytesMut::from(&b"GET /items?q=a HTTP/1.1\r\nHost: example.com\r\n\r\n"[..]);
//! match decoder.decode(&mut buf, &Limits::default()) {
//!     Ok(Event::Head(head)) => assert_eq!((&head.path[..], &head.query[..]), (&b"/items"[..], &b"q=a"[..])),
//!     other => panic!("{other:?}"),
//! }
//! assert!(matches!(decoder.decode(&mut buf, &Limits::default()), Ok(Event::End)));
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod body;
pub mod channel;
mod chunked;
pub mod cookies;
pub mod date;
mod decoder;
mod error;
mod framing;
mod head;
mod headers;
pub mod host;
pub mod latin1;
mod limits;
pub mod media_type;
mod method;
pub mod percent;
pub mod query;
mod refusal;
pub mod response;
mod scan;
mod status;
mod target;
mod token;

pub use body::{Body, BodyError, BodyStream};
pub use decoder::{Decoder, Event};
pub use error::Error;
pub use framing::Framing;
pub use head::RequestHead;
pub use headers::Headers;
pub use limits::Limits;
pub use method::Method;
pub use refusal::Refusal;
pub use response::{Delivery, Length, ResponseHead};
pub use status::reason_phrase;
