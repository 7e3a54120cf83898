//! Overlaps: which entries say the same, and which can never be reached. Reported at start-up and by
//! `covet routes`. Sound rather than complete: what is reported is certain.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::{Segment, follow};
use crate::converter::{Converter, is_float, is_int, uuid_length};
use crate::methods::MethodSet;
use crate::pattern::{Piece, parameters};
use crate::table::{Host, Row, Table};

/// Two entries with the same pattern and host that share methods; the earlier one answers those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The entry that answers.
    pub first: u32,
    /// The later entry.
    pub second: u32,
    /// The methods they share.
    pub methods: MethodSet,
}

/// An entry that can never be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// The entry.
    pub tag: u32,
    /// The earlier entries that together match all its paths, methods and hosts; mostly one.
    pub by: Vec<u32>,
}

/// Find duplicates.
pub(crate) fn conflicts(table: &Table) -> Vec<Conflict> {
    let mut seen: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    let mut conflicts: Vec<Conflict> = Vec::new();
    for row in &table.rows {
        let host = table.host(row).map_or(String::new(), |host| key(&host.pieces));
        let earlier = seen.entry(format!("{host}\n{}", key(&row.pieces))).or_default();
        let mut open = row.methods;
        for first in earlier.iter().filter(|first| first.tag != row.tag) {
            let methods = open.intersection(first.methods);
            open = open.without(methods);
            let new = Conflict {
                first: first.tag,
                second: row.tag,
                methods,
            };
            if !methods.is_empty() && !conflicts.contains(&new) {
                conflicts.push(new);
            }
        }
        earlier.push(row);
    }
    conflicts
}

/// Find entries that are never reached.
pub(crate) fn shadowed(table: &Table) -> Vec<Shadow> {
    let shapes: Vec<Shape<'_>> = table.rows.iter().map(|row| Shape::new(table, row)).collect();
    let mut earlier = Earlier::default();
    let mut shadows: Vec<Shadow> = Vec::new();
    let mut at = 0;
    while let Some(first) = shapes.get(at) {
        let rows = shapes.get(at..).unwrap_or(&[]);
        let count = rows
            .iter()
            .take_while(|shape| shape.row.registration == first.row.registration)
            .count();
        let hiders = rows.iter().take(count).map(|shape| earlier.hiders(shape));
        if let Some(all) = hiders.collect::<Option<Vec<_>>>() {
            let mut by = all.concat();
            by.sort_unstable_by_key(|tag| table.by_tag.get(tag));
            by.dedup();
            shadows.push(Shadow {
                tag: first.row.tag,
                by,
            });
        }
        rows.iter().take(count).for_each(|shape| earlier.push(shape));
        at += count;
    }
    shadows
}

/// The rows before the one that is looked at, found by the literal they begin with: whatever covers a row
/// begins with a start of that row's literal, because every parameter accepts several first characters.
#[derive(Default)]
struct Earlier<'t> {
    by_head: BTreeMap<&'t str, Vec<(usize, &'t Shape<'t>)>>,
    lengths: BTreeSet<usize>,
    count: usize,
}

impl<'t> Earlier<'t> {
    fn push(&mut self, shape: &'t Shape<'t>) {
        self.lengths.insert(shape.head().len());
        self.by_head
            .entry(shape.head())
            .or_default()
            .push((self.count, shape));
        self.count += 1;
    }

    /// The rows that leave nothing of a row, in order; `None` when something is left, or may be.
    fn hiders(&self, shape: &Shape<'_>) -> Option<Vec<u32>> {
        let heads = self
            .lengths
            .iter()
            .filter_map(|length| shape.head().get(..*length));
        let mut candidates: Vec<_> = heads
            .filter_map(|head| self.by_head.get(head))
            .flatten()
            .collect();
        candidates.sort_unstable_by_key(|(order, _)| *order);
        let mut open = shape.row.methods;
        let mut by = Vec::new();
        for (_, other) in candidates {
            if other.row.methods.overlaps(open) && other.covers(shape) {
                open = open.without(other.row.methods);
                by.push(other.row.tag);
            }
            if open.is_empty() {
                return Some(by);
            }
        }
        None
    }
}

/// A pattern without its names. Literals hold no braces, so the text is unambiguous.
fn key(pieces: &[Piece]) -> String {
    let mut key = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => key.push_str(text),
            Piece::Param(param) => match param.converter {
                Converter::Custom(index) => key.push_str(&format!("{{{index}}}")),
                built_in => key.push_str(&format!("{{{built_in}}}")),
            },
        }
    }
    key
}

