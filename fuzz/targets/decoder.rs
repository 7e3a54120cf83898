//! The decoder: nothing panics, cuts change nothing, and what is accepted keeps its promises.
//! The first bytes of the input choose where to cut; the rest is what a client sends.
#![no_main]

use bytes::BytesMut;
use covet_http::{Decoder, Event, Framing, Limits, RequestHead, host};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(([first, second], stream)) = data.split_first_chunk::<2>() else {
        return;
    };
    let cut = |byte: &u8| usize::from(*byte) * stream.len() / 256;
    let mut at = [cut(first), cut(second)];
    at.sort_unstable();
    let whole = run(&[stream]);
    assert_eq!(
        whole,
        run(&[&stream[..at[0]], &stream[at[0]..at[1]], &stream[at[1]..]])
    );
    assert_eq!(whole, run(&stream.chunks(1).collect::<Vec<_>>()));
});

/// Small limits are reached by small inputs.
fn limits() -> Limits {
    Limits {
        max_fields: 8,
        max_line: 200,
        max_head: 600,
        max_body: 64,
        max_trailers: 40,
        max_chunk_extension: 12,
        ..Limits::default()
    }
}

/// The events as text, with bodies joined.
fn run(parts: &[&[u8]]) -> Vec<String> {
    let limits = limits();
    let (mut decoder, mut buf, mut seen) = (Decoder::new(), BytesMut::new(), Vec::<String>::new());
    let mut body = Vec::new();
    let mut announced = None;
    for part in parts {
        buf.extend_from_slice(part);
        loop {
            match decoder.decode(&mut buf, &limits) {
                Ok(Event::NeedMore) => break,
                Ok(Event::Head(head)) => {
                    check(&head);
                    announced = Some(head.framing);
                    seen.push(format!("{head:?}"));
                }
                Ok(Event::Chunk(chunk)) => {
                    assert!(!chunk.is_empty());
                    body.extend_from_slice(&chunk);
                    assert!(body.len() as u64 <= limits.max_body);
                }
                Ok(Event::End) => {
                    match announced.take() {
                        Some(Framing::None) => assert!(body.is_empty()),
                        Some(Framing::Length(length)) => assert_eq!(body.len() as u64, length),
                        Some(Framing::Chunked) => {}
                        None => panic!("an end without a head"),
                    }
                    seen.push(format!("{:?}", std::mem::take(&mut body)));
                }
                Err(refusal) => {
                    assert!((400..600).contains(&refusal.status));
                    seen.push(format!("{body:?} {refusal:?}"));
                    return seen;
                }
            }
        }
    }
    seen.push(format!("{body:?} {:?}", decoder.finish(&buf)));
    seen
}

/// What every accepted head promises to the code behind it.
fn check(head: &RequestHead) {
    assert!(head.path.starts_with(b"/") || &head.path[..] == b"*");
    assert!(head.target.iter().all(|byte| (b'!'..=b'~').contains(byte)));
    assert!(head.minor <= 1 && !head.method.as_str().is_empty());
    for (name, value) in head.headers.iter() {
        assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_uppercase));
        assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        assert_eq!(value.trim_ascii().len(), value.len());
    }
    assert_eq!(
        head.headers
            .get_all(b"host")
            .filter(|value| host::is_valid(value))
            .count(),
        { head.headers.get_all(b"host").count() }
    );
    assert!(head.headers.get_all(b"host").count() == 1 || head.minor == 0);
    let both = head
        .headers
        .get(b"content-length")
        .and(head.headers.get(b"transfer-encoding"));
    assert!(both.is_none());
}
