//! Method sets: the methods of an entry as 64 bits, and the table that gives each name its bit.
//! Used by entries and the search. Names compare exactly, as the methods of a route do: case matters.

/// Bits are given in this order, so an `Allow` header lists them so.
const KNOWN: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY",
];

/// The bit of every method that no route names.
const OTHER: u64 = 1 << 63;

/// A set of methods of one router; `Router::method_names` gives the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodSet(u64);

impl MethodSet {
    /// Answers every method, known or not.
    pub(crate) const ANY: MethodSet = MethodSet(u64::MAX);
    pub(crate) const NONE: MethodSet = MethodSet(0);

    /// Whether every method is in the set, also those no route names.
    #[must_use]
    pub fn is_any(self) -> bool {
        self == Self::ANY
    }

    /// Whether no method is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Methods in either set.
    #[must_use]
    pub fn union(self, other: MethodSet) -> MethodSet {
        MethodSet(self.0 | other.0)
    }

    /// Methods in both sets.
    #[must_use]
    pub fn intersection(self, other: MethodSet) -> MethodSet {
        MethodSet(self.0 & other.0)
    }

    /// Methods here that are not in the other set.
    #[must_use]
    pub(crate) fn without(self, other: MethodSet) -> MethodSet {
        MethodSet(self.0 & !other.0)
    }

    pub(crate) fn overlaps(self, other: MethodSet) -> bool {
        self.0 & other.0 != 0
    }
}

/// Which name has which bit.
#[derive(Debug)]
pub(crate) struct MethodTable {
    names: Vec<Box<str>>,
}

impl MethodTable {
    pub(crate) fn new() -> Self {
        Self {
            names: KNOWN.iter().map(|name| Box::from(*name)).collect(),
        }
    }

    /// The set of one method; a method that no route names is still a method.
    pub(crate) fn lookup(&self, method: &str) -> MethodSet {
        self.find(method).unwrap_or(MethodSet(OTHER))
    }

    /// Give a name its bit; `None` when 63 names are taken.
    pub(crate) fn intern(&mut self, method: &str) -> Option<MethodSet> {
        if let Some(found) = self.find(method) {
            return Some(found);
        }
        let bit = 1u64
            .checked_shl(u32::try_from(self.names.len()).ok()?)
            .filter(|bit| *bit < OTHER)?;
        self.names.push(method.into());
        Some(MethodSet(bit))
    }

    /// Names of a set in bit order; nothing for the set of any method.
    pub(crate) fn names(&self, set: MethodSet) -> impl Iterator<Item = &str> {
        let bits = if set.is_any() { 0 } else { set.0 };
        self.names
            .iter()
            .enumerate()
            .filter(move |(at, _)| bits >> at & 1 == 1)
            .map(|(_, name)| &**name)
    }

    fn find(&self, method: &str) -> Option<MethodSet> {
        self.names
            .iter()
            .position(|name| **name == *method)
            .map(|at| MethodSet(1 << at))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_in_bit_order_and_unknown_ones_share_a_bit() {
        let mut table = MethodTable::new();
        let purge = table.intern("PURGE").unwrap();
        let set = purge.union(table.lookup("GET"));
        assert_eq!(table.names(set).collect::<Vec<_>>(), ["GET", "PURGE"]);
        assert_eq!(table.lookup("BREW"), table.lookup("get"));
        assert!(!set.overlaps(table.lookup("BREW")));
        assert!(MethodSet::ANY.overlaps(table.lookup("BREW")));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = MethodTable::new();
        let taken = (0..100)
            .filter(|n| table.intern(&format!("M{n}")).is_some())
            .count();
        assert_eq!(taken, 63 - KNOWN.len());
    }
}
