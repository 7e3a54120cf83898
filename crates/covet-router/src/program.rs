//! Programs: the matcher for patterns with more than one way to split a text, such as `{a}-{b}` or
//! `{rest:path}/end`. Gives exactly the split of a greedy, backtracking regular expression anchored at both
//! ends, in time linear in the text: it first marks, from the back, from where each step can still succeed,
//! and then walks forward taking the preferred step that can. Used by compiled patterns and hosts.

use crate::converter::{Class, Converter, uuid_length};
use crate::pattern::Piece;

/// A program's steps and its accepting state share the bits of one word.
const MAX_OPS: usize = 63;

/// Texts shorter than this are marked without an allocation.
const INLINE: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Op {
    Literal(Box<[u8]>),
    /// One or more, as many as possible.
    Plus(Class),
    /// Any number, as many as possible.
    Star(Class),
    /// Go on with the next op if possible, else skip this many.
    Maybe(usize),
    Uuid,
}

/// A sequence of literals and parameters, ready to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    ops: Vec<Op>,
    /// First op and the op after the last one of each parameter.
    params: Vec<(usize, usize)>,
    /// Hosts: literals are lower-case and compare without case.
    fold: bool,
}

impl Program {
    /// Compile pieces; `None` when they are too many or ask for a user converter.
    pub(crate) fn new(pieces: &[Piece], fold: bool) -> Option<Self> {
        let mut program = Self {
            ops: Vec::new(),
            params: Vec::new(),
            fold,
        };
        for piece in pieces {
            match piece {
                Piece::Literal(text) => program.ops.push(Op::Literal(text.as_bytes().into())),
                Piece::Param(param) => program.push_parameter(param.converter)?,
            }
        }
        (program.ops.len() <= MAX_OPS).then_some(program)
    }

    fn push_parameter(&mut self, converter: Converter) -> Option<()> {
        let start = self.ops.len();
        match converter {
            Converter::Str => self.ops.push(Op::Plus(Class::NotSlash)),
            Converter::Int => self.ops.push(Op::Plus(Class::Digit)),
            Converter::Path => self.ops.push(Op::Star(Class::NotLineFeed)),
            Converter::Uuid => self.ops.push(Op::Uuid),
            Converter::Float => {
                let dot = Op::Literal(Box::from(*b"."));
                let digits = Op::Plus(Class::Digit);
                self.ops.extend([digits.clone(), Op::Maybe(3), dot, digits]);
            }
            Converter::Custom(_) => return None,
        }
        self.params.push((start, self.ops.len()));
        Some(())
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        self.run(text, &mut |_, _| {})
    }

    /// Match the whole text and report the range of each parameter in order.
    pub(crate) fn run(&self, text: &[u8], report: &mut dyn FnMut(usize, usize)) -> bool {
        if let Some(Op::Literal(last)) = self.ops.last() {
            let tail = text.len().checked_sub(last.len()).and_then(|at| text.get(at..));
            if !tail.is_some_and(|tail| self.starts_with(tail, last)) {
                return false;
            }
        }
        if let ([Op::Plus(left), Op::Literal(between), Op::Plus(right)], false) = (&*self.ops, self.fold) {
            return match split_pair(text, *left, between, *right) {
                Some((end, start)) => {
                    report(0, end);
                    report(start, text.len());
                    true
                }
                None => false,
            };
        }
        if text.len() < INLINE {
            self.solve(text, &mut [0; INLINE], report)
        } else {
            self.solve(text, &mut vec![0; text.len().saturating_add(1)], report)
        }
    }

    fn solve(&self, text: &[u8], marks: &mut [u64], report: &mut dyn FnMut(usize, usize)) -> bool {
        for at in (0..=text.len()).rev() {
            let mark = self.mark(text, at, marks);
            if let Some(slot) = marks.get_mut(at) {
                *slot = mark;
            }
        }
        let possible = marks.first().is_some_and(|mark| mark & 1 == 1);
        if possible {
            self.walk(text, marks, report);
        }
        possible
    }

