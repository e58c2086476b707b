//! Files that a scenario names: traces, tables of sizes, flows to be replayed.

use super::error::Error;
use super::reader::Section;
use std::io;

/// Reads files for a scenario; what the names are relative to is for the caller to know.
pub(super) struct Files<'a> {
    read: &'a mut dyn FnMut(&str) -> io::Result<String>,
}

impl<'a> Files<'a> {
    pub(super) fn new(read: &'a mut dyn FnMut(&str) -> io::Result<String>) -> Self {
        Self { read }
    }

    /// The text of the file that a key names.
    pub(super) fn read(
        &mut self,
        section: &Section<'_>,
        key: &'static str,
        name: &str,
    ) -> Result<String, Error> {
        (self.read)(name).map_err(|error| section.error(key, format!("{name}: {error}")))
    }
}
