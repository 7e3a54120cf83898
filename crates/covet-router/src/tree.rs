//! The radix tree: compiled patterns merged by their common starts. It only narrows a path down to the rows
//! that match it; which of them wins is the visitor's business. Built once by the builder, walked by searches.
//!
//! Invariant: every node is reached with at most one position per walk, because a literal has a fixed length
//! and a segment edge always runs to the next slash. So a walk is bounded by the size of the tree.

use crate::compile::{Segment, Step, is_path, segment_end};
use crate::converter::CustomConverters;
use crate::program::Program;

type NodeId = usize;

/// How a row's pattern ends where no segments can be told apart any more.
#[derive(Debug)]
enum Tail {
    Rest,
    Program(Program),
    Custom(u32),
    Everything,
}

#[derive(Debug)]
struct Node {
    literal: Box<[u8]>,
    /// The lowest row at or below this node: the one it was made for, since rows come in order.
    first_row: u32,
    /// Rows whose pattern ends here, ascending.
    ends: Vec<u32>,
    /// First bytes of `children`, in the same order.
    heads: Vec<u8>,
    children: Vec<NodeId>,
    /// Ascending by their node's `first_row`: rows are inserted in order.
    segments: Vec<(Segment, NodeId)>,
    /// Ascending by row.
    tails: Vec<(u32, Tail)>,
}

impl Node {
    fn new(literal: &[u8], row: u32) -> Self {
        Self {
            literal: literal.into(),
            first_row: row,
            ends: Vec::new(),
            heads: Vec::new(),
            children: Vec::new(),
            segments: Vec::new(),
            tails: Vec::new(),
        }
    }
}

/// Decides what to do with the rows that match a path.
pub(crate) trait Visitor {
    /// Rows from here on are of no interest.
    fn bound(&self) -> u32;
    /// Whether it is worth matching this row.
    fn wants(&mut self, row: u32) -> bool;
    /// The path matches this row.
    fn found(&mut self, row: u32);
}

/// What a user converter answered.
#[derive(Debug)]
pub(crate) struct CustomMatch {
    pub(crate) id: u32,
    pub(crate) ranges: Vec<(usize, usize)>,
}

/// A radix tree over the patterns of one router.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    const ROOT: NodeId = 0;

    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![Node::new(b"", 0)],
        }
    }

    /// Add a row. Rows come in ascending order, which keeps every list in a node sorted.
    pub(crate) fn insert(&mut self, steps: &[Step], row: u32) {
        let mut at = Self::ROOT;
        for step in steps {
            let tail = match step {
                Step::Literal(text) => {
                    at = self.insert_literal(at, text, row);
                    continue;
                }
                Step::Segment(segment) => {
                    at = self.insert_segment(at, segment, row);
                    continue;
                }
                Step::Rest => Tail::Rest,
                Step::Tail(program) => Tail::Program(program.clone()),
                Step::Custom(id) => Tail::Custom(*id),
                Step::Everything => Tail::Everything,
            };
            if let Some(node) = self.nodes.get_mut(at) {
                node.tails.push((row, tail));
            }
            return;
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.ends.push(row);
        }
    }

    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn insert_segment(&mut self, at: NodeId, segment: &Segment, row: u32) -> NodeId {
        let known = self
            .nodes
            .get(at)
            .and_then(|node| node.segments.iter().find(|(edge, _)| edge == segment));
        if let Some((_, child)) = known {
            return *child;
        }
        let child = self.push(Node::new(b"", row));
        if let Some(node) = self.nodes.get_mut(at) {
            node.segments.push((segment.clone(), child));
        }
        child
    }

    fn insert_literal(&mut self, at: NodeId, text: &[u8], row: u32) -> NodeId {
        let Some(head) = text.first() else { return at };
        let Some(child) = self.child(at, *head) else {
            let child = self.push(Node::new(text, row));
            if let Some(node) = self.nodes.get_mut(at) {
                node.heads.push(*head);
                node.children.push(child);
            }
            return child;
        };
        let shared = self
            .nodes
            .get(child)
            .map_or(0, |node| common_length(&node.literal, text));
        self.split(child, shared);
        self.insert_literal(child, text.get(shared..).unwrap_or(&[]), row)
    }

    /// Make the node end after `shared` bytes of its literal; the rest becomes its only child.
    fn split(&mut self, at: NodeId, shared: usize) {
        let Some(node) = self.nodes.get_mut(at) else {
            return;
        };
        let (start, end) = (node.literal.get(..shared), node.literal.get(shared..));
        let (Some(start), Some(end)) = (start, end) else {
            return;
        };
        let Some(head) = end.first().copied() else { return };
        let mut upper = Node::new(start, node.first_row);
        node.literal = end.into();
        std::mem::swap(node, &mut upper);
        let lower = self.push(upper);
        if let Some(node) = self.nodes.get_mut(at) {
            node.heads.push(head);
            node.children.push(lower);
        }
    }

    fn child(&self, at: NodeId, head: u8) -> Option<NodeId> {
        let node = self.nodes.get(at)?;
        let index = node.heads.iter().position(|known| *known == head)?;
        node.children.get(index).copied()
    }

    /// Show the visitor every row that matches the path and that it does not exclude by its bound. Gives
    /// back what a user converter said last: it belongs to the winner if that needs one, because a visitor
    /// that looks for a winner wants only rows that win so far.
    pub(crate) fn walk<V: Visitor>(
        &self,
        path: &str,
        custom: &dyn CustomConverters,
        visitor: &mut V,
    ) -> Option<CustomMatch> {
        let mut walk = Walk {
            tree: self,
            path,
            custom,
            visitor,
            last: None,
        };
        walk.enter(Self::ROOT, 0);
        walk.last
    }
}

