//! Conflicts and unreachable routes among rows of (pattern, methods, host, kind): for start-up and `covet routes`.

use covet_router::{Entry, RouterBuilder};
use pyo3::prelude::*;

type Row = (String, Option<Vec<String>>, Option<String>, String);

/// Compare the rows; each answer is (row, earlier row, "conflict" | "shadowed"). Unreadable patterns are left out.
#[pyfunction]
pub(crate) fn route_report(routes: Vec<Row>) -> Vec<(u32, u32, &'static str)> {
    let mut builder = RouterBuilder::new();
    for (tag, (pattern, methods, host, kind)) in (0u32..).zip(&routes) {
        let entry = match (kind.as_str(), host) {
            ("route", _) => Entry::route(pattern).methods(methods.iter().flatten()),
            ("prefix", _) => Entry::prefix(pattern),
            ("host", Some(host)) => Entry::host(host),
            _ => Entry::opaque(),
        };
        let entry = match host {
            Some(host) if kind != "host" => entry.on_host(host),
            _ => entry,
        };
        // A pattern that the router refuses is reported when the application compiles it.
        let _refused = builder.add(tag, &entry);
    }
    let router = builder.build();
    let conflicts = router
        .conflicts()
        .into_iter()
        .map(|found| (found.second, found.first, "conflict"));
    let shadowed = router
        .shadowed()
        .into_iter()
        .filter_map(|found| Some((found.tag, *found.by.first()?, "shadowed")));
    let mut report: Vec<_> = conflicts.chain(shadowed).collect();
    report.sort_unstable();
    report
}
