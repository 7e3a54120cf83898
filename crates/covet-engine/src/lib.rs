//! Sockets, timers, connections and dispatch on one thread, inside somebody else's event loop.
//! The border crate builds an [`Engine`] from listeners, an [`Endpoint`] and a [`Runtime`], registers its
//! descriptor in the loop and calls [`Engine::on_ready`]; requests come out as calls, answers go back
//! through [`Reply`]. It knows neither Python nor asyncio, starts no thread, and holds no borrow while an
//! endpoint, a body stream, a waker or the runtime runs: any of them may come back.
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

mod accept;
mod answer;
mod connection;
mod drain;
mod driver;
mod endpoint;
mod engine;
mod error;
mod exchange;
mod hub;
mod inbound;
mod inbox;
mod intake;
mod listener;
mod outbound;
mod pass;
mod reply;
mod runtime;
mod settings;
mod slots;
mod stream;
mod turn;
mod wheel;

pub use driver::{Driver, NestedPoll, Ready, Token};
pub use endpoint::{Address, Admission, Endpoint, Peer, Request};
pub use engine::{Counters, Engine};
pub use error::Error;
pub use listener::Listener;
pub use reply::Reply;
pub use runtime::{AccessRecord, Held, Record, Runtime};
pub use settings::Settings;