/// What lies between two slashes of a pattern.
enum Part<'t> {
    Text(&'t str),
    Whole(Converter),
    /// Literals and parameters that keep to the segment.
    Mixed(Segment, String),
    /// The last part, where a parameter may cross slashes: the text it begins with, and whether anything
    /// may follow that text.
    Tail(&'t str, bool),
}

/// A row, prepared for comparison.
struct Shape<'t> {
    row: &'t Row,
    key: String,
    parts: Vec<Part<'t>>,
    host: Option<&'t Host>,
    host_key: String,
}

impl<'t> Shape<'t> {
    fn new(table: &'t Table, row: &'t Row) -> Self {
        let host = table.host(row);
        let host_key = host.map_or(String::new(), |host| key(&host.pieces));
        Self {
            row,
            key: key(&row.pieces),
            parts: parts(&row.pieces),
            host,
            host_key,
        }
    }

    /// The literal that the pattern begins with.
    fn head(&self) -> &'t str {
        match self.row.pieces.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// Whether every path and host that matches the other matches this; only a certain yes is a yes.
    fn covers(&self, other: &Shape<'_>) -> bool {
        self.covers_path(other) && self.covers_host(other)
    }

    fn covers_path(&self, other: &Shape<'_>) -> bool {
        if self.key.is_empty() || self.key == other.key {
            return true;
        }
        if let [Piece::Literal(text)] = &*other.row.pieces {
            return follow(&self.row.steps, text, &mut |_, _| {});
        }
        let mut theirs = other.parts.iter();
        for part in &self.parts {
            let Some(their) = theirs.next() else { return false };
            match part {
                Part::Tail(start, anything) => return *anything && begins_with(their, start),
                _ if !part_covers(part, their) => return false,
                _ => {}
            }
        }
        theirs.next().is_none()
    }

    fn covers_host(&self, other: &Shape<'_>) -> bool {
        match (self.host, other.host) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ours), Some(theirs)) => match &*theirs.pieces {
                [Piece::Literal(text)] => ours.program.matches(text.as_bytes()),
                _ => self.host_key == other.host_key,
            },
        }
    }
}

/// Whether the texts of a part all begin with `start`.
fn begins_with(part: &Part<'_>, start: &str) -> bool {
    match part {
        Part::Text(text) | Part::Tail(text, _) => text.starts_with(start),
        Part::Mixed(_, key) => start.is_empty() || key.starts_with(start),
        Part::Whole(_) => start.is_empty(),
    }
}

fn part_covers(ours: &Part<'_>, theirs: &Part<'_>) -> bool {
    match (ours, theirs) {
        (Part::Text(ours), Part::Text(theirs)) => ours == theirs,
        (Part::Whole(Converter::Str), Part::Whole(_) | Part::Mixed(..)) => true,
        (Part::Whole(Converter::Float), Part::Whole(Converter::Int)) => true,
        (Part::Whole(ours), Part::Whole(theirs)) => ours == theirs,
        (Part::Whole(Converter::Str), Part::Text(text)) => !text.is_empty(),
        (Part::Whole(Converter::Int), Part::Text(text)) => is_int(text.as_bytes()),
        (Part::Whole(Converter::Float), Part::Text(text)) => is_float(text.as_bytes()),
        (Part::Whole(Converter::Uuid), Part::Text(text)) => uuid_length(text.as_bytes()) == Some(text.len()),
        (Part::Mixed(ours, _), Part::Text(text)) => ours.matches(text.as_bytes()),
        (Part::Mixed(_, ours), Part::Mixed(_, theirs)) => ours == theirs,
        _ => false,
    }
}

/// Cut a pattern at its slashes, up to the first segment with a parameter that may cross them.
fn parts(pieces: &[Piece]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut segment: Vec<Piece> = Vec::new();
    let mut text = "";
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => {
                let mut chunks = literal.split('/');
                let mut chunk = chunks.next().unwrap_or("");
                loop {
                    if !chunk.is_empty() {
                        segment.push(Piece::Literal(chunk.into()));
                        text = if segment.len() == 1 { chunk } else { text };
                    }
                    let Some(next) = chunks.next() else { break };
                    parts.push(part(&segment, text));
                    segment.clear();
                    text = "";
                    chunk = next;
                }
            }
            Piece::Param(param) if param.converter.crosses_segments() => {
                let plain = parameters(&segment).next().is_none();
                let last = index + 1 == pieces.len() && param.converter == Converter::Path;
                parts.push(Part::Tail(text, plain && last));
                return parts;
            }
            Piece::Param(_) => segment.push(piece.clone()),
        }
    }
    parts.push(part(&segment, text));
    parts
}

fn part<'t>(segment: &[Piece], text: &'t str) -> Part<'t> {
    match segment {
        [] | [Piece::Literal(_)] => Part::Text(text),
        [Piece::Param(only)] => Part::Whole(only.converter),
        _ => match Segment::new(segment) {
            Some(matcher) => Part::Mixed(matcher, key(segment)),
            None => Part::Tail(text, false),
        },
    }
}
