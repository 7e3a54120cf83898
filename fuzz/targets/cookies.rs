//! Cookie fields: nothing panics, no name holds a separator, and the last of a name is found.
#![no_main]

use covet_http::cookies;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let pairs: Vec<_> = cookies::pairs(data).collect();
    for (name, value) in &pairs {
        assert!(!name.contains([';', '=']));
        assert!(!name.is_empty() || !value.is_empty() || data.contains(&b'"'));
        let last = pairs
            .iter()
            .rev()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.clone());
        assert_eq!(cookies::find(data, name), last);
    }
});
