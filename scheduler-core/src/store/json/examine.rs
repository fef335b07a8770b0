//! A text of `jobs.json` on the table: what is wrong with it and what it would put in force, without a home or a store.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    super::Problem,
    definitions,
    document::{Document, Entry, Unreadable},
};
use crate::{
    Job, JobId,
    job::{JobDefaults, entry_id, parse_definition},
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
    /// Entries that have an id and can't be put in force.
    invalid: Vec<(JobId, Entry)>,
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

    /// The entry as it is written.
    pub fn definition(&self) -> &Value {
        &self.entry.value
    }
}

impl Examined {
    /// The entries that have an id, valid or not; of two with one id the first.
    pub fn entries(&self) -> BTreeMap<&JobId, &Value> {
        let valid = self.jobs.iter().map(|examined| (&examined.job.id, &examined.entry));
        let mut all: Vec<(&JobId, &Entry)> = valid.chain(self.invalid.iter().map(|(id, entry)| (id, entry))).collect();
        all.sort_by_key(|(_, entry)| std::cmp::Reverse((entry.place.line, entry.place.column)));
        all.into_iter().map(|(id, entry)| (id, &entry.value)).collect()
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
    look_at(path, Document::parse(bytes), defaults)
}

/// Looks at the same structure in YAML. Where an entry stands is told by its number.
///
/// ```
/// use scheduler_core::{job::JobDefaults, store::json::examine_yaml};
/// let text = b"jobs:\n  - {id: a, schedule: '@daily', command: 'true'}\n  - {id: b}\n";
/// let examined = examine_yaml("jobs.yaml", text, &JobDefaults::default());
/// assert!(examined.problems[0].what.starts_with("jobs.yaml: entry 2: job `b` is invalid"));
/// assert_eq!(examined.jobs[0].definition()["schedule"], "@daily");
/// assert_eq!(examined.entries().len(), 2, "the invalid one too");
/// ```
pub fn examine_yaml(path: &str, bytes: &[u8], defaults: &JobDefaults) -> Examined {
    look_at(path, Document::parse_yaml(bytes), defaults)
}

/// Looks at a text that is one entry.
///
/// ```
/// use scheduler_core::{job::JobDefaults, store::json::examine_entry};
/// let text = br#"{"id": "a", "schedule": "@daily", "command": "true"}"#;
/// assert!(examine_entry("the entry", text, &JobDefaults::default()).problems.is_empty());
/// ```
pub fn examine_entry(path: &str, bytes: &[u8], defaults: &JobDefaults) -> Examined {
    look_at(path, Document::of_entry(bytes), defaults)
}

fn look_at(path: &str, document: Result<Document, Unreadable>, defaults: &JobDefaults) -> Examined {
    let document = match document {
        Ok(document) => document,
        Err(why) => {
            let what = format!("{path}: {}: {}", why.place, why.why);
            let problems = vec![Problem::new("jobs-json", what, "correct it")];
            return Examined { problems, jobs: Vec::new(), invalid: Vec::new() };
        }
    };
    let problems = definitions::problems(path, &document, defaults, None);
    let mut examined = Examined { problems, jobs: Vec::new(), invalid: Vec::new() };
    for entry in document.entries {
        match parse_definition(&entry.value, defaults, defaults.zone_name(), Timestamp::UNIX_EPOCH) {
            Ok(job) => examined.jobs.push(ExaminedJob { job, entry }),
            Err(_) => examined.invalid.extend(entry_id(&entry.value).map(|id| (id, entry))),
        }
    }
    examined
}
