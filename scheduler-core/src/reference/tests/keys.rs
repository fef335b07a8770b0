//! The rows of config.yaml.

use super::*;
use crate::config::{Config, tests::configured};

/// `a.b` with `value` in it, as a file.
fn file(path: &str, value: &str) -> String {
    match path.split_once('.') {
        Some((section, key)) => format!("{section}: {{{key}: {value}}}\n"),
        None => format!("{path}: {value}\n"),
    }
}

/// The file with the key and what it needs beside it: a report needs somebody who gets it.
fn in_use(path: &str, value: &str) -> String {
    const SINK: &str = "notify: [{name: ops, type: webhook, url: 'http://x'}]";
    match path {
        "report.schedule" => format!("{SINK}\nreport: {{schedule: {value}, notify: [ops]}}\n"),
        "report.notify" => format!("{SINK}\nreport: {{schedule: 0 7 * * *, notify: {value}}}\n"),
        _ => file(path, value),
    }
}

fn leaves() -> Vec<(String, &'static Row)> {
    let inside = |row: &'static Row| match row.inside() {
        [] => vec![(row.name.to_owned(), row)],
        rows => rows.iter().map(|inner| (format!("{}.{}", row.name, inner.name), inner)).collect(),
    };
    config::KEYS.iter().flat_map(inside).collect()
}

#[test]
fn there_is_a_row_for_every_key_that_is_read_and_no_other() {
    let rows: Vec<String> = leaves().into_iter().map(|(path, _)| path).collect();
    assert_eq!(rows, config::tests::known());
}

#[test]
fn every_default_is_the_real_one_and_every_example_does_something() {
    for (path, row) in leaves() {
        let Absent::Value(default) = row.absent else { panic!("{path} has no default") };
        assert_eq!(configured(&file(&path, default)), Config::default(), "{path}: {default}");
        for example in row.examples {
            assert_ne!(configured(&in_use(&path, example)), Config::default(), "{path}: {example}");
        }
        assert!(std::ptr::eq(find(&config::KEYS, &path).unwrap(), row));
    }
}
