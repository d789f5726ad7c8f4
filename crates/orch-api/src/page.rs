//! Pages: every list comes in parts.

use serde::{Deserialize, Serialize};

/// Items on a page where the request names no number.
pub const DEFAULT_LIMIT: u32 = 50;
/// The most items on a page.
pub const MAX_LIMIT: u32 = 500;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// What the next page is asked for with, as `cursor`; `None` at the end.
    pub next_cursor: Option<String>,
}
