//! Whether the pages of a list lead to its end: a server that is broken, or means harm, may go on for ever.

use std::collections::HashSet;

/// More items than any cluster has: Kubernetes is made for 150,000 pods.
const ITEMS_MAX: u64 = 1_000_000;

/// As many pages in a row may be empty: the API allows a page without items before the end.
const EMPTY_PAGES_MAX: u32 = 10;

/// The pages of a list so far.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Every token that a page has named.
    tokens: HashSet<Box<str>>,
    items: u64,
    empty: u32,
}

impl Course {
    /// Takes in a page of so many items that names the next one. An error is what is wrong with the server.
    pub(super) fn step(&mut self, next: Option<&str>, items: u64) -> Result<(), String> {
        self.items += items;
        self.empty = if items == 0 { self.empty + 1 } else { 0 };
        let Some(next) = next else { return Ok(()) };
        if !self.tokens.insert(next.into()) {
            return Err("the same page is offered again and again".to_owned());
        }
        if self.empty >= EMPTY_PAGES_MAX {
            return Err(format!("{EMPTY_PAGES_MAX} pages in a row are empty, and the list goes on"));
        }
        if self.items > ITEMS_MAX {
            return Err(format!("it has more than {ITEMS_MAX} items, and goes on"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_alternate_end_the_list() {
        let mut course = Course::default();
        course.step(Some("a"), 2).unwrap();
        course.step(Some("b"), 2).unwrap();
        assert_eq!(course.step(Some("a"), 2).unwrap_err(), "the same page is offered again and again");
    }

    #[test]
    fn empty_pages_end_the_list_only_in_a_row() {
        let mut course = Course::default();
        for page in 0..50 {
            course.step(Some(&format!("token {page}")), u64::from(page % 5 == 0)).unwrap();
        }
        let problem = (50..).find_map(|page| course.step(Some(&format!("token {page}")), 0).err()).unwrap();
        assert_eq!(problem, "10 pages in a row are empty, and the list goes on");
        assert_eq!(Course::default().step(None, 0), Ok(()));
    }

    #[test]
    fn a_list_without_an_end_is_ended() {
        let mut course = Course::default();
        let step = |page: u32| course.step(Some(&format!("token {page}")), 1_000).err();
        assert_eq!((0..).find_map(step).unwrap(), "it has more than 1000000 items, and goes on");
    }
}
