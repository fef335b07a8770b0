//! The states that the pages name are those of the program: a page that speaks of another one, or forgets one, fails here.

use std::{collections::BTreeSet, fs, path::Path};

use scheduler_core::liveness::VerdictKind;

use crate::process::matrix;

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).expect("the page")
}

/// The rows of the table below the line `header`, cell by cell.
fn table(page: &str, header: &str) -> Vec<Vec<String>> {
    let (_, below) = page.split_once(header).unwrap_or_else(|| panic!("no table `{header}`"));
    let rows = below.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The verdicts in a text, by their words.
fn verdicts(text: &str) -> BTreeSet<&'static str> {
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_ascii_uppercase()).collect();
    VerdictKind::ALL.iter().map(|kind| kind.word()).filter(|word| words.contains(word)).collect()
}

#[test]
fn the_verdicts_of_the_pages_are_those_of_the_program() {
    let all: BTreeSet<String> = VerdictKind::ALL.iter().map(|kind| kind.word().to_owned()).collect();
    let operations: BTreeSet<String> = table(&page("docs/operations.md"), "| verdict | it means | do |")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(operations, all);
    let liveness = table(&page("docs/liveness.md"), "| verdict | evidence | exits |");
    assert_eq!(liveness.iter().map(|row| row[0].clone()).collect::<BTreeSet<_>>(), all);
    for row in liveness {
        let kind = VerdictKind::ALL.into_iter().find(|kind| kind.word() == row[0]).expect("one of all");
        assert_eq!(row[2], kind.exit_code().to_string(), "{}", row[0]);
    }
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_program() {
    let rows = table(&page("README.md"), "| code | meaning | |");
    let codes: Vec<u8> = rows.iter().map(|row| row[0].parse().expect("a code")).collect();
    let source = page("cli/src/exit.rs");
    let known = source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split_once("u8 = "));
    let known: Vec<u8> = known.map(|(_, code)| code.trim_end_matches(';').parse().expect("a number")).collect();
    assert_eq!(codes, known);
    for row in rows.iter().filter(|row| !verdicts(&row[2]).is_empty()) {
        let of_code = VerdictKind::ALL.iter().filter(|kind| kind.exit_code().to_string() == row[0]);
        assert_eq!(verdicts(&row[2]), of_code.map(|kind| kind.word()).collect(), "{}", row[0]);
    }
}

#[test]
fn every_row_of_the_fault_matrix_names_a_verdict_and_a_test_that_is_there() {
    let rows = table(&page("docs/liveness.md"), "| fault | verdict | after | what the operator sees | held by |");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("process");
    let mut played = matrix::all();
    for row in rows {
        assert!(!verdicts(&row[1]).is_empty(), "{row:?}");
        let (file, test) = row[4].trim_matches('`').split_once("::").unwrap_or_else(|| panic!("{row:?}"));
        if file == "matrix" {
            let at =
                played.iter().position(|played| played.name == test).unwrap_or_else(|| panic!("not played: {row:?}"));
            let played = played.swap_remove(at);
            assert_eq!((row[0].as_str(), row[1].as_str()), (played.fault, played.verdict));
            continue;
        }
        let files = [tests.join(format!("{file}.rs")), tests.join(file).join("mod.rs")];
        let text =
            files.iter().find_map(|file| fs::read_to_string(file).ok()).unwrap_or_else(|| panic!("no file: {row:?}"));
        assert!(text.contains(&format!("fn {test}(")), "there is no test {test}: {row:?}");
    }
    let untold: Vec<&str> = played.iter().map(|row| row.name).collect();
    assert!(untold.is_empty(), "the page doesn't tell of {untold:?}");
}
