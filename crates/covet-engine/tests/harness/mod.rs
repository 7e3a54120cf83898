//! A plain loop around an engine for the tests: a fake clock, real loopback sockets, one thread.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use covet_engine::{
    AccessRecord, Address, Admission, Endpoint, Engine, Held, Listener, Peer, Record, Reply, Request,
    Runtime, Settings,
};
use covet_http::{Body, Limits, RequestHead, ResponseHead};

/// Time stands still unless a test moves it.
pub struct Clock {
    start: Instant,
    passed: Cell<Duration>,
    again: Cell<bool>,
    pub rearms: Cell<u32>,
    pub log: RefCell<Vec<String>>,
    pub access: RefCell<Vec<String>>,
    pub drained: RefCell<Option<Vec<Held>>>,
}

impl Runtime for Clock {
    fn now(&self) -> Instant {
        self.start + self.passed.get()
    }

    fn unix_time(&self) -> u64 {
        784_111_777 + self.passed.get().as_secs()
    }

    fn rearm(&self) {
        self.rearms.set(self.rearms.get() + 1);
        self.again.set(true);
    }

    fn log(&self, record: &Record<'_>) {
        self.log.borrow_mut().push(format!("{record:?}"));
    }

    fn access(&self, record: &AccessRecord<'_>) {
        let target = String::from_utf8_lossy(record.target).into_owned();
        let mut line = format!("{} {target} {} {}", record.method, record.status, record.bytes);
        if let Some(id) = record.request_id {
            line.push_str(&format!(" {}", String::from_utf8_lossy(id)));
        }
        if !record.duration.is_zero() {
            line.push_str(&format!(" {:?}", record.duration));
        }
        self.access.borrow_mut().push(line);
    }

    fn drained(&self, held: &[Held]) {
        assert!(
            self.drained.borrow_mut().replace(held.to_vec()).is_none(),
            "drained twice"
        );
    }
}

type Call = dyn Fn(&App, Request, Reply);

/// An application for tests: a few fixed paths, and whatever a test adds.
pub struct App {
    pub parked: RefCell<Vec<(Request, Reply)>>,
    pub calls: Cell<u32>,
    pub engine: RefCell<Option<Engine>>,
    extra: Box<Call>,
}

pub fn answer(status: u16, text: &str) -> (ResponseHead, Body) {
    (
        ResponseHead::new(status),
        Bytes::copy_from_slice(text.as_bytes()).into(),
    )
}

impl Endpoint for App {
    fn admit(&self, head: &RequestHead, _: &Peer) -> Admission {
        match head.path.as_ref() {
            b"/early" => {
                let (head, body) = answer(403, "early");
                Admission::Answer(head, body)
            }
            path if path.starts_with(b"/stream") => Admission::Streaming,
            path if path.starts_with(b"/small") => Admission::Buffered { max: 100 },
            _ => Admission::Buffered { max: 1 << 20 },
        }
    }

