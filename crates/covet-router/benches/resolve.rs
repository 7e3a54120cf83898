//! How long resolving takes: a table of 2,000 entries in the shape of the comparison benchmark, and a small API.
//! Run with `cargo bench -p covet-router`; the bar is one microsecond.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use covet_router::{Entry, NoCustomConverters, Params, Router, RouterBuilder};
use criterion::{Criterion, criterion_group, criterion_main};

fn build(patterns: &[String]) -> Router {
    let mut builder = RouterBuilder::new();
    for (pattern, tag) in patterns.iter().zip(0..) {
        builder
            .add(tag, &Entry::route(pattern).methods(["GET", "HEAD"]))
            .unwrap();
    }
    builder.build()
}

fn large() -> Vec<String> {
    let both = |n| {
        [
            format!("/api/v1/res{n}/list"),
            format!("/api/v1/res{n}/{{id}}/detail"),
        ]
    };
    (0..1000).flat_map(both).collect()
}

/// The opposite of the usual order: what is wide comes first, so every resolve looks at all candidates.
fn conflicting() -> Vec<String> {
    let both = |n| {
        [
            format!("/api/v1/{{kind}}/{{id}}/detail{n}"),
            format!("/api/v1/res{n}/{{id}}/detail"),
        ]
    };
    (0..1000).flat_map(both).collect()
}

fn small() -> Vec<String> {
    let collection = |name| {
        [
            format!("/{name}"),
            format!("/{name}/{{id:int}}"),
            format!("/{name}/{{id:int}}/notes"),
        ]
    };
    let mut patterns: Vec<String> = ["users", "orders", "items", "tags", "files", "teams"]
        .into_iter()
        .flat_map(collection)
        .collect();
    patterns.extend(["/download/{name}.{ext}".into(), "/static/{path:path}".into()]);
    patterns
}

fn resolve(c: &mut Criterion) {
    let cases = [
        ("thousand/last-static", large(), "GET", "/api/v1/res999/list"),
        (
            "thousand/last-param",
            large(),
            "GET",
            "/api/v1/res999/12345/detail",
        ),
        ("thousand/miss", large(), "GET", "/api/v1/res999/12345/nothing"),
        (
            "thousand/wrong-method",
            large(),
            "PUT",
            "/api/v1/res999/12345/detail",
        ),
        (
            "conflicting/last-param",
            conflicting(),
            "GET",
            "/api/v1/res999/12345/detail",
        ),
        ("small/static", small(), "GET", "/teams"),
        ("small/int", small(), "GET", "/teams/42/notes"),
        ("small/mixed", small(), "GET", "/download/report.tar.gz"),
        ("small/path", small(), "GET", "/static/css/site/main.css"),
        ("small/miss", small(), "GET", "/wp-login.php"),
    ];
    for (name, patterns, method, path) in cases {
        let router = build(&patterns);
        let mut params = Params::new();
        c.bench_function(name, |b| {
            b.iter(|| {
                router.resolve(
                    black_box(path),
                    black_box(method),
                    None,
                    &mut params,
                    &NoCustomConverters,
                )
            });
        });
    }
}

/// Work at start-up: building the table and looking for unreachable routes.
fn start_up(c: &mut Criterion) {
    let patterns = large();
    c.bench_function("start-up/build", |b| b.iter(|| build(black_box(&patterns))));
    let router = build(&patterns);
    c.bench_function("start-up/shadowed", |b| b.iter(|| black_box(&router).shadowed()));
    c.bench_function("start-up/conflicts", |b| {
        b.iter(|| black_box(&router).conflicts())
    });
}

criterion_group!(benches, resolve, start_up);
criterion_main!(benches);
