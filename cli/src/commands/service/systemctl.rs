//! The service manager, asked through `systemctl`.

use std::{path::Path, process::Command};

use scheduler_core::{Error, ErrorKind};

use crate::failure::Failure;

/// The manager of the machine, or of one user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Systemctl {
    pub(super) user: bool,
}

impl Systemctl {
    /// Whether it runs here: a container has none, as a rule.
    pub(super) fn is_there(self) -> bool {
        Path::new("/run/systemd/system").is_dir() && (!self.user || self.says(&["is-system-running"]).is_some())
    }

    /// Has something done.
    ///
    /// # Errors
    /// What it says against it.
    pub(super) fn does(self, arguments: &[&str]) -> Result<(), Failure> {
        let what = self.line(arguments);
        let output = self.command(arguments).output();
        let output = output.map_err(|error| Error::io(format!("cannot run `{what}`"), error))?;
        if output.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&output.stderr);
        let failure = Failure::new(ErrorKind::Foreign, format!("`{what}` failed: {}", why.trim()));
        Err(failure.hint("the units are written; correct what it says, then run that command again"))
    }

    /// What it answers in a word, whatever it exits with.
    pub(super) fn says(self, arguments: &[&str]) -> Option<String> {
        let output = self.command(arguments).output().ok()?;
        let word = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Some(word).filter(|word| !word.is_empty())
    }

    /// The command as it would be typed.
    pub(super) fn line(self, arguments: &[&str]) -> String {
        let manager = if self.user { "systemctl --user" } else { "systemctl" };
        format!("{manager} {}", arguments.join(" "))
    }

    fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new("systemctl");
        if self.user {
            command.arg("--user");
        }
        command.args(arguments);
        command
    }
}
