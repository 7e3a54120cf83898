//! How long the codec takes for usual requests and answers: `cargo bench -p covet-http`.
//! The buffer is refilled from one prepared piece of memory, so copying it in is part of the figure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::hint::black_box;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use covet_http::{Decoder, Delivery, Event, Length, Limits, ResponseHead, date, query, response};
use criterion::{Criterion, criterion_group, criterion_main};

const SMALL: &[u8] =
    b"GET /items/42?q=x HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n";
const BROWSER: &[u8] = b"GET /items/42?q=x HTTP/1.1\r\nHost: localhost:8000\r\nConnection: keep-alive\r\n\
    sec-ch-ua: \"Chromium\";v=\"156\", \"Not:A-Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nX-Request-ID: 01234567\r\n\r\n";

fn drain(decoder: &mut Decoder, buf: &mut BytesMut, limits: &Limits) {
    while !matches!(decoder.decode(buf, limits).unwrap(), Event::NeedMore) {}
}

fn requests(criterion: &mut Criterion) {
    let limits = Limits::default();
    let body = [b'x'; 600];
    let post = [
        &b"POST /items HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 600\r\n\r\n"
            [..],
        &body,
    ]
    .concat();
    let chunked = [
        &b"POST /items HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n"[..],
        &body,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    for (name, bytes) in [
        ("get_3", SMALL),
        ("get_12", BROWSER),
        ("post_600", &post),
        ("chunked_600", &chunked),
    ] {
        let (mut decoder, mut buf) = (Decoder::new(), BytesMut::with_capacity(1 << 16));
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                buf.extend_from_slice(black_box(bytes));
                drain(&mut decoder, &mut buf, &limits);
            });
        });
    }
}

fn answers(criterion: &mut Criterion) {
    let date = date::format(1_795_000_000);
    let mut head = ResponseHead::new(200);
    head.headers.push((
        Bytes::from_static(b"content-type"),
        Bytes::from_static(b"application/json"),
    ));
    head.headers
        .push((Bytes::from_static(b"content-length"), Bytes::from_static(b"27")));
    let how = Delivery {
        minor: 1,
        keep_alive: true,
        request_method_is_head: false,
        body: Length::Known(27),
    };
    let mut out = BytesMut::with_capacity(1 << 16);
    criterion.bench_function("write_head", |bencher| {
        bencher.iter(|| {
            out.clear();
            response::write_head(&mut out, black_box(&head), how, &date).unwrap();
        });
    });
    criterion.bench_function("query_2", |bencher| {
        bencher.iter(|| {
            query::pairs(black_box(b"limit=10&q=some%20text")).for_each(|pair| drop(black_box(pair)))
        });
    });
}

criterion_group! {
    name = decoder;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = requests, answers
}
criterion_main!(decoder);
