//! Reads a tree in its order, and two trees beside each other without what they share.

use std::cmp::Ordering;
use std::slice;

use super::{Node, Tree};

/// A place in a list.
#[derive(Debug)]
pub(in crate::snapshot) struct Cursor<'a, T> {
    /// What is left of each node above, the root first.
    nodes: Vec<slice::Iter<'a, Node<T>>>,
    /// What is left of a leaf.
    items: slice::Iter<'a, T>,
}

impl<T> Clone for Cursor<'_, T> {
    fn clone(&self) -> Self {
        Self { nodes: self.nodes.clone(), items: self.items.clone() }
    }
}

impl<'a, T> Cursor<'a, T> {
    pub(super) fn of(list: &'a Tree<T>) -> Self {
        Self { nodes: vec![slice::from_ref(&list.root).iter()], items: [].iter() }
    }

    /// At the first item that does not stand before what `order` looks for.
    pub(super) fn at(list: &'a Tree<T>, order: impl Fn(&T) -> Ordering) -> Self {
        let (mut cursor, mut node) = (Self { nodes: Vec::new(), items: [].iter() }, &list.root);
        while let Node::Inner(nodes) = node {
            let at = nodes.partition_point(|node| node.last().is_some_and(|last| order(last).is_lt()));
            let Some((first, behind)) = nodes.get(at..).and_then(<[_]>::split_first) else { return cursor };
            cursor.nodes.push(behind.iter());
            node = first;
        }
        if let Node::Leaf(items) = node {
            cursor.items = items[items.partition_point(|item| order(item).is_lt())..].iter();
        }
        cursor
    }

    pub(super) fn peek(&self) -> Option<&'a T> {
        self.items.as_slice().first()
    }

    /// The node that comes next, where no leaf is begun.
    fn node(&self) -> Option<&'a Node<T>> {
        let mut left = self.nodes.iter().rev().filter_map(|nodes| nodes.as_slice().first());
        left.next().filter(|_| self.items.len() == 0)
    }

    fn take_node(&mut self) -> Option<&'a Node<T>> {
        loop {
            match self.nodes.last_mut()?.next() {
                Some(node) => return Some(node),
                None => drop(self.nodes.pop()),
            }
        }
    }

    /// Goes into the node that comes next.
    fn open(&mut self) -> Option<()> {
        match self.take_node()? {
            Node::Leaf(items) => self.items = items.iter(),
            Node::Inner(nodes) => self.nodes.push(nodes.iter()),
        }
        Some(())
    }

    /// Brings both to their next item that is perhaps not the same.
    pub(super) fn pass_over_shared(a: &mut Self, b: &mut Self) {
        loop {
            match (a.node(), b.node()) {
                (None, None) => return,
                (Some(next), Some(other)) if next.is(other) => drop((a.take_node(), b.take_node())),
                (next, other) => {
                    let (next, other) = (next.map(Node::height), other.map(Node::height));
                    if next >= other {
                        a.open();
                    }
                    if other >= next {
                        b.open();
                    }
                }
            }
        }
    }
}

impl<'a, T> Iterator for Cursor<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            match self.items.next() {
                Some(item) => return Some(item),
                None => self.open()?,
            }
        }
    }
}