    /// Bit `i`: op `i` and all that follow can match the text from `at` on. Later positions are done.
    fn mark(&self, text: &[u8], at: usize, marks: &[u64]) -> u64 {
        let rest = text.get(at..).unwrap_or(&[]);
        let width = match rest.first() {
            None => 0,
            // Inside a character no op begins or ends.
            Some(byte) if byte & 0xC0 == 0x80 => return 0,
            Some(byte) => character_width(*byte),
        };
        let ahead = |by: usize| marks.get(at + by).copied().unwrap_or(0);
        let mut mark = if rest.is_empty() { 1 << self.ops.len() } else { 0 };
        for (index, op) in self.ops.iter().enumerate().rev() {
            let eats = |class: Class| rest.first().is_some_and(|byte| class.accepts(*byte));
            let can = match op {
                Op::Literal(literal) if self.starts_with(rest, literal) => {
                    ahead(literal.len()) >> (index + 1) & 1
                }
                Op::Literal(_) => 0,
                Op::Plus(class) if eats(*class) => (ahead(width) >> index | ahead(width) >> (index + 1)) & 1,
                Op::Plus(_) => 0,
                Op::Star(class) if eats(*class) => (ahead(width) >> index | mark >> (index + 1)) & 1,
                Op::Star(_) => mark >> (index + 1) & 1,
                Op::Maybe(skip) => (mark >> (index + 1) | mark >> (index + skip)) & 1,
                Op::Uuid => uuid_length(rest).map_or(0, |length| ahead(length) >> (index + 1) & 1),
            };
            mark |= can << index;
        }
        mark
    }

    /// Take the preferred step that can succeed until the end; `marks` says which can.
    fn walk(&self, text: &[u8], marks: &[u64], report: &mut dyn FnMut(usize, usize)) {
        let mut params = self.params.iter().copied();
        let mut param = params.next();
        let mut start = 0;
        let mut last = None;
        let (mut index, mut at) = (0usize, 0usize);
        while let Some(op) = self.ops.get(index) {
            if last != Some(index) && param.is_some_and(|(first, _)| first == index) {
                start = at;
            }
            last = Some(index);
            (index, at) = step(op, index, at, text, marks);
            if param.is_some_and(|(_, end)| end == index) {
                report(start, at);
                param = params.next();
            }
        }
    }

    fn starts_with(&self, text: &[u8], literal: &[u8]) -> bool {
        match text.get(..literal.len()) {
            Some(start) if self.fold => start.eq_ignore_ascii_case(literal),
            Some(start) => start == literal,
            None => false,
        }
    }
}

/// The usual two parameters with a literal between them, without marks: the last place of the literal that
/// leaves both sides something they accept. Gives the end of the left and the start of the right one.
fn split_pair(text: &[u8], left: Class, between: &[u8], right: Class) -> Option<(usize, usize)> {
    let most = text
        .iter()
        .position(|byte| !left.accepts(*byte))
        .unwrap_or(text.len());
    let least = text
        .iter()
        .rposition(|byte| !right.accepts(*byte))
        .map_or(0, |last| last + 1);
    let highest = most.min(text.len().checked_sub(between.len() + 1)?);
    let fits = |end: &usize| text.get(*end..).is_some_and(|rest| rest.starts_with(between));
    let lowest = least.saturating_sub(between.len()).max(1);
    let end = (lowest..=highest).rev().find(fits)?;
    Some((end, end + between.len()))
}

/// Where the preferred successful step from op `index` at `at` leads; that one exists is known.
fn step(op: &Op, index: usize, at: usize, text: &[u8], marks: &[u64]) -> (usize, usize) {
    let can = |index: usize, at: usize| marks.get(at).is_some_and(|mark| mark >> index & 1 == 1);
    let first = text.get(at).copied();
    let after = at + first.map_or(0, character_width);
    match op {
        Op::Literal(literal) => (index + 1, at + literal.len()),
        Op::Plus(_) if can(index, after) => (index, after),
        Op::Plus(_) => (index + 1, after),
        Op::Star(class) if first.is_some_and(|byte| class.accepts(byte)) && can(index, after) => {
            (index, after)
        }
        Op::Star(_) => (index + 1, at),
        Op::Maybe(skip) => (
            if can(index + 1, at) {
                index + 1
            } else {
                index + skip
            },
            at,
        ),
        Op::Uuid => (index + 1, at + text.get(at..).and_then(uuid_length).unwrap_or(0)),
    }
}

/// Bytes of the UTF-8 character with this first byte.
fn character_width(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}
