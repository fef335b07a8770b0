use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, on_terminal, run};

const JOBS: &str = r#"
{"id": "a", "$why": "mine", "schedule": "30 2 * * *", "command": ["true"], "timeout": "10m", "env": {"A": "1", "B": "2"}},
{"id": "b",   "name": "Backup", "schedule": "@daily", "command": "true" },
{"name": "Third One", "schedule": "@daily", "command": "true"}"#;

fn entry(sandbox: &Sandbox, index: usize) -> Value {
    let file: Value = serde_json::from_slice(&fs::read(sandbox.home().jobs_json()).unwrap()).unwrap();
    file["jobs"][index].clone()
}

/// Edits with this as the editor: a command line that gets the file.
fn with_editor(sandbox: &Sandbox, editor: &str, line: &[&str]) -> Ran {
    let mut command = sandbox.command(line);
    command.env("EDITOR", editor).env("TMPDIR", sandbox.drafts());
    run(command, "")
}

impl Sandbox {
    fn drafts(&self) -> std::path::PathBuf {
        let folder = self.path().with_file_name("drafts");
        let _ = fs::create_dir(&folder);
        folder
    }

    fn draft_texts(&self) -> Vec<String> {
        let files = fs::read_dir(self.drafts()).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

#[test]
fn what_is_named_changes_and_nothing_else_does() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let said = sandbox.ok(&["edit", "a", "--schedule", "0 4 * * 1-5", "--timeout", "20m", "--env", "A=hunter2"]);
    for part in [
        "changed job `a`\n",
        "  schedule: 30 2 * * * -> 0 4 * * 1-5\n",
        "  env.A: changed (values are not shown)\n",
        "  timeout: 10m -> 20m\n",
        "  At 04:00, Monday to Friday, Europe/Berlin\n",
        "T04:00:00+01:00  in ",
    ] {
        assert!(said.contains(part), "`{part}`: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(
        entry(&sandbox, 0),
        json!({"id": "a", "$why": "mine", "schedule": "0 4 * * 1-5", "command": ["true"], "timeout": "20m",
            "env": {"A": "hunter2", "B": "2"}})
    );
    let text = fs::read_to_string(sandbox.home().jobs_json()).unwrap();
    assert!(text.contains(r#"{"id": "b",   "name": "Backup", "schedule": "@daily", "command": "true" }"#), "{text}");
}

#[test]
fn every_option_of_add_can_be_changed_and_fields_can_be_cleared() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let check = |line: &[&str], expected: Value| {
        sandbox.ok(&[&["edit", "Backup"], line].concat());
        assert_eq!(entry(&sandbox, 1), expected, "{line:?}");
    };
    check(
        &[
            "--name",
            "b2",
            "--description",
            "d",
            "--tz",
            "UTC",
            "--workdir",
            "/",
            "--overlap",
            "replace",
            "--delivery",
            "at-least-once",
            "--max-parallel",
            "2",
            "--tag",
            "x",
            "--output-limit",
            "1MiB",
            "--misfire",
            "all",
            "--disabled",
            "--",
            "echo",
            "a b",
        ],
        json!({"id": "b", "name": "b2", "schedule": "@daily", "command": ["echo", "a b"], "description": "d", "timezone": "UTC",
            "workdir": "/", "overlap": "replace", "delivery": "at_least_once", "misfire": {"policy": "all"}, "max_parallel": 2, "tags": ["x"],
            "output_limit": "1MiB", "enabled": false}),
    );
    let sandbox = Sandbox::with_jobs(JOBS);
    let said = sandbox.ok(&["edit", "a", "--clear", "env.A", "--clear", "timeout", "--clear", "$why", "--grace", "5m"]);
    assert!(said.contains("timeout: 10m -> (not set)"), "{said}");
    assert_eq!(
        entry(&sandbox, 0),
        json!({"id": "a", "schedule": "30 2 * * *", "command": ["true"], "env": {"B": "2"}, "misfire": {"grace": "5m"}})
    );
    sandbox.ok(&["edit", "a", "--misfire", "skip", "--clear", "env", "--shell", "echo hi"]);
    assert_eq!(entry(&sandbox, 0)["misfire"], json!({"grace": "5m", "policy": "skip"}));
    assert_eq!((&entry(&sandbox, 0)["env"], &entry(&sandbox, 0)["command"]), (&Value::Null, &json!("echo hi")));
    sandbox.ok(&["edit", "a", "--retries", "3", "--backoff", "5s"]);
    let said = sandbox.ok(&["edit", "a", "--retries", "2", "--clear", "retries.backoff"]);
    assert!(said.contains("retries.max: 3 -> 2") && said.contains("retries.backoff: 5s -> (not set)"), "{said}");
    assert_eq!(entry(&sandbox, 0)["retries"], json!({"max": 2}));
    sandbox.ok(&["edit", "a", "--disabled"]);
    let said = sandbox.ok(&["edit", "a", "--enabled"]);
    assert!(said.contains("enabled: false -> true"), "{said}");
}

#[test]
fn a_relative_one_shot_becomes_an_instant_and_programs_are_told_all() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let said = sandbox.json(&["edit", "a", "--schedule", "in 30m", "--env", "A=hunter2"]);
    let at: jiff::Timestamp = entry(&sandbox, 0)["schedule"].as_str().unwrap().parse().unwrap();
    assert!((1700..=1801).contains(&at.duration_since(jiff::Timestamp::now()).as_secs()));
    assert_eq!((&said["id"], &said["changed"]), (&json!("a"), &json!(true)), "{said:#}");
    assert_eq!(said["changes"][0]["before"], "30 2 * * *");
    assert_eq!(said["changes"][1], json!({"field": "env.A"}));
    assert_eq!(said["next"].as_array().unwrap().len(), 1);
    let again = sandbox.json(&["edit", "a", "--timeout", "10m"]);
    assert_eq!((&again["changed"], &again["changes"]), (&json!(false), &json!([])));
    assert_eq!(sandbox.ok(&["edit", "a", "--timeout", "10m"]), "job `a`: nothing changed\n");
}

#[test]
fn what_cannot_be_is_refused_with_its_fix_and_changes_nothing() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let before = fs::read(sandbox.home().jobs_json()).unwrap();
    let check = |line: &[&str], code, parts: &[&str]| sandbox.fails(&[&["edit"], line].concat(), code, parts);
    check(&["a"], 2, &["nothing to change", "hint: name what: sched edit a --timeout 1h", "--editor"]);
    check(&["bacup", "--timeout", "1h"], 1, &["no job `bacup`"]);
    check(&["a", "--schedule", "0 9-3 * * *"], 1, &["invalid schedule: hour:", "    ^^^\n"]);
    check(&["a", "--schedule", "2020-01-01T00:00:00Z"], 1, &["has passed"]);
    check(&["a", "--tz", "Berlin"], 1, &["job `a` would be invalid: timezone:"]);
    check(&["a", "--clear", "timeuot"], 2, &["no such field", "did you mean `timeout`?"]);
    check(&["a", "--clear", "schedule"], 2, &["a job can't be without it"]);
    check(&["a", "--name", " "], 2, &["the name is empty", "--clear name"]);
    assert_eq!(fs::read(sandbox.home().jobs_json()).unwrap(), before);
    Sandbox::new().fails(&["edit", "a", "--timeout", "1h"], 1, &["there is no home at"]);
}

#[test]
fn an_id_made_of_a_name_outlives_it() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.ok(&["edit", "third-one", "--timeout", "1m"]);
    assert_eq!(entry(&sandbox, 2)["id"], Value::Null, "nobody asked for one");
    sandbox.ok(&["edit", "third-one", "--name", "Another"]);
    assert_eq!((&entry(&sandbox, 2)["id"], &entry(&sandbox, 2)["name"]), (&json!("third-one"), &json!("Another")));
}

