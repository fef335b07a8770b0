//! What can be written into `config.yaml` and `jobs.json`: one table of rows for each, and what is made of them.
//!
//! - [`Row`] is a key or a field: its name, what may stand there, what holds without it, what it does, examples. The
//!   rows themselves stand beside what reads them: [`config::KEYS`](crate::config::KEYS),
//!   [`job::ROWS`](crate::job::ROWS).
//! - `schema` makes a JSON Schema of rows, `config`'s template makes the commented file of `sched init`, and a test
//!   makes the tables of `docs/configuration.md`.
//!
//! **Invariant:** there is no row without a reader, and no reader without a row; the real loaders take every default
//! and every example, and agree with the schema about what is wrong. Tests hold all of it.

mod schema;

pub(crate) use schema::{members, pattern_of, root};

/// A key of `config.yaml` or a field of a job in `jobs.json`.
///
/// ```
/// use scheduler_core::{config, reference::{Absent, Row, Shape}};
/// let ticker: &Row = config::KEYS.iter().find(|row| row.name == "ticker").expect("a section");
/// let interval = &ticker.inside()[0];
/// assert!(matches!(interval.shape, Shape::Duration));
/// assert_eq!((interval.name, interval.absent), ("interval", Absent::Value("\"60s\"")));
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Row {
    /// What it is called.
    pub name: &'static str,
    /// What may stand there.
    pub shape: Shape,
    /// What holds where it isn't written.
    pub absent: Absent,
    /// What it does, in whole sentences.
    pub does: &'static str,
    /// Values that could stand there, as JSON.
    pub examples: &'static [&'static str],
}

/// What may stand behind a key.
///
/// ```
/// use scheduler_core::{job, reference::Shape};
/// let overlap = job::ROWS.iter().find(|row| row.name == "overlap").expect("a field");
/// assert!(matches!(overlap.shape, Shape::Word(words) if words.contains(&"forbid")));
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Shape {
    /// Any JSON value.
    Anything,
    /// Any text.
    Text,
    /// A text that isn't empty.
    Filled,
    /// The id of a job.
    Id,
    /// A name made of the letters of an id.
    Name,
    /// An IANA time zone, or `system`.
    Zone,
    /// A schedule in any of its forms.
    Schedule,
    /// True or false.
    Truth,
    /// `30s`, `1h30m`, or 0.
    Duration,
    /// A duration that isn't 0.
    Span,
    /// A duration or `auto`.
    Grace,
    /// A date and time.
    Instant,
    /// `1MiB`, or a number of bytes.
    Size,
    /// A whole number from `least` on.
    Count {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// A program and its arguments, or a line for the shell.
    Command,
    /// Variables of an environment, by name.
    Variables,
    /// A list of texts.
    Texts,
    /// The absolute path of a folder.
    Folder,
    /// Keys of its own.
    Section(&'static [Row]),
    /// Any number of sections with these keys, each with a name of its own.
    Named(&'static [Row]),
    /// A list of sections with these keys.
    Entries(&'static [Row]),
}

/// What holds where a key isn't written.
///
/// ```
/// use scheduler_core::{job, reference::Absent};
/// let required: Vec<&str> =
///     job::ROWS.iter().filter(|row| row.absent == Absent::Refused).map(|row| row.name).collect();
/// assert_eq!(required, ["schedule"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absent {
    /// It has to be written.
    Refused,
    /// This value, as JSON.
    Value(&'static str),
    /// What this key of `config.yaml` says.
    Config(&'static str),
    /// What these words say; there is no value for it.
    Words(&'static str),
}

impl Row {
    /// A row without examples.
    pub(crate) const fn new(name: &'static str, shape: Shape, absent: Absent, does: &'static str) -> Self {
        Self { name, shape, absent, does, examples: &[] }
    }

    /// The same with these examples, as JSON.
    pub(crate) const fn examples(self, examples: &'static [&'static str]) -> Self {
        Self { examples, ..self }
    }

    /// The same, with something else where it isn't written.
    pub(crate) const fn absent(self, absent: Absent) -> Self {
        Self { absent, ..self }
    }

    /// The rows inside it, if it is a section.
    pub fn inside(&self) -> &'static [Row] {
        if let Shape::Section(rows) = self.shape { rows } else { &[] }
    }
}

/// The names of rows.
pub(crate) const fn names<const N: usize>(rows: &[Row; N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut index = 0;
    while index < N {
        names[index] = rows[index].name;
        index += 1;
    }
    names
}

/// The row at a path such as `misfire.max`.
pub(crate) fn find(rows: &'static [Row], path: &str) -> Option<&'static Row> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let row = rows.iter().find(|row| row.name == first)?;
    rest.map_or(Some(row), |rest| find(row.inside(), rest))
}

#[cfg(test)]
pub(crate) mod tests;
