use clap::CommandFactory as _;

use super::*;

fn read(line: &[&str]) -> Result<Cli, clap::Error> {
    parse(["sched"].iter().chain(line).map(OsString::from))
}

/// The kind of refusal, and a part of what it says.
#[track_caller]
fn check_refused(line: &[&str], expected: &str) {
    let said = match read(line) {
        Err(error) => error.to_string(),
        Ok(cli) => {
            cli.command.check().map_err(|failure| format!("{} {:?}", failure.message, failure.hints)).unwrap_err()
        }
    };
    assert!(said.contains(expected), "{line:?}: {said}");
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn options_of_every_command_stand_before_or_after_its_name() {
    for line in
        [["--home", "/h", "--json", "list"], ["list", "--home", "/h", "--json"], ["--json", "ls", "--home", "/h"]]
    {
        let cli = read(&line).unwrap();
        assert!(cli.global.json, "{line:?}");
        assert_eq!(cli.global.home, Some("/h".into()), "{line:?}");
    }
}

#[test]
fn what_follows_two_dashes_is_the_jobs() {
    let cli = read(&["add", "@daily", "--", "ls", "--json", "-v"]).unwrap();
    assert!(!cli.global.json);
    let Command::Add(args) = cli.command else { panic!("{:?}", cli.command) };
    assert_eq!(args.settings.command, ["ls", "--json", "-v"]);
}

#[test]
fn common_mistakes_are_told_the_fix() {
    check_refused(&["run", "backup"], "sched fire backup");
    check_refused(&["add", "0", "9", "*", "*", "*", "--", "ls"], "sched add \\\"0 9 * * *\\\" --");
    check_refused(&["add", "@daily", "ls", "/"], "sched add \\\"@daily\\\" -- ls /");
    check_refused(&["add", "@daily"], "no command");
    check_refused(&["add", "@daily", "--shell", "ls", "--", "ls"], "cannot be used with");
    check_refused(&["add", "@daily", "--id", "Big", "--", "ls"], "`big`");
    check_refused(&["add", "@daily", "--timeout", "5", "--", "ls"], "write `5s`, `5m` or `5h`");
    check_refused(&["add", "@daily", "--env", "X", "--", "ls"], "NAME=value");
    check_refused(&["edit", "x"], "nothing to change");
    check_refused(&["edit", "x", "--editor", "--timeout", "1h"], "cannot be used with");
    check_refused(&["edit", "x", "--editor", "--", "ls"], "cannot be used with");
    check_refused(&["edit", "x", "--shell", "ls", "--", "ls"], "cannot be used with");
    check_refused(&["edit", "x", "--enabled", "--disabled"], "cannot be used with");
    check_refused(&["lsit"], "'list'");
    check_refused(&["pause"], "JOB");
    check_refused(&["pause", "x", "--all"], "cannot be used with");
    check_refused(&["next"], "JOB");
    check_refused(&["next", "x", "--batch"], "cannot be used with");
    check_refused(&["history", "--since", "yesterday"], "write how long ago");
    check_refused(&["logs", "x", "-f", "--json"], "cannot be used with");
    check_refused(&["run", "--log-format", "json", "--example"], "cannot be used with");
    check_refused(&["run", "--log-format", "xml"], "text, json");
    check_refused(&["list", "-q", "-v"], "cannot be used with");
}

#[test]
fn since_is_a_span_or_an_instant() {
    let now: jiff::Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let check = |text: &str, expected: &str| {
        assert_eq!(values::since(text).unwrap().instant(now).to_string(), expected, "{text}");
    };
    check("24h", "2026-11-21T10:00:00Z");
    check("2026-11-01T00:00:00+01:00", "2026-10-31T23:00:00Z");
}
