//! Which text of a request is routed: the decoded path below the application's root path, and the host. Starlette's
//! rule for root paths: it is cut off when it is a prefix of whole segments. Pure.

use std::borrow::Cow;

use covet_http::{RequestHead, percent};

use super::table::Table;

/// Path and host of a request on the socket door.
pub(crate) struct Location<'a> {
    path: Cow<'a, str>,
    start: usize,
    host: Option<&'a str>,
}

impl<'a> Location<'a> {
    /// What the head says, for a server with `root_path` and the application of `table`.
    pub(crate) fn of(head: &'a RequestHead, root_path: &str, table: &Table) -> Self {
        let decoded = percent::decode_path(&head.path);
        let own = table.settings.root_path.as_str();
        let (path, start) = if root_path.is_empty() && own.is_empty() {
            (decoded, 0)
        } else {
            let path = root_path.to_owned() + &decoded;
            // The application's own root path replaces the server's.
            let root = if own.is_empty() { root_path } else { own };
            let start = below(&path, root);
            (Cow::Owned(path), start)
        };
        let host = if table.needs_host() {
            head.headers.get(b"host")
        } else {
            None
        };
        Self {
            path,
            start,
            host: host.and_then(|host| std::str::from_utf8(host).ok()),
        }
    }

    /// The path that routes are matched with.
    pub(crate) fn route(&self) -> &str {
        self.path.get(self.start..).unwrap_or_default()
    }

    /// The host, when some route asks for it.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host
    }
}

/// Where the path below `root` begins; 0 when it is not below it.
pub(crate) fn below(path: &str, root: &str) -> usize {
    match path.strip_prefix(root) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => root.len(),
        _ => 0,
    }
}
