//! Converters: what text a parameter accepts. The built-in ones are matched here, byte for byte as the
//! regular expressions users know them by; user converters are asked through `CustomConverters`.
//! Used by patterns and programs; it never turns text into a value.

use std::fmt;

/// What a parameter accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Converter {
    /// `[^/]+`: one whole segment or a part of one. The default.
    Str,
    /// `[0-9]+`.
    Int,
    /// `[0-9]+(\.[0-9]+)?`.
    Float,
    /// 32 hexadecimal digits with optional dashes in the usual four places.
    Uuid,
    /// `.*`: anything but a line feed, slashes included, possibly nothing.
    Path,
    /// A user converter, by the number that `RouterBuilder::converter` gave.
    Custom(u32),
}

impl Converter {
    const BUILT_IN: [(&'static str, Converter); 5] = [
        ("str", Converter::Str),
        ("int", Converter::Int),
        ("float", Converter::Float),
        ("uuid", Converter::Uuid),
        ("path", Converter::Path),
    ];

    /// Look a name up, user converters first: they may replace a built-in one.
    pub(crate) fn named(name: &str, customs: &[Box<str>]) -> Option<Converter> {
        let custom = customs.iter().zip(0u32..).find(|(custom, _)| ***custom == *name);
        if let Some((_, index)) = custom {
            return Some(Converter::Custom(index));
        }
        Self::BUILT_IN
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, converter)| *converter)
    }

    /// Every name that `named` knows, for error messages.
    pub(crate) fn names(customs: &[Box<str>]) -> String {
        let mut names: Vec<&str> = Self::BUILT_IN.iter().map(|(name, _)| *name).collect();
        names.extend(
            customs
                .iter()
                .map(|name| &**name)
                .filter(|name| Self::named(name, &[]).is_none()),
        );
        names.join(", ")
    }

    /// Whether a value may contain `/`, so that segments no longer line up with the path.
    pub(crate) fn crosses_segments(self) -> bool {
        matches!(self, Converter::Path | Converter::Custom(_))
    }
}

/// Matches routes that use user converters, whose regular expressions only Python can run.
pub trait CustomConverters {
    /// Match the whole path against the custom pattern with this id (see `Router::custom_patterns`).
    ///
    /// `Some` holds one byte range per parameter, in pattern order; `None` is no match. Called at most
    /// once per pattern and resolve, and only for paths whose start fits the pattern's.
    fn match_route(&self, id: u32, path: &str) -> Option<Vec<(usize, usize)>>;
}

/// For routers without user converters: nothing matches.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCustomConverters;

impl CustomConverters for NoCustomConverters {
    fn match_route(&self, _id: u32, _path: &str) -> Option<Vec<(usize, usize)>> {
        None
    }
}

/// The characters one step of a program may consume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    NotSlash,
    Digit,
    NotLineFeed,
}

impl Class {
    /// Judge a character by its first byte: every class is ASCII or the complement of one ASCII byte.
    pub(crate) fn accepts(self, first: u8) -> bool {
        match self {
            Class::NotSlash => first != b'/',
            Class::Digit => first.is_ascii_digit(),
            Class::NotLineFeed => first != b'\n',
        }
    }
}

/// `[0-9]+` over the whole text.
pub(crate) fn is_int(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// `[0-9]+(\.[0-9]+)?` over the whole text.
pub(crate) fn is_float(text: &[u8]) -> bool {
    match text.iter().position(|byte| *byte == b'.') {
        None => is_int(text),
        Some(dot) => {
            text.get(..dot).is_some_and(is_int) && text.get(dot.saturating_add(1)..).is_some_and(is_int)
        }
    }
}

/// Length of the UUID that the text begins with. There is never a choice: a dash is not a digit.
pub(crate) fn uuid_length(text: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    for (group, digits) in [8usize, 4, 4, 4, 12].into_iter().enumerate() {
        if group > 0 && text.get(at) == Some(&b'-') {
            at += 1;
        }
        let end = at + digits;
        if !text.get(at..end)?.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        at = end;
    }
    Some(at)
}

impl fmt::Display for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::BUILT_IN
            .iter()
            .find(|(_, known)| known == self)
            .map(|(name, _)| *name);
        f.write_str(name.unwrap_or("custom"))
    }
}
