//! The text of the units. Nothing here touches a file.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// What the units are made of.
#[derive(Debug, Clone)]
pub(super) struct Settings<'a> {
    /// What they are called.
    pub(super) name: &'a str,
    /// The program, by its path.
    pub(super) program: &'a Path,
    pub(super) home: &'a Path,
    /// For the manager of one user.
    pub(super) user: bool,
    /// Whom the daemon runs as, if not root or that user.
    pub(super) run_as: Option<&'a str>,
    /// How long a stop waits for runs.
    pub(super) drain: Duration,
}

/// A unit: the name of its file, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) file: String,
    pub(super) text: String,
    /// Whether it is started by itself, and not by another.
    pub(super) enabled: bool,
}

/// The first line of what we write, by which it is known as ours.
pub(super) const MARK: &str = "# Written by `sched service install`; `sched service uninstall` takes it away.";

/// Beyond `drain_timeout`: the 10 s between SIGTERM and SIGKILL of a job, and time to write down how it ended.
const AFTER_DRAIN: Duration = Duration::from_secs(30);

/// Where a system service lives.
pub(super) const SYSTEM_HOME: &str = "/var/lib/sched";

/// All units, the daemon's first.
pub(super) fn units(settings: &Settings<'_>) -> Vec<Unit> {
    let Settings { name, home, user, .. } = settings;
    let shown = home.display();
    let environment = if *user { "%h/.config/sched/env" } else { "/etc/sched/env" };
    let identity = settings.run_as.map_or_else(String::new, |account| format!("User={account}\n"));
    // Made with the right owner before the daemon starts.
    let state =
        if !user && *home == Path::new(SYSTEM_HOME) { "StateDirectory=sched\nStateDirectoryMode=0700\n" } else { "" };
    let common = format!("{identity}{state}EnvironmentFile=-{environment}\n");
    let target = if *user { "default.target" } else { "multi-user.target" };
    let stop = (settings.drain + AFTER_DRAIN).as_secs();
    let run = command(settings, &["run"]);
    let daemon = format!(
        "{MARK}\n\
         [Unit]\n\
         Description=sched, a cron scheduler, on {}\n\
         # It is started again for ever: a scheduler that systemd gave up on fires nothing.\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         Type=notify\n\
         NotifyAccess=main\n\
         ExecStart={run}\n\
         ExecReload=/bin/kill -HUP $MAINPID\n\
         Restart=always\n\
         RestartSec=5\n\
         # It answers only while it gets on.\n\
         WatchdogSec=60\n\
         TimeoutStartSec=300\n\
         # The daemon gets the SIGTERM, and ends its jobs itself.\n\
         KillMode=mixed\n\
         # Longer than drain_timeout in config.yaml and what follows it.\n\
         TimeoutStopSec={stop}\n\
         {common}\
         \n\
         [Install]\n\
         WantedBy={target}\n",
        specifiers(&shown.to_string())
    );
    let oneshot = |what: &str, arguments: &[&str], within: &str| {
        let run = command(settings, arguments);
        format!(
            "{MARK}\n\
             [Unit]\n\
             Description={what} {}\n\
             \n\
             [Service]\n\
             Type=oneshot\n\
             ExecStart={run}\n\
             # What it finds it tells; that it found something is no failure of its own.\n\
             SuccessExitStatus=3 4 5\n\
             {within}\
             {common}",
            specifiers(&shown.to_string())
        )
    };
    let timer = |what: &str, when: &str| {
        format!(
            "{MARK}\n\
             [Unit]\n\
             Description={what} {}\n\
             \n\
             [Timer]\n\
             {when}\n\
             AccuracySec=1s\n\
             \n\
             [Install]\n\
             WantedBy=timers.target\n",
            specifiers(&shown.to_string())
        )
    };
    let told = "# It waits for sinks, and a program may take ten minutes.\nTimeoutStartSec=900\n";
    let unit = |file: String, text: String, enabled: bool| Unit { file, text, enabled };
    let (watchdog, check) = ("the watchdog of sched on", "whether the watchdog of sched still comes, on");
    vec![
        unit(format!("{name}.service"), daemon, true),
        unit(format!("{name}-watchdog.service"), oneshot(watchdog, &["watchdog"], told), false),
        unit(format!("{name}-watchdog.timer"), timer(watchdog, "OnActiveSec=60s\nOnUnitActiveSec=60s"), true),
        unit(format!("{name}-check.service"), oneshot(check, &["heartbeat", "check"], "TimeoutStartSec=300\n"), false),
        unit(format!("{name}-check.timer"), timer(check, "OnCalendar=*:0/15"), true),
    ]
}

