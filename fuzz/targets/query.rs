//! Query strings: nothing panics, and joining the pairs again gives the same pairs.
#![no_main]

use covet_http::query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let pairs: Vec<_> = query::pairs(data).collect();
    assert!(pairs.len() <= data.iter().filter(|byte| **byte == b'&').count() + 1);
    let joined: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect();
    let joined = joined.join("&");
    let again: Vec<_> = query::pairs(joined.as_bytes()).collect();
    assert_eq!(again, pairs);
});

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
