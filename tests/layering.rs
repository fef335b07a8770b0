//! Who may import whom, and the rules about the source that no compiler checks.
//!
//! Every rule is a function from facts to complaints, so that each can be shown a breach and must find it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Each crate of the workspace with those of the workspace it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("scheduler-core", &[]),
    ("sched-plugin-abi", &[]),
    ("sched-plugin", &["sched-plugin-abi"]),
    ("sched-runner", &["scheduler-core"]),
    ("sched-providers", &["scheduler-core"]),
    ("sched-monitor", &["scheduler-core"]),
    // The example is loaded by its tests.
    ("sched-plugin-host", &["scheduler-core", "sched-plugin-abi", "on-folder-change"]),
    ("on-folder-change", &["sched-plugin"]),
    ("sched", &["scheduler-core", "sched-runner", "sched-providers", "sched-monitor", "sched-plugin-host"]),
    (
        "sched-tests",
        &[
            "scheduler-core",
            "sched-runner",
            "sched-providers",
            "sched-monitor",
            "sched-plugin",
            "sched-plugin-host",
            "sched",
        ],
    ),
    ("sched-benches", &["scheduler-core"]),
];

/// What the core must do without: arguments, HTTP, foreign code, processes.
const NOT_IN_CORE: [&str; 9] =
    ["clap", "libloading", "libc", "nix", "reqwest", "hyper", "axum", "tracing-subscriber", "anstream"];

/// Crates without a line of unsafe code, by the roots that say so.
const SAFE_ROOTS: [&str; 7] = [
    "scheduler-core/src/lib.rs",
    "providers/src/lib.rs",
    "monitor/src/lib.rs",
    "plugins/examples/on-folder-change/src/lib.rs",
    "cli/src/lib.rs",
    "cli/src/main.rs",
    "benches/src/lib.rs",
];

/// A dependency, normal or not, from one package on another.
#[derive(Clone)]
struct Edge {
    from: String,
    to: String,
    dev: bool,
}

/// A file of the workspace, by its path from the root.
struct Source {
    path: String,
    text: String,
}

#[test]
fn the_crates_import_only_whom_they_may() {
    let (members, edges) = metadata();
    assert!(members.len() >= MAY_IMPORT.len(), "{members:?}");
    assert_none(&forbidden_edges(&members, &edges));

    let stray = |from: &str, to: &str| Edge { from: from.into(), to: to.into(), dev: false };
    let with = |edge: Edge| edges.iter().cloned().chain([edge]).collect::<Vec<_>>();
    assert_eq!(forbidden_edges(&members, &with(stray("scheduler-core", "sched-runner"))).len(), 1);
    assert_eq!(forbidden_edges(&members, &with(stray("sched-providers", "sched-runner"))).len(), 1);
    assert_eq!(forbidden_edges(&members, &with(stray("scheduler-core", "libc"))).len(), 1);
    assert_eq!(forbidden_edges(&members, &with(stray("sched-plugin-abi", "libc"))).len(), 1);
    let newcomer = [members.as_slice(), &["sched-gateway".into()]].concat();
    assert_eq!(forbidden_edges(&newcomer, &edges).len(), 1, "a crate that has no place in the table yet");
}

#[test]
fn unsafe_code_stays_in_the_runner_and_the_plugins() {
    let sources = sources();
    assert_none(&unsafe_code(&sources));
    for root in SAFE_ROOTS {
        assert!(text_of(&sources, root).contains("#![forbid(unsafe_code)]"), "{root} doesn't forbid unsafe code");
    }

    let keyword = concat!("un", "safe");
    let breach = |path: &str, text: String| unsafe_code(&[Source { path: path.into(), text }]).len();
    assert_eq!(breach("cli/src/x.rs", format!("fn f() {{\n    {keyword} {{ g() }}\n}}\n")), 1);
    assert_eq!(breach("runner/src/x.rs", format!("fn f() {{\n    {keyword} {{ g() }}\n}}\n")), 0);
    assert_eq!(breach("cli/src/x.rs", format!("// {keyword} fn\nlet s = \"--{keyword}-fs\";\n")), 0);
}

#[test]
fn one_file_asks_what_time_it_is() {
    let sources = sources();
    assert!(text_of(&sources, "scheduler-core/src/clock.rs").contains("Timestamp::now()"));
    assert_none(&clock_readers(&sources));

    let breach = |path: &str, line: &str| clock_readers(&[Source { path: path.into(), text: line.into() }]).len();
    assert_eq!(breach("scheduler-core/src/plan.rs", "let now = Timestamp::now();"), 1);
    assert_eq!(breach("scheduler-core/src/schedule/dst.rs", "fn f(clock: &dyn Clock) {"), 1);
    assert_eq!(breach("scheduler-core/src/plan.rs", "/// let now = Timestamp::now();"), 0);
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let root = root();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("Cargo.toml");
    let members = manifest.lines().find(|line| line.starts_with("members")).expect("members");
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() >= MAY_IMPORT.len(), "{members:?}");
    for member in members {
        let manifest = fs::read_to_string(root.join(member).join("Cargo.toml")).expect(member);
        assert!(has_workspace_lints(&manifest), "{member}/Cargo.toml lacks [lints] workspace = true");
    }
    assert!(!has_workspace_lints("[package]\nname = \"x\"\nversion.workspace = true\n"));
}

