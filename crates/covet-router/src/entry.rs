//! Entries: what the caller registers, one per route, mount, host or custom route object.
//! Handed to `RouterBuilder::add` with a tag; parsed there, so making one never fails.

/// What an entry stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A route: the whole path and a method.
    Route,
    /// A mount: the prefix, then `/` and anything; every method. The remainder is the parameter `path`.
    Prefix,
    /// Every path and method of a host.
    Host,
    /// A route object that only Python can match.
    Opaque,
}

/// One line of the ordered list of routes.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    pub(crate) kind: Kind,
    pub(crate) pattern: &'a str,
    pub(crate) host: Option<&'a str>,
    pub(crate) methods: Vec<String>,
}

impl<'a> Entry<'a> {
    fn new(kind: Kind, pattern: &'a str, host: Option<&'a str>) -> Self {
        Self {
            kind,
            pattern,
            host,
            methods: Vec::new(),
        }
    }

    /// A route for every method; `methods` narrows it.
    #[must_use]
    pub fn route(pattern: &'a str) -> Self {
        Self::new(Kind::Route, pattern, None)
    }

    /// A mount at a prefix; a trailing `/` of the prefix is ignored, and the prefix may be empty.
    #[must_use]
    pub fn prefix(pattern: &'a str) -> Self {
        Self::new(Kind::Prefix, pattern, None)
    }

    /// Everything that is sent to a host, such as `{sub}.example.org`.
    #[must_use]
    pub fn host(host: &'a str) -> Self {
        Self::new(Kind::Host, "", Some(host))
    }

    /// A custom route object: `resolve` reports when it has to be asked.
    #[must_use]
    pub fn opaque() -> Self {
        Self::new(Kind::Opaque, "", None)
    }

    /// Answer these methods only, compared exactly; none at all means every method.
    #[must_use]
    pub fn methods<M: AsRef<str>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.methods = methods
            .into_iter()
            .map(|method| method.as_ref().to_owned())
            .collect();
        self
    }

    /// Answer on this host only.
    #[must_use]
    pub fn on_host(mut self, host: &'a str) -> Self {
        self.host = Some(host);
        self
    }
}
