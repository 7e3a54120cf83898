//! Reports: duplicates and unreachable routes, as they are shown at start-up.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use covet_router::{Entry, Router, RouterBuilder};

fn router(lines: &[(&str, &[&str])]) -> Router {
    let mut builder = RouterBuilder::new();
    for ((pattern, methods), tag) in lines.iter().zip(0..) {
        builder
            .add(tag, &Entry::route(pattern).methods(*methods))
            .unwrap();
    }
    builder.build()
}

/// Tag and hiders of each shadowed route of GET routes.
fn shadows(patterns: &[&str]) -> Vec<(u32, Vec<u32>)> {
    let lines: Vec<(&str, &[&str])> = patterns.iter().map(|pattern| (*pattern, &["GET"][..])).collect();
    router(&lines)
        .shadowed()
        .into_iter()
        .map(|shadow| (shadow.tag, shadow.by))
        .collect()
}

#[test]
fn the_same_pattern_and_method_conflict_whatever_the_names() {
    let table = router(&[
        ("/a/{x}", &["GET", "PUT"]),
        ("/a/{y}", &["GET", "POST"]),
        ("/a/{x:int}", &["GET"]),
        ("/a/{z}", &["GET", "POST"]),
    ]);
    let conflicts = table.conflicts();
    let pairs: Vec<_> = conflicts
        .iter()
        .map(|conflict| {
            let methods = table.method_names(conflict.methods).collect::<Vec<_>>().join(",");
            (conflict.first, conflict.second, methods)
        })
        .collect();
    assert_eq!(
        pairs,
        [(0, 1, "GET".into()), (0, 3, "GET".into()), (1, 3, "POST".into())]
    );
}

#[test]
fn an_earlier_wider_pattern_shadows() {
    assert_eq!(shadows(&["/users/{id}", "/users/me"]), [(1, vec![0])]);
    assert_eq!(shadows(&["/users/me", "/users/{id}"]), []);
    assert_eq!(
        shadows(&["/{p:path}", "/a/{b}/c", "/x", "/{q:path}/end"]),
        [(1, vec![0]), (2, vec![0]), (3, vec![0])]
    );
    assert_eq!(
        shadows(&["/f/{p:path}", "/f", "/f/", "/f/{a}-{b}"]),
        [(2, vec![0]), (3, vec![0])]
    );
    assert_eq!(
        shadows(&["/{a:float}", "/{b:int}", "/1.5", "/x"]),
        [(1, vec![0]), (2, vec![0])]
    );
    assert_eq!(shadows(&["/{a:int}", "/{b}"]), []);
    assert_eq!(shadows(&["/{a}/x", "/{a}-{b}/x", "//x"]), [(1, vec![0])]);
    assert_eq!(shadows(&["/{a}.json", "/b.json", "/b.xml"]), [(1, vec![0])]);
    assert_eq!(
        shadows(&["/img-{p:path}", "/img-1/{x}", "/img-{x}", "/im{x}"]),
        [(1, vec![0]), (2, vec![0])]
    );
}

#[test]
fn what_only_looks_wider_does_not_shadow() {
    assert_eq!(shadows(&["/{a:uuid}", "/{b:int}"]), []);
    assert_eq!(shadows(&["/{a}/x{p:path}", "/{b}/y-{c}", "/{b}/yx"]), []);
    assert_eq!(shadows(&["/{a}/{p:path}/end", "/{b}/{c}"]), []);
    assert_eq!(shadows(&["/{a}-{p:path}", "/{b}"]), []);
    assert_eq!(shadows(&["/{a}", "/{b}/c", "/", "/{c:path}"]), []);
}

#[test]
fn all_methods_must_be_covered() {
    let table = router(&[
        ("/{a}", &["GET"]),
        ("/{b}", &["POST"]),
        ("/x", &["GET", "POST"]),
        ("/y", &["PUT"]),
    ]);
    let shadows = table.shadowed();
    assert_eq!(shadows.len(), 1);
    assert_eq!((shadows[0].tag, &*shadows[0].by), (2, &[0, 1][..]));
    assert!(router(&[("/{a}", &["GET"]), ("/x", &[])]).shadowed().is_empty());
}

#[test]
fn every_variant_of_an_optional_parameter_must_be_covered() {
    assert_eq!(shadows(&["/a/{x}", "/a/{y?}"]), []);
    assert_eq!(shadows(&["/a", "/a/{x}", "/a/{y?}"]), [(2, vec![0, 1])]);
}

#[test]
fn mounts_and_hosts_take_part() {
    let mut builder = RouterBuilder::new();
    builder
        .add(0, &Entry::prefix("/api").on_host("{sub}.org"))
        .unwrap();
    builder.add(1, &Entry::route("/api/x").on_host("a.org")).unwrap();
    builder.add(2, &Entry::route("/api/x")).unwrap();
    builder.add(3, &Entry::host("b.net")).unwrap();
    builder.add(4, &Entry::prefix("/z").on_host("b.net")).unwrap();
    builder.add(5, &Entry::prefix("/api")).unwrap();
    builder.add(6, &Entry::prefix("/api/")).unwrap();
    let router = builder.build();
    let shadows: Vec<_> = router
        .shadowed()
        .into_iter()
        .map(|shadow| (shadow.tag, shadow.by))
        .collect();
    assert_eq!(shadows, [(1, vec![0]), (4, vec![3]), (6, vec![5])]);
    let conflicts = router.conflicts();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(
        (
            conflicts[0].first,
            conflicts[0].second,
            conflicts[0].methods.is_any()
        ),
        (5, 6, true)
    );
}