struct Walk<'w, V> {
    tree: &'w Tree,
    path: &'w str,
    custom: &'w dyn CustomConverters,
    visitor: &'w mut V,
    last: Option<CustomMatch>,
}

impl<V: Visitor> Walk<'_, V> {
    fn enter(&mut self, id: NodeId, at: usize) {
        let Some(node) = self.tree.nodes.get(id) else {
            return;
        };
        if node.first_row >= self.visitor.bound() {
            return;
        }
        let bytes = self.path.as_bytes();
        let Some(rest) = bytes.get(at..).and_then(|rest| rest.strip_prefix(&*node.literal)) else {
            return;
        };
        let at = at + node.literal.len();
        if let Some(head) = rest.first() {
            // The most specific first: with routes registered in that order nothing else is looked at.
            if let Some(index) = node.heads.iter().position(|known| known == head) {
                self.enter(node.children.get(index).copied().unwrap_or(usize::MAX), at);
            }
            self.enter_segments(node, at);
        } else {
            self.offer_ends(node);
        }
        self.offer_tails(node, at);
    }

    fn enter_segments(&mut self, node: &Node, at: usize) {
        if node.segments.is_empty() {
            return;
        }
        let end = segment_end(self.path.as_bytes(), at);
        let text = self.path.as_bytes().get(at..end).unwrap_or(&[]);
        for (segment, child) in &node.segments {
            let first = self
                .tree
                .nodes
                .get(*child)
                .map_or(u32::MAX, |child| child.first_row);
            if first >= self.visitor.bound() {
                return;
            }
            if segment.matches(text) {
                self.enter(*child, end);
            }
        }
    }

    fn offer_ends(&mut self, node: &Node) {
        for row in &node.ends {
            if *row >= self.visitor.bound() {
                return;
            }
            if self.visitor.wants(*row) {
                self.visitor.found(*row);
            }
        }
    }

    fn offer_tails(&mut self, node: &Node, at: usize) {
        let rest = self.path.as_bytes().get(at..).unwrap_or(&[]);
        for (row, tail) in &node.tails {
            if *row >= self.visitor.bound() {
                return;
            }
            if self.visitor.wants(*row) && self.tail_matches(tail, rest) {
                self.visitor.found(*row);
            }
        }
    }

    fn tail_matches(&mut self, tail: &Tail, rest: &[u8]) -> bool {
        match tail {
            Tail::Rest => is_path(rest),
            Tail::Program(program) => program.matches(rest),
            Tail::Custom(id) => match self.custom.match_route(*id, self.path) {
                Some(ranges) => {
                    self.last = Some(CustomMatch { id: *id, ranges });
                    true
                }
                None => false,
            },
            Tail::Everything => true,
        }
    }
}

fn common_length(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(a, b)| a == b).count()
}
