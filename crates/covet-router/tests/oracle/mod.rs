//! The oracle for the property tests: an ordered list of regular expressions, tried one after the other, as
//! Starlette does. Independent of the crate's parser and matcher; holds also the random route tables.

use std::collections::BTreeMap;

use covet_router::{CustomConverters, Entry, MethodSet, Params, Piece, Router, RouterBuilder, Source};
use proptest::prelude::*;
use proptest::sample::Index;
use regex::Regex;

/// The regular expression of the one user converter in the tables; it crosses slashes.
pub(crate) const CUSTOM: &str = "[a-c]+(/[0-9]+)?";

/// A random piece of a pattern: a literal, or a parameter with this converter.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(&'static str),
    Param(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sort {
    Route,
    Prefix,
    Host,
    Opaque,
}

/// A random entry.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) sort: Sort,
    pub(crate) parts: Vec<Part>,
    pub(crate) optional: bool,
    pub(crate) methods: Vec<&'static str>,
    pub(crate) host: Option<&'static str>,
}

/// A random path: made up, or an instance of some entry's pattern.
#[derive(Debug, Clone)]
pub(crate) enum Walk {
    Free(Vec<&'static str>),
    Instance(Index, Vec<&'static str>),
}

const TEXTS: [&str; 12] = ["/", "/", "/", "a", "b", "ab", "1", "-", ".", "/a/", "/é", ".x"];
const VALUES: [&str; 20] = [
    "a",
    "b",
    "ab",
    "c/1",
    "1",
    "007",
    "1.5",
    "1.",
    "-",
    ".",
    "a-b-a",
    "a.b.x",
    "/",
    "/a/",
    "é",
    "",
    "\n",
    "a\n",
    "12345678-1234-1234-1234-1234567890aB",
    "123456781234123412341234567890ab",
];
pub(crate) const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PURGE", "get"];
pub(crate) const HOSTS: [Option<&str>; 7] = [
    None,
    Some("example.org"),
    Some("EXAMPLE.org:8000"),
    Some("a.example.org"),
    Some("a.b.Example.org:80"),
    Some("[::1]:80"),
    Some("7.net"),
];

fn part() -> impl Strategy<Value = Part> {
    let converters = ["str", "str", "str", "int", "float", "uuid", "path", "custom"];
    prop_oneof![
        3 => prop::sample::select(&TEXTS[..]).prop_map(Part::Text),
        2 => prop::sample::select(converters.to_vec()).prop_map(Part::Param),
    ]
}

pub(crate) fn line() -> impl Strategy<Value = Line> {
    let sort = prop_oneof![
        30 => Just(Sort::Route), 3 => Just(Sort::Prefix), 1 => Just(Sort::Host), 1 => Just(Sort::Opaque)
    ];
    let methods = prop::sample::subsequence(vec!["GET", "POST", "PURGE"], 0..=2);
    let hosts = [
        None,
        None,
        None,
        None,
        Some("example.org"),
        Some("{sub}.example.org"),
        Some("{n:int}.net:80"),
    ];
    let host = prop::sample::select(hosts.to_vec());
    let optional = prop::bool::weighted(0.1);
    (sort, prop::collection::vec(part(), 0..6), optional, methods, host).prop_map(
        |(sort, parts, optional, methods, host)| Line {
            sort,
            parts,
            optional,
            methods,
            host,
        },
    )
}

pub(crate) fn walk() -> impl Strategy<Value = Walk> {
    let values = || prop::collection::vec(prop::sample::select(&VALUES[..]), 0..7);
    prop_oneof![
        1 => values().prop_map(Walk::Free),
        3 => (any::<Index>(), values()).prop_map(|(index, values)| Walk::Instance(index, values)),
    ]
}

impl Walk {
    pub(crate) fn path(&self, lines: &[Line]) -> String {
        match self {
            Walk::Free(values) => format!("/{}", values.concat()),
            Walk::Instance(index, values) => {
                let mut values = values.iter();
                let mut path = String::from("/");
                for part in &index.get(lines).parts {
                    path.push_str(match part {
                        Part::Text(text) => text,
                        Part::Param(_) => values.next().unwrap_or(&"a"),
                    });
                }
                path + values.next().unwrap_or(&"")
            }
        }
    }
}

impl Line {
    /// The pattern and what it accepts, one expression per variant.
    fn render(&self) -> (String, Vec<String>) {
        let (mut pattern, mut regex) = (String::new(), String::new());
        if self.sort == Sort::Route || !self.parts.is_empty() {
            pattern.push('/');
            regex.push('/');
        }
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Text(text) => {
                    pattern.push_str(text);
                    regex.push_str(&regex::escape(text));
                }
                Part::Param(converter) => {
                    pattern.push_str(&format!("{{p{index}:{converter}}}"));
                    regex.push_str(&format!("(?P<p{index}>{})", accepts(converter)));
                }
            }
        }
        if self.sort == Sort::Prefix {
            let regex = regex.trim_end_matches('/').to_owned() + "/(?P<path>.*)";
            return (pattern, vec![regex]);
        }
        if !self.optional {
            return (pattern, vec![regex]);
        }
        let shorter = regex
            .strip_suffix('/')
            .filter(|shorter| !shorter.is_empty())
            .unwrap_or(&regex);
        let shorter = shorter.to_owned();
        if !pattern.ends_with('/') {
            pattern.push('/');
            regex.push('/');
        }
        (pattern + "{last?}", vec![regex + "(?P<last>[^/]+)", shorter])
    }
}

