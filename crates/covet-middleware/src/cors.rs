//! Cross-origin resource sharing (Fetch standard, section 3.2): answers preflights, marks other answers. The rules
//! are `covet.middleware.cors.CORSMiddleware`'s, whose attributes the options are: what a user's arguments mean is
//! decided there, once. Text is compared as Latin-1, as ASGI applications read header fields.

use std::time::Instant;

use bytes::Bytes;
use covet_http::{Body, Headers, Method, RequestHead, ResponseHead, latin1};

use crate::fields::{add_vary, set};
use crate::middleware::{Flow, Middleware};

/// Decides about an origin that no list names.
pub type OriginPredicate = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Header fields in lower case, in the order in which they are sent.
pub type Fields = Vec<(Bytes, Bytes)>;

/// What `CORSMiddleware` made of its arguments; the fields are named like its attributes.
#[derive(Default)]
pub struct CorsOptions {
    /// Origins whose pages may use the application.
    pub allow_origins: Vec<String>,
    /// Whether any origin may.
    pub allow_all_origins: bool,
    /// Decides about the other origins.
    pub allow_origin_regex: Option<OriginPredicate>,
    /// Methods that a preflight may ask for.
    pub allow_methods: Vec<String>,
    /// Fields that a preflight may ask for, in lower case.
    pub allow_headers: Vec<String>,
    /// Whether a preflight may ask for any field.
    pub allow_all_headers: bool,
    /// Whether requests may carry cookies.
    pub allow_credentials: bool,
    /// Whether public pages may reach this server in a private network.
    pub allow_private_network: bool,
    /// Whether the answer to a preflight names the origin.
    pub preflight_explicit_allow_origin: bool,
    /// What every answer to a request with an origin carries.
    pub simple_headers: Fields,
    /// What every answer to a preflight carries, `vary` included.
    pub preflight_headers: Fields,
}

/// Lets pages of other origins use the application, as far as the options say.
pub struct Cors {
    options: CorsOptions,
}

const ALLOW_ORIGIN: Bytes = Bytes::from_static(b"access-control-allow-origin");
const ALLOW_HEADERS: Bytes = Bytes::from_static(b"access-control-allow-headers");
const ALLOW_PRIVATE_NETWORK: Bytes = Bytes::from_static(b"access-control-allow-private-network");
const PLAIN_TEXT: Bytes = Bytes::from_static(b"text/plain; charset=utf-8");

impl Cors {
    /// Follows these options.
    pub fn new(options: CorsOptions) -> Self {
        Self { options }
    }

    /// Whether pages of an origin may use the application. The predicate is asked last: it may be slow.
    fn allows_origin(&self, origin: &[u8]) -> bool {
        let options = &self.options;
        if options.allow_all_origins {
            return true;
        }
        let origin = latin1::decode(origin);
        options.allow_origins.iter().any(|listed| *listed == origin)
            || options
                .allow_origin_regex
                .as_ref()
                .is_some_and(|allows| allows(&origin))
    }

    fn allows_method(&self, method: &[u8]) -> bool {
        let method = latin1::decode(method);
        self.options.allow_methods.iter().any(|listed| *listed == method)
    }

    /// Whether every field of a list separated by commas may be sent.
    fn allows_headers(&self, asked: &[u8]) -> bool {
        asked.split(|byte| *byte == b',').all(|name| {
            let name = latin1::decode(latin1::strip(name)).to_lowercase();
            self.options.allow_headers.contains(&name)
        })
    }

    /// The answer to a browser that asks before it sends.
    fn preflight(&self, request: &Headers, origin: Bytes, method: &[u8]) -> Flow {
        let options = &self.options;
        let mut head = ResponseHead {
            status: 200,
            headers: options.preflight_headers.clone(),
        };
        let mut failures = Vec::new();
        if !self.allows_origin(&origin) {
            failures.push("origin");
        } else if options.preflight_explicit_allow_origin {
            set(&mut head, ALLOW_ORIGIN, origin);
        }
        if !self.allows_method(method) {
            failures.push("method");
        }
        match value(request, b"access-control-request-headers") {
            Some(asked) if options.allow_all_headers => set(&mut head, ALLOW_HEADERS, asked),
            Some(asked) if !self.allows_headers(&asked) => failures.push("headers"),
            _ => {}
        }
        if request.get(b"access-control-request-private-network").is_some() {
            if options.allow_private_network {
                set(&mut head, ALLOW_PRIVATE_NETWORK, Bytes::from_static(b"true"));
            } else {
                failures.push("private-network");
            }
        }
        // The browser enforces the policy anyway; the status and the text are for the developer.
        let text = if failures.is_empty() {
            Bytes::from_static(b"OK")
        } else {
            head.status = 400;
            format!("Disallowed CORS {}", failures.join(", ")).into()
        };
        head.headers
            .push(("content-length".into(), text.len().to_string().into()));
        head.headers.push(("content-type".into(), PLAIN_TEXT));
        Flow::Answer(head, Body::Full(text))
    }
}