#[test]
fn an_entry_that_never_came_into_force_can_be_corrected() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "a", "schedule": "nonsense", "command": "true"}"#);
    sandbox.ok(&["edit", "a", "--schedule", "@daily"]);
    assert!(sandbox.ok(&["list"]).contains("@daily"));
    fs::write(sandbox.home().jobs_json(), "{ broken").unwrap();
    sandbox.fails(
        &["edit", "a", "--timeout", "1m"],
        1,
        &["line 1, column 3", "nothing was changed", "correct the file"],
    );
}

#[test]
fn the_editor_gets_a_private_text_and_what_it_saves_takes_effect() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let look = "sh -c 'stat -c %a \"$1\"; cat \"$1\"; sed -i s/10m/20m/ \"$1\"' sh";
    let ran = with_editor(&sandbox, look, &["edit", "a", "--editor"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("600\n{\n  \"id\": \"a\",\n  \"$why\": \"mine\",\n"), "{}", ran.out);
    assert!(ran.out.contains("changed job `a`\n  timeout: 10m -> 20m\n  At 02:30"), "{}", ran.out);
    assert_eq!(entry(&sandbox, 0)["timeout"], "20m");
    let ran = with_editor(&sandbox, "sed -i -e '/why/d' -e 's/30 2 . . ./in 30m/'", &["edit", "a", "--editor"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(entry(&sandbox, 0)["$why"], Value::Null, "what is deleted is gone");
    assert!(entry(&sandbox, 0)["schedule"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let ran = with_editor(&sandbox, "true", &["edit", "a", "--editor"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "job `a`: nothing changed\n"));
    assert_eq!(sandbox.draft_texts(), [""; 0], "nothing is left behind");
}

#[test]
fn without_a_terminal_a_bad_text_is_told_with_its_place_and_kept() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let check = |editor: &str, parts: &[&str], kept: &str| {
        let ran = with_editor(&sandbox, editor, &["edit", "a", "--editor"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{editor}: {ran:?}");
        for part in parts {
            assert!(ran.err.contains(part), "{editor}: `{part}`: {}", ran.err);
        }
        let texts = sandbox.draft_texts();
        assert!(texts.len() == 1 && texts[0].contains(kept), "{editor}: {texts:?}");
        let (_, path) = ran.err.split_once("what you wrote is kept in ").expect("where it is");
        assert_eq!(fs::metadata(path.trim()).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(path.trim()).unwrap();
        assert_eq!(entry(&sandbox, 0)["timeout"], "10m");
    };
    check("sed -i s/10m/soon/", &["the entry: line 8, column 3: job `a` is invalid: timeout:"], "soon");
    check("sed -i 's/\"10m\",//'", &["the entry: line 9, column 8: expected `,` or `}`"], "timeout");
    check("sed -i 's/\"a\"/\"z\"/'", &["the id of job `a` can't be changed (to `z`)", "sched remove a"], "\"z\"");
    check("sed -i 's/30 2 . . ./2020-01-01T00:00:00Z/'", &["line 4, column 3", "has passed", "hint: "], "2020");
    check("sh -c 'echo x >> $1; exit 3' sh", &["ended with exit status: 3; nothing was changed"], "x\n");
}

#[test]
fn on_a_terminal_a_bad_text_can_be_edited_again_or_discarded() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let question = "edit it again (e), or discard what you wrote (d)? ";
    let edit = |editor: &str, typed: &[(&str, &str)]| {
        let mut command = sandbox.command(&["edit", "a", "--editor"]);
        command.env("EDITOR", editor).env("TMPDIR", sandbox.drafts());
        on_terminal(command, typed)
    };
    let ran = edit("sed -i -e s/soon/20m/ -e s/10m/soon/", &[(question, "e\n")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("job `a` is invalid: timeout:") && ran.out.contains("timeout: 10m -> 20m"), "{}", ran.out);
    let ran = edit("sed -i s/20m/soon/", &[(question, "d\n")]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("nothing changed") && !ran.out.contains("kept"), "{}", ran.out);
    assert_eq!(sandbox.draft_texts(), [""; 0]);
    let ran = edit("sed -i s/20m/soon/", &[(question, "what?\n")]);
    assert!(ran.code == Some(1) && ran.out.contains("what you wrote is kept in "), "{ran:?}");
    assert_eq!(entry(&sandbox, 0)["timeout"], "20m");
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_lost_and_neither_is_the_text() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let sched = env!("CARGO_BIN_EXE_sched");
    let meanwhile = format!("sh -c '{sched} edit a --timeout 15m >&2; sed -i s/10m/20m/ \"$1\"' sh");
    let ran = with_editor(&sandbox, &meanwhile, &["edit", "a", "--editor"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for part in ["job `a` has been changed by somebody else meanwhile", "sched show a", "what you wrote is kept in "] {
        assert!(ran.err.contains(part), "`{part}`: {}", ran.err);
    }
    assert_eq!(entry(&sandbox, 0)["timeout"], "15m");
    assert!(sandbox.draft_texts()[0].contains("20m"));
    let other = format!("sh -c '{sched} edit b --timeout 15m >&2; sed -i s/15m/20m/ \"$1\"' sh");
    assert_eq!(with_editor(&sandbox, &other, &["edit", "a", "--editor"]).code, Some(0), "another job is no conflict");
    assert_eq!((&entry(&sandbox, 0)["timeout"], &entry(&sandbox, 1)["timeout"]), (&json!("20m"), &json!("15m")));
}

#[test]
fn an_editor_that_is_not_there_is_named() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let ran = with_editor(&sandbox, "no-such-editor", &["edit", "a", "--editor"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("cannot start the editor `no-such-editor`") && !ran.err.contains("kept"), "{}", ran.err);
    let mut command = sandbox.command(&["edit", "a", "--editor"]);
    command.env("PATH", sandbox.drafts()).env("TMPDIR", sandbox.drafts());
    let ran = run(command, "");
    assert!(ran.err.contains("VISUAL and EDITOR are not set, and there is no `vi`"), "{}", ran.err);
    let mut command = sandbox.command(&["edit", "a", "--editor"]);
    command.env("EDITOR", "false").env("VISUAL", "true").env("TMPDIR", sandbox.drafts());
    assert_eq!(run(command, "").code, Some(0), "VISUAL comes first");
}
