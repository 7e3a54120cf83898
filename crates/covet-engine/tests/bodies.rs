//! Streamed bodies, in and out: pulled, bounded, and honest about their end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use covet_engine::{Reply, Request, Settings};
use covet_http::channel::{BodySender, Pressure, channel};
use covet_http::{Body, BodyError, BodyStream, Limits, ResponseHead};
use harness::{Server, body, get};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counter() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (Arc::clone(&count), Waker::from(count))
}

fn stream(request: Request) -> Box<dyn BodyStream> {
    match request.body {
        Body::Stream(stream) => stream,
        other => panic!("{other:?}"),
    }
}

fn send(reply: Reply, text: &str) {
    let (head, text) = harness::answer(200, text);
    reply.send(head, text);
}

/// Answers with a stream whose writing end the test keeps.
fn streaming(headers: &'static [(&str, &str)]) -> (Server, Rc<RefCell<Vec<BodySender>>>) {
    let senders = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&senders);
    let server = Server::with(Limits::default(), Settings::default(), move |_, _, reply| {
        let (sender, receiver) = channel(64 << 10);
        kept.borrow_mut().push(sender);
        let mut head = ResponseHead::new(200);
        for (name, value) in headers {
            head.headers.push((
                Bytes::from_static(name.as_bytes()),
                Bytes::from_static(value.as_bytes()),
            ));
        }
        reply.send(head, Body::Stream(Box::new(receiver)));
    });
    (server, senders)
}

#[test]
fn a_streamed_answer_comes_in_chunks() {
    let (mut server, senders) = streaming(&[]);
    let mut client = server.connect();
    let head = server.talk(&mut client, get("/x"));
    assert!(head.ends_with("transfer-encoding: chunked\r\n\r\n"), "{head}");
    let sender = senders.borrow_mut().pop().unwrap();
    sender.push(Bytes::from_static(b"hello"));
    assert!(server.clock.rearms.get() > 0);
    server.settle();
    assert_eq!(client.receive(), "5\r\nhello\r\n");
    sender.push(Bytes::from_static(b"a"));
    sender.push(Bytes::from_static(b"b"));
    sender.finish();
    server.settle();
    assert_eq!(client.receive(), "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
    assert!(server.talk(&mut client, get("/hello")).ends_with("hello"));
}

#[test]
fn http_1_0_gets_the_stream_until_the_end_of_the_connection() {
    let (mut server, senders) = streaming(&[]);
    let mut client = server.connect();
    let head = server.talk(&mut client, "GET /x HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    assert!(
        head.contains("connection: close") && !head.contains("chunked"),
        "{head}"
    );
    let sender = senders.borrow_mut().pop().unwrap();
    sender.push(Bytes::from_static(b"hello"));
    sender.finish();
    server.settle();
    assert_eq!(client.receive(), "hello");
    assert!(client.closed);
}

#[test]
fn a_stream_with_a_length_is_held_to_it() {
    for (pieces, got, closed) in [
        (&["hel", "lo"][..], "hello", false),
        (&["hello, world"], "hello", true),
        (&["hell"], "hell", true),
    ] {
        let (mut server, senders) = streaming(&[("Content-Length", "5")]);
        let mut client = server.connect();
        let head = server.talk(&mut client, get("/x"));
        assert!(head.contains("Content-Length: 5\r\n"), "{head}");
        let sender = senders.borrow_mut().pop().unwrap();
        for piece in pieces {
            sender.push(Bytes::from_static(piece.as_bytes()));
        }
        sender.finish();
        server.settle();
        assert_eq!(client.receive(), got);
        assert_eq!(client.closed, closed, "{pieces:?}");
        assert_eq!(server.log().is_empty(), !closed);
    }
}

#[test]
fn a_stream_that_fails_is_not_ended_properly() {
    let (mut server, senders) = streaming(&[]);
    let mut client = server.connect();
    server.talk(&mut client, get("/x"));
    let sender = senders.borrow_mut().pop().unwrap();
    sender.push(Bytes::from_static(b"half"));
    sender.fail(BodyError::Failed("disk".into()));
    server.settle();
    assert_eq!(client.receive(), "4\r\nhalf\r\n");
    assert!(client.closed && server.log().contains("disk"));
}

#[test]
fn head_does_not_pull_the_stream() {
    let (mut server, senders) = streaming(&[]);
    let mut client = server.connect();
    let output = server.talk(&mut client, "HEAD /x HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(output.starts_with("HTTP/1.1 200") && !client.closed);
    assert!(senders.borrow()[0].is_closed());
    assert!(server.talk(&mut client, get("/hello")).ends_with("hello"));
}

/// Gives the same piece for ever, and counts.
struct Endless(Rc<Cell<usize>>);

impl BodyStream for Endless {
    fn poll_chunk(&mut self, _: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.0.set(self.0.get() + (32 << 10));
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 32 << 10]))))
    }
}

