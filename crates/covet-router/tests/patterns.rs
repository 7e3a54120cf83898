//! Patterns: what can be registered, what the errors say, and which part of a path each parameter takes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::time::{Duration, Instant};

use covet_router::{
    CustomConverters, Entry, Kind, NoCustomConverters, Outcome, Params, Probe, Router, RouterBuilder,
};
use proptest::prelude::*;

fn router(patterns: &[&str]) -> Router {
    let mut builder = RouterBuilder::new();
    for (pattern, tag) in patterns.iter().zip(0..) {
        builder.add(tag, &Entry::route(pattern).methods(["GET"])).unwrap();
    }
    builder.build()
}

/// The winner's pattern and its parameters as `name=value`.
fn get<'r>(router: &'r Router, path: &str) -> Option<(&'r str, Vec<String>)> {
    let mut params = Params::new();
    match router.resolve(path, "GET", None, &mut params, &NoCustomConverters) {
        Outcome::Found { tag } => {
            let names = router.names(tag);
            let texts = params
                .iter()
                .map(|span| format!("{}={}", names[span.name as usize], span.text(path, "")));
            Some((router.pattern(tag).unwrap(), texts.collect()))
        }
        _ => None,
    }
}

fn params(pattern: &str, path: &str) -> Option<Vec<String>> {
    get(&router(&[pattern]), path).map(|(_, params)| params)
}

fn refusal(entry: &Entry<'_>) -> String {
    RouterBuilder::new().add(0, entry).unwrap_err().to_string()
}

#[test]
fn registration_order_beats_specificity() {
    let table = router(&["/users/{id}", "/users/me"]);
    assert_eq!(
        get(&table, "/users/me"),
        Some(("/users/{id}", vec!["id=me".into()]))
    );
    let table = router(&["/users/me", "/users/{id}"]);
    assert_eq!(get(&table, "/users/me"), Some(("/users/me", vec![])));
}

#[test]
fn a_later_branch_wins_when_an_earlier_one_ends_nowhere() {
    let table = router(&["/a/{x}/c", "/{y}/b/d", "/a/b/{z:int}"]);
    assert_eq!(get(&table, "/a/b/d"), Some(("/{y}/b/d", vec!["y=a".into()])));
    assert_eq!(get(&table, "/a/b/7"), Some(("/a/b/{z:int}", vec!["z=7".into()])));
    assert_eq!(get(&table, "/a/b/c"), Some(("/a/{x}/c", vec!["x=b".into()])));
}

#[test]
fn splitting_a_node_keeps_its_first_row() {
    let table = router(&["/{x}/abc", "/a/abc", "/{x}/abd"]);
    assert_eq!(get(&table, "/a/abc"), Some(("/{x}/abc", vec!["x=a".into()])));
}

#[test]
fn mixed_segments_split_greedily() {
    assert_eq!(
        params("/{a}-{b}", "/x-y-z"),
        Some(vec!["a=x-y".into(), "b=z".into()])
    );
    assert_eq!(
        params("/files/{name}.{ext}", "/files/a.tar.gz"),
        Some(vec!["name=a.tar".into(), "ext=gz".into()])
    );
    assert_eq!(params("/@{user}", "/@ann"), Some(vec!["user=ann".into()]));
    assert_eq!(params("/({id:int})", "/(7)"), Some(vec!["id=7".into()]));
    assert_eq!(
        params("/{a:int}{b:float}", "/12.5"),
        Some(vec!["a=1".into(), "b=2.5".into()])
    );
    assert_eq!(params("/{a}{b}", "/xé"), Some(vec!["a=x".into(), "b=é".into()]));
    assert_eq!(params("/{a}-{b}", "/x-"), None);
    assert_eq!(params("/{a}-{b}", "/x-y/z"), None);
}

