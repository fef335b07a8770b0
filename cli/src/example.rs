//! The jobs that show a newcomer how it works: visible at once, and harmless.

use serde_json::{Value, json};

/// The entries of the example jobs.
pub(crate) fn jobs() -> Vec<Value> {
    vec![
        json!({
            "id": "hello",
            "description": "says hello every five seconds",
            "schedule": "every 5s",
            "command": ["echo", "hello from sched"],
        }),
        json!({
            "id": "disk",
            "description": "shows how full the disk is",
            "schedule": "every 7s",
            "command": ["df", "-h", "/"],
        }),
    ]
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
