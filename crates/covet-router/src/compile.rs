//! Compiled patterns: a pattern as steps that lie along a path, for the tree to index and for the winner's
//! parameters to be cut out. Made once per variant by the builder; holds no names and no methods.

use crate::converter::{Converter, is_float, is_int, uuid_length};
use crate::error::Kind;
use crate::pattern::Piece;
use crate::program::Program;

/// What stands between two slashes, from its first parameter on. It never looks past the segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Str,
    Int,
    Float,
    Uuid,
    Mixed(Program),
}

/// One step along the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Literal(Box<[u8]>),
    Segment(Segment),
    /// `{name:path}` at the end.
    Rest,
    /// Everything from here on, where a parameter may cross slashes.
    Tail(Program),
    /// Only a user converter knows; the id of the custom pattern.
    Custom(u32),
    /// Any path at all, for hosts.
    Everything,
}

impl Segment {
    /// `None` when it is too complex or may cross slashes.
    pub(crate) fn new(pieces: &[Piece]) -> Option<Segment> {
        let [Piece::Param(only)] = pieces else {
            return Program::new(pieces, false).map(Segment::Mixed);
        };
        match only.converter {
            Converter::Str => Some(Segment::Str),
            Converter::Int => Some(Segment::Int),
            Converter::Float => Some(Segment::Float),
            Converter::Uuid => Some(Segment::Uuid),
            Converter::Path | Converter::Custom(_) => None,
        }
    }

    /// Whether the rest of a segment, which holds no slash, matches.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        match self {
            Segment::Str => !text.is_empty(),
            Segment::Int => is_int(text),
            Segment::Float => is_float(text),
            Segment::Uuid => uuid_length(text) == Some(text.len()),
            Segment::Mixed(program) => program.matches(text),
        }
    }
}

/// Turn the pieces of one variant into steps; `custom` is the id to use if it needs user converters.
pub(crate) fn compile(pieces: &[Piece], custom: u32) -> Result<Vec<Step>, Kind> {
    let mut steps = Vec::new();
    let mut rest = pieces.to_vec();
    loop {
        rest = match rest.split_first() {
            None => return Ok(steps),
            Some((Piece::Literal(text), after)) => {
                steps.push(Step::Literal(text.as_bytes().into()));
                after.to_vec()
            }
            Some((Piece::Param(_), _)) => {
                let (segment, after) = split_segment(&rest);
                if segment.iter().any(crosses_segments) {
                    steps.push(tail(&rest, custom)?);
                    return Ok(steps);
                }
                steps.push(Step::Segment(Segment::new(&segment).ok_or(Kind::TooComplex)?));
                after
            }
        };
    }
}

/// Whether any parameter needs a user converter.
pub(crate) fn is_custom(pieces: &[Piece]) -> bool {
    pieces
        .iter()
        .any(|piece| converter(piece).is_some_and(|found| matches!(found, Converter::Custom(_))))
}

/// End of the segment that goes through `at`.
pub(crate) fn segment_end(path: &[u8], at: usize) -> usize {
    let rest = path.get(at..).unwrap_or(&[]);
    rest.iter()
        .position(|byte| *byte == b'/')
        .map_or(path.len(), |length| at + length)
}

/// `.*` over the whole text.
pub(crate) fn is_path(text: &[u8]) -> bool {
    !text.contains(&b'\n')
}

/// Match a whole path along the steps and report each parameter's range in order. May report some ranges
/// before it finds that the path does not match. Patterns with user converters never match here.
pub(crate) fn follow(steps: &[Step], path: &str, report: &mut dyn FnMut(usize, usize)) -> bool {
    let bytes = path.as_bytes();
    let mut at = 0usize;
    for step in steps {
        let rest = bytes.get(at..).unwrap_or(&[]);
        match step {
            Step::Literal(text) if rest.starts_with(text) => at += text.len(),
            Step::Literal(_) | Step::Custom(_) => return false,
            Step::Segment(segment) => {
                let end = segment_end(bytes, at);
                let text = bytes.get(at..end).unwrap_or(&[]);
                let matched = match segment {
                    Segment::Mixed(program) => program.run(text, &mut |from, to| report(at + from, at + to)),
                    whole => whole.matches(text),
                };
                if !matched {
                    return false;
                }
                if !matches!(segment, Segment::Mixed(_)) {
                    report(at, end);
                }
                at = end;
            }
            Step::Rest => {
                report(at, bytes.len());
                return is_path(rest);
            }
            Step::Tail(program) => return program.run(rest, &mut |from, to| report(at + from, at + to)),
            Step::Everything => return true,
        }
    }
    at == bytes.len()
}

fn converter(piece: &Piece) -> Option<Converter> {
    match piece {
        Piece::Param(param) => Some(param.converter),
        Piece::Literal(_) => None,
    }
}

fn crosses_segments(piece: &Piece) -> bool {
    converter(piece).is_some_and(Converter::crosses_segments)
}

/// Cut before the first slash of a literal: no parameter so far can hold one.
fn split_segment(pieces: &[Piece]) -> (Vec<Piece>, Vec<Piece>) {
    let mut segment = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if let Piece::Literal(text) = piece {
            if let Some((head, _)) = text.split_once('/') {
                let mut after = pieces.get(index + 1..).unwrap_or(&[]).to_vec();
                after.insert(0, Piece::Literal(text.get(head.len()..).unwrap_or("").into()));
                if !head.is_empty() {
                    segment.push(Piece::Literal(head.into()));
                }
                return (segment, after);
            }
        }
        segment.push(piece.clone());
    }
    (segment, Vec::new())
}

fn tail(pieces: &[Piece], custom: u32) -> Result<Step, Kind> {
    if is_custom(pieces) {
        return Ok(Step::Custom(custom));
    }
    match pieces {
        [Piece::Param(only)] if only.converter == Converter::Path => Ok(Step::Rest),
        _ => Program::new(pieces, false)
            .map(Step::Tail)
            .ok_or(Kind::TooComplex),
    }
}
