//! The router: no pattern or path panics it, and many patterns answer as each of them would alone,
//! the first registered one that matches winning. Every line of the input is a pattern, the last is the path.
#![no_main]

use covet_router::{Entry, NoCustomConverters, Outcome, Params, Router, RouterBuilder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines: Vec<&str> = text.split('\n').take(9).collect();
    let Some(path) = lines.pop() else { return };
    let accepted: Vec<&str> = lines
        .into_iter()
        .filter(|line| build(&[line]).is_some())
        .collect();
    let Some(all) = build(&accepted) else {
        panic!("accepted one by one, refused together")
    };
    let _ = (all.conflicts(), all.shadowed());
    let expected = accepted.iter().enumerate().find_map(|(tag, pattern)| {
        let values = resolve(&build(&[pattern])?, path)?.1;
        Some((tag as u32, values))
    });
    assert_eq!(resolve(&all, path), expected, "{accepted:?} {path:?}");
});

/// A pattern that ends in `>` is a mount.
fn entry(pattern: &str) -> Entry<'_> {
    match pattern.strip_suffix('>') {
        Some(prefix) => Entry::prefix(prefix),
        None => Entry::route(pattern).methods(["GET"]),
    }
}

fn build(patterns: &[&str]) -> Option<Router> {
    let mut builder = RouterBuilder::new();
    for (tag, pattern) in patterns.iter().enumerate() {
        builder.add(tag as u32, &entry(pattern)).ok()?;
    }
    Some(builder.build())
}

/// The tag and the values of the parameters, in order.
fn resolve<'p>(router: &Router, path: &'p str) -> Option<(u32, Vec<&'p str>)> {
    let mut params = Params::new();
    match router.resolve(path, "GET", None, &mut params, &NoCustomConverters) {
        Outcome::Found { tag } => {
            assert!(
                params
                    .as_slice()
                    .iter()
                    .all(|span| span.end as usize <= path.len())
            );
            Some((
                tag,
                params.as_slice().iter().map(|span| span.text(path, "")).collect(),
            ))
        }
        Outcome::NotFound => None,
        other => panic!("only GET routes were registered: {other:?}"),
    }
}
