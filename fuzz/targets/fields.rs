//! Small field grammars: Host, Content-Type and the answer encoder, which must not let a line through.
#![no_main]

use bytes::{Bytes, BytesMut};
use covet_http::{Delivery, Length, ResponseHead, date, host, media_type, response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    assert_eq!(host::is_valid(data), host::parse(data).is_some());
    if let Some(authority) = host::parse(data) {
        assert!(!authority.host.is_empty() && !authority.host.contains(['/', '@', ' ', '?', '#']));
    }
    let essence = media_type::essence(data);
    assert_eq!(essence.matches('/').count(), 1);
    assert!(!media_type::is_json(data) || essence.starts_with("application/"));
    let _ = (
        media_type::param(data, "boundary"),
        media_type::param(data, "charset"),
    );
    let cut = data.iter().position(|byte| *byte == b':').unwrap_or(data.len());
    let field = (
        Bytes::copy_from_slice(&data[..cut]),
        Bytes::copy_from_slice(&data[cut..]),
    );
    let head = ResponseHead {
        status: 200,
        headers: vec![field],
    };
    let how = Delivery {
        minor: 1,
        keep_alive: true,
        request_method_is_head: false,
        body: Length::Known(3),
    };
    let mut out = BytesMut::new();
    if response::write_head(&mut out, &head, how, &date::format(0)).is_ok() {
        assert!(out.ends_with(b"\r\n\r\n"));
        assert!(out.iter().filter(|byte| **byte == b'\n').count() <= 5);
    } else {
        assert!(out.is_empty());
    }
});
