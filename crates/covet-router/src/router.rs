//! The router: path, method and host in, an outcome and byte ranges out. Immutable once built, so it may be
//! shared. Called by the binding on every request; reports and introspection serve start-up and tools.

use crate::converter::CustomConverters;
use crate::entry::Kind;
use crate::methods::{MethodSet, MethodTable};
use crate::overlap::{self, Conflict, Shadow};
use crate::params::Params;
use crate::pattern::{self, Piece};
use crate::search::{NONE, Presence, Union, Winner};
use crate::table::Table;
use crate::tree::Tree;

/// Which entry answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// This entry; its parameters are in `Params`.
    Found {
        /// The tag it was registered with.
        tag: u32,
    },
    /// Other methods only. The first entry that matches the path answers; its parameters are in `Params`.
    MethodNotAllowed {
        /// The tag it was registered with.
        tag: u32,
        /// Its methods; `Router::allowed_methods` gives those of all entries that match the path.
        allowed: MethodSet,
    },
    /// No entry matches the path.
    NotFound,
    /// Opaque entries come first, and only Python can match them: ask them, in order.
    Opaque {
        /// Who wins if no opaque entry registered before it matches; its parameters are in `Params`.
        /// `None`: nothing else matches both path and method, so every opaque entry is to be asked.
        before: Option<u32>,
    },
}

/// Whether a path is known, whatever the method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// An entry matches it.
    Yes,
    /// No entry does.
    No,
    /// No entry does, but there are opaque ones to ask.
    Unknown,
}

/// A variant of a route that needs user converters; its index is the id given to `CustomConverters`.
#[derive(Debug, Clone)]
pub struct CustomPattern {
    /// The tag of its entry.
    pub tag: u32,
    /// What to make the regular expression from: it matches the whole path, with one group per parameter.
    pub pieces: Vec<Piece>,
}

/// Finds the entry for a request: the first registered one that matches.
#[derive(Debug)]
pub struct Router {
    table: Table,
    tree: Tree,
    methods: MethodTable,
    customs: Vec<CustomPattern>,
    /// The row before which the first opaque entry was registered.
    first_opaque: Option<u32>,
}

impl Router {
    pub(crate) fn new(
        table: Table,
        tree: Tree,
        methods: MethodTable,
        customs: Vec<CustomPattern>,
        first_opaque: Option<u32>,
    ) -> Self {
        Self {
            table,
            tree,
            methods,
            customs,
            first_opaque,
        }
    }

    /// Find the entry for a request and cut its parameters out.
    ///
    /// `path` is the decoded path below the mount point, `method` the exact method, `host` a valid Host
    /// field with or without port, or `None`. `params` is cleared first.
    pub fn resolve(
        &self,
        path: &str,
        method: &str,
        host: Option<&str>,
        params: &mut Params,
        custom: &dyn CustomConverters,
    ) -> Outcome {
        params.clear();
        if !is_addressable(path, host) {
            return Outcome::NotFound;
        }
        let method = self.methods.lookup(method);
        let mut winner = Winner {
            table: &self.table,
            host,
            method,
            full: NONE,
            partial: NONE,
        };
        let said = self.tree.walk(path, custom, &mut winner);
        let (full, partial) = (winner.full, winner.partial);
        let capture = |row: u32| {
            let row = self.table.row(row)?;
            self.table
                .capture(row, path, host, said, params)
                .then_some(row.tag)
        };
        if full != NONE {
            let asks = self.first_opaque.is_some_and(|first| first <= full);
            return match capture(full) {
                Some(tag) if asks => Outcome::Opaque { before: Some(tag) },
                Some(tag) => Outcome::Found { tag },
                None => Outcome::NotFound,
            };
        }
        if self.first_opaque.is_some() {
            return Outcome::Opaque { before: None };
        }
        let Some(row) = self.table.row(partial) else {
            return Outcome::NotFound;
        };
        match capture(partial) {
            Some(tag) => Outcome::MethodNotAllowed {
                tag,
                allowed: row.methods,
            },
            None => Outcome::NotFound,
        }
    }