/// Whether this is the text of a unit of ours that runs the daemon on `home`.
pub(super) fn runs(text: &str, home: &Path) -> bool {
    let ending = format!(" --home {} run", quoted(&home.to_string_lossy()));
    text.starts_with(MARK) && text.lines().any(|line| line.starts_with("ExecStart=") && line.ends_with(&ending))
}

/// What the text of a unit of ours says: the home of its daemon, and whom that runs as.
pub(super) fn settings_of(text: &str) -> Option<(PathBuf, Option<String>)> {
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).filter(|_| text.starts_with(MARK))?;
    let (_, home) = line.strip_suffix(" run")?.split_once(" --home ")?;
    let run_as = text.lines().find_map(|line| line.strip_prefix("User=")).map(str::to_owned);
    Some((unquoted(home).into(), run_as))
}

/// A command line of ours, as systemd reads them.
fn command(settings: &Settings<'_>, arguments: &[&str]) -> String {
    let (program, home) = (settings.program.to_string_lossy(), settings.home.to_string_lossy());
    let words = [&*program, "--home", &*home];
    words.iter().chain(arguments).map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word that systemd takes as it is: quoted if need be, with its specifiers and variables made harmless.
fn quoted(word: &str) -> String {
    let word = specifiers(word).replace('$', "$$");
    if word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=:@,%".contains(c)) && !word.is_empty() {
        return word;
    }
    let mut quoted = String::from('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// What [`quoted`] was given.
fn unquoted(word: &str) -> String {
    let inner = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')).unwrap_or(word);
    let (mut plain, mut rest) = (String::new(), inner.chars());
    while let Some(c) = rest.next() {
        match c {
            '\\' => plain.extend(rest.next().map(|c| match c {
                'n' => '\n',
                't' => '\t',
                c => c,
            })),
            // It is there twice.
            '%' | '$' => {
                plain.push(c);
                rest.next();
            }
            c => plain.push(c),
        }
    }
    plain
}

fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_survives_systemd() {
        for (word, expected) in [
            ("/usr/local/bin/sched", "/usr/local/bin/sched"),
            ("/srv/my jobs", "\"/srv/my jobs\""),
            ("/srv/100%", "/srv/100%%"),
            ("/srv/$HOME", "\"/srv/$$HOME\""),
            ("/a\n\t%$b", "\"/a\\n\\t%%$$b\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ] {
            assert_eq!(quoted(word), expected);
            assert_eq!(unquoted(expected), word);
        }
    }

    #[test]
    fn a_stop_has_longer_than_the_daemon_takes() {
        let settings = Settings {
            name: "sched",
            program: Path::new("/bin/sched"),
            home: Path::new(SYSTEM_HOME),
            user: false,
            run_as: Some("cron"),
            drain: Duration::from_mins(10),
        };
        let all = units(&settings);
        assert!(all[0].text.contains("\nTimeoutStopSec=630\n"), "{}", all[0].text);
        assert!(all[0].text.contains("\nUser=cron\nStateDirectory=sched\n"), "{}", all[0].text);
        assert!(all.iter().all(|unit| unit.text.starts_with(MARK)));
        let of_home = |home: &str| all.iter().filter(|unit| runs(&unit.text, Path::new(home))).count();
        assert_eq!((of_home(SYSTEM_HOME), of_home("/var/lib")), (1, 0));
        assert_eq!(settings_of(&all[0].text), Some((SYSTEM_HOME.into(), Some("cron".into()))));
        assert_eq!(settings_of("[Service]\nExecStart=/bin/sched --home /a run\n"), None);
        let theirs = units(&Settings { user: true, run_as: None, home: Path::new("/home/a/.sched"), ..settings });
        assert!(theirs.iter().all(|unit| !unit.text.contains("StateDirectory") && !unit.text.contains("User=")));
    }
}
