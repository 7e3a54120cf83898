//! Where a plan takes its values from on the socket door: straight from the request head. Used when the door runs a
//! plan, and when a function middleware's `call_next` does.

use std::borrow::Cow;

use covet_http::RequestHead;
use covet_router::Source;

use super::exchange::Found;
use super::location::Location;
use crate::plan::ValueSource;

/// A plan's values, straight from the request head.
pub(crate) struct HeadSource<'a> {
    head: &'a RequestHead,
    location: Option<Location<'a>>,
    found: &'a Found,
}

impl<'a> HeadSource<'a> {
    /// The values of a request whose row was found.
    pub(crate) fn new(head: &'a RequestHead, root_path: &str, found: &'a Found) -> Self {
        // Only parameters need the path once more.
        let needs_path = !found.params.is_empty();
        Self {
            head,
            location: needs_path.then(|| Location::of(head, root_path, &found.table)),
            found,
        }
    }
}

impl ValueSource for HeadSource<'_> {
    fn path(&self, name: &str) -> Option<Cow<'_, str>> {
        let names = self.found.table.router.names(self.found.tag);
        let span = self
            .found
            .params
            .iter()
            .find(|span| names.get(usize::from(span.name)).is_some_and(|n| **n == *name))?;
        // Only what lies in the path: Python lower-cases hosts before it takes parameters from them.
        let location = self.location.as_ref().filter(|_| span.source == Source::Path)?;
        Some(Cow::Borrowed(span.text(location.route(), "")))
    }

    fn query(&self) -> &[u8] {
        &self.head.query
    }

    fn headers(&self, name: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) {
        for (field, value) in self.head.headers.iter() {
            if field == name && !each(value) {
                return;
            }
        }
    }
}
