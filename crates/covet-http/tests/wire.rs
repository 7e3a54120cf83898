//! Runs the literate cases of `tests/wire/cases` against the decoder alone, in one piece and byte by byte.
//! `tests/wire/test_wire.py` sends the same files to a running server; the format is described there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::path::Path;

use bytes::BytesMut;
use covet_http::{Decoder, Event, Limits};

/// One step of a case: bytes to send, or what must have been answered.
#[derive(Debug)]
enum Step {
    Send { bytes: Vec<u8>, eof: bool },
    Expect(Vec<String>),
}

#[derive(Debug)]
struct Case {
    name: String,
    steps: Vec<Step>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire/cases");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().flat_map(|file| parse_file(file)).collect()
}

fn parse_file(file: &Path) -> Vec<Case> {
    let mut found: Vec<Case> = Vec::new();
    let mut block: Option<(String, Vec<String>)> = None;
    for line in fs::read_to_string(file).unwrap().lines() {
        match (&mut block, line) {
            (Some(_), "```") => {
                let (info, lines) = block.take().unwrap();
                found
                    .last_mut()
                    .expect("a block belongs to a case")
                    .steps
                    .push(step(&info, &lines));
            }
            (Some((_, lines)), _) => lines.push(line.to_owned()),
            (None, _) => {
                if let Some(name) = line.strip_prefix("## ") {
                    let name = format!("{}: {name}", file.file_stem().unwrap().to_string_lossy());
                    found.push(Case {
                        name,
                        steps: Vec::new(),
                    });
                } else if let Some(info) = line.strip_prefix("```") {
                    block = Some((info.to_owned(), Vec::new()));
                }
            }
        }
    }
    found
}

fn step(info: &str, lines: &[String]) -> Step {
    match info {
        "http" => Step::Send {
            bytes: unescape(&lines.concat()),
            eof: false,
        },
        "http eof" => Step::Send {
            bytes: unescape(&lines.concat()),
            eof: true,
        },
        // Indented lines are about answer headers, which only a server writes.
        "expect" => Step::Expect(
            lines
                .iter()
                .filter(|line| !line.starts_with(' '))
                .cloned()
                .collect(),
        ),
        other => panic!("unknown block {other}"),
    }
}

/// `\r \n \t \0 \\ \xNN`, and `{{text*count}}` for repetition.
fn unescape(text: &str) -> Vec<u8> {
    let Some(start) = text.find("{{") else {
        return unescape_plain(text);
    };
    let end = start + text[start..].find("}}").unwrap();
    let (unit, count) = text[start + 2..end].rsplit_once('*').unwrap();
    let repeated = unescape_plain(unit).repeat(count.parse().unwrap());
    [
        unescape_plain(&text[..start]),
        repeated,
        unescape(&text[end + 2..]),
    ]
    .concat()
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
            Some(b'0') => 0,
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

fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        match byte {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

/// The decoder with the least that a server would put around it.
struct Peer {
    decoder: Decoder,
    limits: Limits,
    buf: BytesMut,
    request: String,
    body: Vec<u8>,
    waiting: bool,
    closing: bool,
    answers: Vec<String>,
}

impl Peer {
    fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            limits: Limits::default(),
            buf: BytesMut::new(),
            request: String::new(),
            body: Vec::new(),
            waiting: false,
            closing: false,
            answers: Vec::new(),
        }
    }

    fn send(&mut self, bytes: &[u8], eof: bool) {
        self.buf.extend_from_slice(bytes);
        while !self.closing || self.decoder.in_body() {
            match self.decoder.decode(&mut self.buf, &self.limits) {
                Ok(Event::NeedMore) => break,
                Ok(event) => self.take(event),
                Err(refusal) => return self.refuse(&refusal),
            }
        }
        if self.waiting {
            self.waiting = false;
            self.answers.push("100".into());
        }
        if eof {
            if let Err(refusal) = self.decoder.finish(&self.buf) {
                self.refuse(&refusal);
            }
            self.closing = true;
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::NeedMore => {}
            Event::Head(head) => {
                let mark = if head.query.is_empty() { "" } else { "?" };
                let target = format!("{}{mark}{}", escape(&head.path), escape(&head.query));
                self.request = format!("{} {target}", head.method.as_str());
                self.waiting = head.expect_continue;
                self.closing = !head.keep_alive;
            }
            Event::Chunk(chunk) => {
                self.waiting = false;
                self.body.extend_from_slice(&chunk);
            }
            Event::End => {
                let body = escape(&std::mem::take(&mut self.body));
                // What HEAD is answered with has no body, whatever was sent.
                let body = if self.request.starts_with("HEAD ") {
                    String::new()
                } else {
                    body
                };
                self.answers.push(format!("200 {} \"{body}\"", self.request));
            }
        }
    }

    fn refuse(&mut self, refusal: &covet_http::Refusal) {
        self.waiting = false;
        self.closing = true;
        let setting = refusal.setting.map(|name| format!(" {name}")).unwrap_or_default();
        self.answers.push(format!("{}{setting}", refusal.status));
    }
}

fn run(case: &Case, piece: usize) {
    let mut peer = Peer::new();
    for step in &case.steps {
        match step {
            Step::Send { bytes, eof } => {
                let mut pieces = bytes.chunks(piece.min(bytes.len())).peekable();
                while let Some(part) = pieces.next() {
                    if !peer
                        .answers
                        .iter()
                        .any(|answer| answer.starts_with('4') || answer.starts_with('5'))
                    {
                        peer.send(part, *eof && pieces.peek().is_none());
                    }
                }
            }
            Step::Expect(lines) => {
                let mut seen = std::mem::take(&mut peer.answers);
                if lines.last().is_some_and(|line| line == "open" || line == "close") {
                    seen.push(if peer.closing { "close" } else { "open" }.into());
                }
                // A body that drips in looks like a client that waits.
                seen.retain(|answer| piece > 1 || answer != "100");
                let wanted: Vec<_> = lines.iter().filter(|line| piece > 1 || *line != "100").collect();
                assert_eq!(
                    seen.iter().collect::<Vec<_>>(),
                    wanted,
                    "{}, pieces of {piece}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn every_case_in_one_piece() {
    let cases = cases();
    assert!(cases.len() > 100, "only {} cases were found", cases.len());
    cases.iter().for_each(|case| run(case, usize::MAX));
}

#[test]
fn every_case_byte_by_byte() {
    cases().iter().for_each(|case| run(case, 1));
}

#[test]
fn every_case_in_pieces_of_seven() {
    for case in cases().iter().filter(|case| !case.name.starts_with("expect")) {
        run(case, 7);
    }
}
