//! One request after another, over real sockets: framing, order, keep-alive, refusals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use std::time::Duration;

use bytes::Bytes;
use covet_engine::Settings;
use covet_http::{Body, Limits, ResponseHead};
use harness::{Server, body, get, post};

#[test]
fn an_answer_has_length_and_date_and_the_connection_stays() {
    let mut server = Server::new();
    let mut client = server.connect();
    let first = server.talk(&mut client, get("/hello"));
    assert_eq!(
        first,
        "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 5\r\n\r\nhello"
    );
    assert_eq!(server.talk(&mut client, get("/hello")), first);
    assert!(!client.closed);
    assert_eq!(server.engine.counters().requests, 2);
    assert_eq!(server.engine.counters().connections, 1);
    assert_eq!(server.engine.counters().in_progress, 0);
}

#[test]
fn sixteen_pipelined_requests_are_answered_in_order() {
    let mut server = Server::new();
    let mut client = server.connect();
    let input: String = (0..16)
        .map(|number| get(&format!("/number/{number:02}")))
        .collect();
    let output = server.talk(&mut client, input);
    let bodies: Vec<&str> = output.split("\r\n\r\n").skip(1).map(|rest| &rest[..2]).collect();
    assert_eq!(
        bodies,
        (0..16).map(|number| format!("{number:02}")).collect::<Vec<_>>()
    );
}

#[test]
fn a_thousand_pipelined_requests_do_not_get_lost() {
    let mut server = Server::new();
    let mut client = server.connect();
    let input: String = (0..1000)
        .map(|number| get(&format!("/number/{number:04}")))
        .collect();
    let output = server.talk(&mut client, input);
    assert_eq!(output.matches("HTTP/1.1 200").count(), 1000);
    assert!(output.ends_with("0999"));
}

#[test]
fn a_slow_request_holds_back_those_behind_it() {
    let mut server = Server::new();
    let mut client = server.connect();
    assert_eq!(server.talk(&mut client, get("/park") + &get("/hello")), "");
    assert_eq!(server.app.calls.get(), 1);
    let (_, reply) = server.app.unpark();
    let (head, text) = harness::answer(200, "first");
    reply.send(head, text);
    // Sent outside of a pass: both answers are there before another pass.
    std::thread::sleep(std::time::Duration::from_millis(5));
    let output = client.receive();
    assert!(output.contains("first") && output.ends_with("hello"), "{output}");
}

#[test]
fn a_head_that_comes_in_pieces_is_one_request() {
    let mut server = Server::new();
    let mut client = server.connect();
    for piece in get("/hello").as_bytes().chunks(7) {
        client.send(piece);
        server.settle();
    }
    assert_eq!(body(&client.receive()), "hello");
}

#[test]
fn bodies_come_with_a_length_or_in_chunks() {
    let mut server = Server::new();
    let mut client = server.connect();
    assert_eq!(
        body(&server.talk(&mut client, post("/echo", "some text"))),
        "some text"
    );
    let chunked = "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\
                   4;x=y\r\nsome\r\n5\r\n text\r\n0\r\nx: trailer\r\n\r\n";
    assert_eq!(body(&server.talk(&mut client, chunked)), "some text");
    for piece in chunked.as_bytes().chunks(3) {
        client.send(piece);
        server.settle();
    }
    assert_eq!(body(&client.receive()), "some text");
    assert_eq!(body(&server.talk(&mut client, get("/hello"))), "hello");
}

#[test]
fn a_large_body_is_collected_and_answered() {
    let mut server = Server::new();
    let mut client = server.connect();
    let text = "0123456789abcdef".repeat(20_000);
    client.stream.set_nonblocking(false).unwrap();
    let sender = client.stream.try_clone().unwrap();
    let request = post("/echo", &text);
    let writer =
        std::thread::spawn(move || std::io::Write::write_all(&mut &sender, request.as_bytes()).unwrap());
    while !writer.is_finished() {
        server.turn(std::time::Duration::from_millis(1));
    }
    writer.join().unwrap();
    client.stream.set_nonblocking(true).unwrap();
    let mut output = String::new();
    for _ in 0..100 {
        server.turn(std::time::Duration::from_millis(1));
        output += &client.receive();
    }
    assert_eq!(body(&output).len(), text.len());
    assert!(body(&output) == text);
}