fn accepts(converter: &str) -> &'static str {
    match converter {
        "str" => "[^/]+",
        "int" => "[0-9]+",
        "float" => r"[0-9]+(?:\.[0-9]+)?",
        "uuid" => "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
        "path" => ".*",
        _ => CUSTOM,
    }
}

fn host_regex(host: &str) -> Regex {
    let text = match host {
        "{sub}.example.org" => r"(?i)^(?P<sub>[^/]+)\.example\.org$",
        "{n:int}.net:80" => r"(?i)^(?P<n>[0-9]+)\.net$",
        _ => r"(?i)^example\.org$",
    };
    Regex::new(text).unwrap()
}

/// What a resolve says, without numbers.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Found(u32, BTreeMap<String, String>),
    Partial(u32, BTreeMap<String, String>, Option<Vec<String>>),
    Nothing,
    Opaque(Option<(u32, BTreeMap<String, String>)>),
}

struct Naive {
    tag: u32,
    path: Option<Regex>,
    opaque: bool,
    host: Option<Regex>,
    methods: Vec<&'static str>,
}

/// The router under test, its oracle, and the user converter both use.
pub(crate) struct Pair {
    pub(crate) router: Router,
    naive: Vec<Naive>,
    customs: Vec<Regex>,
}

impl CustomConverters for Pair {
    fn match_route(&self, id: u32, path: &str) -> Option<Vec<(usize, usize)>> {
        let captures = self.customs[id as usize].captures(path)?;
        let named = self.customs[id as usize].capture_names().flatten();
        Some(
            named
                .map(|name| captures.name(name).unwrap())
                .map(|group| (group.start(), group.end()))
                .collect(),
        )
    }
}

impl Pair {
    pub(crate) fn new(lines: &[Line]) -> Pair {
        let mut builder = RouterBuilder::new();
        builder.converter("custom");
        let mut naive = Vec::new();
        for (line, tag) in lines.iter().zip(100u32..) {
            let (pattern, variants) = line.render();
            let mut entry = match line.sort {
                Sort::Route => Entry::route(&pattern).methods(&line.methods),
                Sort::Prefix => Entry::prefix(&pattern),
                Sort::Host => Entry::host(line.host.unwrap_or("example.org")),
                Sort::Opaque => Entry::opaque(),
            };
            if let (Sort::Route | Sort::Prefix, Some(host)) = (line.sort, line.host) {
                entry = entry.on_host(host);
            }
            builder.add(tag, &entry).unwrap();
            let methods = if line.sort == Sort::Route {
                line.methods.clone()
            } else {
                Vec::new()
            };
            let host = match line.sort {
                Sort::Opaque => None,
                Sort::Host => Some(host_regex(line.host.unwrap_or("example.org"))),
                _ => line.host.map(host_regex),
            };
            let opaque = line.sort == Sort::Opaque;
            let whole = line.sort == Sort::Host || opaque;
            let paths: Vec<Option<Regex>> = if whole {
                vec![None]
            } else {
                variants
                    .iter()
                    .map(|text| Some(Regex::new(&format!("^{text}$")).unwrap()))
                    .collect()
            };
            for path in paths {
                naive.push(Naive {
                    tag,
                    path,
                    opaque,
                    host: host.clone(),
                    methods: methods.clone(),
                });
            }
        }
        let router = builder.build();
        let customs = router
            .custom_patterns()
            .iter()
            .map(|custom| custom_regex(&custom.pieces))
            .collect();
        Pair {
            router,
            naive,
            customs,
        }
    }

