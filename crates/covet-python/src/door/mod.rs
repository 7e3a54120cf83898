//! The two doors: requests from sockets and requests from ASGI servers, into the same plans. Knows HTTP's words and
//! how to run plans; parses nothing and renders nothing itself.

pub(crate) mod access;
pub(crate) mod asgi_host;
pub(crate) mod asgi_in;
pub(crate) mod asgi_out;
pub(crate) mod conclusion;
pub(crate) mod exchange;
pub(crate) mod flight;
pub(crate) mod generation;
pub(crate) mod head_source;
pub(crate) mod journal;
pub(crate) mod location;
pub(crate) mod native_body;
pub(crate) mod native_middleware;
pub(crate) mod passage;
pub(crate) mod pipeline;
pub(crate) mod proxies;
pub(crate) mod runtime;
pub(crate) mod scope;
pub(crate) mod site;
pub(crate) mod socket;
pub(crate) mod socket_host;
pub(crate) mod step_host;
pub(crate) mod table;
