//! The smallest server on the engine: a plain loop, no Python, every request answered `Hello, World!`.
//! It shows what an event loop has to do for the engine, and what the engine costs:
//! `cargo run --release -p covet-engine --example constant 8000`, then `wrk -t1 -c64 -d3 http://127.0.0.1:8000/`.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use covet_engine::{Admission, Endpoint, Engine, Listener, Peer, Record, Reply, Request, Runtime, Settings};
use covet_http::{Body, Limits, RequestHead, ResponseHead};

struct Hello;

impl Endpoint for Hello {
    fn admit(&self, _: &RequestHead, _: &Peer) -> Admission {
        Admission::Buffered { max: 1 << 20 }
    }

    fn call(&self, _: Request, reply: Reply) {
        let mut head = ResponseHead::new(200);
        head.headers.push((
            Bytes::from_static(b"content-type"),
            Bytes::from_static(b"text/plain"),
        ));
        reply.send(head, Body::Full(Bytes::from_static(b"Hello, World!")));
    }
}

#[derive(Default)]
struct Loop {
    again: Cell<bool>,
}

impl Runtime for Loop {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn unix_time(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }

    fn rearm(&self) {
        self.again.set(true);
    }

    fn log(&self, record: &Record<'_>) {
        eprintln!("{record:?}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args()
        .nth(1)
        .map_or(Ok(8000), |port| port.parse::<u16>())?;
    let listener = Listener::tcp(([127, 0, 0, 1], port).into(), 1024, false)?;
    println!("{:?}", listener.address());
    let runtime = Rc::new(Loop::default());
    let engine = Engine::new(
        vec![listener],
        Rc::new(Hello),
        runtime.clone(),
        Limits::default(),
        Settings::default(),
    )?;

    let mut outer = mio::Poll::new()?;
    let descriptor = engine.epoll_fd();
    let mut source = mio::unix::SourceFd(&descriptor);
    outer
        .registry()
        .register(&mut source, mio::Token(0), mio::Interest::READABLE)?;
    let mut events = mio::Events::with_capacity(4);
    loop {
        engine.on_ready();
        match outer.poll(&mut events, runtime.again.take().then_some(Duration::ZERO)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => other?,
        }
    }
}
