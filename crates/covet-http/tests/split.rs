//! The decoder's invariant as a property: however the bytes are cut, the same messages and the same verdict.
//! Inputs are built from pieces of good and bad requests, so most of them get past the first line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use bytes::BytesMut;
use covet_http::{Decoder, Event, Limits, Refusal};
use proptest::prelude::*;

mod streams;

/// What a run of the decoder amounts to, without the cuts in bodies.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Head(String),
    Body(Vec<u8>),
    End,
    Refused(Refusal),
}

/// Small limits, so that short inputs reach them.
fn limits() -> Limits {
    Limits {
        max_fields: 6,
        max_line: 80,
        max_head: 200,
        max_body: 40,
        max_trailers: 30,
        max_chunk_extension: 10,
        ..Limits::default()
    }
}

fn run<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let limits = limits();
    let mut decoder = Decoder::new();
    let mut buf = BytesMut::new();
    let mut seen = Vec::new();
    for part in parts {
        buf.extend_from_slice(part);
        loop {
            match decoder.decode(&mut buf, &limits) {
                Ok(Event::NeedMore) => break,
                Ok(event) => record(&mut seen, event),
                Err(refusal) => {
                    seen.push(Seen::Refused(refusal));
                    return seen;
                }
            }
        }
        assert!(!decoder.in_head() || !decoder.in_body());
    }
    if let Err(refusal) = decoder.finish(&buf) {
        seen.push(Seen::Refused(refusal));
    }
    seen
}

fn record(seen: &mut Vec<Seen>, event: Event) {
    match event {
        Event::NeedMore => {}
        Event::Head(head) => seen.push(Seen::Head(format!(
            "{head:?} {:?}",
            head.headers.iter().collect::<Vec<_>>()
        ))),
        Event::Chunk(chunk) => {
            assert!(!chunk.is_empty());
            match seen.last_mut() {
                Some(Seen::Body(body)) => body.extend_from_slice(&chunk),
                _ => seen.push(Seen::Body(chunk.to_vec())),
            }
        }
        Event::End => seen.push(Seen::End),
    }
}

/// Cuts the input at the given places.
fn cut(bytes: &[u8], places: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut at: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    at.sort_unstable();
    let starts = std::iter::once(0).chain(at.iter().copied());
    let ends = at.iter().copied().chain(std::iter::once(bytes.len()));
    starts
        .zip(ends)
        .map(|(start, end)| bytes[start..end].to_vec())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn cuts_change_nothing(bytes in streams::stream(3), places in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let whole = run([&bytes[..]]);
        let parts = cut(&bytes, &places);
        prop_assert_eq!(&run(parts.iter().map(Vec::as_slice)), &whole);
        prop_assert_eq!(&run(bytes.chunks(1)), &whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        run([&bytes[..]]);
    }
}

/// A body that is never longer than announced, and a verdict that stays.
#[test]
fn a_refusal_is_final() {
    let mut decoder = Decoder::new();
    let mut buf = BytesMut::from(&b"\0"[..]);
    let first = decoder.decode(&mut buf, &Limits::default()).unwrap_err();
    buf.clear();
    buf.extend_from_slice(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(decoder.decode(&mut buf, &Limits::default()).unwrap_err(), first);
    assert_eq!(decoder.finish(&buf).unwrap_err(), first);
}

#[test]
fn a_route_may_raise_or_lower_the_body_limit() {
    let post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\n";
    for (limit, allowed) in [
        (None, false),
        (Some(50), true),
        (Some(49), false),
        (Some(u64::MAX), true),
    ] {
        let mut decoder = Decoder::new();
        let mut buf = BytesMut::from(&post[..]);
        assert!(matches!(decoder.decode(&mut buf, &limits()), Ok(Event::Head(_))));
        if let Some(limit) = limit {
            decoder.set_body_limit(limit);
        }
        match decoder.decode(&mut buf, &limits()) {
            Ok(Event::NeedMore) => assert!(allowed),
            Err(refusal) => assert!(!allowed && refusal.status == 413 && refusal.setting == Some("max_body")),
            Ok(other) => panic!("{other:?}"),
        }
    }
}

/// The limit a route asked for ends with its message.
#[test]
fn a_raised_limit_is_for_one_message() {
    let post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\n";
    let mut decoder = Decoder::new();
    let mut buf = BytesMut::from(&post[..]);
    decoder.decode(&mut buf, &limits()).unwrap();
    decoder.set_body_limit(100);
    buf.extend_from_slice(&[b'x'; 50]);
    assert!(matches!(decoder.decode(&mut buf, &limits()), Ok(Event::Chunk(chunk)) if chunk.len() == 50));
    assert!(matches!(decoder.decode(&mut buf, &limits()), Ok(Event::End)));
    buf.extend_from_slice(post);
    decoder.decode(&mut buf, &limits()).unwrap();
    assert_eq!(
        decoder.decode(&mut buf, &limits()).unwrap_err(),
        Refusal::BODY_SIZE
    );
}

#[test]
fn in_head_begins_with_the_first_byte_and_ends_with_the_head() {
    let limits = Limits::default();
    let mut decoder = Decoder::new();
    let mut buf = BytesMut::new();
    assert!(matches!(decoder.decode(&mut buf, &limits), Ok(Event::NeedMore)));
    assert!(!decoder.in_head());
    // An empty line after the last message is not yet a request: the keep-alive deadline goes on.
    buf.extend_from_slice(b"\r\n");
    assert!(matches!(decoder.decode(&mut buf, &limits), Ok(Event::NeedMore)));
    assert!(!decoder.in_head() && decoder.finish(&buf).is_ok());
    buf.extend_from_slice(b"G");
    assert!(matches!(decoder.decode(&mut buf, &limits), Ok(Event::NeedMore)));
    assert!(decoder.in_head() && decoder.finish(&buf).is_err());
    buf.extend_from_slice(b"ET / HTTP/1.1\r\nHost: h\r\n\r\n");
    decoder.decode(&mut buf, &limits).unwrap();
    assert!(!decoder.in_head() && decoder.in_body());
    assert!(matches!(decoder.decode(&mut buf, &limits), Ok(Event::End)));
    assert!(!decoder.in_body());
}

/// Every byte of a dripped head is looked at once: 32 KiB byte by byte stays far from quadratic.
#[test]
fn a_dripped_head_is_not_quadratic() {
    let limits = Limits::default();
    let line = b"X-A: 0123456789012345678901234567890123456789\r\n";
    let head = [&b"GET / HTTP/1.1\r\nHost: h\r\n"[..], &line.repeat(98)].concat();
    let mut decoder = Decoder::new();
    let mut buf = BytesMut::new();
    let start = std::time::Instant::now();
    for _ in 0..20 {
        for byte in &head {
            buf.extend_from_slice(std::slice::from_ref(byte));
            assert!(matches!(decoder.decode(&mut buf, &limits), Ok(Event::NeedMore)));
        }
        buf.extend_from_slice(b"\r\n");
        assert!(matches!(decoder.decode(&mut buf, &limits), Ok(Event::Head(_))));
        assert!(matches!(decoder.decode(&mut buf, &limits), Ok(Event::End)));
    }
    assert!(
        start.elapsed() < std::time::Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}