#[test]
fn files_are_of_a_size_to_be_read() {
    let mut lines: Vec<usize> = sources().iter().map(|source| source.text.lines().count()).collect();
    assert_none(&too_long(&mut lines));
    assert_eq!(too_long(&mut [201, 202, 203]).len(), 1);
    assert_eq!(too_long(&mut [10, 10, 10, 10, 501]).len(), 1);
}

fn forbidden_edges(members: &[String], edges: &[Edge]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| name == member) else {
            complaints.push(format!("`{member}` has no row in MAY_IMPORT: say whom it may import"));
            continue;
        };
        for Edge { to, dev, .. } in edges.iter().filter(|edge| edge.from == *member) {
            if members.contains(to) && !allowed.contains(&to.as_str()) {
                complaints.push(format!("`{member}` must not import `{to}`"));
            }
            if member == "sched-plugin-abi" && !dev {
                complaints.push(format!("the ABI must do without `{to}`, and without anything else"));
            }
            if member == "scheduler-core" && !dev && NOT_IN_CORE.contains(&to.as_str()) {
                complaints.push(format!("the core must do without `{to}`"));
            }
        }
    }
    complaints
}

fn unsafe_code(sources: &[Source]) -> Vec<String> {
    let keyword = concat!("un", "safe");
    let opens = ["{", "fn", "impl", "extern", "trait"];
    let elsewhere =
        sources.iter().filter(|source| !source.path.starts_with("runner/") && !source.path.starts_with("plugins/"));
    elsewhere
        .flat_map(code_lines)
        .filter(|(_, line)| {
            let mut words = line.split_whitespace();
            words.any(|word| word.trim_start_matches('(') == keyword)
                && opens.iter().any(|open| line.contains(&format!("{keyword} {open}")))
        })
        .map(|(place, _)| format!("{place}: {keyword} code outside runner/ and plugins/"))
        .collect()
}

fn clock_readers(sources: &[Source]) -> Vec<String> {
    let shipped = sources.iter().filter(|source| {
        source.path.contains("/src/") && !source.path.contains("tests") && source.path != "scheduler-core/src/clock.rs"
    });
    shipped
        .flat_map(|source| code_lines(source).map(move |(place, line)| (source, place, line)))
        .filter(|(source, _, line)| {
            let is_schedule = source.path.starts_with("scheduler-core/src/schedule/");
            line.contains("Timestamp::now") || line.contains("Zoned::now") || is_schedule && line.contains("Clock")
        })
        .map(|(_, place, _)| format!("{place}: asks for the time; take an instant, or a `Clock`"))
        .collect()
}

fn has_workspace_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().skip_while(|line| line.trim() != "[lints]").skip(1);
    lines.next().is_some_and(|line| line.split_whitespace().collect::<String>() == "workspace=true")
}

fn too_long(lines: &mut [usize]) -> Vec<String> {
    lines.sort_unstable();
    let at = |percent: usize| lines[(lines.len() - 1) * percent / 100];
    let mut complaints = Vec::new();
    if at(50) > 200 {
        complaints.push(format!("the median file has {} lines, more than 200", at(50)));
    }
    // Of few files the longest counts.
    let ninetieth = if lines.len() < 10 { lines[lines.len() - 1] } else { at(90) };
    if ninetieth > 500 {
        complaints.push(format!("one file in ten has more than 500 lines, from {ninetieth} on"));
    }
    complaints
}

/// The lines of a file without comments, with their places.
fn code_lines(source: &Source) -> impl Iterator<Item = (String, &str)> {
    source.text.lines().zip(1..).map(|(line, number)| {
        let code = line.split("//").next().unwrap_or_default();
        (format!("{}:{number}", source.path), code)
    })
}

#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The first command of the README is `cargo run`, which refuses to choose between two programs.
#[test]
fn cargo_run_finds_one_program() {
    let metadata = cargo_metadata();
    let defaults = metadata["workspace_default_members"].as_array().expect("members");
    let packages = metadata["packages"].as_array().expect("packages").iter();
    let targets = packages.filter(|package| defaults.contains(&package["id"])).flat_map(|package| {
        let targets = package["targets"].as_array().expect("targets").iter();
        targets.filter(|target| target["kind"][0] == "bin").map(|target| target["name"].as_str().expect("a name"))
    });
    assert_eq!(targets.collect::<Vec<_>>(), ["sched"]);
}

fn cargo_metadata() -> Value {
    let answer = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    serde_json::from_slice(&answer.stdout).expect("JSON")
}

/// The packages of the workspace, and every dependency that their manifests name.
fn metadata() -> (Vec<String>, Vec<Edge>) {
    let metadata = cargo_metadata();
    let packages: BTreeMap<String, &Value> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (package["name"].as_str().expect("a name").to_owned(), package))
        .collect();
    let edges = packages.iter().flat_map(|(from, package)| {
        package["dependencies"].as_array().expect("dependencies").iter().map(|dependency| Edge {
            from: from.clone(),
            to: dependency["name"].as_str().expect("a name").to_owned(),
            dev: dependency["kind"].as_str() == Some("dev"),
        })
    });
    let edges = edges.collect();
    (packages.into_keys().collect(), edges)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn text_of<'s>(sources: &'s [Source], path: &str) -> &'s str {
    &sources.iter().find(|source| source.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

/// All Rust files of the workspace.
fn sources() -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    for folder in ["scheduler-core", "runner", "providers", "monitor", "plugins", "cli", "tests", "benches"] {
        collect(&root, &root.join(folder), &mut found);
    }
    assert!(found.len() > 100, "only {} files found", found.len());
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let path = path.strip_prefix(root).expect("below the root").display().to_string();
            found.push(Source { path, text });
        }
    }
}
