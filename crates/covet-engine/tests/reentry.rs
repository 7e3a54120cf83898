//! Foreign code that comes back: into the engine, into replies, from wakers and from drops.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};

use bytes::Bytes;
use covet_engine::{Reply, Settings};
use covet_http::{Body, BodyError, BodyStream, Limits, ResponseHead};
use harness::{Server, body, get};

fn send(reply: Reply, text: &str) {
    let (head, text) = harness::answer(200, text);
    reply.send(head, text);
}

#[test]
fn a_pass_inside_a_pass_only_asks_for_another() {
    let mut server = Server::with(Limits::default(), Settings::default(), |app, _, reply| {
        let engine = app.engine.borrow().clone().unwrap();
        engine.on_ready();
        send(reply, "one");
        engine.on_ready();
        assert_eq!(engine.counters().in_progress, 1);
    });
    let mut client = server.connect();
    let output = server.talk(&mut client, get("/x") + &get("/x") + &get("/x"));
    assert_eq!(output.matches("one").count(), 3);
    assert!(server.clock.rearms.get() > 0);
}

#[test]
fn a_handler_may_answer_other_requests() {
    let mut server = Server::with(Limits::default(), Settings::default(), |app, _, reply| {
        for (_, parked) in app.parked.take() {
            send(parked, "released");
        }
        send(reply, "done");
    });
    let mut waiting: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in &mut waiting {
        client.send(get("/park"));
    }
    server.settle();
    assert_eq!(body(&server.get("/release")), "done");
    for client in &mut waiting {
        assert_eq!(body(&client.receive()), "released");
    }
    assert_eq!(server.engine.counters().in_progress, 0);
}

#[test]
fn an_answer_outside_of_a_pass_is_written_at_once() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    let (_, reply) = server.app.unpark();
    let rearms = server.clock.rearms.get();
    send(reply, "now");
    assert_eq!(body(&client.receive()), "now");
    assert_eq!(server.clock.rearms.get(), rearms, "no other pass is needed");
}

#[test]
fn disconnects_wake_whoever_asked() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    let (_, reply) = server.app.unpark();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    reply.on_disconnect(Waker::from(Arc::clone(&count)));
    reply.on_disconnect(Waker::from(Arc::clone(&count)));
    assert!(!reply.is_disconnected());
    drop(client);
    server.settle();
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert!(reply.is_disconnected());
    reply.on_disconnect(Waker::from(Arc::clone(&count)));
    assert_eq!(count.0.load(Ordering::Relaxed), 3, "at once when it is known");
    send(reply, "to nobody");
    server.settle();
    let counters = server.engine.counters();
    assert_eq!((counters.connections, counters.in_progress), (0, 0));
}

#[test]
fn a_reset_connection_is_a_disconnect_and_frees_its_slot() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    socket2::SockRef::from(&client.stream)
        .set_linger(Some(std::time::Duration::ZERO))
        .unwrap();
    drop(client);
    server.settle();
    let (_, reply) = server.app.unpark();
    assert!(reply.is_disconnected());
    let counters = server.engine.counters();
    assert_eq!((counters.connections, counters.in_progress), (0, 1));
    send(reply, "to nobody");
    assert_eq!(server.engine.counters().in_progress, 0);
    assert_eq!(body(&server.get("/hello")), "hello");
}

/// Does what a Python finaliser might: comes back into the engine while it is dropped.
struct Comeback {
    kept: Rc<RefCell<Option<Reply>>>,
    engine: covet_engine::Engine,
}

impl BodyStream for Comeback {
    fn poll_chunk(&mut self, _: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.engine.on_ready();
        Poll::Ready(None)
    }
}

impl Drop for Comeback {
    fn drop(&mut self) {
        if let Some(reply) = self.kept.take() {
            send(reply, "from a drop");
        }
        self.engine.on_ready();
    }
}

#[test]
fn a_drop_may_come_back() {
    let kept = Rc::new(RefCell::new(None));
    let shared = Rc::clone(&kept);
    let mut server = Server::with(
        Limits::default(),
        Settings::default(),
        move |app, request, reply| {
            if request.head.path.as_ref() == b"/keep" {
                *shared.borrow_mut() = Some(reply);
                return;
            }
            let engine = app.engine.borrow().clone().unwrap();
            let stream = Comeback {
                kept: Rc::clone(&shared),
                engine,
            };
            reply.send(ResponseHead::new(200), Body::Stream(Box::new(stream)));
        },
    );
    let mut waiting = server.connect();
    server.talk(&mut waiting, get("/keep"));
    assert!(server.get("/x").ends_with("0\r\n\r\n"));
    server.settle();
    assert_eq!(body(&waiting.receive()), "from a drop");
    assert!(kept.borrow().is_none());
}

#[test]
fn a_panic_in_a_stream_ends_its_connection_only() {
    struct Bomb;
    impl BodyStream for Bomb {
        fn poll_chunk(&mut self, _: &Waker) -> Poll<Option<Result<Bytes, BodyError>>> {
            panic!("in the stream")
        }
    }
    let mut server = Server::with(Limits::default(), Settings::default(), |_, _, reply| {
        reply.send(ResponseHead::new(200), Body::Stream(Box::new(Bomb)));
    });
    let mut client = server.connect();
    server.talk(&mut client, get("/x"));
    assert!(client.closed && server.log().contains("in the stream"));
    assert_eq!(server.engine.counters().in_progress, 0);
    assert_eq!(body(&server.get("/hello")), "hello");
}

#[test]
fn a_handler_may_close_the_engine() {
    let mut server = Server::with(Limits::default(), Settings::default(), |app, _, reply| {
        let engine = app.engine.borrow().clone().unwrap();
        engine.close();
        send(reply, "bye");
    });
    let mut client = server.connect();
    server.talk(&mut client, get("/x"));
    assert!(client.closed);
    assert_eq!(server.engine.counters().connections, 0);
}

#[test]
fn a_reply_may_outlive_its_engine() {
    let mut server = Server::new();
    let mut client = server.connect();
    server.talk(&mut client, get("/park"));
    let (_, reply) = server.app.unpark();
    drop(server);
    assert!(reply.is_disconnected());
    send(reply, "to nobody");
}
