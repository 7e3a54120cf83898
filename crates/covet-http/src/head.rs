//! A complete request head: `httparse` cuts it into tokens, this file decides what they mean and whether
//! they are acceptable. Called by the decoder only, once per request, with a head whose size was checked.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};

use crate::framing::{Announced, Framing};
use crate::headers::{Field, Headers};
use crate::host;
use crate::method::Method;
use crate::refusal::Refusal;
use crate::scan::Extent;
use crate::target::{self, Target};
use crate::token;

/// The request line and header fields of one request, checked. Every `Bytes` shares one piece of memory.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The request target as it came.
    pub target: Bytes,
    /// The path as it came, still percent-encoded: what precedes the `?`, without scheme and authority.
    pub path: Bytes,
    /// What follows the first `?`, as it came; empty without one.
    pub query: Bytes,
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub minor: u8,
    /// The header fields.
    pub headers: Headers,
    /// Whether the client wants to send another request on this connection.
    pub keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// How the body is delimited.
    pub framing: Framing,
}

/// Takes the head that `extent` describes off the front of `buf`.
pub(crate) fn take(buf: &mut BytesMut, extent: Extent) -> Result<RequestHead, Refusal> {
    let line = tokenise(buf.get(..extent.len).unwrap_or_default(), extent.fields)?;
    let mut block = buf.split_to(extent.len);
    for field in &line.fields {
        let start = field.name as usize;
        if let Some(name) = block.get_mut(start..start + field.name_len as usize) {
            name.make_ascii_lowercase();
        }
    }
    interpret(block.freeze(), line)
}

/// Offsets of the tokens in a head.
struct Tokens {
    method: usize,
    target: usize,
    target_len: usize,
    minor: u8,
    fields: Vec<Field>,
}

fn tokenise(head: &[u8], fields: usize) -> Result<Tokens, Refusal> {
    // A usual head fits the small table; nothing is zeroed for it.
    if fields <= 32 {
        tokenise_into(head, &mut [const { MaybeUninit::uninit() }; 32])
    } else {
        let mut table = Vec::new();
        table.resize_with(fields, MaybeUninit::uninit);
        tokenise_into(head, &mut table)
    }
}

fn tokenise_into<'a>(
    head: &'a [u8],
    table: &mut [MaybeUninit<httparse::Header<'a>>],
) -> Result<Tokens, Refusal> {
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(head, table) {
        Ok(httparse::Status::Complete(len)) if len == head.len() => {}
        Ok(_) => return Err(Refusal::bad("malformed request head")),
        Err(error) => return Err(malformed(error)),
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Refusal::bad("malformed request line"));
    };
    let start = head.as_ptr() as usize;
    let offset = |part: &[u8]| (part.as_ptr() as usize).wrapping_sub(start);
    let fields = request.headers.iter().map(|field| Field {
        name: offset(field.name.as_bytes()) as u32,
        name_len: field.name.len() as u32,
        value: offset(field.value) as u32,
        value_len: field.value.len() as u32,
    });
    Ok(Tokens {
        method: method.len(),
        target: offset(target.as_bytes()),
        target_len: target.len(),
        minor,
        fields: fields.collect(),
    })
}

fn malformed(error: httparse::Error) -> Refusal {
    Refusal::bad(match error {
        httparse::Error::HeaderName => "malformed header name",
        httparse::Error::HeaderValue => "malformed header value",
        httparse::Error::NewLine => "malformed line end",
        _ => "malformed request line",
    })
}

fn interpret(block: Bytes, tokens: Tokens) -> Result<RequestHead, Refusal> {
    let method_name = block.get(..tokens.method).unwrap_or_default();
    let method = match Method::known(method_name) {
        Some(method) => method,
        None => Method::Other(block.slice_ref(method_name)),
    };
    let target = block.slice(tokens.target..tokens.target + tokens.target_len);
    let Target {
        path,
        query,
        authority,
    } = target::split(&method, &target)?;
    let headers = Headers::new(block, tokens.fields);
    let meaning = Meaning::read(&headers, tokens.minor)?;
    if let (Some((named, port)), Some(host)) = (authority, meaning.host) {
        let host = host::parse(host).ok_or(MALFORMED_HOST)?;
        if !host::same(named, host, port) {
            return Err(Refusal::bad(
                "Host differs from the authority of the request target",
            ));
        }
    }
    let framing = meaning.announced.settle(tokens.minor)?;
    let has_body = !matches!(framing, Framing::None | Framing::Length(0));
    let keep_alive = !meaning.close && (tokens.minor == 1 || meaning.stay);
    // RFC 9110, 10.1.1: an HTTP/1.0 client cannot mean it, and without a body there is nothing to wait for.
    let expect_continue = meaning.expect && tokens.minor == 1 && has_body;
    Ok(RequestHead {
        path: path.map_or(Bytes::from_static(b"/"), |range| target.slice(range)),
        query: target.slice(query),
        minor: tokens.minor,
        method,
        target,
        headers,
        keep_alive,
        expect_continue,
        framing,
    })
}

const MALFORMED_HOST: Refusal = Refusal::bad("malformed Host");

/// What the fields that concern the connection say.
#[derive(Default)]
struct Meaning<'a> {
    host: Option<&'a [u8]>,
    announced: Announced,
    close: bool,
    stay: bool,
    expect: bool,
}

impl<'a> Meaning<'a> {
    fn read(headers: &'a Headers, minor: u8) -> Result<Self, Refusal> {
        let mut meaning = Self::default();
        for (name, value) in headers.iter() {
            match name {
                b"host" => meaning.take_host(value)?,
                b"connection" => meaning.take_connection(value),
                b"content-length" => meaning.announced.content_length(value)?,
                b"transfer-encoding" => meaning.announced.transfer_encoding(value)?,
                b"expect" => meaning.take_expect(value)?,
                _ => {}
            }
        }
        if meaning.host.is_none() && minor == 1 {
            return Err(Refusal::bad("missing Host"));
        }
        Ok(meaning)
    }

    fn take_host(&mut self, value: &'a [u8]) -> Result<(), Refusal> {
        if self.host.is_some() {
            return Err(Refusal::bad("repeated Host"));
        }
        if !host::is_valid(value) {
            return Err(MALFORMED_HOST);
        }
        self.host = Some(value);
        Ok(())
    }

    fn take_connection(&mut self, value: &[u8]) {
        for member in token::list(value) {
            self.close |= member.eq_ignore_ascii_case(b"close");
            self.stay |= member.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn take_expect(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal {
                status: 417,
                reason: "unknown expectation",
                setting: None,
            });
        }
        self.expect = true;
        Ok(())
    }
}
