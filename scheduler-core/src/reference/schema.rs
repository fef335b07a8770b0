//! JSON Schema (draft 2020-12) out of rows. Pure.
//!
//! A schema says what can be said without knowing the machine or reading a schedule: it refuses no file that the
//! loader takes, and what it can't tell the loader still refuses.

use serde_json::{Map, Value, json};

use super::{Absent, Row, Shape, find};
use crate::config;

/// Members that are the writer's own.
const OWN: &str = "^[$_]";

/// An id, and what else is named as plainly.
const PLAIN: &str = "^[a-z0-9][a-z0-9._-]{0,62}$";

/// A duration: digits with a unit; `0` alone. Negative ones, and numbers without a unit, are refused.
const DURATION: &str = r"0|\+?[0-9.]+\s*[A-Za-zµμ:].*";

/// The same without the `0` alone.
const SPAN: &str = r"\+?[0-9.]+\s*[A-Za-zµμ:].*";

/// A whole schema: `title` and `description` for people, then `keywords`.
pub(crate) fn root(title: &str, description: &str, keywords: Value) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        "type": "object",
    });
    put(&mut schema, keywords);
    schema
}

/// The keywords for an object of `rows`. Members that match `own` are let through as they are; whatever else there is,
/// is refused.
pub(crate) fn members(rows: &[Row], own: bool) -> Value {
    let properties: Map<String, Value> = rows.iter().map(|row| (row.name.to_owned(), property(row))).collect();
    let mut keywords = json!({ "properties": properties, "additionalProperties": false });
    let required: Vec<&str> = rows.iter().filter(|row| row.absent == Absent::Refused).map(|row| row.name).collect();
    if !required.is_empty() {
        keywords["required"] = json!(required);
    }
    if own {
        keywords["patternProperties"] = json!({ OWN: {} });
    }
    keywords
}

/// A pattern for just these names.
pub(crate) fn pattern_of(names: &[&str]) -> String {
    format!("^({})$", names.join("|"))
}

fn property(row: &Row) -> Value {
    let mut schema = json!({ "description": row.does });
    put(&mut schema, shape(&row.shape));
    // `null` is the same as not written, but for what has to be written, and an id, which is not there to be unset.
    if row.absent != Absent::Refused && !matches!(row.shape, Shape::Id) {
        take_null(&mut schema);
    }
    if let Some(default) = default(row) {
        schema["default"] = default;
    }
    if !row.examples.is_empty() {
        schema["examples"] = row.examples.iter().map(|text| parsed(text)).collect();
    }
    schema
}

/// The value that holds where nothing is written.
fn default(row: &Row) -> Option<Value> {
    match row.absent {
        Absent::Value(text) => Some(parsed(text)),
        Absent::Config(path) => default(find(&config::KEYS, path)?),
        Absent::Refused | Absent::Words(_) => None,
    }
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::Anything => json!({ "type": ["object", "array", "string", "number", "boolean"] }),
        Shape::Text => json!({ "type": "string" }),
        Shape::Filled | Shape::Zone | Shape::Schedule | Shape::Instant => json!({ "type": "string", "pattern": r"\S" }),
        Shape::Id | Shape::Name => json!({ "type": "string", "pattern": PLAIN }),
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Duration => duration(DURATION),
        Shape::Span => json!({ "type": "string", "pattern": format!(r"^\s*({SPAN})\s*$") }),
        Shape::Grace => duration(&format!("auto|{DURATION}")),
        Shape::Size => json!({
            "type": ["string", "integer"],
            "pattern": r"^\s*[0-9]+\s*([kKmMgG]([iI]?[bB])?|[bB])?\s*$",
            "minimum": 0,
        }),
        Shape::Count { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Command => json!({
            "type": ["array", "string"],
            "pattern": r"\S",
            "items": { "type": "string" },
            "prefixItems": [{ "minLength": 1 }],
            "minItems": 1,
        }),
        Shape::Variables => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[^=]+$" },
            "additionalProperties": { "type": ["string", "number", "boolean"] },
        }),
        Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Folder => json!({ "type": "string", "pattern": "^/" }),
        Shape::Named(rows) => json!({
            "type": "object",
            "propertyNames": { "pattern": PLAIN },
            "additionalProperties": section(rows),
        }),
        Shape::Entries(rows) => json!({ "type": "array", "items": section(rows) }),
        Shape::Section(rows) => section(rows),
    }
}

fn section(rows: &[Row]) -> Value {
    let mut section = json!({ "type": "object" });
    put(&mut section, members(rows, false));
    section
}

/// The only number that is a duration is 0.
fn duration(pattern: &str) -> Value {
    json!({ "type": ["string", "integer"], "pattern": format!(r"^\s*({pattern})\s*$"), "minimum": 0, "maximum": 0 })
}

/// Lets `schema` take `null` as well.
fn take_null(schema: &mut Value) {
    schema["type"] = match schema["type"].take() {
        Value::Array(types) => types.into_iter().chain(["null".into()]).collect(),
        one => json!([one, "null"]),
    };
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
}

fn put(schema: &mut Value, keywords: Value) {
    if let (Value::Object(schema), Value::Object(keywords)) = (schema, keywords) {
        schema.extend(keywords);
    }
}

/// A value of the table; a test parses them all.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}