#[test]
fn a_slow_reader_bounds_what_is_pulled() {
    let pulled = Rc::new(Cell::new(0));
    let count = Rc::clone(&pulled);
    let mut server = Server::with(Limits::default(), Settings::default(), move |_, _, reply| {
        reply.send(
            ResponseHead::new(200),
            Body::Stream(Box::new(Endless(Rc::clone(&count)))),
        );
    });
    let mut client = server.connect();
    client.send(get("/x"));
    server.settle();
    let first = pulled.get();
    assert!(first < 16 << 20, "the socket's own buffers, no more: {first}");
    server.settle();
    assert_eq!(pulled.get(), first, "nobody reads, so nothing is pulled");
    let got = client.receive_bytes(usize::MAX).len();
    assert!(
        first <= got + (256 << 10),
        "{first} were pulled and only {got} could be read"
    );
    server.settle();
    assert!(pulled.get() > first, "it goes on when the client reads");
    server.pass_time(Duration::from_secs(61));
    assert_eq!(
        server.engine.counters().connections,
        0,
        "a client that reads nothing for 60 s is cut"
    );
    assert_eq!(server.engine.counters().in_progress, 0);
}

#[test]
fn an_endless_stream_leaves_room_for_others() {
    let mut server = Server::with(Limits::default(), Settings::default(), move |_, _, reply| {
        reply.send(
            ResponseHead::new(200),
            Body::Stream(Box::new(Endless(Rc::default()))),
        );
    });
    let mut greedy = server.connect();
    greedy.send(get("/x"));
    let mut other = server.connect();
    other.send(get("/hello"));
    let mut answer = String::new();
    for _ in 0..50 {
        server.turn(Duration::from_millis(1));
        greedy.receive_bytes(1 << 20);
        answer += &other.receive();
    }
    assert_eq!(body(&answer), "hello");
}

#[test]
fn large_bodies_arrive_whole() {
    let large = Bytes::from(vec![b'x'; 3 << 20]);
    let kept = large.clone();
    let mut server = Server::with(Limits::default(), Settings::default(), move |_, _, reply| {
        reply.send(ResponseHead::new(200), Body::Full(kept.clone()));
    });
    let mut client = server.connect();
    client.send(get("/x") + &get("/hello"));
    let mut output = Vec::new();
    for _ in 0..400 {
        server.turn(Duration::from_millis(1));
        output.extend(client.receive_bytes(100 << 10));
    }
    let output = String::from_utf8(output).unwrap();
    let (head, rest) = output.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: 3145728"));
    assert!(rest.as_bytes()[..large.len()] == large[..]);
    assert!(rest[large.len()..].starts_with("HTTP/1.1 200") && rest.ends_with("hello"));
}

#[test]
fn a_streamed_request_that_is_here_already_is_one_piece() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, harness::post("/stream/park", "all"));
    let (request, reply) = server.app.unpark();
    assert!(matches!(&request.body, Body::Full(bytes) if bytes == "all"));
    send(reply, "ok");
    assert!(server.talk(&mut client, get("/hello")).ends_with("hello"));
}

