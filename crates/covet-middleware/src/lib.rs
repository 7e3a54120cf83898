//! What runs around every dispatch: the `Middleware` trait, the stack that runs a list of them, and the
//! native middlewares, one file each. The engine (socket door) and the ASGI door run the same stack.
//! It never does I/O, reads no clock and draws no random number: a middleware that needs a store asks for it.
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

mod cors;
mod fields;
mod filter;
mod gzip;
mod middleware;
#[cfg(test)]
mod sample;
mod server_header;
mod stack;
mod store;

pub use cors::{Cors, CorsOptions, Fields, OriginPredicate};
pub use filter::{BodyFilter, filtered};
pub use gzip::{Gzip, GzipOptions};
pub use middleware::{Flow, Middleware};
pub use server_header::ServerHeader;
pub use stack::{Entry, Stack};
pub use store::{StoreAnswer, StoreOperation};
