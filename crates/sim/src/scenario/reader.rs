//! Reads tables of a TOML file, key by key, and knows where each stands.

use super::error::{Error, suggestion};
use std::cell::RefCell;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    pub(super) fn error(&self, at: Option<usize>, key: String, reason: impl Into<String>) -> Error {
        let line = at.map(|at| {
            1 + self.text.as_bytes()[..at.min(self.text.len())].iter().filter(|&&b| b == b'\n').count()
        });
        Error { file: self.name.to_owned(), line, key, reason: reason.into() }
    }
}

/// A table, perhaps laid over others: a key is taken from the first that has it.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    path: String,
    at: Option<usize>,
    /// Tables with the paths that lead to them.
    layers: Vec<(String, &'a DeTable<'a>)>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(source: &'a Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self {
            source,
            path: String::new(),
            at: None,
            layers: vec![(String::new(), table)],
            asked: RefCell::default(),
        }
    }

    /// The whole name of a key, as it stands in the layer that has it.
    fn key(&self, key: &str) -> String {
        let layer = self.layers.iter().find(|(_, table)| look_up(table, key).is_some());
        join(layer.map_or(&self.path, |(path, _)| path), key)
    }

    fn find(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.layers.iter().find_map(|(_, table)| look_up(table, key))
    }

    /// An error about a key of this table.
    pub(super) fn error(&self, key: &'static str, reason: impl Into<String>) -> Error {
        let at = self.find(key).map(|value| value.span().start).or(self.at);
        self.source.error(at, self.key(key), reason)
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// The value of a key, if it is there.
    pub(super) fn get<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        match self.find(key) {
            None => Ok(None),
            Some(value) => match parse(value.get_ref()) {
                Ok(parsed) => Ok(Some(parsed)),
                Err(reason) => Err(self.source.error(Some(value.span().start), self.key(key), reason)),
            },
        }
    }

    /// The value of a key that must be there.
    pub(super) fn need<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Result<T, Error> {
        self.get(key, parse)?.ok_or_else(|| self.source.error(self.at, self.key(key), "missing"))
    }

    /// The items of an array; a single value stands for an array of one.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Result<Option<Vec<T>>, Error> {
        let Some(value) = self.find(key) else { return Ok(None) };
        let one = |value: &Spanned<DeValue<'_>>| {
            parse(value.get_ref())
                .map_err(|reason| self.source.error(Some(value.span().start), self.key(key), reason))
        };
        match value.get_ref().as_array() {
            None => Ok(Some(vec![one(value)?])),
            Some(array) => array.iter().map(one).collect::<Result<_, _>>().map(Some),
        }
    }

    /// A table under a key. Where several layers have it, they stay layers.
    pub(super) fn section(&self, key: &'static str) -> Result<Option<Section<'a>>, Error> {
        self.asked.borrow_mut().push(key);
        let (mut layers, mut at) = (Vec::new(), None);
        for (path, table) in &self.layers {
            let Some(value) = look_up(table, key) else { continue };
            let start = value.span().start;
            let DeValue::Table(table) = value.get_ref() else {
                let reason = format!("a {} instead of a table", value.get_ref().type_str());
                return Err(self.source.error(Some(start), self.key(key), reason));
            };
            layers.push((join(path, key), table));
            at = at.or(Some(start));
        }
        if layers.is_empty() {
            return Ok(None);
        }
        Ok(Some(Section { source: self.source, path: self.key(key), at, layers, asked: RefCell::default() }))
    }

    /// A table under a key, or an empty one.
    pub(super) fn section_or_empty(&self, key: &'static str) -> Result<Section<'a>, Error> {
        let empty = || Section {
            source: self.source,
            path: self.key(key),
            at: self.at,
            layers: Vec::new(),
            asked: RefCell::default(),
        };
        Ok(self.section(key)?.unwrap_or_else(empty))
    }

    /// The tables of an array (`[[key]]`).
    pub(super) fn sections(&self, key: &'static str) -> Result<Vec<Section<'a>>, Error> {
        let Some(value) = self.find(key) else { return Ok(Vec::new()) };
        let wrong = |value: &Spanned<DeValue<'_>>| {
            let reason =
                format!("a {} instead of tables; write [[{}]]", value.get_ref().type_str(), self.key(key));
            self.source.error(Some(value.span().start), self.key(key), reason)
        };
        let Some(array) = value.get_ref().as_array() else { return Err(wrong(value)) };
        let mut sections = Vec::new();
        for (n, value) in array.iter().enumerate() {
            let DeValue::Table(table) = value.get_ref() else { return Err(wrong(value)) };
            let path = format!("{}[{n}]", self.key(key));
            sections.push(Section {
                source: self.source,
                path: path.clone(),
                at: Some(value.span().start),
                layers: vec![(path, table)],
                asked: RefCell::default(),
            });
        }
        Ok(sections)
    }

    /// This table laid over another.
    pub(super) fn over(mut self, below: &Section<'a>) -> Self {
        self.layers.extend(below.layers.iter().cloned());
        self
    }

    /// Refuses keys that nobody asked for.
    pub(super) fn finish(self) -> Result<(), Error> {
        let mut known = self.asked.take();
        known.sort_unstable();
        known.dedup();
        for (path, table) in &self.layers {
            let unknown = table
                .iter()
                .filter(|(name, _)| !known.contains(&name.get_ref().as_ref()))
                .min_by_key(|(name, _)| name.span().start);
            if let Some((name, _)) = unknown {
                let at = Some(name.span().start);
                let reason = format!("unknown key{}", suggestion(name.get_ref(), &known));
                return Err(self.source.error(at, join(path, name.get_ref()), reason));
            }
        }
        Ok(())
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn look_up<'a>(table: &'a DeTable<'a>, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}