    /// The methods of all entries that match the path; any method if a mount is among them. Opaque entries
    /// are not counted.
    #[must_use]
    pub fn allowed_methods(
        &self,
        path: &str,
        host: Option<&str>,
        custom: &dyn CustomConverters,
    ) -> MethodSet {
        let mut union = Union {
            table: &self.table,
            host,
            methods: MethodSet::NONE,
        };
        self.tree.walk(path, custom, &mut union);
        union.methods
    }

    /// Whether any entry matches the path with some method: what a slash redirect wants to know.
    #[must_use]
    pub fn would_match(&self, path: &str, host: Option<&str>, custom: &dyn CustomConverters) -> Probe {
        let mut presence = Presence {
            table: &self.table,
            host,
            found: false,
        };
        self.tree.walk(path, custom, &mut presence);
        match (presence.found, self.first_opaque) {
            (true, _) => Probe::Yes,
            (false, Some(_)) => Probe::Unknown,
            (false, None) => Probe::No,
        }
    }

    /// The names in a set, in a fixed order; none for the set of any method.
    pub fn method_names(&self, set: MethodSet) -> impl Iterator<Item = &str> {
        self.methods.names(set)
    }

    /// The methods of an entry.
    #[must_use]
    pub fn methods(&self, tag: u32) -> Option<MethodSet> {
        self.table.registration(tag).map(|found| found.methods)
    }

    /// The pattern of an entry as it was registered; for hosts the host.
    #[must_use]
    pub fn pattern(&self, tag: u32) -> Option<&str> {
        self.table.registration(tag).map(|found| &*found.source)
    }

    /// What an entry stands for.
    #[must_use]
    pub fn kind(&self, tag: u32) -> Option<Kind> {
        self.table.registration(tag).map(|found| found.kind)
    }

    /// The host an entry is restricted to, as it was registered.
    #[must_use]
    pub fn host(&self, tag: u32) -> Option<&str> {
        self.table
            .registration(tag)
            .and_then(|found| found.host.as_ref())
            .map(|host| &*host.source)
    }

    /// The names of an entry's parameters: those of the host, then those of the path. `Span::name` points
    /// into this list. The remainder of a mount comes last and is called `path`.
    #[must_use]
    pub fn names(&self, tag: u32) -> &[Box<str>] {
        self.table.registration(tag).map_or(&[], |found| &found.names)
    }

    /// The paths of a route without converters, one per variant, the longest first: two for `/a/{b?}`.
    #[must_use]
    pub fn formats(&self, tag: u32) -> Vec<String> {
        self.table
            .rows_of(tag)
            .map(|row| pattern::format(&row.pieces))
            .collect()
    }

    /// The tags of all entries, in order.
    pub fn tags(&self) -> impl Iterator<Item = u32> {
        self.table.registrations.iter().map(|found| found.tag)
    }

    /// The patterns that `CustomConverters::match_route` will be asked about, by id.
    #[must_use]
    pub fn custom_patterns(&self) -> &[CustomPattern] {
        &self.customs
    }

    /// Entries with the same pattern (names aside) and host that share methods, in order.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        overlap::conflicts(&self.table)
    }

    /// Entries that no request reaches because earlier ones match all their paths, for the same methods
    /// and hosts. Certain for every path without a line feed, which `{name:path}` does not match; not
    /// complete. Exact duplicates are listed here as well as in `conflicts`.
    #[must_use]
    pub fn shadowed(&self) -> Vec<Shadow> {
        overlap::shadowed(&self.table)
    }
}

/// Ranges are 32 bits wide.
fn is_addressable(path: &str, host: Option<&str>) -> bool {
    let fits = |text: &str| u32::try_from(text.len()).is_ok();
    fits(path) && host.is_none_or(fits)
}
