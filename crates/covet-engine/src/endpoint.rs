//! What the engine needs of an application: admit a head, take a request. Implemented by the border crate
//! and by tests. An endpoint may call back into `Reply`, `Engine` and body streams at any moment; the engine
//! holds no borrow while it runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;

use covet_http::{Body, RequestHead, ResponseHead};

use crate::reply::Reply;

/// An application, seen from the sockets.
pub trait Endpoint {
    /// Decides what happens to a request before its body is read. Must be quick and free of side effects.
    fn admit(&self, head: &RequestHead, peer: &Peer) -> Admission;

    /// Takes a request. The answer goes to `reply`, now or later; dropping it unsent is a 500.
    fn call(&self, request: Request, reply: Reply);
}

/// How a request's body reaches the endpoint.
#[derive(Debug)]
pub enum Admission {
    /// The engine collects the body, up to `max` bytes (413 beyond), then calls with `Body::Full` or `Empty`.
    Buffered {
        /// Bytes held in memory for this request at most.
        max: u64,
    },
    /// The call comes at once; a body that has not arrived completely is a stream that reads as it is pulled.
    Streaming,
    /// Nothing is called; this is the answer.
    Answer(ResponseHead, Body),
}

/// A request as the endpoint gets it.
#[derive(Debug)]
pub struct Request {
    /// The request line and header fields.
    pub head: Box<RequestHead>,
    /// The body, in the form that [`Admission`] asked for.
    pub body: Body,
    /// Who is at the other end; one value per connection.
    pub peer: Rc<Peer>,
}

/// The two ends of a connection, as the socket names them. Proxy headers never change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The client.
    pub remote: Address,
    /// This server.
    pub local: Address,
}

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP over IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A unix socket; clients rarely have a path.
    Unix(Option<PathBuf>),
    /// The system did not say.
    Unknown,
}
