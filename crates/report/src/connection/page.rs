//! The connection as an interactive page.

use super::One;
use crate::page::Page;

/// The page; `capture` is the name of the input.
pub fn page(one: &One<'_>, capture: &str) -> Page {
    Page::new(&format!("Connection {}", one.connection.connection_id), capture)
}
