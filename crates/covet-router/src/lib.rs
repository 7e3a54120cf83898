//! Which route answers a path: patterns in, a tag and byte ranges out. A radix tree finds the candidates,
//! but the first registered entry that matches path and method wins, as in an ordered list of routes.
//! Called by the binding for every request on both doors. It never allocates on the good case, never
//! converts a value, never decodes a path and never decides what a 404, a 405 or a redirect looks like.
//!
//! One router serves one scope type: build a second one for WebSocket routes.
//!
//! ```
//! use covet_router::{Entry, NoCustomConverters, Outcome, Params, RouterBuilder};
//!
//! let mut builder = RouterBuilder::new();
//! builder.add(0, &Entry::route("/users/{id:int}").methods(["GET"]))?;
//! builder.add(1, &Entry::prefix("/static"))?;
//! let router = builder.build();
//!
//! let mut params = Params::new();
//! let outcome = router.resolve("/users/7", "GET", None, &mut params, &NoCustomConverters);
//! assert_eq!(outcome, Outcome::Found { tag: 0 });
//! assert_eq!(params.as_slice()[0].text("/users/7", ""), "7");
//! # Ok::<(), covet_router::Error>(())
//! ```
#![forbid(unsafe_code)]

mod builder;
mod compile;
mod converter;
mod entry;
mod error;
mod methods;
mod overlap;
mod params;
mod pattern;
mod program;
mod router;
mod search;
mod table;
mod tree;

pub use builder::RouterBuilder;
pub use converter::{Converter, CustomConverters, NoCustomConverters};
pub use entry::{Entry, Kind};
pub use error::Error;
pub use methods::MethodSet;
pub use overlap::{Conflict, Shadow};
pub use params::{Params, Source, Span};
pub use pattern::{Parameter, Piece};
pub use router::{CustomPattern, Outcome, Probe, Router};
