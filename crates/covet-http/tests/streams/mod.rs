//! Byte streams for property tests: pieces of good and bad requests, joined at random and a little damaged.
//! Shared by `split.rs` and `differential.rs`.

use proptest::prelude::*;

const PIECES: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\n",
    b"POST /a?b HTTP/1.1\r\n",
    b"HEAD http://h/ HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.0\r\n",
    b"PUT / HTTP/2.0\r\n",
    b"G",
    b"Host: h\r\n",
    b"Host: h\r\n",
    b"HOST:h\r\n",
    b"X-A: b\r\n",
    b"x:\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 41\r\n",
    b"Content-Length: +1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive, x\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n",
    b"\r\n",
    b"\r\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"0\r\n",
    b"0\r\n\r\n",
    b"a;x=y\r\n0123456789\r\n",
    b"1;0123456789a\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\0",
    b"\t",
    b"ffffffffffffffff\r\n",
    b"10000000000000000\r\n",
    b"\xc3\xa9",
    b":",
    b"aaaaaaaaaaaaaaaaaaaa",
];

const MESSAGES: &[&[u8]] = &[
    b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: h\r\ntransfer-encoding: CHUNKED\r\n\r\n3;x=y\r\nabc\r\n0003\r\nabc\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: h\r\n",
    b"GET http://h/a?b=c HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
];

/// Streams; `mess` pieces for each whole message.
pub(crate) fn stream(mess: u32) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![mess => prop::sample::select(PIECES), 1 => prop::sample::select(MESSAGES)];
    let bytes = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2);
    (bytes, damage).prop_map(|(mut bytes, damage)| {
        for (at, byte) in damage {
            if !bytes.is_empty() {
                let place = at.index(bytes.len());
                bytes[place] = byte;
            }
        }
        bytes
    })
}
