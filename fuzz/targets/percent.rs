//! Percent-decoding: nothing panics, the result is never longer, and escaped text comes back.
#![no_main]

use covet_http::percent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let decoded = percent::decode(data);
    assert!(decoded.len() <= data.len());
    assert!(data.contains(&b'%') || *decoded == *data);
    let text = percent::unquote(data);
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(percent::unquote(escaped.as_bytes()), text);
});
