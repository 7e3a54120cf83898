//! Requests for the tests of this crate, made by the decoder like every other.

use bytes::BytesMut;
use covet_http::{Decoder, Event, Limits, RequestHead};

/// The head of a request with these fields, lines that end in CR LF, besides `host`.
pub(crate) fn request(method: &str, path: &str, fields: &str) -> RequestHead {
    let text = format!("{method} {path} HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
    match Decoder::new().decode(&mut BytesMut::from(text.as_str()), &Limits::default()) {
        Ok(Event::Head(head)) => *head,
        other => panic!("{other:?}"),
    }
}

/// The head of a bare GET.
pub(crate) fn get(path: &str) -> RequestHead {
    request("GET", path, "")
}
