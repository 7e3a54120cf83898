//! Native middleware around the dispatch: what it sees, what it changes, and that it keeps nobody waiting.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use covet_engine::Settings;
use covet_http::{Body, Limits, RequestHead, ResponseHead};
use covet_middleware::{Gzip, GzipOptions, Middleware, ServerHeader, Stack};
use harness::{Server, get};

/// A server with one middleware; paths that the harness does not know have a body of 4 MiB.
fn server(middleware: impl Middleware + 'static) -> Server {
    let settings = Settings {
        middleware: Stack::new(vec![Arc::new(middleware)]),
        ..Settings::default()
    };
    Server::with(Limits::default(), settings, |_, _, reply| {
        let large = Bytes::from(vec![b'x'; 4 << 20]);
        reply.send(ResponseHead::new(200), Body::Full(large));
    })
}

#[test]
fn middleware_runs_around_the_dispatch() {
    let mut server = server(ServerHeader::new("covet"));
    assert!(server.get("/hello").contains("\r\nserver: covet\r\n"));
    assert!(server.get("/early").contains("\r\nserver: covet\r\n"));
}

/// Answers with the path of the request in a header.
struct NamesPath;

impl Middleware for NamesPath {
    fn name(&self) -> &'static str {
        "names_path"
    }

    fn after(&self, request: &RequestHead, head: &mut ResponseHead) {
        head.headers.push(("path".into(), request.path.clone()));
    }
}

#[test]
fn middleware_sees_the_request_of_each_answer() {
    let mut server = server(NamesPath);
    for path in ["/hello", "/early"] {
        assert!(server.get(path).contains(&format!("\r\npath: {path}\r\n")));
    }
}

#[test]
fn other_requests_are_answered_while_a_large_body_is_compressed() {
    let mut server = server(Gzip::new(GzipOptions {
        minimum_size: 500,
        compresslevel: 9,
        thread_minimum_size: 128 << 10,
        exclude_content_types: Vec::new(),
    }));
    let (mut large, mut small) = (server.connect(), server.connect());
    large.send("GET /large HTTP/1.1\r\nhost: a\r\naccept-encoding: gzip\r\n\r\n");
    server.turn(Duration::from_millis(100));
    small.send(get("/hello"));
    let mut answer = Vec::new();
    let mut hello = String::new();
    for _ in 0..1000 {
        server.turn(Duration::from_millis(10));
        answer.extend(large.receive_bytes(usize::MAX));
        if answer.ends_with(b"\r\n0\r\n\r\n") {
            break;
        }
        hello += &small.receive();
    }
    assert!(hello.ends_with("hello"), "nobody else was served");
    let head = String::from_utf8_lossy(&answer);
    assert!(head.contains("\r\ncontent-encoding: gzip\r\n"));
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"));
    assert!(answer.ends_with(b"\r\n0\r\n\r\n"), "the answer is not complete");
}
