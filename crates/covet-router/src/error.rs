//! Error: why an entry cannot be registered. Made by patterns and the builder at start-up, shown to the
//! developer: it names the pattern, the place and what to write instead. Resolving never fails.

use std::fmt;

/// Why an entry cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pattern: Box<str>,
    position: Option<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    NoLeadingSlash,
    HostWithSlash,
    HostEmpty,
    Unclosed,
    Stray,
    BadName(Box<str>),
    UnknownConverter { name: Box<str>, known: Box<str> },
    Duplicate(Box<str>),
    OptionalNotLast(Box<str>),
    OptionalInPart(Box<str>),
    OptionalHere(Box<str>),
    CustomInHost(Box<str>),
    TooComplex,
    TooManyMethods,
    TooManyEntries,
    TagTaken(u32),
}

impl Error {
    pub(crate) fn at(pattern: &str, byte: usize, kind: Kind) -> Self {
        let before = pattern.get(..byte).unwrap_or(pattern);
        Self {
            pattern: pattern.into(),
            position: Some(before.chars().count().saturating_add(1)),
            kind,
        }
    }

    pub(crate) fn whole(pattern: &str, kind: Kind) -> Self {
        Self {
            pattern: pattern.into(),
            position: None,
            kind,
        }
    }

    /// The pattern as it was registered.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The character the error is at, counted from 1; `None` when it concerns the whole entry.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.position
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "path {:?}", self.pattern)?;
        if let Some(position) = self.position {
            write!(f, ", character {position}")?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Kind::BadName(name) => format!(
                "\"{{{name}}}\" is not a parameter; use letters, digits and '_' as in \"{{item_id}}\", \
                 then a converter if any as in \"{{item_id:int}}\""
            ),
            Kind::UnknownConverter { name, known } => {
                format!("there is no converter {name:?}; use one of {known}, or register it first")
            }
            Kind::Duplicate(name) => {
                format!("the parameter name {name:?} is used twice; give each parameter its own name")
            }
            Kind::OptionalNotLast(name) => format!(
                "only the last segments may be optional; remove the '?' of {name:?} or move it to the end"
            ),
            Kind::OptionalInPart(name) => {
                format!("an optional parameter is a whole segment; write \"/{{{name}?}}\" or remove the '?'")
            }
            Kind::OptionalHere(name) => {
                format!("only routes have optional parameters; remove the '?' of {name:?}")
            }
            Kind::CustomInHost(name) => format!(
                "a host takes no user converter; use \"{{{name}}}\" and check the value in the handler"
            ),
            Kind::TagTaken(tag) => {
                format!("the tag {tag} belongs to an earlier entry; give each its own")
            }
            fixed => return f.write_str(fixed.fixed_text()),
        })
    }
}

impl Kind {
    /// The messages that quote nothing.
    fn fixed_text(&self) -> &'static str {
        match self {
            Kind::NoLeadingSlash => "it does not start with '/'; put a '/' in front",
            Kind::HostWithSlash => "a host holds no '/'; put the path into the routes below it",
            Kind::HostEmpty => "the host is empty; write one, such as \"{sub}.example.org\"",
            Kind::Unclosed => "this '{' is never closed; write \"{name}\" or \"{name:int}\"",
            Kind::Stray => "this '}' closes nothing; remove it, or put \"{name\" before it",
            Kind::TooComplex => "too many parameters in one segment; split it into several routes",
            Kind::TooManyMethods => "the application names more than 63 methods; use fewer",
            Kind::TooManyEntries => "more routes than fit into 32 bits; split the application",
            _ => "it cannot be registered",
        }
    }
}

impl std::error::Error for Error {}
