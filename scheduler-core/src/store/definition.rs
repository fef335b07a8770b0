//! A definition as stores keep it: its JSON text.
//!
//! The checked [`Job`] of a simple entry is ten times the size of its text, and a parsed tree of values is as bad. A store
//! with a hundred thousand jobs, of which a few are due at any time, keeps the texts, and checks again those that it is
//! asked for.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

use crate::{
    Job,
    job::{EntryError, JobDefaults, parse_definition},
    schedule::zone,
};

/// An entry of `jobs.json`, in as few letters as JSON needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Definition(Arc<RawValue>);

impl Definition {
    pub(crate) fn new(entry: &Value) -> Self {
        Self(to_raw_value(entry).expect("a JSON value is JSON").into())
    }

    /// The same in memory that this thread allocated.
    pub(crate) fn copied_here(&self) -> Self {
        Self((*self.0).to_owned().into())
    }

    pub(crate) fn text(&self) -> &str {
        self.0.get()
    }

    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(self.text()).expect("it was written from a JSON value, or read as one")
    }

    /// The job that it defines.
    pub(crate) fn check(&self, defaults: &JobDefaults, zone: &str, anchor: Timestamp) -> Result<Job, EntryError> {
        parse_definition(&self.value(), defaults, zone, anchor)
    }

    /// Whether it says itself which zone its schedule is read in.
    pub(crate) fn has_its_own_zone(&self) -> bool {
        // Nearly all that have one contain the word, and hardly any other does.
        self.text().contains("\"timezone\"") && self.value().get("timezone").is_some_and(|zone| !zone.is_null())
    }

    /// Changes whenever the next instant of a job must be computed anew: with its definition, its zone, and that zone's rules.
    pub(crate) fn cursor_hash(&self, zone: &str) -> u32 {
        let mut hash = crc32fast::Hasher::new();
        for part in [self.text(), zone, zone::release()] {
            hash.update(part.as_bytes());
            hash.update(b"\n");
        }
        hash.finalize()
    }
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cursor_is_computed_anew_for_another_definition_or_zone_and_for_nothing_else() {
        let hash = |entry: Value, zone: &str| Definition::new(&entry).cursor_hash(zone);
        let entry = |schedule: &str| json!({"id": "a", "schedule": schedule, "command": "x"});
        let base = hash(entry("0 9 * * *"), "UTC");
        assert_eq!(base, hash(entry("0 9 * * *"), "UTC"));
        assert_ne!(base, hash(entry("1 9 * * *"), "UTC"));
        assert_ne!(base, hash(entry("0 9 * * *"), "Europe/Berlin"));
    }

    #[test]
    fn a_zone_counts_as_its_own_only_if_it_is_given() {
        let own = |entry: Value| Definition::new(&entry).has_its_own_zone();
        assert!(own(json!({"timezone": "Europe/Berlin"})));
        assert!(!own(json!({"timezone": null})));
        assert!(!own(json!({"command": ["echo", "timezone", "\"timezone\""]})));
        assert!(!own(json!({"command": "true"})));
    }
}
