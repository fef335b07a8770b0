//! Texts of `jobs.json`: places, edits that leave the rest alone, and everything that can be wrong with a file.

use super::*;

const HAND_WRITTEN: &str = r#"{
  "$schema": "https://example.org/jobs.json",
  "format": 1,
  "jobs": [
    {"id": "a",   "schedule": "@daily",
      "command": ["x"], "someday": {"kept": [1, 2]}},
    {"not": "a job"},
    { "id": "b", "schedule": "@hourly", "command": "y" }
  ],
  "note": "mine"
}
"#;

#[test]
fn an_edit_keeps_every_other_entry_and_member_word_for_word() {
    let mut document = Document::parse(HAND_WRITTEN.as_bytes()).unwrap();
    document.entries.push(Entry::new(serde_json::json!({"id": "c", "schedule": "@daily", "command": ["z"]})));
    document.entries.retain(|entry| entry.value["id"] != "b");
    let text = document.text();
    for kept in [
        "{\"id\": \"a\",   \"schedule\": \"@daily\",\n      \"command\": [\"x\"], \"someday\": {\"kept\": [1, 2]}}",
        "{\"not\": \"a job\"}",
        "\"$schema\": \"https://example.org/jobs.json\"",
        "\"note\": \"mine\"",
    ] {
        assert!(text.contains(kept), "{kept} is gone:\n{text}");
    }
    let again = Document::parse(text.as_bytes()).unwrap();
    assert_eq!(again.entries.len(), 3);
    assert_eq!(again.text(), text, "what was written reads as what it is");
}

#[test]
fn places_count_lines_and_characters_from_one() {
    let document = Document::parse(HAND_WRITTEN.as_bytes()).unwrap();
    let places: Vec<String> = document.entries.iter().map(|entry| entry.place.to_string()).collect();
    assert_eq!(places, ["line 5, column 5", "line 7, column 5", "line 8, column 5"]);
    let first = &document.entries[0];
    assert_eq!(first.place_of(Some("schedule")).to_string(), "line 5, column 19");
    assert_eq!(first.place_of(Some("command")).to_string(), "line 6, column 7");
    assert_eq!(first.place_of(None), first.place);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let check = |bytes: &[u8], expected: &str| {
        let wrong = Document::parse(bytes).unwrap_err();
        let said = format!("{}: {}", wrong.place, wrong.why);
        assert!(said.contains(expected), "{}\n  said: {said}", String::from_utf8_lossy(bytes));
    };
    check(b"", "line 1, column 1: it is empty");
    check(b" \n\n", "it is empty");
    check(b"{\n  \"jobs\": [\n    {\"id\": \"a\",}\n  ]\n}", "line 3, column 16: key must be a string");
    check(b"{\"jobs\": [", "line 1, column 10: EOF while parsing a list");
    check(b"[]", "expected an object such as");
    check(b"{}", "it has no list `jobs`");
    check(b"{\"jobs\": {}}", "line 1, column 10: `jobs` must be a list");
    check(b"{\"format\": 2, \"jobs\": []}", "line 1, column 12: its format is 2; this build knows 1");
    check(b"{\"format\": \"x\", \"jobs\": []}", "`format` must be the number 1");
    check(b"{\n\"jobs\": [\"\xff\"]}", "line 2, column 11: byte 0xff is not UTF-8");
    check(b"garbage", "line 1, column 1: expected value");
}

#[test]
fn a_byte_order_mark_is_nobodys_fault() {
    let document = Document::parse("\u{feff}{\"jobs\": [{\"id\": \"a\"}]}".as_bytes()).unwrap();
    assert_eq!(document.entries.len(), 1);
}

#[test]
fn yaml_has_the_same_structure_and_tells_entries_by_their_number() {
    let yaml =
        "format: 1\njobs:\n- {id: a, schedule: '@daily', command: [x]}\n- id: b\n  schedule: 0 3 * * *\n  command: y\n";
    let document = Document::parse_yaml(yaml.as_bytes()).unwrap();
    let second = &document.entries[1];
    assert_eq!(second.value, serde_json::json!({"id": "b", "schedule": "0 3 * * *", "command": "y"}));
    assert_eq!(
        (second.place.to_string(), second.place_of(Some("command")).to_string()),
        ("entry 2".into(), "entry 2".into())
    );
    let check = |text: &str, expected: &str| {
        let wrong = Document::parse_yaml(text.as_bytes()).unwrap_err();
        let said = format!("{}: {}", wrong.place, wrong.why);
        assert!(said.contains(expected), "{text}\n  said: {said}");
    };
    check("jobs:\n- {id: a\n", "line 3, column 1");
    check("- a\n", "expected an object such as");
    check("format: 2\njobs: []\n", "its format is 2");
    check("jobs: {}\n", "`jobs` must be a list");
}