#[test]
fn a_streamed_request_is_read_as_it_is_pulled() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /stream/park HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n";
    assert_eq!(server.talk(&mut client, format!("{head}ab")), "");
    let (request, reply) = server.app.unpark();
    let mut stream = stream(request);
    let (count, waker) = counter();
    assert_eq!(stream.size_hint(), Some(6));
    assert_eq!(
        stream.poll_chunk(&waker),
        Poll::Ready(Some(Ok(Bytes::from_static(b"ab"))))
    );
    assert_eq!(stream.size_hint(), Some(4));
    assert!(stream.poll_chunk(&waker).is_pending());
    client.send("cd");
    server.settle();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(
        stream.poll_chunk(&waker),
        Poll::Ready(Some(Ok(Bytes::from_static(b"cd"))))
    );
    assert!(stream.poll_chunk(&waker).is_pending());
    client.send("ef");
    server.settle();
    assert_eq!(
        stream.poll_chunk(&waker),
        Poll::Ready(Some(Ok(Bytes::from_static(b"ef"))))
    );
    assert_eq!(stream.poll_chunk(&waker), Poll::Ready(None));
    send(reply, "ok");
    assert_eq!(body(&client.receive()), "ok");
    assert!(server.talk(&mut client, get("/hello")).ends_with("hello"));
}

#[test]
fn a_handler_that_does_not_read_leaves_the_bytes_with_the_client() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /stream/park HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    client.send(head);
    server.settle();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65536));
    let mut sent = 0;
    let mut stuck = 0;
    while stuck < 5 {
        match std::io::Write::write(&mut client.stream, &chunk.as_bytes()[sent % chunk.len()..]) {
            Ok(len) => sent += len,
            Err(_) => stuck += 1,
        }
        server.settle();
    }
    assert!(sent < 16 << 20);
    let (request, reply) = server.app.unpark();
    let mut stream = stream(request);
    let (_, waker) = counter();
    let mut read = 0;
    while let Poll::Ready(Some(Ok(piece))) = stream.poll_chunk(&waker) {
        read += piece.len();
    }
    assert!(
        read > 0 && read <= sent,
        "pulling reads the socket at once, without another pass"
    );
    drop(stream);
    send(reply, "enough");
    server.settle();
    let output = client.receive();
    assert!(output.contains("enough"), "{output}");
}

#[test]
fn continue_is_sent_when_the_handler_pulls() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /stream/park HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    assert_eq!(server.talk(&mut client, head), "");
    let (request, reply) = server.app.unpark();
    let mut stream = stream(request);
    assert!(stream.poll_chunk(Waker::noop()).is_pending());
    assert_eq!(server.talk(&mut client, ""), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");
    server.settle();
    assert_eq!(
        stream.poll_chunk(Waker::noop()),
        Poll::Ready(Some(Ok(Bytes::from_static(b"ab"))))
    );
    send(reply, "ok");
    server.settle();
    assert_eq!(body(&client.receive()), "ok");
    assert!(!client.closed);
}

#[test]
fn a_broken_stream_is_an_error_for_the_handler_and_400_for_the_client() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /stream/park HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n";
    server.talk(&mut client, head);
    let (request, reply) = server.app.unpark();
    let mut stream = stream(request);
    let (count, waker) = counter();
    assert!(stream.poll_chunk(&waker).is_ready());
    assert!(stream.poll_chunk(&waker).is_pending());
    let output = server.talk(&mut client, "zz\r\n");
    assert!(output.starts_with("HTTP/1.1 400 ") && client.closed, "{output}");
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(matches!(
        stream.poll_chunk(&waker),
        Poll::Ready(Some(Err(BodyError::Refused(_))))
    ));
    assert!(reply.is_disconnected());
    send(reply, "too late");
    server.settle();
    assert_eq!(client.receive(), "");
    assert_eq!(server.engine.counters().in_progress, 0);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_body_is_a_disconnect() {
    let mut server = Server::new();
    let mut client = server.connect();
    let head = "POST /stream/park HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nab";
    server.talk(&mut client, head);
    let (request, reply) = server.app.unpark();
    let mut stream = stream(request);
    assert!(stream.poll_chunk(Waker::noop()).is_ready());
    assert!(stream.poll_chunk(Waker::noop()).is_pending());
    client.half_close();
    server.settle();
    assert_eq!(
        stream.poll_chunk(Waker::noop()),
        Poll::Ready(Some(Err(BodyError::Disconnected)))
    );
    assert!(reply.is_disconnected());
    assert!(client.receive().starts_with("HTTP/1.1 400 "));
}

