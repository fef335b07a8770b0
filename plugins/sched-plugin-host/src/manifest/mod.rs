//! `plugin.yaml`: what a plugin says it is, before any of its code runs.
//!
//! Unlike `config.yaml`, a file with a mistake is refused as a whole: a plugin that runs otherwise than its author wrote it
//! down is worse than the built-in ticker. Pure.

mod keys;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use scheduler_core::Result;
use serde_json::Value;

/// The name of the file in the plugin's folder.
pub const FILE: &str = "plugin.yaml";

/// What libraries for this machine are filed under, in a `library` that is a map.
pub const TARGET: &str = if cfg!(all(target_arch = "x86_64", target_env = "musl")) {
    "x86_64-unknown-linux-musl"
} else if cfg!(target_arch = "x86_64") {
    "x86_64-unknown-linux-gnu"
} else if cfg!(all(target_arch = "aarch64", target_env = "musl")) {
    "aarch64-unknown-linux-musl"
} else if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-gnu"
} else {
    "unknown"
};

/// A plugin.yaml, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Its name, which is its folder's and the one for `provider:` in config.yaml.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in a line.
    pub description: String,
    /// What is started.
    pub code: Code,
    /// The SHA-256 that its code must have, in lower-case hex.
    pub sha256: Option<String>,
    /// Handed to it.
    pub config: Value,
    /// How long it may take.
    pub timeouts: Timeouts,
}

/// What of a plugin is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// `kind: exec`: a program with its arguments, started in the plugin's folder.
    Command(Vec<String>),
    /// `kind: dylib`: a library, by its path from the plugin's folder.
    Library(PathBuf),
}

impl Code {
    /// Its `kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "exec",
            Self::Library(_) => "dylib",
        }
    }
}

/// How long a plugin may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From its start to `ready`.
    pub ready: Duration,
    /// For the answer to a call.
    pub call: Duration,
    /// From `stop` to its end.
    pub stop: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let [ready, call, stop] = [5, 10, 10].map(Duration::from_secs);
        Self { ready, call, stop }
    }
}

impl Manifest {
    /// Reads the bytes of the file that messages call `file`.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with line and column.
    ///
    /// ```
    /// use sched_plugin_host::manifest::{Code, Manifest};
    /// let text = "name: bells\nversion: '1.0'\nkind: exec\ncommand: [./bells]\nprotocol: 1\n";
    /// let manifest = Manifest::parse("plugin.yaml", text.as_bytes())?;
    /// assert_eq!(manifest.code, Code::Command(vec!["./bells".into()]));
    ///
    /// let error = Manifest::parse("plugin.yaml", b"nmae: bells\n").unwrap_err();
    /// assert_eq!(error.to_string(), "plugin.yaml: line 1, column 1: there is no key `nmae`");
    /// assert_eq!(error.hint_text(), Some("did you mean `name`?"));
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self> {
        keys::read(file, bytes)
    }
}
