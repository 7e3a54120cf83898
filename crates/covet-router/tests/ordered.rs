//! Properties: random route tables and paths, against an ordered list of regular expressions. Set
//! PROPTEST_CASES for a longer search.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod oracle;

use covet_router::Probe;
use oracle::{Answer, HOSTS, METHODS, Pair, line, walk};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_registered_match_wins_with_its_params(
        lines in prop::collection::vec(line(), 1..14),
        walks in prop::collection::vec(walk(), 12),
    ) {
        let pair = Pair::new(&lines);
        for walk in &walks {
            let path = walk.path(&lines);
            for method in METHODS {
                for host in HOSTS {
                    let (got, wanted) = (pair.resolve(&path, method, host), pair.expected(&path, method, host));
                    prop_assert_eq!(got, wanted, "{:?} {} {:?}", path, method, host);
                }
            }
        }
    }

    #[test]
    fn methods_and_probe_cover_all_matches(
        lines in prop::collection::vec(line(), 1..14),
        walks in prop::collection::vec(walk(), 12),
    ) {
        let pair = Pair::new(&lines);
        let opaque = lines.iter().any(|line| line.sort == oracle::Sort::Opaque);
        for (walk, host) in walks.iter().zip(HOSTS.into_iter().cycle()) {
            let path = walk.path(&lines);
            let (known, methods) = pair.expected_methods(&path, host);
            prop_assert_eq!(pair.names(pair.router.allowed_methods(&path, host, &pair)), methods);
            let probe = pair.router.would_match(&path, host, &pair);
            let wanted = if known { Probe::Yes } else if opaque { Probe::Unknown } else { Probe::No };
            prop_assert_eq!(probe, wanted, "{:?} {:?}", path, host);
        }
    }

    #[test]
    fn a_shadowed_route_is_never_reached(
        lines in prop::collection::vec(line(), 2..20),
        walks in prop::collection::vec(walk(), 20),
    ) {
        let pair = Pair::new(&lines);
        let shadows = pair.router.shadowed();
        for walk in &walks {
            let path = walk.path(&lines);
            if path.contains('\n') {
                continue;
            }
            for method in METHODS {
                for host in HOSTS {
                    if let Answer::Found(tag, _) | Answer::Partial(tag, ..) | Answer::Opaque(Some((tag, _))) =
                        pair.resolve(&path, method, host)
                    {
                        let hidden = shadows.iter().find(|shadow| shadow.tag == tag);
                        prop_assert_eq!(hidden, None, "{:?} {} {:?}", path, method, host);
                    }
                }
            }
        }
    }

    #[test]
    fn a_conflict_names_two_entries_that_match_the_same_paths(
        lines in prop::collection::vec(line(), 2..20),
        walks in prop::collection::vec(walk(), 20),
    ) {
        let lines: Vec<_> = lines.into_iter().filter(|line| !line.optional).collect();
        prop_assume!(!lines.is_empty());
        let pair = Pair::new(&lines);
        for conflict in pair.router.conflicts() {
            prop_assert!(conflict.first < conflict.second);
            prop_assert!(!conflict.methods.is_empty());
            for walk in &walks {
                let path = walk.path(&lines);
                for (method, host) in METHODS.into_iter().zip(HOSTS.into_iter().cycle()) {
                    let shared = conflict.methods.is_any()
                        || pair.router.method_names(conflict.methods).any(|name| name == method);
                    if let (true, Answer::Found(tag, _)) = (shared, pair.resolve(&path, method, host)) {
                        prop_assert_ne!(tag, conflict.second);
                    }
                }
            }
        }
    }
}