    /// What the crate says.
    pub(crate) fn resolve(&self, path: &str, method: &str, host: Option<&str>) -> Answer {
        use covet_router::Outcome;
        let mut params = Params::new();
        let outcome = self.router.resolve(path, method, host, &mut params, self);
        let texts = |tag| {
            let names = self.router.names(tag);
            let pair = |span: &covet_router::Span| {
                let from_host = span.source == Source::Host;
                assert_eq!(from_host, ["sub", "n"].contains(&&*names[span.name as usize]));
                (
                    names[span.name as usize].to_string(),
                    span.text(path, host.unwrap_or("")).to_owned(),
                )
            };
            params.iter().map(pair).collect()
        };
        match outcome {
            Outcome::Found { tag } => Answer::Found(tag, texts(tag)),
            Outcome::MethodNotAllowed { tag, allowed } => {
                Answer::Partial(tag, texts(tag), self.names(allowed))
            }
            Outcome::NotFound => Answer::Nothing,
            Outcome::Opaque { before } => Answer::Opaque(before.map(|tag| (tag, texts(tag)))),
        }
    }

    /// The names of a set in order; `None` for any method.
    pub(crate) fn names(&self, set: MethodSet) -> Option<Vec<String>> {
        (!set.is_any()).then(|| self.router.method_names(set).map(str::to_owned).collect())
    }

    /// What trying one entry after the other says.
    pub(crate) fn expected(&self, path: &str, method: &str, host: Option<&str>) -> Answer {
        let mut partial = None;
        let mut opaque = false;
        for naive in &self.naive {
            if naive.opaque {
                opaque = true;
                continue;
            }
            let Some(params) = naive.matches(path, host) else {
                continue;
            };
            if naive.methods.is_empty() || naive.methods.contains(&method) {
                let winner = (naive.tag, params);
                return if opaque {
                    Answer::Opaque(Some(winner))
                } else {
                    Answer::Found(winner.0, winner.1)
                };
            }
            partial.get_or_insert((naive.tag, params, naive.methods.clone()));
        }
        match partial {
            _ if opaque => Answer::Opaque(None),
            None => Answer::Nothing,
            Some((tag, params, methods)) => Answer::Partial(
                tag,
                params,
                Some(methods.into_iter().map(str::to_owned).collect()),
            ),
        }
    }

    /// Whether any entry knows the path, and the methods of all that do; `None` for any method.
    pub(crate) fn expected_methods(&self, path: &str, host: Option<&str>) -> (bool, Option<Vec<String>>) {
        let known = self
            .naive
            .iter()
            .filter(|naive| !naive.opaque && naive.matches(path, host).is_some());
        let known: Vec<&Naive> = known.collect();
        let any = known.iter().any(|naive| naive.methods.is_empty());
        let mut methods = Vec::new();
        for method in ["GET", "POST", "PURGE"] {
            if known.iter().any(|naive| naive.methods.contains(&method)) {
                methods.push(method.to_owned());
            }
        }
        (!known.is_empty(), (!any).then_some(methods))
    }
}

impl Naive {
    fn matches(&self, path: &str, host: Option<&str>) -> Option<BTreeMap<String, String>> {
        let mut params = BTreeMap::new();
        if let Some(wanted) = &self.host {
            let host = host?.rsplit_once(':').map_or(host?, |(name, _)| name);
            collect(wanted, host, &mut params)?;
        }
        if let Some(wanted) = &self.path {
            collect(wanted, path, &mut params)?;
        }
        Some(params)
    }
}

fn collect(regex: &Regex, text: &str, params: &mut BTreeMap<String, String>) -> Option<()> {
    let captures = regex.captures(text)?;
    for name in regex.capture_names().flatten() {
        params.insert(name.to_owned(), captures[name].to_owned());
    }
    Some(())
}

fn custom_regex(pieces: &[Piece]) -> Regex {
    let mut text = String::from("^");
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(&regex::escape(literal)),
            Piece::Param(param) => {
                text.push_str(&format!(
                    "(?P<{}>{})",
                    param.name,
                    accepts(&param.converter.to_string())
                ));
            }
        }
    }
    Regex::new(&(text + "$")).unwrap()
}
