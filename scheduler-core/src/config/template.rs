//! The `config.yaml` that `sched init` writes, made of the table of keys.

use std::sync::LazyLock;

use serde_json::Value;

use super::KEYS;
use crate::reference::{Absent, Row};

/// Every key this build carries out, commented out, with its default. Taking one `#` off every line leaves a file that
/// says what an empty one says; a test holds that.
///
/// ```
/// use scheduler_core::config::TEMPLATE;
/// assert!(TEMPLATE.contains("#timezone: system"));
/// ```
pub static TEMPLATE: LazyLock<String> = LazyLock::new(|| {
    let mut text = HEAD.to_owned();
    for row in &KEYS {
        text.push('\n');
        put(&mut text, row, "");
    }
    text
});

const HEAD: &str = "\
## config.yaml: what sched does here. Every key is optional; the values below are the defaults.
## To change one, take the `#` off its line, and off the line of its section where it is indented.
## Check the file with `sched validate`; `sched schema config` is its JSON Schema, for editors.
";

fn put(text: &mut String, row: &Row, indent: &str) {
    let gap = if indent.is_empty() { " " } else { indent };
    text.push_str(&format!("##{gap}{}\n", row.does));
    match (row.inside(), row.absent) {
        // What has keys of its own within a section stands on one line.
        (rows, Absent::Value(default)) if rows.is_empty() || !indent.is_empty() => {
            text.push_str(&format!("#{indent}{}: {}\n", row.name, yaml(default)));
        }
        (rows, _) => {
            text.push_str(&format!("#{indent}{}:\n", row.name));
            for row in rows {
                put(text, row, "  ");
            }
        }
    }
}

/// A value of the table as people write it in YAML: without quotes where they aren't needed.
fn yaml(json: &str) -> String {
    let plain = |text: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        !text.is_empty() && text.chars().all(plain) && serde_yaml::from_str::<String>(text).is_ok()
    };
    match serde_json::from_str(json) {
        Ok(Value::String(text)) if plain(&text) => text,
        _ => json.to_owned(),
    }
}
