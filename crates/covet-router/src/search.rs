//! Searches: what a walk of the tree looks for. One finds the winner of a request, one every method that a
//! path knows, one whether a path is known at all. Used by the router; they never match text themselves.

use crate::methods::MethodSet;
use crate::table::Table;
use crate::tree::Visitor;

/// Larger than any row: everything is of interest, or nothing was found.
pub(crate) const NONE: u32 = u32::MAX;

/// The first row that matches path and method, else the first that matches the path.
pub(crate) struct Winner<'t> {
    pub(crate) table: &'t Table,
    pub(crate) host: Option<&'t str>,
    pub(crate) method: MethodSet,
    pub(crate) full: u32,
    pub(crate) partial: u32,
}

impl Visitor for Winner<'_> {
    fn bound(&self) -> u32 {
        self.full
    }

    fn wants(&mut self, row: u32) -> bool {
        let Some(entry) = self.table.row(row) else {
            return false;
        };
        let useful = entry.methods.overlaps(self.method) || (self.full == NONE && row < self.partial);
        useful && self.table.allows_host(entry, self.host)
    }

    fn found(&mut self, row: u32) {
        if self
            .table
            .row(row)
            .is_some_and(|entry| entry.methods.overlaps(self.method))
        {
            self.full = self.full.min(row);
        } else {
            self.partial = self.partial.min(row);
        }
    }
}

/// The methods of every row that matches the path.
pub(crate) struct Union<'t> {
    pub(crate) table: &'t Table,
    pub(crate) host: Option<&'t str>,
    pub(crate) methods: MethodSet,
}

impl Visitor for Union<'_> {
    fn bound(&self) -> u32 {
        NONE
    }

    fn wants(&mut self, row: u32) -> bool {
        self.table
            .row(row)
            .is_some_and(|entry| self.table.allows_host(entry, self.host))
    }

    fn found(&mut self, row: u32) {
        if let Some(entry) = self.table.row(row) {
            self.methods = self.methods.union(entry.methods);
        }
    }
}

/// Whether any row matches the path.
pub(crate) struct Presence<'t> {
    pub(crate) table: &'t Table,
    pub(crate) host: Option<&'t str>,
    pub(crate) found: bool,
}

impl Visitor for Presence<'_> {
    fn bound(&self) -> u32 {
        if self.found { 0 } else { NONE }
    }

    fn wants(&mut self, row: u32) -> bool {
        self.table
            .row(row)
            .is_some_and(|entry| self.table.allows_host(entry, self.host))
    }

    fn found(&mut self, _row: u32) {
        self.found = true;
    }
}