#[test]
fn an_answer_before_the_body_was_read_keeps_the_connection_if_little_is_left() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(
        &mut client,
        "POST /stream/park HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nab",
    );
    let (request, reply) = server.app.unpark();
    send(reply, "no thanks");
    drop(request);
    let output = client.receive();
    assert!(
        output.ends_with("no thanks") && !output.contains("connection: close"),
        "{output}"
    );
    let output = server.talk(&mut client, "x".repeat(998) + &get("/hello"));
    assert_eq!(body(&output), "hello");
}

#[test]
fn an_echo_streams_both_ways() {
    let mut server = Server::with(Limits::default(), Settings::default(), |_, request, reply| {
        reply.send(ResponseHead::new(200), request.body);
    });
    let mut client = server.connect();
    client.send("POST /stream/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    for number in 0..20 {
        let output = server.talk(&mut client, format!("3\r\n{number:03}\r\n"));
        assert!(output.ends_with(&format!("3\r\n{number:03}\r\n")), "{output}");
    }
    assert_eq!(server.talk(&mut client, "0\r\n\r\n"), "0\r\n\r\n");
    assert!(server.talk(&mut client, get("/hello")).ends_with("hello"));
}

#[test]
fn a_waker_from_another_thread_reaches_the_connection() {
    /// Pending until its waker was woken on another thread.
    struct Foreign(Option<std::thread::JoinHandle<()>>, u32);
    impl BodyStream for Foreign {
        fn poll_chunk(&mut self, waker: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
            self.1 += 1;
            match (self.0.take(), self.1) {
                (None, 1) => {
                    let waker = waker.clone();
                    self.0 = Some(std::thread::spawn(move || {
                        std::thread::sleep(Duration::from_millis(20));
                        waker.wake();
                    }));
                    Poll::Pending
                }
                (Some(thread), _) => {
                    thread.join().unwrap();
                    Poll::Ready(Some(Ok(Bytes::from_static(b"from afar"))))
                }
                (None, _) => Poll::Ready(None),
            }
        }
    }
    let mut server = Server::with(Limits::default(), Settings::default(), |_, _, reply| {
        reply.send(ResponseHead::new(200), Body::Stream(Box::new(Foreign(None, 0))));
    });
    let mut client = server.connect();
    client.send(get("/x"));
    let mut output = String::new();
    for _ in 0..40 {
        server.turn(Duration::from_millis(5));
        output += &client.receive();
    }
    assert!(output.ends_with("9\r\nfrom afar\r\n0\r\n\r\n"), "{output}");
}

#[test]
fn a_vanished_reader_drops_the_stream() {
    let (mut server, senders) = streaming(&[]);
    let client = {
        let mut client = server.connect();
        server.talk(&mut client, get("/x"));
        client
    };
    let sender = senders.borrow_mut().pop().unwrap();
    drop(client);
    server.settle();
    // A closed socket looks like a half-closed one until something is written.
    for _ in 0..3 {
        let _: Pressure = sender.push(Bytes::from_static(b"anybody?"));
        server.settle();
    }
    assert!(sender.is_closed());
    assert_eq!(server.engine.counters().connections, 0);
    assert_eq!(server.engine.counters().in_progress, 0);
}
