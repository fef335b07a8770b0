//! The rows against the loaders, the schemas against both and against their own specification, and the page made of
//! them. Where config.yaml is concerned, `config`'s own tests also show every one of their texts to the schema.

mod jobs;
mod keys;
mod page;

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::*;
use crate::{config, job};

/// The schema of `config.yaml`, ready to judge.
pub(crate) static CONFIG: LazyLock<Validator> = LazyLock::new(|| compiled(&config::schema()));

/// The schema of `jobs.json`, ready to judge.
static JOBS: LazyLock<Validator> = LazyLock::new(|| compiled(&job::schema()));

fn compiled(schema: &Value) -> Validator {
    jsonschema::meta::validate(schema).expect("a schema that is one");
    jsonschema::draft202012::new(schema).expect("a schema that can be judged by")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("`{text}` of the table is no JSON: {error}"))
}

#[test]
fn every_row_says_what_it_does_in_a_sentence_and_has_an_example() {
    fn check(rows: &[Row]) {
        for row in rows {
            assert!(row.does.ends_with('.') && row.does.chars().count() < 115, "{}: {}", row.name, row.does);
            assert!(!row.examples.is_empty() || !row.inside().is_empty(), "{}", row.name);
            row.examples.iter().for_each(|text| drop(parsed(text)));
            check(row.inside());
        }
    }
    check(&config::KEYS);
    check(&job::ROWS);
}

#[test]
fn a_schema_describes_all_it_knows() {
    for schema in [config::schema(), job::schema()["$defs"]["job"].clone()] {
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string() && !property["type"].is_null(), "{name}: {property}");
        }
        assert_eq!(schema["additionalProperties"], false);
    }
}
