//! The request method: the registered ones by name, any other token as it came.

use bytes::Bytes;

/// A request method. Methods are case-sensitive (RFC 9110, 9.1), so `get` is [`Method::Other`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `CONNECT`
    Connect,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `PATCH`
    Patch,
    /// `QUERY`
    Query,
    /// Any other token. The decoder lets only token characters through, so the bytes are ASCII.
    Other(Bytes),
}

impl Method {
    /// The registered method of that name, or `None`.
    pub fn known(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            b"QUERY" => Self::Query,
            _ => return None,
        })
    }

    /// The method as it stood on the request line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Query => "QUERY",
            Self::Other(name) => std::str::from_utf8(name).unwrap_or_default(),
        }
    }
}

impl From<Bytes> for Method {
    fn from(name: Bytes) -> Self {
        Self::known(&name).unwrap_or(Self::Other(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_round_trip() {
        for name in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
        ] {
            assert_eq!(Method::known(name.as_bytes()).unwrap().as_str(), name);
        }
        assert_eq!(
            Method::from(Bytes::from_static(b"get")),
            Method::Other(Bytes::from_static(b"get"))
        );
        assert_eq!(Method::from(Bytes::from_static(b"PURGE")).as_str(), "PURGE");
    }
}
