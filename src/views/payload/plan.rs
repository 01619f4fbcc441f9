//! Where one payload ends and the next begins, by the length of each piece.
//!
//! Both forms are namespaces with items in them: pods, or entries of the report. A namespace that fits into a payload of
//! its own is not torn. A payload ends before the namespace that made it too large; when that namespace is alone in it,
//! before its last item, and the namespace is there again in the next. The moved part is counted once more there.

use std::ops::Range;

use foldhash::HashSet;

use super::PayloadLimits;
use super::nodes::NodeNumber;

/// The pieces of a form, and what they come to.
pub(super) trait Pieces {
    /// Nodes that are sent ahead of everything.
    fn idle_nodes(&self) -> &[NodeNumber];

    /// Bytes of a node.
    fn node_length(&self, node: NodeNumber) -> u64;

    /// How many namespaces there are.
    fn parts(&self) -> usize;

    /// Bytes of a namespace without its items.
    fn part_length(&self, part: usize) -> u64;

    /// The items of a namespace but for the first `from` ones.
    fn items(&self, part: usize, from: usize) -> impl Iterator<Item = Item>;

    /// Bytes of a body of these.
    fn body_length(&self, tally: &Tally) -> u64;
}

/// A pod, or an entry of the report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Of its elements, without commas between them.
    pub(super) bytes: u64,
    pub(super) containers: u32,
    /// The node that has to be in the same payload.
    pub(super) node: Option<NodeNumber>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) namespaces: usize,
    /// Namespaces that have items.
    pub(super) filled: usize,
    pub(super) items: usize,
    pub(super) containers: usize,
    pub(super) nodes: usize,
    /// Of all elements, without commas between them.
    pub(super) bytes: u64,
}

/// What is in one payload: items of the namespaces from one position to another, and nodes.
#[derive(Debug, Default)]
pub(super) struct Slice {
    from: Position,
    to: Position,
    /// In the order in which they are needed.
    pub(super) nodes: Vec<NodeNumber>,
}

/// An item of a namespace.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    part: usize,
    item: usize,
}

/// Goes through the pieces once.
#[derive(Debug)]
pub(super) struct Planner {
    limits: PayloadLimits,
    idle_nodes: usize,
    next: Position,
}

#[derive(Default)]
struct Draft {
    tally: Tally,
    nodes: Vec<NodeNumber>,
    has_node: HashSet<NodeNumber>,
}

impl Tally {
    pub(super) fn is_empty(&self) -> bool {
        self.namespaces == 0 && self.nodes == 0
    }
}

impl Slice {
    /// The namespaces in it, and which of their items.
    pub(super) fn parts(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let Self { from, to, .. } = *self;
        (from.part..to.part + usize::from(to.item > 0)).map(move |part| {
            let start = if part == from.part { from.item } else { 0 };
            let end = if part == to.part { to.item } else { usize::MAX };
            (part, start..end)
        })
    }
}

impl Planner {
    pub(super) fn new(limits: PayloadLimits) -> Self {
        Self { limits, idle_nodes: 0, next: Position::default() }
    }

    /// The next payload: what is in it, and how long its body is. It is empty when there is no more.
    pub(super) fn next_slice(&mut self, pieces: &impl Pieces) -> (Slice, Tally, u64) {
        let (from, mut draft) = (self.next, Draft::default());
        self.fill(&mut draft, pieces);
        let slice = Slice { from, to: self.next, nodes: draft.nodes };
        (slice, draft.tally, pieces.body_length(&draft.tally))
    }

    fn fill(&mut self, draft: &mut Draft, pieces: &impl Pieces) {
        while let Some(node) = pieces.idle_nodes().get(self.idle_nodes) {
            let before = draft.tally;
            draft.add_node(*node, pieces);
            if before.nodes > 0 && self.is_over(&draft.tally, pieces) {
                return draft.go_back(before);
            }
            self.idle_nodes += 1;
        }
        while self.next.part < pieces.parts() {
            let Position { part, item: from } = self.next;
            let before_part = draft.tally;
            let is_alone = before_part.is_empty();
            draft.tally.namespaces += 1;
            draft.tally.bytes += pieces.part_length(part);
            if !is_alone && self.is_over(&draft.tally, pieces) {
                return draft.go_back(before_part);
            }
            for (count, item) in pieces.items(part, from).enumerate() {
                let before_item = draft.tally;
                draft.add_item(item, count == 0, pieces);
                if !self.is_over(&draft.tally, pieces) {
                    continue;
                }
                if !is_alone {
                    return draft.go_back(before_part);
                }
                if count > 0 {
                    self.next.item += count;
                    return draft.go_back(before_item);
                }
            }
            self.next = Position { part: part + 1, item: 0 };
        }
    }

    fn is_over(&self, tally: &Tally, pieces: &impl Pieces) -> bool {
        let PayloadLimits { namespaces, bytes } = self.limits;
        namespaces.is_some_and(|most| tally.namespaces > most.max(1))
            || bytes.is_some_and(|most| pieces.body_length(tally) > most)
    }
}

impl Draft {
    fn add_node(&mut self, node: NodeNumber, pieces: &impl Pieces) {
        if self.has_node.insert(node) {
            self.nodes.push(node);
            self.tally.nodes += 1;
            self.tally.bytes += pieces.node_length(node);
        }
    }

    fn add_item(&mut self, item: Item, is_first: bool, pieces: &impl Pieces) {
        item.node.into_iter().for_each(|node| self.add_node(node, pieces));
        self.tally.filled += usize::from(is_first);
        self.tally.items += 1;
        self.tally.containers += item.containers as usize;
        self.tally.bytes += item.bytes;
    }

    /// Leaves out what came after `tally`. The payload ends here.
    fn go_back(&mut self, tally: Tally) {
        self.tally = tally;
        self.nodes.truncate(tally.nodes);
    }
}