/// The first value under `name` as shared bytes.
fn value(headers: &Headers, name: &[u8]) -> Option<Bytes> {
    headers
        .position(name)
        .and_then(|index| headers.value_bytes(index))
}

impl Middleware for Cors {
    fn name(&self) -> &'static str {
        "cors"
    }

    fn before(&self, head: &RequestHead, _: Instant) -> Flow {
        if head.method != Method::Options {
            return Flow::Continue;
        }
        let headers = &head.headers;
        let Some(method) = headers.get(b"access-control-request-method") else {
            return Flow::Continue;
        };
        match value(headers, b"origin") {
            Some(origin) => self.preflight(headers, origin, method),
            None => Flow::Continue,
        }
    }

    fn after(&self, request: &RequestHead, head: &mut ResponseHead) {
        let options = &self.options;
        if let Some(origin) = value(&request.headers, b"origin") {
            for (name, value) in &options.simple_headers {
                set(head, name.clone(), value.clone());
            }
            // A wildcard is of no use with credentials, nor can it stand for a list of origins.
            let explicit = options.allow_credentials || !options.allow_all_origins;
            if explicit && self.allows_origin(&origin) {
                set(head, ALLOW_ORIGIN, origin);
            }
        }
        // Every answer could have been another.
        add_vary(head, "Origin");
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sample::request;

    const PREFLIGHT: &str = "origin: http://b\r\naccess-control-request-method: GET\r\n";

    fn answer(cors: &Cors, method: &str, fields: &str) -> Option<(u16, Body)> {
        match cors.before(&request(method, "/", fields), Instant::now()) {
            Flow::Answer(head, body) => Some((head.status, body)),
            Flow::Continue => None,
            Flow::Ask(operation) => panic!("asks for {operation:?}"),
        }
    }

    #[test]
    fn only_options_with_origin_and_method_is_a_preflight() {
        let cors = Cors::new(CorsOptions::default());
        assert_eq!(cors.name(), "cors");
        assert!(answer(&cors, "OPTIONS", PREFLIGHT).is_some());
        assert!(answer(&cors, "GET", PREFLIGHT).is_none());
        assert!(answer(&cors, "OPTIONS", "origin: http://b\r\n").is_none());
        assert!(answer(&cors, "OPTIONS", "access-control-request-method: GET\r\n").is_none());
    }

    /// What `str.strip` removes from Latin-1 text.
    fn is_blank(char: char) -> bool {
        char.is_whitespace() || ('\x1c'..='\x1f').contains(&char)
    }

    /// A name that is allowed, in any spelling, a name that is not, blanks, or any bytes.
    fn part() -> impl Strategy<Value = Vec<u8>> {
        let known = prop::sample::select(vec!["x-token", "X-TOKEN", "caf\u{e9}", "x-other", " ", "\t", ","]);
        let latin1 = |text: &str| text.chars().map(|char| char as u8).collect();
        prop_oneof![known.prop_map(latin1), vec(any::<u8>(), 0..4)]
    }

    proptest! {
        #[test]
        fn a_list_of_fields_is_read_as_python_reads_it(asked in vec(part(), 0..6)) {
            let asked = asked.concat();
            let allowed = ["x-token".to_owned(), "caf\u{e9}".to_owned()];
            let text = asked.iter().map(|byte| char::from(*byte)).collect::<String>().to_lowercase();
            let expected = text
                .split(',')
                .all(|name| allowed.iter().any(|known| known == name.trim_matches(is_blank)));
            let cors = Cors::new(CorsOptions { allow_headers: allowed.to_vec(), ..CorsOptions::default() });
            prop_assert_eq!(cors.allows_headers(&asked), expected);
        }
    }

    #[test]
    fn the_predicate_is_not_asked_about_listed_origins() {
        let cors = Cors::new(CorsOptions {
            allow_origins: vec!["http://b".into()],
            allow_methods: vec!["GET".into()],
            allow_origin_regex: Some(Box::new(|origin| panic!("asked about {origin}"))),
            ..CorsOptions::default()
        });
        assert!(matches!(answer(&cors, "OPTIONS", PREFLIGHT), Some((200, _))));
    }
}
