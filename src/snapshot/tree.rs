//! A sorted list that shares what did not change with its copies: a change costs one leaf and the nodes above it, however
//! long the list is.

mod cursor;

use std::cmp::Ordering;
use std::sync::Arc;

use cursor::Cursor;

/// As many items as a leaf has at most, or children as a node has: each of them is counted once more when its node is copied.
const NODE_MAX: usize = 32;
/// A node of fewer is joined with its neighbour, where both fit into one.
const NODE_MIN: usize = 8;

/// Sorted by whatever order its owner searches it with.
#[derive(Debug)]
pub(super) struct Tree<T> {
    root: Node<T>,
    len: usize,
}

/// None is empty but the root of an empty tree, and all leaves are equally deep.
#[derive(Debug)]
enum Node<T> {
    Leaf(Arc<Vec<T>>),
    Inner(Arc<Vec<Node<T>>>),
}

impl<T> Clone for Tree<T> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), len: self.len }
    }
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Leaf(items) => Self::Leaf(Arc::clone(items)),
            Self::Inner(nodes) => Self::Inner(Arc::clone(nodes)),
        }
    }
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { root: Node::Leaf(Arc::default()), len: 0 }
    }
}

impl<T> Tree<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        Cursor::of(self)
    }

    /// From the first item on that does not stand before what `order` looks for.
    pub(super) fn iter_from(&self, order: impl Fn(&T) -> Ordering) -> Cursor<'_, T> {
        Cursor::at(self, order)
    }

    /// The item that `order` finds: it says how an item stands to what is looked for.
    pub(super) fn get(&self, order: impl Fn(&T) -> Ordering) -> Option<&T> {
        let mut node = &self.root;
        loop {
            match node {
                Node::Inner(nodes) => node = &nodes[child_of(nodes, &order)],
                Node::Leaf(items) => return items.get(items.binary_search_by(order).ok()?),
            }
        }
    }

    /// Both items of a place in the order, or the one that is there; nodes that both lists share are passed over.
    pub(super) fn differences<'a>(
        before: &'a Self,
        after: &'a Self,
        order: impl Fn(&T, &T) -> Ordering,
    ) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
        let (mut before, mut after) = (Cursor::of(before), Cursor::of(after));
        std::iter::from_fn(move || {
            Cursor::pass_over_shared(&mut before, &mut after);
            let order = match (before.peek(), after.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => order(before, after),
            };
            let before = order.is_le().then(|| before.next()).flatten();
            let after = order.is_ge().then(|| after.next()).flatten();
            Some((before, after))
        })
    }
}

impl<T: Clone> Tree<T> {
    /// Puts an item where `order` finds its place, and gives the one that was there.
    pub(super) fn insert(&mut self, order: impl Fn(&T) -> Ordering, item: T) -> Option<T> {
        let (replaced, behind) = self.root.insert(&order, item);
        if let Some(behind) = behind {
            self.root = Node::Inner(Arc::new(vec![self.root.clone(), behind]));
        }
        self.len += usize::from(replaced.is_none());
        replaced
    }

    /// Takes the item away that `order` finds.
    pub(super) fn remove(&mut self, order: impl Fn(&T) -> Ordering) -> Option<T> {
        // Nothing is copied for an item that is not there.
        self.get(&order)?;
        let item = self.root.remove(&order)?;
        self.len -= 1;
        while let Node::Inner(nodes) = &self.root
            && let [only] = nodes.as_slice()
        {
            self.root = only.clone();
        }
        Some(item)
    }
}

impl<T> Node<T> {
    fn len(&self) -> usize {
        match self {
            Self::Leaf(items) => items.len(),
            Self::Inner(nodes) => nodes.len(),
        }
    }

    fn last(&self) -> Option<&T> {
        match self {
            Self::Leaf(items) => items.last(),
            Self::Inner(nodes) => nodes.last()?.last(),
        }
    }

