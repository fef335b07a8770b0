//! The jobs that show a newcomer how it works: visible at once, and harmless.

use serde_json::{Value, json};

/// The entries of the example jobs.
pub(crate) fn jobs() -> Vec<Value> {
    vec![
        json!({
            "id": "hello",
            "description": "says hello every two seconds",
            "schedule": "every 2s",
            "command": ["echo", "hello from sched"],
        }),
        json!({
            "id": "disk",
            "description": "shows how full the disk is",
            "schedule": "every 4s",
            "command": ["df", "-h", "/"],
        }),
    ]
}

/// The ids of the example jobs.
pub(crate) fn ids() -> Vec<String> {
    jobs().iter().filter_map(|job| job["id"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use scheduler_core::job::{JobDefaults, parse_definition};

    use super::*;

    #[test]
    fn the_examples_are_valid() {
        for entry in jobs() {
            parse_definition(&entry, &JobDefaults::default(), "UTC", Timestamp::UNIX_EPOCH).unwrap();
        }
    }
}
