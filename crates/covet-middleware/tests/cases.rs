//! Runs the literate cases of `tests/middleware/cases` against the Rust objects, made of the data by which the
//! Python classes describe themselves there. `tests/middleware/case.py` describes the format, and
//! `test_cases.py` beside it runs the same files against the Python classes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use covet_http::channel::channel;
use covet_http::{Body, Decoder, Event, Limits, RequestHead, ResponseHead};
use covet_middleware::{
    Cors, CorsOptions, Entry, Fields, Gzip, GzipOptions, Middleware, OriginPredicate, Stack, StoreAnswer,
};
use serde_json::Value;

const DEFAULT: &str = "200\ncontent-length: 5\ncontent-type: text/plain; charset=utf-8\n\nhello";

/// Calls `each` with (name, text) of every section that begins with `mark`, which stands at the start of a line.
fn sections<'a>(text: &'a str, mark: &str) -> Vec<(&'a str, &'a str)> {
    let mut starts: Vec<_> = text.match_indices(mark).map(|(at, _)| at).collect();
    starts.retain(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n');
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let cut = |(start, end): (usize, usize)| text[start + mark.len()..end].split_once('\n').unwrap();
    starts.iter().copied().zip(ends).map(cut).collect()
}

/// The fenced blocks of a section as (info, text).
fn blocks(text: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let inside: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((info, inside.join("\n")));
        }
    }
    found
}

/// `\r \n \t \\ \xNN`, and `{{text*count}}` for repetition.
fn unescape(text: &str) -> Vec<u8> {
    let Some((before, rest)) = text.split_once("{{") else {
        return unescape_plain(text);
    };
    let (repeated, after) = rest.split_once("}}").unwrap();
    let (unit, count) = repeated.rsplit_once('*').unwrap();
    let repeated = unescape_plain(unit).repeat(count.parse().unwrap());
    [unescape_plain(before), repeated, unescape(after)].concat()
}

fn unescape_plain(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escape = if byte == b'\\' { rest.next() } else { None };
        out.push(match escape {
            None => byte,
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            Some(other) => panic!("unknown escape {other}"),
        });
    }
    out
}

fn field(line: &str) -> (Bytes, Bytes) {
    let (name, value) = line.split_once(':').unwrap();
    (name.to_owned().into(), unescape(value.trim()).into())
}

/// An answer as the file has it: of the application or of the middleware around it.
struct Message {
    head: ResponseHead,
    pieces: Vec<Bytes>,
    kind: String,
}

impl Message {
    fn parse(text: &str, kind: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let (status, fields) = head.split_once('\n').unwrap();
        let pieces = body.lines().map(|line| unescape(line).into());
        Self {
            head: ResponseHead {
                status: status.parse().unwrap(),
                headers: fields.lines().map(field).collect(),
            },
            pieces: pieces.collect(),
            kind: kind.to_owned(),
        }
    }

    /// The body as an endpoint gives it. ASGI has no word for a stream without a piece: that is an empty body.
    fn body(&self) -> Body {
        if self.kind != "stream" || self.pieces.is_empty() {
            return Bytes::from(self.pieces.concat()).into();
        }
        let (sender, receiver) = channel(usize::MAX);
        for piece in &self.pieces {
            sender.push(piece.clone());
        }
        sender.finish();
        Body::Stream(Box::new(receiver))
    }

    /// Compares with what came out, whose bytes are `raw`.
    fn check(&self, name: &str, head: &ResponseHead, raw: &[u8]) {
        let mut expected = self.head.clone();
        expected
            .headers
            .retain(|(field, _)| !field.ends_with(b"?") || head.get(&field[..field.len() - 1]).is_some());
        for (field, value) in &mut expected.headers {
            *field = Bytes::copy_from_slice(field.strip_suffix(b"?").unwrap_or(field));
            if value == "{length}" {
                *value = raw.len().to_string().into();
            }
        }
        assert_eq!(*head, expected, "{name}");
        let plain = if self.kind == "gzip" {
            inflate(raw)
        } else {
            raw.to_vec()
        };
        assert_eq!(plain, self.pieces.concat(), "{name}");
    }
}

fn inflate(raw: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(raw);
    decoder.read_to_end(&mut plain).unwrap();
    assert!(
        decoder.into_inner().is_empty(),
        "bytes after the end of the gzip stream"
    );
    plain
}

