//! The end of an engine: nothing in flight is lost, nothing idle is waited for, nothing lasts for ever.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use covet_http::channel::{BodySender, channel};
use covet_http::{Body, Limits, ResponseHead};
use harness::{Server, body, get};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_hundred_requests_in_flight_are_all_answered() {
    let mut server = Server::new();
    let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(get("/park"));
    }
    server.settle();
    let address = server.address();
    server.engine.drain();
    server.settle();
    assert!(!server.engine.is_drained());
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "nobody is let in any more"
    );
    server.pass_time(SECOND * 3);
    for (_, reply) in server.app.parked.take() {
        let (head, text) = harness::answer(200, "done");
        reply.send(head, text);
    }
    for client in &mut clients {
        let output = client.receive();
        assert!(
            output.contains("connection: close") && body(&output) == "done",
            "{output}"
        );
        assert!(client.closed);
    }
    drop(clients);
    server.settle();
    assert!(server.engine.is_drained());
    assert_eq!(server.clock.drained.borrow().as_ref().unwrap().len(), 0);
}

#[test]
fn idle_connections_are_closed_within_two_seconds() {
    let mut server = Server::new();
    let mut old = server.connect();
    server.talk(&mut old, get("/hello"));
    server.pass_time(SECOND * 5);
    let mut fresh = server.connect();
    server.talk(&mut fresh, get("/hello"));
    server.engine.drain();
    server.settle();
    old.receive();
    assert!(old.closed, "idle for long: at once");
    assert!(!fresh.closed, "its next request is likely");
    let output = server.talk(&mut fresh, get("/hello"));
    assert!(
        output.contains("connection: close") && body(&output) == "hello",
        "{output}"
    );
    drop(fresh);
    server.pass_time(SECOND * 2);
    assert!(server.engine.is_drained());
}

#[test]
fn a_connection_without_a_request_yet_is_waited_for() {
    let mut server = Server::new();
    let mut silent = server.connect();
    let mut late = server.connect();
    server.settle();
    server.pass_time(SECOND * 5);
    server.engine.drain();
    server.settle();
    assert!(!server.engine.is_drained());
    let output = server.talk(&mut late, get("/hello"));
    assert!(
        output.contains("connection: close") && body(&output) == "hello",
        "{output}"
    );
    drop(late);
    server.pass_time(SECOND * 2);
    silent.receive();
    assert!(silent.closed && server.engine.is_drained());
}

#[test]
fn a_connection_that_waits_in_the_queue_is_taken_in() {
    let mut server = Server::new();
    let mut queued: Vec<_> = (0..100).map(|_| server.connect()).collect();
    server.engine.drain();
    server.settle();
    for client in &mut queued {
        assert_eq!(body(&server.talk(client, get("/hello"))), "hello");
    }
}

#[test]
fn a_request_that_crosses_the_end_is_not_reset() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, get("/hello"));
    server.pass_time(SECOND * 5);
    server.engine.drain();
    server.settle();
    for half in ["GET /hello HTTP/1.1\r\n", "host: test\r\n\r\n"] {
        // The second one would fail after a reset.
        client.send(half);
        server.settle();
    }
    let mut end = [0; 1];
    assert_eq!(client.stream.read(&mut end).unwrap(), 0);
    assert_eq!(server.app.calls.get(), 1, "nobody has seen the second request");
    server.pass_time(SECOND);
    assert!(server.engine.is_drained());
}

#[test]
fn a_request_that_comes_while_its_connection_ends_is_served() {
    let other: Rc<RefCell<Option<TcpStream>>> = Rc::default();
    let sender = Rc::clone(&other);
    let limits = Limits::default();
    let mut server = Server::with(limits, covet_engine::Settings::default(), move |_, _, reply| {
        let mut other = sender.borrow_mut();
        other
            .as_mut()
            .unwrap()
            .write_all(get("/hello").as_bytes())
            .unwrap();
        let (head, text) = harness::answer(200, "sent");
        reply.send(head, text);
    });
    let mut idle = server.connect();
    server.talk(&mut idle, get("/hello"));
    server.pass_time(SECOND * 5);
    *other.borrow_mut() = Some(idle.stream.try_clone().unwrap());
    let mut busy = server.connect();
    server.settle();
    busy.send(get("/send"));
    server.engine.drain();
    server.settle();
    assert_eq!(body(&busy.receive()), "sent");
    assert_eq!(body(&idle.receive()), "hello");
}

