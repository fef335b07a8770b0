//! How the home lies there: owners, modes, what lies about.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use scheduler_core::{
    Home,
    vfs::{RealFs, Vfs as _},
};
use serde_json::Value;

use super::{super::home::HomeFolder, disk, names};
use crate::context::Context;

/// How old a half-written file must be before its writer is taken for dead.
const HALF_WRITTEN_S: i64 = 60;

pub(super) fn folder(context: &Context, home: &Home, in_home: &[String]) -> HomeFolder {
    let top = fs::metadata(home.path()).ok();
    let in_state = names(&home.state());
    let state_is_open = in_state.is_ok();
    let in_state = in_state.unwrap_or_default().into_iter().map(|name| format!("state/{name}"));
    let all: Vec<String> = in_home.iter().cloned().chain(in_state).collect();
    let known = |name: &&String| name.contains('/') || OURS.contains(&name.as_str());
    let seen: Vec<(&String, fs::Metadata)> =
        all.iter().filter(known).filter_map(|name| Some((name, fs::metadata(home.path().join(name)).ok()?))).collect();
    let uid = top.as_ref().map(MetadataExt::uid);
    // A configuration that root owns can be read by everybody, and that may be meant so.
    let of_another = |name: &str, of: u32| uid.is_some_and(|uid| uid != of) && !(name == "config.yaml" && of == 0);
    let picked = |is_it: &dyn Fn(&str, &fs::Metadata) -> bool| -> Vec<String> {
        seen.iter().filter(|(name, metadata)| is_it(name, metadata)).map(|(name, _)| (*name).clone()).collect()
    };
    let now = context.now().as_second();
    let is_half = |name: &&String| {
        let metadata = || fs::metadata(home.path().join(name)).ok();
        let suspect =
            Path::new(name).extension().is_some_and(|extension| extension == "tmp") || name.contains(disk::PROBE);
        suspect && metadata().is_some_and(|metadata| now - metadata.mtime() > HALF_WRITTEN_S)
    };
    let generation = generation(home);
    let journals = || all.iter().filter(|name| name.starts_with("state/journal."));
    let current = generation.map(|generation| format!("state/journal.{generation}"));
    let size = generation.and_then(|generation| Some(fs::metadata(home.journal(generation)).ok()?.len()));
    HomeFolder {
        path: home.path().to_owned(),
        mode: top.as_ref().map(MetadataExt::mode),
        uid,
        state_is_open,
        me: rustix::process::geteuid().as_raw(),
        of_others: picked(&|name, metadata| of_another(name, metadata.uid())),
        open_to_others: picked(&|_, metadata| metadata.mode() & 0o022 != 0),
        journal: generation.zip(size),
        old_journals: journals()
            .filter(|name| current.as_ref().is_some_and(|current| current != *name))
            .cloned()
            .collect(),
        backups: in_home.iter().filter(|name| name.starts_with("jobs.json.bak.")).count(),
        half_written: all.iter().filter(is_half).cloned().collect(),
    }
}

/// What sched keeps at the top of a home.
const OURS: [&str; 6] = ["config.yaml", "jobs.json", "state", "runs", "heartbeats", "alerts"];

/// The generation that MANIFEST says is current.
fn generation(home: &Home) -> Option<u64> {
    let manifest: Value = serde_json::from_slice(&RealFs.read(&home.manifest()).ok()?).ok()?;
    manifest["generation"].as_u64()
}
