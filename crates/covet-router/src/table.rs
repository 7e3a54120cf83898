//! The table behind a router: registrations (one per tag) and rows (one per variant of a pattern, in the
//! order that decides who wins). Filled by the builder, read by searches and reports.

use std::collections::BTreeMap;

use crate::compile::{Step, follow};
use crate::entry::Kind;
use crate::methods::MethodSet;
use crate::params::{Params, Source, Span};
use crate::pattern::{Piece, without_port};
use crate::program::Program;
use crate::tree::CustomMatch;

/// A host restriction.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) source: Box<str>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) program: Program,
}

impl Host {
    /// Whether a host, with or without a port, is meant.
    pub(crate) fn matches(&self, host: Option<&str>) -> bool {
        host.is_some_and(|host| self.program.matches(without_port(host).as_bytes()))
    }
}

/// What was registered under one tag.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) tag: u32,
    pub(crate) kind: Kind,
    pub(crate) source: Box<str>,
    pub(crate) methods: MethodSet,
    pub(crate) host: Option<Host>,
    /// Names of the host's parameters, then of the path's.
    pub(crate) names: Vec<Box<str>>,
}

/// One variant of a registration.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) registration: usize,
    pub(crate) tag: u32,
    pub(crate) methods: MethodSet,
    pub(crate) has_host: bool,
    /// How many of the registration's names belong to the host; those of the path follow.
    pub(crate) host_params: u16,
    /// How many parameters this variant has: the first ones of the longest variant.
    pub(crate) path_params: u16,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) steps: Vec<Step>,
}

impl Row {
    /// The id of its custom pattern, if it needs user converters.
    pub(crate) fn custom_id(&self) -> Option<u32> {
        match self.steps.last() {
            Some(Step::Custom(id)) => Some(*id),
            _ => None,
        }
    }
}

/// Everything that was registered.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) registrations: Vec<Registration>,
    pub(crate) by_tag: BTreeMap<u32, usize>,
    pub(crate) rows: Vec<Row>,
}

impl Table {
    pub(crate) fn registration(&self, tag: u32) -> Option<&Registration> {
        self.registrations.get(*self.by_tag.get(&tag)?)
    }

    pub(crate) fn rows_of(&self, tag: u32) -> impl Iterator<Item = &Row> {
        let registration = self.by_tag.get(&tag).copied();
        self.rows
            .iter()
            .filter(move |row| Some(row.registration) == registration)
    }

    pub(crate) fn row(&self, row: u32) -> Option<&Row> {
        self.rows.get(row as usize)
    }

    pub(crate) fn host(&self, row: &Row) -> Option<&Host> {
        self.registrations.get(row.registration)?.host.as_ref()
    }

    /// Whether the row's host restriction, if any, allows the host.
    pub(crate) fn allows_host(&self, row: &Row, host: Option<&str>) -> bool {
        !row.has_host || self.host(row).is_some_and(|wanted| wanted.matches(host))
    }

    /// Cut out the parameters of a row that is known to match; `said` is what its user converter answered.
    /// `false` only when that answer has a wrong number of ranges; there are no parameters then.
    pub(crate) fn capture(
        &self,
        row: &Row,
        path: &str,
        host: Option<&str>,
        said: Option<CustomMatch>,
        params: &mut Params,
    ) -> bool {
        if row.host_params > 0 {
            self.capture_host(row, host, params);
        }
        let mut name = row.host_params;
        let mut put = |start, end| {
            params.push(span(name, Source::Path, start, end));
            name = name.saturating_add(1);
        };
        let matched = match row.custom_id() {
            None => row.path_params == 0 || follow(&row.steps, path, &mut put),
            Some(id) => {
                let fits =
                    |said: &CustomMatch| said.id == id && said.ranges.len() == usize::from(row.path_params);
                let ranges = said.filter(fits).map(|said| said.ranges);
                ranges
                    .map(|ranges| ranges.into_iter().for_each(|(start, end)| put(start, end)))
                    .is_some()
            }
        };
        if !matched {
            params.clear();
        }
        matched
    }

    fn capture_host(&self, row: &Row, host: Option<&str>, params: &mut Params) {
        let (Some(wanted), Some(host)) = (self.host(row), host) else {
            return;
        };
        let mut name = 0u16;
        wanted
            .program
            .run(without_port(host).as_bytes(), &mut |start, end| {
                params.push(span(name, Source::Host, start, end));
                name = name.saturating_add(1);
            });
    }
}

/// Searches refuse texts whose length does not fit, so the fallback is never taken.
fn span(name: u16, source: Source, start: usize, end: usize) -> Span {
    let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span {
        name,
        source,
        start: narrow(start),
        end: narrow(end),
    }
}
