//! A sorted list that shares what did not change with its copies: a change costs one chunk and the list of chunks.

use std::cmp::Ordering;
use std::sync::Arc;

/// As many items as a chunk has at most.
const CHUNK_MAX: usize = 128;
/// A chunk of fewer is joined with its neighbour, where both fit into one.
const CHUNK_MIN: usize = 32;

/// Sorted by whatever order its owner searches it with.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    /// None of them is empty.
    chunks: Arc<Vec<Arc<Vec<T>>>>,
    len: usize,
}

impl<T> Clone for Chunks<T> {
    fn clone(&self) -> Self {
        Self { chunks: Arc::clone(&self.chunks), len: self.len }
    }
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Arc::default(), len: 0 }
    }
}

impl<T> Chunks<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The item that `order` finds: it says how an item stands to what is looked for.
    pub(super) fn get(&self, order: impl Fn(&T) -> Ordering) -> Option<&T> {
        let chunk = self.chunks.get(self.chunk_of(&order))?;
        chunk.get(chunk.binary_search_by(order).ok()?)
    }

    /// The first chunk that does not end before what is looked for.
    fn chunk_of(&self, order: impl Fn(&T) -> Ordering) -> usize {
        self.chunks.partition_point(|chunk| chunk.last().is_some_and(|last| order(last).is_lt()))
    }

    /// Both items of a place in the order, or the one that is there; chunks that both lists share are passed over.
    pub(super) fn differences<'a>(
        before: &'a Self,
        after: &'a Self,
        order: impl Fn(&T, &T) -> Ordering,
    ) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
        let (mut before, mut after) = (Cursor::of(before), Cursor::of(after));
        std::iter::from_fn(move || {
            while before.is_at_the_same_chunk(&after) {
                (before.chunk, after.chunk) = (before.chunk + 1, after.chunk + 1);
            }
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

impl<T: Clone> Chunks<T> {
    /// Puts an item where `order` finds its place, and gives the one that was there.
    pub(super) fn insert(&mut self, order: impl Fn(&T) -> Ordering, item: T) -> Option<T> {
        let at = self.chunk_of(&order);
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(chunk) = chunks.get_mut(at) else {
            // Behind all others, as most of a list comes: chunks are filled to their end.
            match chunks.last_mut().filter(|chunk| chunk.len() < CHUNK_MAX) {
                Some(chunk) => Arc::make_mut(chunk).push(item),
                None => chunks.push(Arc::new(vec![item])),
            }
            self.len += 1;
            return None;
        };
        let chunk = Arc::make_mut(chunk);
        match chunk.binary_search_by(order) {
            Ok(position) => Some(std::mem::replace(&mut chunk[position], item)),
            Err(position) => {
                self.len += 1;
                if chunk.len() < CHUNK_MAX {
                    chunk.insert(position, item);
                    return None;
                }
                let half = CHUNK_MAX / 2;
                let mut behind = chunk.split_off(half);
                match position.checked_sub(half) {
                    Some(position) => behind.insert(position, item),
                    None => chunk.insert(position, item),
                }
                chunks.insert(at + 1, Arc::new(behind));
                None
            }
        }
    }

    /// Takes the item away that `order` finds.
    pub(super) fn remove(&mut self, order: impl Fn(&T) -> Ordering) -> Option<T> {
        let at = self.chunk_of(&order);
        let position = self.chunks.get(at)?.binary_search_by(order).ok()?;
        let chunks = Arc::make_mut(&mut self.chunks);
        let item = Arc::make_mut(&mut chunks[at]).remove(position);
        self.len -= 1;
        let left = if at + 1 < chunks.len() { at } else { at.saturating_sub(1) };
        if chunks[at].is_empty() {
            chunks.remove(at);
        } else if let [first, second, ..] = &mut chunks[left..]
            && first.len().min(second.len()) < CHUNK_MIN
            && first.len() + second.len() <= CHUNK_MAX
        {
            Arc::make_mut(first).extend_from_slice(second);
            chunks.remove(left + 1);
        }
        Some(item)
    }
}

/// A place in a list.
struct Cursor<'a, T> {
    chunks: &'a [Arc<Vec<T>>],
    chunk: usize,
    item: usize,
}

impl<'a, T> Cursor<'a, T> {
    fn of(list: &'a Chunks<T>) -> Self {
        Self { chunks: &list.chunks, chunk: 0, item: 0 }
    }

    fn peek(&self) -> Option<&'a T> {
        self.chunks.get(self.chunk)?.get(self.item)
    }

    fn next(&mut self) -> Option<&'a T> {
        let chunk = self.chunks.get(self.chunk)?;
        let item = chunk.get(self.item);
        self.item += 1;
        if self.item == chunk.len() {
            (self.chunk, self.item) = (self.chunk + 1, 0);
        }
        item
    }

    fn is_at_the_same_chunk(&self, other: &Self) -> bool {
        let chunks = self.chunks.get(self.chunk).zip(other.chunks.get(other.chunk));
        (self.item, other.item) == (0, 0) && chunks.is_some_and(|(chunk, other)| Arc::ptr_eq(chunk, other))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Item = (u16, u8);

    fn put(list: &mut Chunks<Item>, item: Item) -> Option<Item> {
        list.insert(|known| known.0.cmp(&item.0), item)
    }

    fn sizes(list: &Chunks<Item>) -> Vec<usize> {
        list.chunks.iter().map(|chunk| chunk.len()).collect()
    }

    #[test]
    fn what_comes_in_order_fills_its_chunks() {
        let mut list = Chunks::default();
        (0..600).for_each(|key| assert_eq!(put(&mut list, (key, 0)), None));
        assert_eq!((sizes(&list), list.len()), (vec![128, 128, 128, 128, 88], 600));
    }

    #[test]
    fn a_change_leaves_every_other_chunk_where_it_was() {
        let mut list = Chunks::default();
        (0..1_000).for_each(|key| assert_eq!(put(&mut list, (key, 0)), None));
        let before = list.clone();
        put(&mut list, (300, 1));
        let shared = before.chunks.iter().zip(list.chunks.iter()).map(|(before, after)| Arc::ptr_eq(before, after));
        assert_eq!(shared.collect::<Vec<_>>(), [true, true, false, true, true, true, true, true]);
        let differences: Vec<_> = Chunks::differences(&before, &list, |a, b| a.0.cmp(&b.0)).collect();
        assert_eq!(differences.len(), CHUNK_MAX, "of the chunk that changed alone");
        assert!(differences.contains(&(Some(&(300, 0)), Some(&(300, 1)))));
        assert!(before.iter().all(|item| item.1 == 0), "the copy is as it was");
    }

    #[test]
    fn chunks_that_shrink_are_joined() {
        let mut list = Chunks::default();
        (0..2_000).for_each(|key| assert_eq!(put(&mut list, (key, 0)), None));
        (0..2_000).filter(|key| key % 40 != 0).for_each(|key| assert!(list.remove(|item| item.0.cmp(&key)).is_some()));
        assert_eq!(list.len(), 50);
        assert!(sizes(&list).len() <= 2, "{:?}", sizes(&list));
        (0..2_000).for_each(|key| assert_eq!(list.remove(|item| item.0.cmp(&key)).is_some(), key % 40 == 0));
        assert_eq!((sizes(&list), list.len()), (vec![], 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn it_is_a_sorted_map(steps in prop::collection::vec((0..700_u16, any::<u8>(), prop::bool::weighted(0.7)), 0..2_500)) {
            let (mut list, mut map) = (Chunks::default(), BTreeMap::new());
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
            prop_assert!(sizes(&list).iter().all(|size| (1..=CHUNK_MAX).contains(size)));
            copies.push((list.clone(), map.clone()));
            for (copy, map) in &copies {
                prop_assert_eq!(copy.len(), map.len());
                prop_assert!(copy.iter().copied().eq(map.iter().map(|(key, value)| (*key, *value))));
                // What is passed over is the same in both.
                let differences = Chunks::differences(copy, &list, |a, b| a.0.cmp(&b.0));
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
