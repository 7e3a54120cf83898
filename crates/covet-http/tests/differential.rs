//! What our decoder accepts, two servers of strangers frame alike: same requests, same bodies, same ends.
//! hyper runs as a whole server over memory; actix-http is driven at its codec. Both read heads with httparse as
//! we do, but frame bodies with code of their own, which is where smuggling lives; `tests/wire/test_wire.py`
//! compares with h11, which shares nothing. Being stricter than they are is fine, and counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use actix_codec::Decoder as _;
use bytes::{Bytes, BytesMut};
use covet_http::{Decoder, Event, Limits};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use proptest::test_runner::{Config, TestRunner};

mod streams;

/// A request as a server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    method: String,
    target: String,
    body: Vec<u8>,
}

/// The complete messages, and whether the server stopped by itself (refused, or closed as asked).
#[derive(Debug, Default)]
struct Reading {
    messages: Vec<Message>,
    stopped: bool,
}

fn read_ours(input: &[u8]) -> Reading {
    let (limits, mut decoder, mut buf) = (Limits::default(), Decoder::new(), BytesMut::from(input));
    let mut reading = Reading::default();
    let mut message = None;
    let mut last = false;
    while !reading.stopped {
        match decoder.decode(&mut buf, &limits) {
            Err(_) => reading.stopped = true,
            Ok(Event::NeedMore) => break,
            Ok(Event::Head(head)) => {
                let mark = if head.query.is_empty() { "" } else { "?" };
                let path = String::from_utf8(head.path.to_vec()).unwrap();
                let target = format!("{path}{mark}{}", std::str::from_utf8(&head.query).unwrap());
                message = Some(Message {
                    method: head.method.as_str().into(),
                    target,
                    body: Vec::new(),
                });
                last = !head.keep_alive;
            }
            Ok(Event::Chunk(chunk)) => message.as_mut().unwrap().body.extend_from_slice(&chunk),
            Ok(Event::End) => {
                reading.messages.push(message.take().unwrap());
                reading.stopped = last;
            }
        }
    }
    reading
}

fn target_of(uri: &hyper::Uri) -> String {
    let mark = if uri.query().unwrap_or_default().is_empty() {
        ""
    } else {
        "?"
    };
    format!("{}{mark}{}", uri.path(), uri.query().unwrap_or_default())
}

/// A socket whose peer has sent everything and reads whatever comes.
struct Memory(Vec<u8>, usize);

impl hyper::rt::Read for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buf: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let len = buf.remaining().min(self.0.len() - self.1);
        buf.put_slice(&self.0[self.1..self.1 + len]);
        self.1 += len;
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Memory {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn read_hyper(input: &[u8]) -> Reading {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let seen = Rc::clone(&seen);
        async move {
            let (method, target) = (request.method().to_string(), target_of(request.uri()));
            if let Ok(body) = request.into_body().collect().await {
                seen.borrow_mut().push(Message {
                    method,
                    target,
                    body: body.to_bytes().to_vec(),
                });
            }
            Ok::<_, Infallible>(hyper::Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut builder = http1::Builder::new();
    builder.half_close(true);
    let mut connection = pin!(builder.serve_connection(Memory(input.to_vec(), 0), service));
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&flag));
    while flag.0.swap(false, Ordering::Relaxed) {
        if connection
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            break;
        }
    }
    // Everything was sent, so hyper always stops in the end; why does not matter here.
    Reading {
        messages: seen.take(),
        stopped: true,
    }
}

fn read_actix(input: &[u8]) -> Reading {
    let mut codec = actix_http::h1::Codec::default();
    let mut buf = BytesMut::from(input);
    let mut reading = Reading::default();
    let mut message: Option<Message> = None;
    while !reading.stopped {
        match codec.decode(&mut buf) {
            Err(_) => reading.stopped = true,
            Ok(None) => break,
            Ok(Some(actix_http::h1::Message::Item(head))) => {
                let target = target_of(&head.uri().to_string().parse().unwrap());
                let begun = Message {
                    method: head.method().to_string(),
                    target,
                    body: Vec::new(),
                };
                match codec.message_type() {
                    actix_http::h1::MessageType::None => reading.messages.push(begun),
                    _ => message = Some(begun),
                }
            }
            Ok(Some(actix_http::h1::Message::Chunk(Some(chunk)))) => {
                message.as_mut().unwrap().body.extend_from_slice(&chunk);
            }
            Ok(Some(actix_http::h1::Message::Chunk(None))) => reading.messages.push(message.take().unwrap()),
        }
    }
    reading
}

/// How many messages both saw, or where they differ.
fn compare(ours: &Reading, theirs: &Reading) -> Result<usize, String> {
    let both = ours.messages.len().min(theirs.messages.len());
    if ours.messages[..both] != theirs.messages[..both] {
        return Err(format!(
            "different messages\nours:   {ours:?}\ntheirs: {theirs:?}"
        ));
    }
    if theirs.messages.len() > both && !ours.stopped {
        return Err(format!(
            "they see more than we do\nours:   {ours:?}\ntheirs: {theirs:?}"
        ));
    }
    if ours.messages.len() > both && !theirs.stopped {
        return Err(format!(
            "we see more than they do\nours:   {ours:?}\ntheirs: {theirs:?}"
        ));
    }
    Ok(both)
}

fn compare_many(theirs: impl Fn(&[u8]) -> Reading) {
    let (ours, agreed) = (Cell::new(0), Cell::new(0));
    let defaults = Config::default();
    // `PROPTEST_CASES` may ask for more.
    let cases = defaults.cases.max(8_000);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..defaults
    });
    let outcome = runner.run(&streams::stream(1), |input| {
        let accepted = read_ours(&input);
        let both = compare(&accepted, &theirs(&input)).map_err(proptest::test_runner::TestCaseError::fail)?;
        ours.set(ours.get() + accepted.messages.len());
        agreed.set(agreed.get() + both);
        Ok(())
    });
    outcome.unwrap();
    println!("{} messages accepted, {} seen by both", ours.get(), agreed.get());
    assert!(
        ours.get() > 2_000,
        "too few messages for a comparison: {}",
        ours.get()
    );
    assert!(
        agreed.get() * 10 > ours.get() * 8,
        "they refuse too much: {} of {}",
        agreed.get(),
        ours.get()
    );
}

#[test]
fn hyper_frames_alike() {
    compare_many(read_hyper);
}

#[test]
fn actix_frames_alike() {
    // Its codec wants a runtime for its clock.
    actix_rt::System::new().block_on(async { compare_many(read_actix) });
}