#[test]
fn continue_is_sent_when_the_body_is_awaited_and_not_otherwise() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    assert_eq!(server.talk(&mut client, head), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(body(&server.talk(&mut client, "ab")), "ab");
    let output = server.talk(&mut client, format!("{head}cd"));
    assert!(
        output.starts_with("HTTP/1.1 200"),
        "the body was here already: {output}"
    );
}

#[test]
fn a_body_too_large_is_refused_before_it_is_sent() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /small HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 101\r\n\r\n";
    let output = server.talk(&mut client, head);
    assert!(
        output.starts_with("HTTP/1.1 413 ") && output.contains("connection: close"),
        "{output}"
    );
    assert!(client.closed);
    assert_eq!(server.app.calls.get(), 0);
    assert!(server.log().contains("max_body"));
}

#[test]
fn chunks_beyond_the_limit_are_refused() {
    let mut server = Server::new();
    let mut client = server.connect();
    let chunk = format!("3c\r\n{}\r\n", "x".repeat(60));
    let head = "POST /small HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    assert!(
        server
            .talk(&mut client, format!("{head}{chunk}{chunk}"))
            .starts_with("HTTP/1.1 413 ")
    );
    assert_eq!(server.app.calls.get(), 0);
}

#[test]
fn head_has_the_length_and_no_body() {
    let mut server = Server::new();
    let mut client = server.connect();
    let output = server.talk(
        &mut client,
        "HEAD /hello HTTP/1.1\r\nhost: a\r\n\r\n".to_owned() + &get("/hello"),
    );
    let (head, rest) = output.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: 5"));
    assert!(rest.starts_with("HTTP/1.1 200"));
}

#[test]
fn an_answer_that_has_no_body_sends_none() {
    let mut server = Server::new();
    let mut client = server.connect();
    let output = server.talk(&mut client, get("/gone") + &get("/hello"));
    let (head, rest) = output.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 204 No Content") && !head.contains("content-length"));
    assert!(rest.starts_with("HTTP/1.1 200"));
}

#[test]
fn http_1_0_closes_unless_asked_to_stay() {
    let mut server = Server::new();
    let mut client = server.connect();
    let stay = server.talk(
        &mut client,
        "GET /hello HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
    );
    assert!(stay.contains("connection: keep-alive") && !client.closed);
    let close = server.talk(&mut client, "GET /hello HTTP/1.0\r\n\r\n");
    assert!(close.contains("connection: close") && client.closed);
}

#[test]
fn a_client_that_wants_to_close_is_closed_after_its_answer() {
    let mut server = Server::new();
    let mut client = server.connect();
    let output = server.talk(
        &mut client,
        "GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\nGET /hello HTTP/1.1\r\n",
    );
    assert_eq!(output.matches("HTTP/1.1").count(), 1);
    assert!(output.contains("connection: close") && client.closed);
}

#[test]
fn malformed_requests_get_400_and_a_closed_connection() {
    for bad in [
        "GET /hello HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\nhost: a\n\n",
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "nonsense\r\n\r\n",
    ] {
        let mut server = Server::new();
        let mut client = server.connect();
        let output = server.talk(&mut client, bad.to_owned() + &get("/hello"));
        assert!(
            output.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{bad:?} {output}"
        );
        assert_eq!(output.matches("HTTP/1.1").count(), 1, "{output}");
        assert!(client.closed && server.app.calls.get() == 0);
        let refused = server.engine.counters();
        assert_eq!((refused.refused, refused.in_progress), (1, 0));
        drop(client);
        server.settle();
        assert_eq!(server.engine.counters().connections, 0);
    }
}

