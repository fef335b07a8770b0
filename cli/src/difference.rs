//! What differs between two entries of one job, field by field. Values of its environment are told nowhere, nor is its
//! `ping_url`: they may be secrets.

use std::collections::BTreeSet;

use scheduler_core::job::FIELDS;
use serde_json::{Map, Value, json};

use crate::words::{flat, quoted};

/// A field that is another one now; `None` is not set.
#[derive(Debug, PartialEq)]
pub(crate) struct Change {
    field: String,
    before: Option<Value>,
    after: Option<Value>,
}

/// What is to be changed to get from one entry to the other, in the order in which fields are documented.
pub(crate) fn between(before: &Value, after: &Value) -> Vec<Change> {
    let (before, after) = (members(before), members(after));
    let is_other = |field: &&String| !FIELDS.contains(&field.as_str());
    let others: BTreeSet<&String> = before.keys().chain(after.keys()).filter(is_other).collect();
    let mut changes = Vec::new();
    for field in FIELDS.into_iter().chain(others.into_iter().map(String::as_str)) {
        let (before, after) = (before.get(field), after.get(field));
        match (field, before.and_then(Value::as_object), after.and_then(Value::as_object)) {
            // Of these each member is a setting of its own.
            ("env" | "misfire" | "retries", old, new)
                if old.or(new).is_some()
                    && (before.is_none() || old.is_some())
                    && (after.is_none() || new.is_some()) =>
            {
                let none = Map::new();
                let (old, new) = (old.unwrap_or(&none), new.unwrap_or(&none));
                let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                changes.extend(
                    names
                        .into_iter()
                        .filter_map(|name| change(format!("{field}.{name}"), old.get(name), new.get(name))),
                );
            }
            _ => changes.extend(change(field.to_owned(), before, after)),
        }
    }
    changes
}

fn change(field: String, before: Option<&Value>, after: Option<&Value>) -> Option<Change> {
    (before != after).then(|| Change { field, before: before.cloned(), after: after.cloned() })
}

/// The members of an entry; one that is `null` is not set.
fn members(entry: &Value) -> Map<String, Value> {
    let members = entry.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Change {
    /// `timeout: 10m -> 20m`.
    pub(crate) fn line(&self) -> String {
        let field = flat(&self.field);
        if self.is_secret() {
            let how = match (&self.before, &self.after) {
                (None, _) => "set",
                (_, None) => "taken away",
                _ => "changed",
            };
            return format!("{field}: {how} (values are not shown)");
        }
        format!("{field}: {} -> {}", self.shown(self.before.as_ref()), self.shown(self.after.as_ref()))
    }

    /// The same for programs.
    pub(crate) fn to_json(&self) -> Value {
        if self.is_secret() {
            return json!({ "field": self.field });
        }
        json!({ "field": self.field, "before": self.before, "after": self.after })
    }

    fn is_secret(&self) -> bool {
        ["env", "ping_url"].contains(&self.field.as_str()) || self.field.starts_with("env.")
    }

    fn shown(&self, value: Option<&Value>) -> String {
        match (self.field.as_str(), value) {
            (_, None) => "(not set)".into(),
            ("command", Some(Value::String(line))) => format!("shell line {}", quoted(line)),
            (_, Some(Value::String(text))) => flat(text),
            ("command" | "tags", Some(Value::Array(items))) => {
                let words = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), quoted));
                words.collect::<Vec<_>>().join(" ")
            }
            (_, Some(other)) => flat(&other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &Value, after: &Value, expected: &[&str]) {
        let lines: Vec<String> = between(before, after).iter().map(Change::line).collect();
        assert_eq!(lines, expected, "{before} -> {after}");
    }

    #[test]
    fn every_field_that_differs_is_a_line_and_what_is_not_set_is_said() {
        check(&json!({"id": "a", "timeout": null}), &json!({"id": "a"}), &[]);
        check(
            &json!({"command": ["ls", "a b"], "$x": 1, "timeout": "1m", "tags": ["db"]}),
            &json!({"timeout": "2m", "schedule": "@daily", "command": "ls | wc", "tags": ["db", "x"]}),
            &[
                "schedule: (not set) -> @daily",
                "command: ls 'a b' -> shell line 'ls | wc'",
                "timeout: 1m -> 2m",
                "tags: db -> db x",
                "$x: 1 -> (not set)",
            ],
        );
        check(&json!({"description": "a\u{1b}[2J\nb"}), &json!({}), &["description: a [2J b -> (not set)"]);
    }

    #[test]
    fn members_of_env_and_misfire_count_alone_and_secrets_are_not_told() {
        check(
            &json!({"env": {"A": "old", "B": "same", "C": "x"}, "misfire": {"policy": "all"}}),
            &json!({"env": {"A": "new", "B": "same", "D": "y"}, "misfire": {"policy": "skip", "grace": "1m"}}),
            &[
                "env.A: changed (values are not shown)",
                "env.C: taken away (values are not shown)",
                "env.D: set (values are not shown)",
                "misfire.grace: (not set) -> 1m",
                "misfire.policy: all -> skip",
            ],
        );
        let ping = |url: &str| json!({"ping_url": format!("https://hc-ping.com/{url}")});
        check(&ping("s3cret"), &ping("other"), &["ping_url: changed (values are not shown)"]);
        check(&json!({"env": "wrong"}), &json!({"env": {"A": "x"}}), &["env: changed (values are not shown)"]);
        let told = between(&json!({"env": {"A": "hunter1"}}), &json!({"env": {"A": "hunter2"}}))[0].to_json();
        assert_eq!(told, json!({"field": "env.A"}));
    }
}
