//! The builder: entries in, in the order that decides who wins; a finished router out. Used by the binding
//! when the routes have changed. An entry that is refused leaves no trace.

use std::collections::BTreeSet;

use crate::compile::{Step, compile};
use crate::entry::{Entry, Kind};
use crate::error::{Error, Kind as Refusal};
use crate::methods::{MethodSet, MethodTable};
use crate::pattern::{self, Piece};
use crate::program::Program;
use crate::router::{CustomPattern, Router};
use crate::table::{Host, Registration, Row, Table};
use crate::tree::Tree;

/// A parsed and compiled variant of a pattern.
struct Variant {
    pieces: Vec<Piece>,
    steps: Vec<Step>,
}

/// Collects entries in order.
#[derive(Debug)]
pub struct RouterBuilder {
    table: Table,
    tree: Tree,
    methods: MethodTable,
    converters: Vec<Box<str>>,
    customs: Vec<CustomPattern>,
    first_opaque: Option<u32>,
}

impl Default for RouterBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl RouterBuilder {
    /// Start with no entries.
    #[must_use]
    pub fn new() -> Self {
        Self {
            table: Table::default(),
            tree: Tree::new(),
            methods: MethodTable::new(),
            converters: Vec::new(),
            customs: Vec::new(),
            first_opaque: None,
        }
    }

    /// Make a user converter known to the entries that follow, and give its number. It replaces a built-in
    /// converter of the same name.
    pub fn converter(&mut self, name: &str) -> u32 {
        let known = self.converters.iter().position(|known| **known == *name);
        let index = known.unwrap_or_else(|| {
            self.converters.push(name.into());
            self.converters.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// Register an entry after all earlier ones, under a tag of its own.
    ///
    /// # Errors
    /// When the pattern cannot be read, the tag is taken, or there are too many methods.
    pub fn add(&mut self, tag: u32, entry: &Entry<'_>) -> Result<(), Error> {
        let source = if entry.kind == Kind::Host {
            entry.host.unwrap_or("")
        } else {
            entry.pattern
        };
        let fail = |refusal| Error::whole(source, refusal);
        if self.table.by_tag.contains_key(&tag) {
            return Err(fail(Refusal::TagTaken(tag)));
        }
        let host = entry
            .host
            .map(|host| compile_host(host, &self.converters))
            .transpose()?;
        let variants = self.variants(entry)?;
        let longest = variants.first().map_or(&[][..], |variant| &variant.pieces);
        let names = names(host.as_ref(), longest).map_err(fail)?;
        let methods = self.method_set(entry).map_err(fail)?;
        let rows = self.rows(tag, methods, host.as_ref(), variants).map_err(fail)?;
        let (kind, source) = (entry.kind, source.into());
        self.commit(
            Registration {
                tag,
                kind,
                source,
                methods,
                host,
                names,
            },
            rows,
        );
        Ok(())
    }

    /// Finish.
    #[must_use]
    pub fn build(self) -> Router {
        Router::new(
            self.table,
            self.tree,
            self.methods,
            self.customs,
            self.first_opaque,
        )
    }

    /// The variants of an entry, the longest first; none for an opaque one.
    fn variants(&self, entry: &Entry<'_>) -> Result<Vec<Variant>, Error> {
        let patterns = match entry.kind {
            Kind::Opaque => return Ok(Vec::new()),
            Kind::Host => {
                return Ok(vec![Variant {
                    pieces: Vec::new(),
                    steps: vec![Step::Everything],
                }]);
            }
            Kind::Route => pattern::expand(pattern::parse_route(entry.pattern, &self.converters)?),
            Kind::Prefix => vec![pattern::parse_prefix(entry.pattern, &self.converters)?],
        };
        let mut next_custom = self.customs.len();
        let mut variants = Vec::with_capacity(patterns.len());
        for pieces in patterns {
            let id = u32::try_from(next_custom).unwrap_or(u32::MAX);
            let steps = compile(&pieces, id).map_err(|refusal| Error::whole(entry.pattern, refusal))?;
            next_custom += usize::from(matches!(steps.last(), Some(Step::Custom(_))));
            variants.push(Variant { pieces, steps });
        }
        Ok(variants)
    }

    fn method_set(&mut self, entry: &Entry<'_>) -> Result<MethodSet, Refusal> {
        if entry.methods.is_empty() || entry.kind != Kind::Route {
            return Ok(MethodSet::ANY);
        }
        let mut set = MethodSet::NONE;
        for method in &entry.methods {
            set = set.union(self.methods.intern(method).ok_or(Refusal::TooManyMethods)?);
        }
        Ok(set)
    }

    fn rows(
        &self,
        tag: u32,
        methods: MethodSet,
        host: Option<&Host>,
        variants: Vec<Variant>,
    ) -> Result<Vec<Row>, Refusal> {
        // One number is kept for "no row".
        u32::try_from(self.table.rows.len() + variants.len() + 1).map_err(|_| Refusal::TooManyEntries)?;
        let host_params = host.map_or(Ok(0), |host| count_parameters(&host.pieces))?;
        let row = |variant: Variant| {
            Ok(Row {
                registration: self.table.registrations.len(),
                tag,
                methods,
                has_host: host.is_some(),
                host_params,
                path_params: count_parameters(&variant.pieces)?,
                pieces: variant.pieces,
                steps: variant.steps,
            })
        };
        variants.into_iter().map(row).collect()
    }

    fn commit(&mut self, registration: Registration, rows: Vec<Row>) {
        let mut next = u32::try_from(self.table.rows.len()).unwrap_or(u32::MAX);
        if registration.kind == Kind::Opaque {
            self.first_opaque.get_or_insert(next);
        }
        for row in rows {
            self.tree.insert(&row.steps, next);
            if row.custom_id().is_some() {
                self.customs.push(CustomPattern {
                    tag: row.tag,
                    pieces: row.pieces.clone(),
                });
            }
            self.table.rows.push(row);
            next = next.saturating_add(1);
        }
        self.table
            .by_tag
            .insert(registration.tag, self.table.registrations.len());
        self.table.registrations.push(registration);
    }
}

fn compile_host(source: &str, converters: &[Box<str>]) -> Result<Host, Error> {
    let pieces = pattern::parse_host(source, converters)?;
    let program = Program::new(&pieces, true).ok_or_else(|| Error::whole(source, Refusal::TooComplex))?;
    Ok(Host {
        source: source.into(),
        pieces,
        program,
    })
}

fn count_parameters(pieces: &[Piece]) -> Result<u16, Refusal> {
    u16::try_from(pattern::parameters(pieces).count()).map_err(|_| Refusal::TooComplex)
}

/// Names of the host's parameters, then of the path's; all of them different.
fn names(host: Option<&Host>, pieces: &[Piece]) -> Result<Vec<Box<str>>, Refusal> {
    let host = host.map_or(&[][..], |host| &host.pieces);
    let parameters = pattern::parameters(host).chain(pattern::parameters(pieces));
    let names: Vec<Box<str>> = parameters.map(|param| param.name.clone()).collect();
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(&***name)) {
        Some(twice) => Err(Refusal::Duplicate(twice.clone())),
        None => Ok(names),
    }
}
