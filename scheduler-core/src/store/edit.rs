//! [`Edit`]: a change of definitions as somebody asks for it, and the one form that stores carry out.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Error, ErrorKind, JobId, Result, job::entry_id};

/// A change of definitions. Entries are those of `jobs.json`.
///
/// Members of an entry that begin with `$` or `_` are remarks of people: where an entry is put in the place of another, those
/// it doesn't name stay as they were, and one that it names as `null` is taken away.
///
/// ```
/// use scheduler_core::{ErrorKind, JobStore, store::{Edit, MemoryStore}};
/// use serde_json::json;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> scheduler_core::Result<()> {
/// let store = MemoryStore::default();
/// let daily = json!({"id": "a", "schedule": "@daily", "command": "true"});
/// store.define(Edit::Add(vec![daily.clone()])).await?;
/// let hourly = json!({"id": "a", "schedule": "@hourly", "command": "true"});
/// store.define(Edit::Replace(vec![hourly])).await?;
///
/// // Decided on what is no longer so, and refused.
/// let late = Edit::Apply { put: vec![], remove: vec!["a".parse()?], seen: vec![("a".parse()?, Some(daily))] };
/// assert_eq!(store.define(late).await.unwrap_err().kind(), ErrorKind::Changed);
/// store.define(Edit::Remove(vec!["a".parse()?])).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Edit {
    /// New jobs; an id that is there is an error.
    Add(Vec<Value>),
    /// Entries in the place of those with their ids; an id that isn't there is an error.
    Replace(Vec<Value>),
    /// Takes jobs away; one that isn't there is an error.
    Remove(Vec<JobId>),
    /// All of a set at once.
    Apply {
        /// Entries to put, new or in the place of those with their ids.
        put: Vec<Value>,
        /// Jobs to take away.
        remove: Vec<JobId>,
        /// The entries as they were when this was decided, `None` for a job that wasn't there. If one is another by now,
        /// the edit is refused as `Changed`: somebody else's change must not be lost in it.
        seen: Vec<(JobId, Option<Value>)>,
    },
}

/// What every edit comes down to.
pub(crate) struct Parts<'e> {
    pub(crate) put: &'e [Value],
    /// Whether the jobs of `put` must be there before (or must not); `None` is as it may be.
    pub(crate) there: Option<bool>,
    pub(crate) remove: &'e [JobId],
    pub(crate) seen: &'e [(JobId, Option<Value>)],
}

impl Edit {
    pub(crate) fn parts(&self) -> Parts<'_> {
        let none = Parts { put: &[], there: None, remove: &[], seen: &[] };
        match self {
            Self::Add(put) => Parts { put, there: Some(false), ..none },
            Self::Replace(put) => Parts { put, there: Some(true), ..none },
            Self::Remove(remove) => Parts { remove, ..none },
            Self::Apply { put, remove, seen } => Parts { put, remove, seen, ..none },
        }
    }
}

impl Parts<'_> {
    /// The ids of what is put.
    ///
    /// # Errors
    /// An entry without an id, or an id that the edit names twice: which of the two was meant can't be known.
    pub(crate) fn ids(&self) -> Result<Vec<JobId>> {
        let invalid = |error: crate::job::EntryError| Error::new(ErrorKind::Invalid, error.to_string());
        let ids: Vec<JobId> = self.put.iter().map(entry_id).collect::<Result<_, _>>().map_err(invalid)?;
        let mut named = BTreeSet::new();
        match ids.iter().chain(self.remove).find(|id| !named.insert(*id)) {
            Some(twice) => Err(Error::new(ErrorKind::Invalid, format!("job `{twice}` is named twice in one edit"))
                .hint("name every job once")),
            None => Ok(ids),
        }
    }
}

/// `entry` as it will be in the place of `old`: with the remarks that it doesn't name itself.
///
/// ```
/// use scheduler_core::store::with_remarks_of;
/// use serde_json::json;
/// let old = json!({"id": "a", "$why": "disk full in May", "_by": "ann"});
/// let new = with_remarks_of(Some(&old), &json!({"id": "a", "timeout": "1h", "_by": null}));
/// assert_eq!(new, json!({"id": "a", "timeout": "1h", "$why": "disk full in May"}));
/// ```
pub fn with_remarks_of(old: Option<&Value>, entry: &Value) -> Value {
    let is_remark = |name: &str| name.starts_with(['$', '_']);
    let mut entry = entry.clone();
    if let Some(members) = entry.as_object_mut() {
        for (name, value) in old.and_then(Value::as_object).into_iter().flatten() {
            if is_remark(name) && !members.contains_key(name) {
                members.insert(name.clone(), value.clone());
            }
        }
        members.retain(|name, value| !is_remark(name) || !value.is_null());
    }
    entry
}
