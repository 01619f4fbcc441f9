//! The last events, 4 MiB of them at most, each with its number.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::views::Change;

/// Bytes of all events that are kept.
pub(super) const BYTES_MAX: usize = 4 * 1024 * 1024;

/// An event, written once for all who read it.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) sequence: u64,
    pub(super) change: Change,
    pub(super) data: Box<RawValue>,
}

/// The oldest event goes when there is no room for a new one.
#[derive(Debug, Default)]
pub(super) struct Ring {
    events: VecDeque<Arc<Stored>>,
    /// Number of the last event; 0 before the first.
    last: u64,
    bytes: usize,
    /// Bytes of all events that have come.
    come: u64,
}

/// Events that follow are not kept any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

impl Stored {
    fn size(&self) -> usize {
        // The text and the two counts of the allocation, and its place in the list.
        let around = size_of::<Self>() - size_of::<Change>() + 3 * size_of::<usize>();
        self.change.size() + self.data.get().len() + around
    }
}

impl Ring {
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Bytes of all events that have come until now.
    pub(super) fn come(&self) -> u64 {
        self.come
    }

    /// Whether everything behind the event of that number is kept.
    pub(super) fn knows(&self, sequence: u64) -> bool {
        sequence <= self.last && self.last - sequence <= self.events.len() as u64
    }

    /// The event that follows the one of that number, if one does.
    pub(super) fn behind(&self, sequence: u64) -> Result<Option<&Arc<Stored>>, Gone> {
        if !self.knows(sequence) {
            return Err(Gone);
        }
        let place = self.events.len() as u64 - (self.last - sequence);
        Ok(usize::try_from(place).ok().and_then(|place| self.events.get(place)))
    }

    /// Adds the event whose number is the next one.
    pub(super) fn push(&mut self, event: Stored) {
        let size = event.size();
        self.last = event.sequence;
        self.bytes += size;
        self.come += size as u64;
        self.events.push_back(Arc::new(event));
        while self.bytes > BYTES_MAX
            && let Some(oldest) = self.events.pop_front()
        {
            self.bytes -= oldest.size();
        }
    }

    /// Forgets everything: nobody can go on from where they are.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
        self.last += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::NamespaceSelection;
    use crate::snapshot::PodIndex;
    use crate::testing::cluster;
    use crate::views::Told;
    use serde_json::value::to_raw_value;

    /// Some change.
    fn change() -> Change {
        let mut index = PodIndex::new("demo", NamespaceSelection::default());
        let mut told = Told::new(cluster().namespace("apps").relist_into(&mut index));
        let after = cluster().namespace("apps").pod("apps/web", "nginx:1.27").relist_into(&mut index);
        told.advance(&after).unwrap().remove(0)
    }

    fn push(ring: &mut Ring, change: &Change, length: usize) {
        let data = to_raw_value(&"x".repeat(length)).unwrap();
        ring.push(Stored { sequence: ring.last() + 1, change: change.clone(), data });
    }

    fn next(ring: &Ring, sequence: u64) -> Result<Option<u64>, Gone> {
        Ok(ring.behind(sequence)?.map(|event| event.sequence))
    }

    #[test]
    fn events_follow_each_other() {
        let (mut ring, change) = (Ring::default(), change());
        assert_eq!((next(&ring, 0), next(&ring, 1)), (Ok(None), Err(Gone)));
        (0..3).for_each(|_| push(&mut ring, &change, 10));
        assert_eq!([0, 1, 2, 3].map(|at| next(&ring, at)), [Ok(Some(1)), Ok(Some(2)), Ok(Some(3)), Ok(None)]);
        assert_eq!(next(&ring, 4), Err(Gone), "it is still to come");
    }

    #[test]
    fn it_holds_4_mib_at_most() {
        let (mut ring, change) = (Ring::default(), change());
        for _ in 0..100 {
            push(&mut ring, &change, 100_000);
            assert!(ring.bytes <= BYTES_MAX);
        }
        assert!(ring.bytes > BYTES_MAX - 110_000, "{}", ring.bytes);
        let oldest = (0..=100).find(|at| ring.knows(*at)).unwrap();
        assert_eq!((oldest, next(&ring, oldest - 1), next(&ring, oldest)), (59, Err(Gone), Ok(Some(60))));
        push(&mut ring, &change, BYTES_MAX);
        assert_eq!((ring.bytes, ring.events.len(), next(&ring, 100), next(&ring, 101)), (0, 0, Err(Gone), Ok(None)));
    }

    #[test]
    fn nobody_goes_on_once_it_is_cleared() {
        let (mut ring, change) = (Ring::default(), change());
        push(&mut ring, &change, 10);
        ring.clear();
        assert_eq!([0, 1, 2].map(|at| next(&ring, at)), [Err(Gone), Err(Gone), Ok(None)]);
        push(&mut ring, &change, 10);
        assert_eq!([1, 2, 3].map(|at| next(&ring, at)), [Err(Gone), Ok(Some(3)), Ok(None)]);
    }
}
