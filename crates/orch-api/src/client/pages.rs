//! Walks a list page by page.

use super::{ClientError, Result};
use crate::page::Page;

/// Every item of a list, asked for as it is needed; ends after the first error.
pub(super) struct Walk<T, F> {
    fetch: F,
    items: std::vec::IntoIter<T>,
    next: Next,
}

enum Next {
    First,
    After(String),
    End,
}

impl<T, F: FnMut(Option<String>) -> Result<Page<T>>> Walk<T, F> {
    pub(super) fn new(fetch: F) -> Self {
        Self { fetch, items: Vec::new().into_iter(), next: Next::First }
    }
}

impl<T, F: FnMut(Option<String>) -> Result<Page<T>>> Iterator for Walk<T, F> {
    type Item = std::result::Result<T, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.items.next() {
                return Some(Ok(item));
            }
            let cursor = match std::mem::replace(&mut self.next, Next::End) {
                Next::First => None,
                Next::After(cursor) => Some(cursor),
                Next::End => return None,
            };
            match (self.fetch)(cursor) {
                Ok(page) => {
                    self.items = page.items.into_iter();
                    self.next = page.next_cursor.map_or(Next::End, Next::After);
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_pages_in_between_do_not_end_the_walk() {
        let walk = Walk::new(|cursor| {
            let (items, next) = match cursor.as_deref() {
                None => (vec![1, 2], Some("a")),
                Some("a") => (vec![], Some("b")),
                Some(_) => (vec![3], None),
            };
            Ok(Page { items, next_cursor: next.map(str::to_owned) })
        });
        assert_eq!(walk.collect::<Result<Vec<i32>>>().unwrap(), [1, 2, 3]);
    }
}