#[test]
fn path_parameters_cross_slashes_and_may_be_empty() {
    assert_eq!(params("/f/{p:path}", "/f/"), Some(vec!["p=".into()]));
    assert_eq!(params("/f/{p:path}", "/f/a/b"), Some(vec!["p=a/b".into()]));
    assert_eq!(params("/f/{p:path}", "/f"), None);
    assert_eq!(
        params("/{rest:path}/end", "/a/end/end"),
        Some(vec!["rest=a/end".into()])
    );
    assert_eq!(params("/{rest:path}/end", "//end"), Some(vec!["rest=".into()]));
    assert_eq!(params("/{p:path}", "/a\nb"), None);
}

#[test]
fn the_end_of_a_pattern_is_the_end_of_the_path() {
    assert_eq!(params("/users", "/users\n"), None);
    assert_eq!(params("/{id:int}", "/7\n"), None);
    assert_eq!(params("/{name}", "/x\n"), Some(vec!["name=x\n".into()]));
}

#[test]
fn numbers_are_ascii() {
    assert_eq!(params("/{id:int}", "/٣"), None);
    assert_eq!(params("/{id:int}", "/-1"), None);
    assert_eq!(params("/{x:float}", "/1."), None);
    assert_eq!(params("/{x:float}", "/1.50"), Some(vec!["x=1.50".into()]));
}

#[test]
fn optional_parameters_expand_to_shorter_paths() {
    let table = router(&["/items/{id:int?}", "/a/{x?}/{y?}", "/{top?}"]);
    assert_eq!(get(&table, "/items"), Some(("/items/{id:int?}", vec![])));
    assert_eq!(
        get(&table, "/items/7"),
        Some(("/items/{id:int?}", vec!["id=7".into()]))
    );
    assert_eq!(get(&table, "/items/"), None);
    assert_eq!(
        get(&table, "/a/b/c"),
        Some(("/a/{x?}/{y?}", vec!["x=b".into(), "y=c".into()]))
    );
    assert_eq!(get(&table, "/a/b"), Some(("/a/{x?}/{y?}", vec!["x=b".into()])));
    assert_eq!(get(&table, "/"), Some(("/{top?}", vec![])));
    assert_eq!(table.formats(0), ["/items/{id}", "/items"]);
    assert_eq!(table.formats(1), ["/a/{x}/{y}", "/a/{x}", "/a"]);
    assert_eq!(table.formats(2), ["/{top}", "/"]);
}

#[test]
fn more_parameters_than_fit_inline() {
    let pattern: String = (0..20).map(|n| format!("/{{p{n}}}")).collect();
    let path: String = (0..20).map(|n| format!("/{n}")).collect();
    let wanted: Vec<String> = (0..20).map(|n| format!("p{n}={n}")).collect();
    assert_eq!(params(&pattern, &path), Some(wanted));
}

#[test]
fn a_user_converter_may_replace_a_built_in_one() {
    let mut builder = RouterBuilder::new();
    builder.converter("int");
    builder.add(3, &Entry::route("/a/{id:int}")).unwrap();
    let router = builder.build();
    assert_eq!(router.custom_patterns()[0].tag, 3);
    let outcome = router.resolve("/a/7", "GET", None, &mut Params::new(), &NoCustomConverters);
    assert_eq!(outcome, Outcome::NotFound);
}

/// Answers for one user converter; the number of ranges is the caller's promise.
struct Says(Vec<(usize, usize)>);

impl CustomConverters for Says {
    fn match_route(&self, _id: u32, _path: &str) -> Option<Vec<(usize, usize)>> {
        Some(self.0.clone())
    }
}

#[test]
fn a_user_converter_with_a_wrong_number_of_ranges_matches_nothing() {
    let mut builder = RouterBuilder::new();
    builder.converter("slug");
    builder.add(0, &Entry::route("/{id:int}/{s:slug}")).unwrap();
    let router = builder.build();
    let mut params = Params::new();
    let mut ask = |ranges| router.resolve("/7/a/b", "GET", None, &mut params, &Says(ranges));
    assert_eq!(ask(vec![(1, 2)]), Outcome::NotFound);
    assert_eq!(ask(vec![(1, 2), (3, 6)]), Outcome::Found { tag: 0 });
    assert_eq!(
        params
            .iter()
            .map(|span| span.text("/7/a/b", ""))
            .collect::<Vec<_>>(),
        ["7", "a/b"]
    );
}