#[test]
fn what_has_arrived_before_the_drain_is_served() {
    let mut server = Server::new();
    let mut known = server.connect();
    server.talk(&mut known, get("/hello"));
    server.pass_time(SECOND * 5);
    let mut unknown = server.connect();
    known.send(get("/hello"));
    unknown.send(get("/hello"));
    server.engine.drain();
    server.settle();
    assert_eq!(body(&known.receive()), "hello");
    assert_eq!(body(&unknown.receive()), "hello");
}

/// A server that streams what comes through the channel, as events or not.
fn streaming(kind: &'static str) -> (Server, Rc<RefCell<Option<BodySender>>>) {
    let sender: Rc<RefCell<Option<BodySender>>> = Rc::default();
    let kept = Rc::clone(&sender);
    let settings = covet_engine::Settings::default();
    let server = Server::with(Limits::default(), settings, move |_, _, reply| {
        let (sender, receiver) = channel(1 << 16);
        *kept.borrow_mut() = Some(sender);
        let mut head = ResponseHead::new(200);
        head.headers.push((
            Bytes::from_static(b"content-type"),
            Bytes::from_static(kind.as_bytes()),
        ));
        reply.send(head, Body::Stream(Box::new(receiver)));
    });
    (server, sender)
}

#[test]
fn a_stream_of_events_ends_in_order_when_the_drain_begins() {
    let (mut server, sender) = streaming("text/event-stream; charset=utf-8");
    let mut client = server.connect();
    server.talk(&mut client, get("/events"));
    sender
        .borrow()
        .as_ref()
        .unwrap()
        .push(Bytes::from_static(b"data: last\n\n"));
    server.engine.drain();
    server.settle();
    let output = client.receive();
    assert!(output.ends_with("data: last\n\n\r\n0\r\n\r\n"), "{output}");
    assert!(client.closed);
    assert!(sender.borrow().as_ref().unwrap().is_closed());
    drop(client);
    server.settle();
    assert!(server.engine.is_drained());
}

#[test]
fn another_stream_is_awaited() {
    let (mut server, sender) = streaming("application/jsonl");
    let mut client = server.connect();
    server.talk(&mut client, get("/lines"));
    server.engine.drain();
    server.pass_time(SECOND * 5);
    assert!(!server.engine.is_drained());
    sender.borrow_mut().take().unwrap().finish();
    server.settle();
    assert!(client.receive().ends_with("0\r\n\r\n"));
}

#[test]
fn a_half_sent_body_is_awaited() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(
        &mut client,
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab",
    );
    server.engine.drain();
    server.pass_time(SECOND * 5);
    assert_eq!(body(&server.talk(&mut client, "cd")), "abcd");
}

#[test]
fn the_deadline_cuts_and_reports_what_held_on() {
    let limits = Limits {
        drain: SECOND * 5,
        ..Limits::default()
    };
    let mut server = Server::with(limits, covet_engine::Settings::default(), |_, _, _| {});
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    let (_, reply) = server.app.unpark();
    reply.set_label("/reports/{id}".into());
    server.engine.drain();
    server.pass_time(SECOND * 4);
    assert!(!server.engine.is_drained());
    server.pass_time(SECOND * 2);
    assert!(server.engine.is_drained() && reply.is_disconnected());
    client.receive();
    assert!(client.closed);
    let report = server.clock.drained.borrow();
    let held = &report.as_ref().unwrap()[0];
    assert_eq!(
        (held.id, held.method.as_str(), held.label.as_deref()),
        (1, "GET", Some("/reports/{id}"))
    );
    assert!(held.age >= SECOND * 5);
}

#[test]
fn a_handler_without_a_client_holds_the_drain_until_it_ends() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    drop(client);
    server.engine.drain();
    server.settle();
    assert!(!server.engine.is_drained());
    drop(server.app.unpark());
    server.settle();
    assert!(server.engine.is_drained());
}

#[test]
fn an_engine_without_work_is_drained_by_the_next_pass() {
    let mut server = Server::new();
    server.engine.drain();
    server.settle();
    assert!(server.engine.is_drained());
}
