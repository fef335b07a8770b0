//! What is said about a plugin that has been installed: where, which, and what is left to do.

use std::path::PathBuf;

use sched_plugin_host::{Standing, manifest::Manifest};
use scheduler_core::Home;
use serde_json::json;

use super::OLD;
use crate::{
    commands::Done,
    context::Context,
    daemon::{lock, plugins},
    exit,
    output::Output,
};

/// What has been installed.
pub(super) struct Installed<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) folder: PathBuf,
    pub(super) how: How,
    /// The version that was there before.
    pub(super) old: Option<String>,
}

/// How it came there.
pub(super) enum How {
    Linked(PathBuf),
    Copied {
        files: usize,
        sha256: Option<String>,
        /// Whether the old plugin.yaml was kept.
        kept: bool,
    },
}

pub(super) fn tell(installed: &Installed<'_>, home: &Home, context: &Context, out: &mut Output) -> Done {
    let Installed { manifest, folder, how, old } = installed;
    let name = &manifest.name;
    let config = &context.config().config;
    let selected = config.provider == *name;
    let (linked, files, sha256, kept) = match how {
        How::Linked(to) => (Some(to.display().to_string()), None, None, false),
        How::Copied { files, sha256, kept } => (None, Some(*files), sha256.as_deref(), *kept),
    };
    if out.wants_json() {
        out.json(json!({
            "installed": name, "version": manifest.version, "folder": folder.display().to_string(), "linked_to": linked,
            "files": files, "sha256": sha256, "replaced": old, "selected": selected,
        }))?;
    } else {
        let version = match old {
            Some(old) => format!("{} in place of {old}", manifest.version),
            None => manifest.version.clone(),
        };
        let how = match how {
            How::Linked(to) => format!("linked to {}", to.display()),
            How::Copied { files, .. } => format!("{files} files"),
        };
        out.line(format_args!("installed plugin `{name}` {version} as {}: {how}", folder.display()))?;
        if let Some(sha256) = sha256 {
            out.line(format_args!("  its code is pinned: sha256 {sha256}"))?;
        }
        if kept {
            out.line(format_args!(
                "  `config` is that of the new one; the old plugin.yaml is kept beside it as {OLD}"
            ))?;
        }
        let path = home.config_yaml();
        let path = path.display();
        let daemon = lock::look(home);
        let signal = daemon.held.then_some(daemon.holder).flatten().map(|holder| format!("kill -HUP {}", holder.pid));
        let said = match (selected, signal) {
            (true, Some(signal)) => format!("{path} names it; the daemon takes it up with: {signal}"),
            (true, None) => format!("{path} names it; the next `sched run` uses it"),
            (false, Some(signal)) => format!("to use it, put `provider: {name}` into {path}, then: {signal}"),
            (false, None) => format!("to use it, put `provider: {name}` into {path}"),
        };
        out.line(said)?;
    }
    // Its record may speak against it: its code may have crashed before.
    let found = plugins::look(home, config).into_iter().find(|found| found.name == *name);
    if let Some(Standing::Refused(why, hint)) = found.map(|found| found.standing) {
        out.warn(format!("it is not started as it stands: {why}"), hint.as_deref());
    }
    Ok(exit::OK)
}