    fn height(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::Inner(nodes) => nodes.first().map_or(0, Self::height) + 1,
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(a), Self::Leaf(b)) => Arc::ptr_eq(a, b),
            (Self::Inner(a), Self::Inner(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl<T: Clone> Node<T> {
    /// Gives the item that was there, and the node behind this one, if it had no room.
    fn insert(&mut self, order: &impl Fn(&T) -> Ordering, item: T) -> (Option<T>, Option<Self>) {
        match self {
            Self::Leaf(items) => {
                let items = Arc::make_mut(items);
                match items.binary_search_by(order) {
                    Ok(position) => (Some(std::mem::replace(&mut items[position], item)), None),
                    Err(position) => (None, put(items, position, item).map(|behind| Self::Leaf(Arc::new(behind)))),
                }
            }
            Self::Inner(nodes) => {
                let nodes = Arc::make_mut(nodes);
                let at = child_of(nodes, order);
                let (replaced, behind) = nodes[at].insert(order, item);
                let behind = behind.and_then(|behind| put(nodes, at + 1, behind));
                (replaced, behind.map(|behind| Self::Inner(Arc::new(behind))))
            }
        }
    }

    fn remove(&mut self, order: &impl Fn(&T) -> Ordering) -> Option<T> {
        let nodes = match self {
            Self::Leaf(items) => {
                let position = items.binary_search_by(order).ok()?;
                return Some(Arc::make_mut(items).remove(position));
            }
            Self::Inner(nodes) => Arc::make_mut(nodes),
        };
        let at = child_of(nodes, order);
        let item = nodes[at].remove(order)?;
        let left = if at + 1 < nodes.len() { at } else { at.saturating_sub(1) };
        if nodes[at].len() == 0 {
            nodes.remove(at);
        } else if let [first, second, ..] = &mut nodes[left..]
            && first.len().min(second.len()) < NODE_MIN
            && first.len() + second.len() <= NODE_MAX
        {
            match (first, second) {
                (Self::Leaf(first), Self::Leaf(second)) => Arc::make_mut(first).extend_from_slice(second),
                (Self::Inner(first), Self::Inner(second)) => Arc::make_mut(first).extend_from_slice(second),
                // All leaves are equally deep.
                _ => return Some(item),
            }
            nodes.remove(left + 1);
        }
        Some(item)
    }
}

/// The first child that does not end before what is looked for, or the last of all.
fn child_of<T>(nodes: &[Node<T>], order: &impl Fn(&T) -> Ordering) -> usize {
    let at = nodes.partition_point(|node| node.last().is_some_and(|last| order(last).is_lt()));
    at.min(nodes.len() - 1)
}

/// Puts an item at a position, and gives what is to stand behind a list that was full.
fn put<T>(list: &mut Vec<T>, position: usize, item: T) -> Option<Vec<T>> {
    if list.len() < NODE_MAX {
        list.insert(position, item);
        return None;
    }
    // Most lists come in their order: what is full then stays full.
    let is_behind_all = position == list.len();
    let mut behind = list.split_off(if is_behind_all { position } else { NODE_MAX / 2 });
    match position.checked_sub(list.len()) {
        Some(position) => behind.insert(position, item),
        None => list.insert(position, item),
    }
    Some(behind)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Item = (u16, u8);

    fn put(list: &mut Tree<Item>, item: Item) -> Option<Item> {
        list.insert(|known| known.0.cmp(&item.0), item)
    }

    /// How many items each leaf has.
    fn sizes(list: &Tree<Item>) -> Vec<usize> {
        leaves(&list.root).iter().map(|leaf| leaf.len()).collect()
    }

    fn leaves(node: &Node<Item>) -> Vec<&Arc<Vec<Item>>> {
        match node {
            Node::Leaf(items) => vec![items],
            Node::Inner(nodes) => nodes.iter().flat_map(leaves).collect(),
        }
    }

    /// Asserts what every node must be.
    fn assert_balanced(node: &Node<Item>) {
        assert!((1..=NODE_MAX).contains(&node.len()));
        if let Node::Inner(nodes) = node {
            assert!(nodes.iter().all(|child| child.height() + 1 == node.height()));
            nodes.iter().for_each(assert_balanced);
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_leaves() {
        let mut list = Tree::default();
        (0..2_600).for_each(|key| assert_eq!(put(&mut list, (key, 0)), None));
        let sizes = sizes(&list);
        assert_eq!((sizes.len(), list.len(), list.root.height()), (82, 2_600, 2));
        assert!(sizes[..81].iter().all(|size| *size == NODE_MAX), "{sizes:?}");
    }

    #[test]
    fn a_change_leaves_every_other_leaf_where_it_was() {
        let mut list = Tree::default();
        (0..2_000).for_each(|key| assert_eq!(put(&mut list, (key, 0)), None));
        let before = list.clone();
        put(&mut list, (300, 1));
        let (old, new) = (leaves(&before.root), leaves(&list.root));
        let copied = old.iter().zip(&new).filter(|(before, after)| !Arc::ptr_eq(before, after));
        assert_eq!((old.len(), new.len(), copied.count()), (63, 63, 1));
        let differences: Vec<_> = Tree::differences(&before, &list, |a, b| a.0.cmp(&b.0)).collect();
        assert_eq!(differences.len(), NODE_MAX, "of the leaf that changed alone");
        assert!(differences.contains(&(Some(&(300, 0)), Some(&(300, 1)))));
        assert!(before.iter().all(|item| item.1 == 0), "the copy is as it was");
    }

    #[test]
    fn leaves_that_shrink_are_joined() {
        let mut list = Tree::default();
        (0..2_000).for_each(|key| assert_eq!(put(&mut list, (key, 0)), None));
        (0..2_000).filter(|key| key % 40 != 0).for_each(|key| assert!(list.remove(|item| item.0.cmp(&key)).is_some()));
        assert_eq!(list.len(), 50);
        assert!(sizes(&list).len() <= 6, "{:?}", sizes(&list));
        (0..2_000).for_each(|key| assert_eq!(list.remove(|item| item.0.cmp(&key)).is_some(), key % 40 == 0));
        assert_eq!((sizes(&list), list.len()), (vec![0], 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn it_is_a_sorted_map(from in 0..720_u16, steps in prop::collection::vec((0..700_u16, any::<u8>(), prop::bool::weighted(0.7)), 0..2_500)) {
            let (mut list, mut map) = (Tree::default(), BTreeMap::new());
            let mut copies = vec![(list.clone(), map.clone())];
            for (at, (key, value, is_put)) in steps.into_iter().enumerate() {
                if is_put {
                    prop_assert_eq!(put(&mut list, (key, value)).map(|item| item.1), map.insert(key, value));
                } else {
                    prop_assert_eq!(list.remove(|item| item.0.cmp(&key)).map(|item| item.1), map.remove(&key));
                }
                if at % 500 == 0 {
                    copies.push((list.clone(), map.clone()));
                }
            }
            if list.len() > 0 {
                assert_balanced(&list.root);
            }
            copies.push((list.clone(), map.clone()));
            for (copy, map) in &copies {
                prop_assert_eq!(copy.len(), map.len());
                prop_assert!(copy.iter().copied().eq(map.iter().map(|(key, value)| (*key, *value))));
                let behind = copy.iter_from(|item| item.0.cmp(&from)).copied();
                prop_assert!(behind.eq(map.range(from..).map(|(key, value)| (*key, *value))));
                // What is passed over is the same in both.
                let differences = Tree::differences(copy, &list, |a, b| a.0.cmp(&b.0));
                let mut back = list.iter().copied().collect::<BTreeMap<_, _>>();
                for (before, after) in differences {
                    after.iter().for_each(|item| assert_eq!(back.remove(&item.0), Some(item.1)));
                    back.extend(before.copied());
                }
                prop_assert_eq!(&back, map);
            }
        }
    }
}
