//! Many clients at once, most of them rude: nobody who behaves notices, and nothing is left behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use harness::{Server, get, post};

/// What one client does on a connection of its own; true when it was served as it should be.
fn visit(address: SocketAddr, kind: usize) -> bool {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let reset = |stream: &TcpStream| {
        socket2::SockRef::from(stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    };
    match kind {
        0 => {
            for _ in 0..20 {
                let mut answer = [0; 1024];
                stream.write_all(get("/hello").as_bytes()).unwrap();
                let len = stream.read(&mut answer).unwrap_or(0);
                if !answer[..len].ends_with(b"hello") {
                    return false;
                }
            }
        }
        1 => {
            let last = "GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
            stream
                .write_all((get("/number/1").repeat(50) + last).as_bytes())
                .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            return answer.matches("HTTP/1.1 200").count() == 51;
        }
        2 => stream.write_all(b"GET /hello HTT").unwrap(),
        3 => {
            stream
                .write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc")
                .unwrap();
            reset(&stream);
        }
        4 => {
            stream.write_all(get("/endless").as_bytes()).unwrap();
            stream.read_exact(&mut [0; 2000]).unwrap();
            reset(&stream);
        }
        5 => {
            stream.write_all(get("/hello").repeat(100).as_bytes()).unwrap();
            reset(&stream);
        }
        6 => stream.write_all(b"\r\n\r\nnonsense").unwrap(),
        _ => {
            let text = "text ".repeat(20_000);
            stream.write_all(post("/echo", &text).as_bytes()).unwrap();
            let mut answer = vec![0; text.len()];
            return stream.read_exact(&mut answer).is_ok();
        }
    }
    true
}

struct Endless;

impl covet_http::BodyStream for Endless {
    fn poll_chunk(
        &mut self,
        _: &std::task::Waker,
    ) -> std::task::Poll<Option<Result<bytes::Bytes, covet_http::BodyError>>> {
        std::task::Poll::Ready(Some(Ok(bytes::Bytes::from_static(&[b'x'; 8192]))))
    }
}

#[test]
fn rude_clients_leave_nothing_behind() {
    let limits = covet_http::Limits::default();
    let mut server = Server::with(limits, covet_engine::Settings::default(), |_, _, reply| {
        let head = covet_http::ResponseHead::new(200);
        reply.send(head, covet_http::Body::Stream(Box::new(Endless)));
    });
    let address = server.address();
    let crowd: Vec<_> = (0..16)
        .map(|seed: usize| {
            std::thread::spawn(move || (0..40).all(|round| visit(address, (seed + round * 5) % 8)))
        })
        .collect();
    let start = Instant::now();
    while crowd.iter().any(|client| !client.is_finished()) {
        server.turn(Duration::from_millis(1));
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "somebody waits for ever"
        );
    }
    for client in crowd {
        assert!(client.join().unwrap(), "a client that behaves was not served");
    }
    server.settle();
    server.pass_time(Duration::from_secs(3));
    let counters = server.engine.counters();
    assert_eq!((counters.connections, counters.in_progress), (0, 0));
    assert_eq!(counters.accepted, 640);
}

#[test]
fn a_thousand_slow_heads_do_not_slow_a_healthy_client() {
    let mut server = Server::new();
    let mut slow: Vec<_> = (0..1000).map(|_| server.connect()).collect();
    for client in &mut slow {
        client.send("GET /hello HTTP/1.1\r\n");
    }
    server.settle();
    let mut healthy = server.connect();
    let start = Instant::now();
    for _ in 0..20 {
        slow.iter_mut().for_each(|client| client.send("a: b\r\n"));
        healthy.send(get("/hello"));
        let mut answer = String::new();
        while answer.is_empty() {
            server.turn(Duration::from_millis(1));
            answer = healthy.receive();
        }
        assert!(answer.ends_with("hello"));
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    server.pass_time(Duration::from_secs(11));
    assert!(
        slow.iter_mut()
            .all(|client| client.receive().starts_with("HTTP/1.1 408"))
    );
    drop(slow);
    server.settle();
    assert_eq!(server.engine.counters().connections, 1);
}
