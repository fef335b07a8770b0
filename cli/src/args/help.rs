//! The top-level help: the commands in groups, by the question that somebody has.

use std::fmt::Write as _;

use clap::Command;

/// The groups, and the commands in each.
const GROUPS: [(&str, &[&str]); 11] = [
    ("Getting it to fire", &["init", "run", "tick", "service"]),
    ("Jobs", &["add", "list", "show", "edit", "remove", "pause", "resume", "apply"]),
    ("By hand", &["fire", "cancel"]),
    ("Is it firing now?", &["status"]),
    ("When, and what happened?", &["next", "simulate", "history", "logs", "why", "audit"]),
    ("Watch and tell", &["alerts", "report", "watchdog", "heartbeat"]),
    ("Are the files right?", &["validate", "schema"]),
    ("Is the machine right?", &["doctor"]),
    ("Who decides when?", &["providers", "plugin"]),
    ("To be safe", &["backup", "restore", "repair"]),
    ("For the shell", &["completions", "man"]),
];

const EXAMPLES: &str = "\
Examples:
  sched run --example
  sched add \"30 2 * * *\" --name backup -- pg_dump -f /backup/db.sql
  sched next --expr \"0 9 * * 1-5\" --tz Europe/Berlin

Exit codes: 0 ok, 1 error, 2 usage, 3 needs attention, 4 not firing, 5 unknown, 70 stuck and ended, 75 busy.
`sched help <command>` says more about each.";

/// `command` with the commands in groups; clap itself knows only one list of them.
pub(super) fn grouped(command: Command) -> Command {
    let header = command.get_styles().get_header().to_owned();
    let literal = command.get_styles().get_literal().to_owned();
    let mut list = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(list, "{header}{title}{header:#}");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(list, "  {literal}{name:13}{literal:#}{about}");
        }
        list.push('\n');
    }
    let template = format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}{{options}}{{after-help}}\n");
    command.help_template(template).after_help(EXAMPLES)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let command = Cli::command();
        let mut known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        grouped.sort_unstable();
        known.sort_unstable();
        assert_eq!(grouped, known);
    }
}