fn request(text: &str) -> RequestHead {
    let (method, fields) = text.split_once('\n').unwrap_or((text, ""));
    let mut bytes = BytesMut::from(format!("{method} / HTTP/1.1\r\nhost: h\r\n").as_str());
    for (name, value) in fields.lines().map(field) {
        bytes.extend_from_slice(&[&name, ": ".as_bytes(), &value, b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    match Decoder::new().decode(&mut bytes, &Limits::default()) {
        Ok(Event::Head(head)) => *head,
        other => panic!("{text}: {other:?}"),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().unwrap().iter();
    items.map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Pairs of Latin-1 text.
fn fields(value: &Value) -> Fields {
    let bytes = |text: &String| text.chars().map(|char| u8::try_from(char).unwrap()).collect();
    let pairs = value.as_array().unwrap().iter().map(texts);
    pairs.map(|pair| (bytes(&pair[0]), bytes(&pair[1]))).collect()
}

/// The patterns of the cases mean the same to Python.
fn full_match(pattern: &str) -> OriginPredicate {
    let pattern = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
    Box::new(move |origin| pattern.is_match(origin))
}

fn middleware(rule: &str, data: &Value) -> Arc<dyn Middleware> {
    let flag = |name: &str| data[name].as_bool().unwrap();
    let size = |name: &str| usize::try_from(data[name].as_u64().unwrap()).unwrap();
    match rule {
        "cors" => Arc::new(Cors::new(CorsOptions {
            allow_origins: texts(&data["allow_origins"]),
            allow_all_origins: flag("allow_all_origins"),
            allow_origin_regex: data["allow_origin_regex"].as_str().map(full_match),
            allow_methods: texts(&data["allow_methods"]),
            allow_headers: texts(&data["allow_headers"]),
            allow_all_headers: flag("allow_all_headers"),
            allow_credentials: flag("allow_credentials"),
            allow_private_network: flag("allow_private_network"),
            preflight_explicit_allow_origin: flag("preflight_explicit_allow_origin"),
            simple_headers: fields(&data["simple_headers"]),
            preflight_headers: fields(&data["preflight_headers"]),
        })),
        "gzip" => Arc::new(Gzip::new(GzipOptions {
            minimum_size: size("minimum_size"),
            compresslevel: size("compresslevel").try_into().unwrap(),
            thread_minimum_size: size("thread_minimum_size"),
            exclude_content_types: texts(&data["exclude_content_types"]),
        })),
        other => panic!("unknown rule {other}"),
    }
}

/// What a client gets: the head and the bytes of the body.
fn answer(stack: &Stack, request: RequestHead, app: &Message) -> (ResponseHead, Vec<u8>) {
    let entry = stack.enter(&request, Instant::now(), |_| StoreAnswer::Unavailable);
    let (entered, mut head, body) = match entry {
        Entry::Through => (stack.len(), app.head.clone(), app.body()),
        Entry::Answered(entered, head, body) => (entered, head, body),
    };
    let raw = match stack.leave(entered, &request, &mut head, body) {
        Body::Empty => Vec::new(),
        Body::Full(bytes) => bytes.into(),
        Body::Stream(mut stream) => {
            let mut raw = Vec::new();
            loop {
                match stream.poll_chunk(Waker::noop()) {
                    Poll::Pending => {}
                    Poll::Ready(Some(piece)) => raw.extend_from_slice(&piece.unwrap()),
                    Poll::Ready(None) => break raw,
                }
            }
        }
    };
    (head, raw)
}

/// Runs all cases of a file; gives their number.
fn run(rule: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/middleware/cases");
    let text = fs::read_to_string(path.join(format!("{rule}.md"))).unwrap();
    let mut count = 0;
    for (group, text) in sections(&text, "## ") {
        let given = blocks(text);
        let (_, data) = given.iter().find(|(info, _)| *info == "native").unwrap();
        let stack = Stack::new(vec![middleware(rule, &serde_json::from_str(data).unwrap())]);
        for (name, text) in sections(text, "### ") {
            let mut asked = None;
            let mut app = Message::parse(DEFAULT, "");
            for (info, text) in blocks(text) {
                let (block, kind) = info.split_once(' ').unwrap_or((info, ""));
                match block {
                    "request" => asked = Some(request(&text)),
                    "app" => app = Message::parse(&text, kind),
                    _ => {
                        let (head, raw) = answer(&stack, asked.take().unwrap(), &app);
                        Message::parse(&text, kind).check(&format!("{group}: {name}"), &head, &raw);
                        count += 1;
                    }
                }
            }
        }
    }
    count
}

#[test]
fn cors_answers_like_the_python_class() {
    assert!(run("cors") >= 40);
}

#[test]
fn gzip_answers_like_the_python_class() {
    assert!(run("gzip") >= 30);
}