#[test]
fn good_requests_before_a_bad_one_are_answered() {
    let mut server = Server::new();
    let mut client = server.connect();
    let output = server.talk(&mut client, get("/hello") + "broken\r\n\r\n");
    assert!(
        output.starts_with("HTTP/1.1 200") && output.contains("HTTP/1.1 400"),
        "{output}"
    );
}

#[test]
fn an_answer_that_cannot_be_written_is_a_500() {
    let mut server = Server::new();
    let output = server.get("/split");
    assert!(
        output.starts_with("HTTP/1.1 500 ") && !output.contains("b: c"),
        "{output}"
    );
    assert!(server.log().contains("control character"));
}

#[test]
fn an_early_answer_calls_nothing_and_keeps_the_connection_if_the_body_is_small() {
    let mut server = Server::new();
    let mut client = server.connect();
    let output = server.talk(&mut client, post("/early", "unread") + &get("/hello"));
    assert!(
        output.starts_with("HTTP/1.1 403") && output.ends_with("hello"),
        "{output}"
    );
    let head = "POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n";
    let output = server.talk(&mut client, head);
    assert!(output.contains("connection: close"), "{output}");
}

#[test]
fn an_unread_body_that_may_never_come_ends_the_connection() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /early HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    let output = server.talk(&mut client, head);
    assert!(output.starts_with("HTTP/1.1 403") && output.contains("connection: close") && client.closed);
}

#[test]
fn a_dropped_reply_is_a_500() {
    let mut server = Server::new();
    let mut client = server.connect();
    let output = server.talk(&mut client, get("/drop"));
    assert!(
        output.starts_with("HTTP/1.1 500 Internal Server Error\r\n") && client.closed,
        "{output}"
    );
    assert_eq!(server.engine.counters().in_progress, 0);
}

#[test]
fn a_panic_ends_one_connection_and_no_other() {
    let mut server = Server::new();
    let mut other = server.connect();
    server.talk(&mut other, get("/hello"));
    let mut client = server.connect();
    let output = server.talk(&mut client, get("/panic"));
    assert!(output.starts_with("HTTP/1.1 500 ") && client.closed, "{output}");
    assert!(server.log().contains("on purpose"));
    assert_eq!(body(&server.talk(&mut other, get("/hello"))), "hello");
    assert_eq!(server.engine.counters().in_progress, 0);
}

#[test]
fn too_many_requests_at_once_are_told_to_come_back() {
    let settings = Settings {
        limit_concurrency: Some(2),
        ..Settings::default()
    };
    let mut server = Server::with(Limits::default(), settings, |_, _, _| {});
    let mut idle = server.connect();
    server.talk(&mut idle, get("/hello"));
    let mut one = server.connect();
    let mut two = server.connect();
    server.talk(&mut one, get("/park"));
    server.talk(&mut two, get("/park"));
    let output = server.talk(&mut idle, get("/hello"));
    assert!(
        output.starts_with("HTTP/1.1 503 ") && output.contains("retry-after: 1\r\n"),
        "{output}"
    );
    let (_, reply) = server.app.unpark();
    let (head, text) = harness::answer(200, "");
    reply.send(head, text);
    assert_eq!(body(&server.talk(&mut idle, get("/hello"))), "hello");
    // A client that leaves does not free the place: its handler still runs.
    drop(two);
    server.settle();
    assert_eq!(server.engine.counters().in_progress, 1);
    drop(server.app.unpark());
    assert_eq!(server.engine.counters().in_progress, 0);
}

