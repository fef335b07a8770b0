//! The states that the pages name are those of the program: a page that speaks of another one, or forgets one, fails here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

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

/// Where the fault matrix says that a scenario of `scripts/machine` holds a row.
const MACHINE: &str = "scripts/machine ";

#[test]
fn every_row_of_the_fault_matrix_names_a_verdict_and_what_holds_it() {
    let rows = table(&page("docs/liveness.md"), "| fault | verdict | after | what the operator sees | held by |");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("process");
    let (mut scenarios, mut played) = (scenarios(), matrix::all());
    for row in rows {
        let told = verdicts(&row[1]);
        assert!(!told.is_empty(), "{row:?}");
        let held_by = row[4].trim_matches('`');
        if let Some(scenario) = held_by.strip_prefix(MACHINE) {
            let expected = scenarios.remove(scenario).unwrap_or_else(|| panic!("no scenario, or two rows: {row:?}"));
            assert!(told.is_subset(&expected), "it expects {expected:?}: {row:?}");
            continue;
        }
        let (file, test) = held_by.split_once("::").unwrap_or_else(|| panic!("{row:?}"));
        if file == "matrix" {
            let at = played.iter().position(|one| one.name == test).unwrap_or_else(|| panic!("not played: {row:?}"));
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
    assert!(untold.is_empty() && scenarios.is_empty(), "in no row: {untold:?} {scenarios:?}");
}

/// The scenarios of `scripts/machine`, and the verdicts that each of them ends by expecting.
fn scenarios() -> BTreeMap<String, BTreeSet<&'static str>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/machine.d/scenarios");
    let entries = fs::read_dir(folder).expect("scenarios");
    let scenario = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a scenario");
        let end = text.lines().find_map(|line| line.trim().strip_prefix("conclude "));
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, verdicts(end.unwrap_or_else(|| panic!("{} concludes nothing", path.display()))))
    };
    entries.map(scenario).collect()
}