#[test]
fn a_mount_gives_the_remainder() {
    let mut builder = RouterBuilder::new();
    builder.add(0, &Entry::prefix("/static/")).unwrap();
    builder.add(1, &Entry::prefix("")).unwrap();
    let router = builder.build();
    let mut params = Params::new();
    let mut ask = |path: &str| {
        let outcome = router.resolve(path, "BREW", None, &mut params, &NoCustomConverters);
        (
            outcome,
            params
                .as_slice()
                .last()
                .map(|span| span.text(path, "").to_owned()),
        )
    };
    assert_eq!(
        ask("/static/a/b"),
        (Outcome::Found { tag: 0 }, Some("a/b".into()))
    );
    assert_eq!(ask("/static"), (Outcome::Found { tag: 1 }, Some("static".into())));
    assert_eq!(ask(""), (Outcome::NotFound, None));
}

#[test]
fn the_first_partial_match_answers_and_all_methods_are_known() {
    let mut builder = RouterBuilder::new();
    builder
        .add(0, &Entry::route("/a/{x:int}").methods(["POST"]))
        .unwrap();
    builder
        .add(1, &Entry::route("/a/{x}").methods(["PUT", "GET"]))
        .unwrap();
    let router = builder.build();
    let outcome = router.resolve("/a/7", "DELETE", None, &mut Params::new(), &NoCustomConverters);
    let Outcome::MethodNotAllowed { tag: 0, allowed } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(router.method_names(allowed).collect::<Vec<_>>(), ["POST"]);
    let all = router.allowed_methods("/a/7", None, &NoCustomConverters);
    assert_eq!(
        router.method_names(all).collect::<Vec<_>>(),
        ["GET", "POST", "PUT"]
    );
}

#[test]
fn opaque_entries_are_reported_only_when_they_come_first() {
    let mut builder = RouterBuilder::new();
    builder.add(0, &Entry::route("/a")).unwrap();
    builder.add(1, &Entry::opaque()).unwrap();
    builder.add(2, &Entry::route("/{x}")).unwrap();
    let router = builder.build();
    let ask = |path: &str| router.resolve(path, "GET", None, &mut Params::new(), &NoCustomConverters);
    assert_eq!(ask("/a"), Outcome::Found { tag: 0 });
    assert_eq!(ask("/b"), Outcome::Opaque { before: Some(2) });
    assert_eq!(ask("/b/c"), Outcome::Opaque { before: None });
    assert_eq!(
        router.would_match("/b/c", None, &NoCustomConverters),
        Probe::Unknown
    );
    assert_eq!(router.kind(1), Some(Kind::Opaque));
}

#[test]
fn hosts_match_without_case_and_port() {
    let mut builder = RouterBuilder::new();
    builder.add(0, &Entry::host("{sub}.Example.org:8000")).unwrap();
    builder.add(1, &Entry::route("/").on_host("[::1]")).unwrap();
    let router = builder.build();
    let mut params = Params::new();
    let host = "A.b.EXAMPLE.ORG:99";
    assert_eq!(
        router.resolve("/x", "GET", Some(host), &mut params, &NoCustomConverters),
        Outcome::Found { tag: 0 }
    );
    assert_eq!(params.as_slice()[0].text("/x", host), "A.b");
    let found = |host| router.resolve("/", "GET", host, &mut Params::new(), &NoCustomConverters);
    assert_eq!(found(Some("[::1]:80")), Outcome::Found { tag: 1 });
    assert_eq!(found(Some("example.org")), Outcome::NotFound);
    assert_eq!(found(None), Outcome::NotFound);
}

