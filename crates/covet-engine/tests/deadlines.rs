//! Time: what is slow is told so or closed, on a clock that the test moves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use std::io::{ErrorKind, Read};
use std::task::{Poll, Waker};
use std::time::Duration;

use covet_engine::Settings;
use covet_http::{Body, BodyError, Limits, Refusal, ResponseHead};
use harness::{Server, body, get};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_slow_head_is_408() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, "GET /hello HTTP/1.1\r\n");
    for letter in 0..4 {
        server.pass_time(SECOND * 2);
        assert_eq!(server.talk(&mut client, format!("x-{letter}: y\r\n")), "");
    }
    server.pass_time(SECOND * 3);
    let output = client.receive();
    assert!(
        output.starts_with("HTTP/1.1 408 ") && output.contains("header_timeout"),
        "{output}"
    );
    assert!(client.closed && server.log().contains("header_timeout"));
    server.pass_time(SECOND * 3);
    assert_eq!(
        server.engine.counters().connections,
        0,
        "a client that stays is cut after its answer"
    );
}

#[test]
fn a_head_in_time_is_served() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, "GET /hello HTTP/1.1\r\n");
    server.pass_time(SECOND * 9);
    assert_eq!(body(&server.talk(&mut client, "host: a\r\n\r\n")), "hello");
    server.pass_time(SECOND * 20);
    assert_eq!(body(&server.talk(&mut client, get("/hello"))), "hello");
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let mut server = Server::new();
    let mut used = server.connect();
    server.talk(&mut used, get("/hello"));
    let mut fresh = server.connect();
    server.settle();
    server.pass_time(SECOND * 74);
    server.talk(&mut used, get("/hello"));
    assert_eq!(server.engine.counters().connections, 2);
    server.pass_time(SECOND * 2);
    assert_eq!(fresh.receive(), "");
    assert!(fresh.closed && !used.closed);
    server.pass_time(SECOND * 74);
    assert_eq!(used.receive(), "");
    assert!(used.closed);
    assert_eq!(server.engine.counters().connections, 0);
    assert_eq!(server.engine.counters().refused, 0);
}

#[test]
fn a_peer_that_takes_nothing_is_given_up() {
    let mut server = Server::with(Limits::default(), Settings::default(), |_, _, reply| {
        let body = Body::Full(vec![b'x'; 32 << 20].into());
        reply.send(ResponseHead::new(200), body);
    });
    let mut client = server.connect();
    client.send(get("/large"));
    server.settle();
    server.pass_time(SECOND * 59);
    assert_eq!(server.engine.counters().connections, 1);
    server.pass_time(SECOND * 2);
    assert_eq!(server.engine.counters().connections, 0);
    client.stream.set_nonblocking(false).unwrap();
    let end = client.stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(
        end.kind(),
        ErrorKind::ConnectionReset,
        "the system forgets what is on its way, too"
    );
}

#[test]
fn a_body_that_trickles_or_stalls_is_408() {
    for (first, piece) in [("x".repeat(30_000), ""), (String::new(), "tiny")] {
        let mut server = Server::new();
        let mut client = server.connect();
        server.talk(
            &mut client,
            format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 90000\r\n\r\n{first}"),
        );
        for _ in 0..4 {
            server.pass_time(SECOND * 2);
            server.talk(&mut client, piece);
        }
        assert_eq!(client.receive(), "");
        server.pass_time(SECOND * 25);
        let output = client.receive();
        assert!(output.starts_with("HTTP/1.1 408 ") && client.closed, "{output}");
        let setting = if first.is_empty() {
            "body_min_rate"
        } else {
            "body_idle_timeout"
        };
        assert!(server.log().contains(setting), "{}", server.log());
        assert_eq!(server.app.calls.get(), 0);
        assert_eq!(server.engine.counters().in_progress, 0);
    }
}

#[test]
fn a_body_that_nobody_wants_yet_may_wait() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(
        &mut client,
        "POST /stream/park HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab",
    );
    server.pass_time(SECOND * 300);
    let (request, reply) = server.app.unpark();
    let Body::Stream(mut stream) = request.body else {
        panic!("expected a stream")
    };
    assert!(stream.poll_chunk(Waker::noop()).is_ready());
    assert!(stream.poll_chunk(Waker::noop()).is_pending());
    assert_eq!(client.receive(), "");
    server.pass_time(SECOND * 9);
    assert!(!reply.is_disconnected());
    server.pass_time(SECOND * 2);
    assert!(client.receive().starts_with("HTTP/1.1 408 "));
    let error = stream.poll_chunk(Waker::noop());
    assert_eq!(
        error,
        Poll::Ready(Some(Err(BodyError::Refused(Refusal::BODY_RATE))))
    );
    assert!(reply.is_disconnected());
}

#[test]
fn a_handler_may_take_its_time() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    server.pass_time(SECOND * 600);
    let (_, reply) = server.app.unpark();
    let (head, text) = harness::answer(200, "done");
    reply.send(head, text);
    assert_eq!(body(&client.receive()), "done");
}

#[test]
fn the_rest_of_an_unwanted_body_is_not_awaited_for_long() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n";
    assert!(!server.talk(&mut client, head).contains("connection: close"));
    server.pass_time(SECOND * 3);
    client.receive();
    assert!(client.closed);
    server.pass_time(SECOND * 3);
    assert_eq!(server.engine.counters().connections, 0);
}

/// The timer descriptor wakes the user's loop: no pass happens by itself here.
#[test]
fn a_deadline_rings_without_traffic() {
    let limits = covet_http::Limits {
        header_timeout: Duration::from_millis(200),
        ..covet_http::Limits::default()
    };
    let mut server = Server::with(limits, covet_engine::Settings::default(), |_, _, _| {});
    let mut client = server.connect();
    server.talk(&mut client, "GET");
    let start = std::time::Instant::now();
    let mut rung = false;
    while start.elapsed() < SECOND * 2 && !rung {
        rung = server.turn(SECOND);
    }
    assert!(rung && start.elapsed() < SECOND, "{:?}", start.elapsed());
}
