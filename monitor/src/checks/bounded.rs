//! Programs that judge a file, in surroundings that don't change what they say.

use std::{ffi::OsString, io, os::unix::process::ExitStatusExt as _, time::Duration};

use tokio::process::Command;

use crate::program::{self, Bounds};

/// The most that is kept of what it complains about.
const COMPLAINT: usize = 4096;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this code, and this at the end of its standard error.
    Exit(i32, String),
    /// By this signal.
    Signal(i32),
    /// Not in time: it was ended.
    Late,
    /// Not at all: it could not be started.
    NotStarted(String),
}

/// Runs `words` with nothing in its environment but `path`, in the root folder: what it finds there must not change what it
/// says.
pub(super) async fn run(words: &[OsString], path: &OsString, within: Duration) -> Ended {
    let Some((program, arguments)) = words.split_first() else {
        return Ended::NotStarted("no program is named".into());
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", path).env("LC_ALL", "C").current_dir("/");
    match program::run(command, b"", Bounds { within, keep: COMPLAINT, all: false }).await {
        Ok(ended) => match ended.status.map(|status| (status.code(), status.signal())) {
            None => Ended::Late,
            Some((Some(code), _)) => Ended::Exit(code, ended.printed),
            Some((None, signal)) => Ended::Signal(signal.unwrap_or_default()),
        },
        Err(error) => Ended::NotStarted(said(&error)),
    }
}

fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}
