//! Every environment variable that this crate looks at; one that is set to nothing counts as not set.

use std::{ffi::OsString, path::PathBuf};

/// `SCHED_HOME`: the home, unless `--home` says otherwise.
pub(crate) fn sched_home() -> Option<PathBuf> {
    get("SCHED_HOME").map(PathBuf::from)
}

/// `SCHED_ADOPT`: takes over a home that belongs to another machine, as `--adopt` does; `0` doesn't.
pub(crate) fn sched_adopt() -> bool {
    get("SCHED_ADOPT").is_some_and(|value| value != "0")
}

/// `SCHED_HEARTBEAT_DIR`: where heartbeats of jobs are, whatever config.yaml says.
pub(crate) fn sched_heartbeat_dir() -> Option<PathBuf> {
    get("SCHED_HEARTBEAT_DIR").map(PathBuf::from)
}

/// `NO_COLOR`: no colours unless `--color always` asks for them (<https://no-color.org>).
pub(crate) fn no_color() -> bool {
    get("NO_COLOR").is_some()
}

/// `HOME`: where `~/.sched` is.
pub(crate) fn home() -> Option<PathBuf> {
    get("HOME").map(PathBuf::from)
}

/// `VISUAL`, else `EDITOR`: the command line of the user's editor.
pub(crate) fn editor() -> Option<OsString> {
    get("VISUAL").or_else(|| get("EDITOR"))
}

/// `TMPDIR`, else `/tmp`: where files go that are soon gone.
pub(crate) fn temporary() -> PathBuf {
    std::env::temp_dir()
}

/// `PATH`: where programs are looked up.
pub(crate) fn path() -> Option<OsString> {
    get("PATH")
}

/// `NOTIFY_SOCKET`: where a service manager wants to hear of this process.
pub(crate) fn notify_socket() -> Option<OsString> {
    get("NOTIFY_SOCKET")
}

/// `USER`: who acknowledges an alert, unless they say so.
pub(crate) fn user() -> Option<String> {
    get("USER").and_then(|user| user.into_string().ok())
}

/// A variable that a secret in config.yaml names.
pub(crate) fn secret(name: &str) -> Option<String> {
    get(name).and_then(|value| value.into_string().ok())
}

/// All of it: a plugin gets the few that are no secrets.
pub(crate) fn all() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

fn get(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