#[test]
fn errors_name_the_place_and_the_fix() {
    let cases = [
        (
            "items",
            "path \"items\", character 1: it does not start with '/'; put a '/' in front",
        ),
        (
            "/é/{id",
            "character 4: this '{' is never closed; write \"{name}\" or \"{name:int}\"",
        ),
        ("/{a{b}", "character 2: this '{' is never closed"),
        ("/a}", "character 3: this '}' closes nothing"),
        (
            "/{item-id}",
            "character 2: \"{item-id}\" is not a parameter; use letters, digits and '_'",
        ),
        ("/{}", "is not a parameter"),
        (
            "/{id:number}",
            "character 6: there is no converter \"number\"; use one of str, int, float, uuid, path",
        ),
        ("/{id}/{id}", "the parameter name \"id\" is used twice"),
        (
            "/{id?}/x",
            "only the last segments may be optional; remove the '?' of \"id\"",
        ),
        ("/{id?}/", "only the last segments may be optional"),
        ("/{a?}/{b}", "only the last segments may be optional"),
        (
            "/x{id?}",
            "an optional parameter is a whole segment; write \"/{id?}\"",
        ),
        ("/{id?}.json", "an optional parameter is a whole segment"),
    ];
    for (pattern, wanted) in cases {
        let message = refusal(&Entry::route(pattern));
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn mounts_and_hosts_have_errors_of_their_own() {
    assert!(refusal(&Entry::prefix("/{path}")).contains("\"path\" is used twice"));
    assert!(refusal(&Entry::prefix("/{a?}")).contains("only routes have optional parameters"));
    assert!(refusal(&Entry::host("a/b")).contains("a host holds no '/'"));
    assert!(refusal(&Entry::host("")).contains("the host is empty"));
    assert!(refusal(&Entry::route("/{a}").on_host("{a}.org")).contains("\"a\" is used twice"));
    let mut builder = RouterBuilder::new();
    builder.converter("slug");
    let error = builder.add(0, &Entry::host("{a:slug}.org")).unwrap_err();
    assert!(error.to_string().contains("a host takes no user converter"));
    assert_eq!(error.pattern(), "{a:slug}.org");
}

#[test]
fn a_refused_entry_leaves_no_trace() {
    let mut builder = RouterBuilder::new();
    builder.add(7, &Entry::route("/a")).unwrap();
    assert!(
        builder
            .add(7, &Entry::route("/b"))
            .unwrap_err()
            .to_string()
            .contains("tag 7")
    );
    let router = builder.build();
    assert_eq!(router.tags().collect::<Vec<_>>(), [7]);
    assert_eq!(router.would_match("/b", None, &NoCustomConverters), Probe::No);
}

#[test]
fn hostile_paths_take_linear_time() {
    let table = router(&["/{a}-{b}-{c}-{d}-{e}.x", "/{a:path}/{b:path}/{c:path}/end"]);
    let dashes = format!("/{}.x/y", "-".repeat(8000));
    let slashes = "/".repeat(8000) + "end.";
    let before = Instant::now();
    assert_eq!(get(&table, &dashes), None);
    assert_eq!(get(&table, &slashes), None);
    assert!(before.elapsed() < Duration::from_secs(2));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pattern_and_no_path_panics(
        pattern in "/?([{}:?/*.a\u{e9}-]|\\{[a-c](:int|:path|:float|:uuid)?\\??\\}|\\PC){0,12}",
        path in "(/|[a1.-]|\\PC|\n){0,20}",
    ) {
        let mut builder = RouterBuilder::new();
        let added = [
            builder.add(0, &Entry::route(&pattern)),
            builder.add(1, &Entry::prefix(&pattern)),
            builder.add(2, &Entry::host(&pattern)),
            builder.add(3, &Entry::route("/").on_host(&pattern)),
        ];
        for error in added.into_iter().filter_map(Result::err) {
            prop_assert!(error.to_string().contains(": "));
        }
        let router = builder.build();
        let mut params = Params::new();
        for text in [&path, &pattern] {
            let _ = router.resolve(text, "GET", Some(text), &mut params, &NoCustomConverters);
            for span in &params {
                prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
            }
        }
        let _ = (router.conflicts(), router.shadowed());
    }
}