#[test]
fn answers_are_written_down_when_asked_for() {
    let settings = Settings {
        access_log: true,
        ..Settings::default()
    };
    let mut server = Server::with(Limits::default(), settings, |_, _, _| {});
    let mut client = server.connect();
    server.talk(
        &mut client,
        get("/hello") + &post("/echo", "abc") + "HEAD /hello HTTP/1.1\r\nhost: a\r\n\r\n",
    );
    let lines = server.clock.access.borrow();
    assert_eq!(
        *lines,
        ["GET /hello 200 5", "POST /echo 200 3", "HEAD /hello 200 0"]
    );
}

fn logging() -> Settings {
    Settings {
        access_log: true,
        ..Settings::default()
    }
}

#[test]
fn the_access_log_knows_how_long_a_request_took() {
    let mut server = Server::with(Limits::default(), logging(), |_, _, _| {});
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    server.pass_time(Duration::from_secs(2));
    let (_, reply) = server.app.unpark();
    let (head, text) = harness::answer(200, "done");
    reply.send(head, text);
    assert_eq!(*server.clock.access.borrow(), ["GET /park 200 4 2s"]);
}

#[test]
fn the_access_log_names_a_request_as_the_answer_or_else_the_client_does() {
    let mut server = Server::with(Limits::default(), logging(), |_, _, reply| {
        let (mut head, text) = harness::answer(200, "");
        head.headers
            .push((Bytes::from_static(b"X-Request-Id"), Bytes::from_static(b"ours")));
        reply.send(head, text);
    });
    for path in ["/hello", "/named"] {
        let mut client = server.connect();
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-request-id: theirs\r\n\r\n");
        server.talk(&mut client, request);
    }
    assert_eq!(
        *server.clock.access.borrow(),
        ["GET /hello 200 5 theirs", "GET /named 200 0 ours"]
    );
}

#[test]
fn the_access_log_tells_of_clients_that_left_early() {
    let mut server = Server::with(Limits::default(), logging(), |_, _, _| {});
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    socket2::SockRef::from(&client.stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(client);
    server.settle();
    assert_eq!(*server.clock.access.borrow(), ["GET /park 499 0"]);
}

#[test]
fn informational_answers_precede_the_final_one() {
    let mut server = Server::with(Limits::default(), Settings::default(), |_, _, reply| {
        let link = (
            Bytes::from_static(b"link"),
            Bytes::from_static(b"</a>; rel=preload"),
        );
        reply.informational(103, vec![link]);
        reply.send(ResponseHead::new(200), Body::Empty);
    });
    let output = server.get("/hints");
    assert!(
        output.starts_with("HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\nHTTP/1.1 200"),
        "{output}"
    );
}

#[test]
fn a_half_closed_client_still_gets_its_answer() {
    let mut server = Server::new();
    let mut client = server.connect();
    client.send(get("/park"));
    client.half_close();
    server.settle();
    let (_, reply) = server.app.unpark();
    assert!(reply.is_disconnected());
    let (head, text) = harness::answer(200, "late");
    reply.send(head, text);
    server.settle();
    assert_eq!(body(&client.receive()), "late");
    assert!(client.closed);
    assert_eq!(server.engine.counters().connections, 0);
}

#[test]
fn a_unix_socket_serves_as_well() {
    let path = std::env::temp_dir().join(format!("covet-engine-{}.sock", std::process::id()));
    let listener = covet_engine::Listener::unix(&path).unwrap();
    assert!(
        covet_engine::Listener::unix(&path).is_err(),
        "somebody listens there"
    );
    let mut server = Server::on(listener, Limits::default(), Settings::default(), |_, _, _| {});
    let stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut client = harness::Client {
        stream,
        closed: false,
    };
    assert_eq!(body(&server.talk(&mut client, get("/hello"))), "hello");
    assert_eq!(body(&server.talk(&mut client, post("/echo", "abc"))), "abc");
    drop(server);
    let stale = covet_engine::Listener::unix(&path);
    assert!(stale.is_ok(), "a socket file that nobody listens on is replaced");
    std::fs::remove_file(path).unwrap();
}
