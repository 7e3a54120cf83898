//! Params: where the parameters of the winning route lie in the path (or host), as byte ranges.
//! Filled by `Router::resolve`, read by the plan. Up to eight live inline; nothing is copied or converted.

/// How many ranges fit without an allocation.
const INLINE: usize = 8;

/// The text a range points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The path given to `resolve`.
    #[default]
    Path,
    /// The host given to `resolve`.
    Host,
}

/// One parameter of the winning route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Index into `Router::names(tag)`.
    pub name: u16,
    /// Which text the range is in.
    pub source: Source,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Cut the parameter out of the texts that were given to `resolve`.
    #[must_use]
    pub fn text<'t>(&self, path: &'t str, host: &'t str) -> &'t str {
        let whole = match self.source {
            Source::Path => path,
            Source::Host => host,
        };
        whole.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// The parameters of one resolve; reuse it to keep its memory.
#[derive(Debug, Clone, Default)]
pub struct Params {
    inline: [Span; INLINE],
    len: usize,
    /// Holds everything once there are more than `INLINE`.
    spilled: Vec<Span>,
}

impl Params {
    /// Make an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forget all parameters.
    pub fn clear(&mut self) {
        self.len = 0;
        self.spilled.clear();
    }

    /// How many parameters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All parameters: those of the host first, then those of the path, each in pattern order.
    #[must_use]
    pub fn as_slice(&self) -> &[Span] {
        if self.spilled.is_empty() {
            self.inline.get(..self.len).unwrap_or(&[])
        } else {
            &self.spilled
        }
    }

    /// Go through `as_slice`.
    pub fn iter(&self) -> std::slice::Iter<'_, Span> {
        self.as_slice().iter()
    }

    pub(crate) fn push(&mut self, span: Span) {
        if let Some(slot) = self.inline.get_mut(self.len) {
            *slot = span;
        } else {
            if self.spilled.is_empty() {
                self.spilled.extend_from_slice(&self.inline);
            }
            self.spilled.push(span);
        }
        self.len += 1;
    }
}

impl<'p> IntoIterator for &'p Params {
    type Item = &'p Span;
    type IntoIter = std::slice::Iter<'p, Span>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
