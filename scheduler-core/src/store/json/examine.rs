//! A text of `jobs.json` on the table: what is wrong with it and what it would put in force, without a home or a store.

use std::fmt;

use jiff::Timestamp;

use super::{
    super::{Problem, book::Book},
    definitions,
    document::{Document, Entry},
};
use crate::{
    Job,
    job::{JobDefaults, parse_definition},
};

/// What [`examine`] found.
///
/// ```
/// use scheduler_core::{job::JobDefaults, store::json::examine};
/// let examined = examine("jobs.json", b"{", &JobDefaults::default());
/// assert!(examined.jobs.is_empty() && examined.problems[0].what.starts_with("jobs.json: line 1"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Examined {
    /// What is wrong, in the file's order.
    pub problems: Vec<Problem>,
    /// The jobs that the text would put in force.
    pub jobs: Vec<ExaminedJob>,
}

/// A valid entry and where it stands.
///
/// ```
/// use scheduler_core::{job::JobDefaults, store::json::examine};
/// let text = br#"{"format": 1, "jobs": [{"id": "a", "schedule": "@daily", "command": "true"}]}"#;
/// let examined = examine("jobs.json", text, &JobDefaults::default());
/// assert_eq!(examined.jobs[0].place_of("schedule").to_string(), "line 1, column 36");
/// ```
#[derive(Debug)]
pub struct ExaminedJob {
    /// The job.
    pub job: Job,
    entry: Entry,
}

impl ExaminedJob {
    /// Where `field` stands in the file, or the entry itself if it isn't in it: "line 3, column 5".
    pub fn place_of(&self, field: &str) -> impl fmt::Display {
        self.entry.place_of(Some(field))
    }
}

/// Looks at a text of `jobs.json`, which is called `path` in what is found. Reads nothing else and changes nothing.
///
/// ```
/// use scheduler_core::{job::JobDefaults, store::json::examine};
/// let text = br#"{"format": 1, "jobs": [{"id": "a", "schedule": "90 2 * * *", "command": "true"}]}"#;
/// let examined = examine("jobs.json", text, &JobDefaults::default());
/// assert!(examined.problems[0].what.starts_with("jobs.json: line 1, column 36: job `a` is invalid"));
/// ```
pub fn examine(path: &str, bytes: &[u8], defaults: &JobDefaults) -> Examined {
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err(why) => {
            let what = format!("{path}: {}: {}", why.place, why.why);
            return Examined { problems: vec![Problem::new("jobs-json", what, "correct it")], jobs: Vec::new() };
        }
    };
    let book = Book::new(std::sync::Arc::new(defaults.clone()));
    let problems = definitions::problems(path, &document, &book);
    let valid = |entry: Entry| {
        let job = parse_definition(&entry.value, defaults, defaults.zone_name(), Timestamp::UNIX_EPOCH).ok()?;
        Some(ExaminedJob { job, entry })
    };
    Examined { problems, jobs: document.entries.into_iter().filter_map(valid).collect() }
}
