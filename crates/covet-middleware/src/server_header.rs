//! Names the server in every answer that does not name one itself, without a version: what runs behind an
//! address is nobody's business.

use bytes::Bytes;
use covet_http::{RequestHead, ResponseHead};

use crate::middleware::Middleware;

/// Adds a `server` header.
#[derive(Debug, Clone)]
pub struct ServerHeader {
    value: Bytes,
}

impl ServerHeader {
    /// Answers will carry this name.
    pub fn new(value: impl Into<Bytes>) -> Self {
        Self { value: value.into() }
    }
}

impl Middleware for ServerHeader {
    fn name(&self) -> &'static str {
        "server_header"
    }

    fn after(&self, _: &RequestHead, head: &mut ResponseHead) {
        if head.get(b"server").is_none() {
            head.headers
                .push((Bytes::from_static(b"server"), self.value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::get;

    #[test]
    fn the_name_is_added_once() {
        let server = ServerHeader::new("covet");
        let mut head = ResponseHead::new(200);
        server.after(&get("/"), &mut head);
        server.after(&get("/"), &mut head);
        assert_eq!(
            head.headers,
            [(Bytes::from_static(b"server"), Bytes::from_static(b"covet"))]
        );
    }

    #[test]
    fn an_application_may_name_itself() {
        let mut head = ResponseHead::new(200);
        head.headers
            .push((Bytes::from_static(b"Server"), Bytes::from_static(b"mine")));
        ServerHeader::new("covet").after(&get("/"), &mut head);
        assert_eq!(head.headers.len(), 1);
    }
}