    fn call(&self, request: Request, reply: Reply) {
        self.calls.set(self.calls.get() + 1);
        let text = match &request.body {
            Body::Full(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        let path = String::from_utf8_lossy(&request.head.path).into_owned();
        let (head, body) = match path.as_str() {
            "/hello" => answer(200, "hello"),
            "/echo" | "/small" => answer(200, &text),
            "/gone" => answer(204, "never sent"),
            "/split" => {
                let mut head = ResponseHead::new(200);
                head.headers
                    .push((Bytes::from_static(b"x"), Bytes::from_static(b"a\r\nb: c")));
                (head, Body::Empty)
            }
            "/drop" => return,
            "/panic" => panic!("on purpose"),
            path if path.contains("park") => return self.parked.borrow_mut().push((request, reply)),
            path if path.starts_with("/number/") => answer(200, &path["/number/".len()..]),
            _ => return (self.extra)(self, request, reply),
        };
        reply.send(head, body);
    }
}

impl App {
    pub fn unpark(&self) -> (Request, Reply) {
        self.parked.borrow_mut().remove(0)
    }
}

pub struct Server {
    pub engine: Engine,
    pub clock: Rc<Clock>,
    pub app: Rc<App>,
    outer: mio::Poll,
    events: mio::Events,
}

impl Server {
    pub fn new() -> Self {
        Self::with(Limits::default(), Settings::default(), |_, _, reply| {
            let (head, body) = answer(404, "nothing here");
            reply.send(head, body);
        })
    }

    pub fn with(limits: Limits, settings: Settings, extra: impl Fn(&App, Request, Reply) + 'static) -> Self {
        let listener = Listener::tcp(([127, 0, 0, 1], 0).into(), 2048, false).unwrap();
        Self::on(listener, limits, settings, extra)
    }

    pub fn on(
        listener: Listener,
        limits: Limits,
        settings: Settings,
        extra: impl Fn(&App, Request, Reply) + 'static,
    ) -> Self {
        let clock = Rc::new(Clock {
            start: Instant::now(),
            passed: Cell::default(),
            again: Cell::default(),
            rearms: Cell::default(),
            log: RefCell::default(),
            access: RefCell::default(),
            drained: RefCell::default(),
        });
        let app = Rc::new(App {
            parked: RefCell::default(),
            calls: Cell::default(),
            engine: RefCell::default(),
            extra: Box::new(extra),
        });
        let engine = Engine::new(vec![listener], app.clone(), clock.clone(), limits, settings).unwrap();
        *app.engine.borrow_mut() = Some(engine.clone());
        let outer = mio::Poll::new().unwrap();
        let descriptor = engine.epoll_fd();
        let mut source = mio::unix::SourceFd(&descriptor);
        outer
            .registry()
            .register(&mut source, mio::Token(0), mio::Interest::READABLE)
            .unwrap();
        Self {
            engine,
            clock,
            app,
            outer,
            events: mio::Events::with_capacity(8),
        }
    }

    pub fn address(&self) -> SocketAddr {
        match self.engine.addresses().as_slice() {
            [Address::Tcp(address)] => *address,
            other => panic!("{other:?}"),
        }
    }

    pub fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address()).unwrap())
    }

    /// One pass, and the wait before it.
    pub fn turn(&mut self, wait: Duration) -> bool {
        let again = self.clock.again.take();
        self.outer
            .poll(&mut self.events, Some(if again { Duration::ZERO } else { wait }))
            .unwrap();
        let busy = again || !self.events.is_empty();
        self.engine.on_ready();
        busy
    }

    /// Runs until nothing has happened for a while.
    pub fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 3 {
            quiet = if self.turn(Duration::from_millis(2)) {
                0
            } else {
                quiet + 1
            };
        }
    }

    /// Moves the clock, a step at a time as a timer would.
    pub fn pass_time(&mut self, time: Duration) {
        let target = self.clock.passed.get() + time;
        while self.clock.passed.get() < target {
            let next = (self.clock.passed.get() + Duration::from_millis(100)).min(target);
            self.clock.passed.set(next);
            self.engine.on_ready();
            while self.clock.again.take() {
                self.engine.on_ready();
            }
        }
        self.settle();
    }

    /// Sends bytes and gives what came back when all was quiet again.
    pub fn talk<S: Read + Write>(&mut self, client: &mut Client<S>, input: impl AsRef<[u8]>) -> String {
        client.send(input);
        self.settle();
        client.receive()
    }

    /// A request without a body on a connection of its own.
    pub fn get(&mut self, path: &str) -> String {
        let mut client = self.connect();
        self.talk(&mut client, get(path))
    }

    pub fn log(&self) -> String {
        self.clock.log.borrow().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.app.engine.take();
        self.engine.close();
    }
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")
}

pub fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A client that never blocks on reading.
pub struct Client<S = TcpStream> {
    pub stream: S,
    pub closed: bool,
}

impl Client<TcpStream> {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self {
            stream,
            closed: false,
        }
    }

    pub fn half_close(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

impl<S: Read + Write> Client<S> {
    /// Everything must fit the socket's buffers.
    pub fn send(&mut self, input: impl AsRef<[u8]>) {
        self.stream.write_all(input.as_ref()).unwrap();
    }

    /// What is there; `closed` says whether the end was seen.
    pub fn receive_bytes(&mut self, most: usize) -> Vec<u8> {
        let mut all = Vec::new();
        let mut piece = vec![0; 64 << 10];
        while all.len() < most {
            match self.stream.read(&mut piece) {
                Ok(0) => {
                    self.closed = true;
                    break;
                }
                Ok(len) => all.extend_from_slice(&piece[..len]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    self.closed = true;
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        all
    }

    pub fn receive(&mut self) -> String {
        String::from_utf8(self.receive_bytes(usize::MAX)).unwrap()
    }
}

/// The body of an answer that has its length.
pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
