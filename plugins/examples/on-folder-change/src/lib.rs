//! Fires a job when a folder changes. The folder is looked at again and again, which works on every file system and needs
//! nothing but the standard library.
#![forbid(unsafe_code)]

use std::{fs, io, path::PathBuf, time::Duration, time::UNIX_EPOCH};

use sched_plugin::{BoxError, Config, Hooks, Host, SchedulerPlugin, export_scheduler, log};
use serde::Deserialize;

/// What the operator sets in plugin.yaml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnFolderChange {
    folder: PathBuf,
    job: String,
    #[serde(default = "one")]
    every_seconds: u64,
}

fn one() -> u64 {
    1
}

impl SchedulerPlugin for OnFolderChange {
    // What the host does by itself is right for all of them.
    const HOOKS: Hooks = Hooks::NONE;

    fn from_config(config: Config) -> Result<Self, BoxError> {
        config.read()
    }

    fn start(&self, host: &Host) -> Result<(), BoxError> {
        let mut before = self.look()?;
        while !host.is_stopping() {
            // A store that fails now, on a full disk say, may not in a moment: what was due still is.
            if let Err(error) = host.tick() {
                log::warn!("{error}");
            }
            host.wait_for(Duration::from_secs(self.every_seconds));
            // A folder that is away for a moment, because it is mounted anew, say, has not changed.
            let now = match self.look() {
                Ok(now) => now,
                Err(error) => {
                    log::warn!("{error}");
                    continue;
                }
            };
            if now != before {
                match host.fire_event(&self.job, &now) {
                    Ok(outcome) => {
                        log::info!("{} has changed; job `{}`: {outcome:?}", self.folder.display(), self.job);
                        before = now;
                    }
                    // It is tried again with the next look.
                    Err(error) => log::warn!("{error}"),
                }
            }
        }
        Ok(())
    }
}

impl OnFolderChange {
    /// What the folder looks like: its latest change, and how many files and bytes there are. It is the key of the event as
    /// well, so that one state of the folder fires once.
    fn look(&self) -> Result<String, BoxError> {
        let failed = |error: io::Error| format!("the folder {} can't be read: {error}", self.folder.display());
        let mut latest = changed(&fs::metadata(&self.folder).map_err(failed)?);
        let (mut files, mut bytes) = (0, 0);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            // Whoever has left in between has changed the folder, and that is seen the next time.
            let Ok(metadata) = entry.map_err(failed)?.metadata() else { continue };
            latest = latest.max(changed(&metadata));
            files += 1;
            bytes += metadata.len();
        }
        Ok(format!("{latest}-{files}-{bytes}"))
    }
}

/// In nanoseconds.
fn changed(metadata: &fs::Metadata) -> u128 {
    let since = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.unwrap_or_default().as_nanos()
}

export_scheduler!("on-folder-change", OnFolderChange);

#[cfg(test)]
mod tests {
    use sched_plugin::testing::TestHost;

    use super::*;

    #[test]
    fn it_ticks_and_fires_only_when_something_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(r#"{{"folder": {:?}, "job": "import"}}"#, folder.path());
        let plugin = OnFolderChange::from_config(config.parse().expect("JSON")).expect("a plugin");
        let host = TestHost::default();
        host.stop_after_waits(3);
        plugin.start(&host.host()).expect("its end");
        let calls = host.calls();
        let ticks = calls.iter().filter(|call| *call == "tick").count();
        assert!(ticks == 3 && !calls.iter().any(|call| call.starts_with("fire")), "{calls:?}");
    }

    #[test]
    fn every_change_looks_different() {
        let folder = tempfile::tempdir().expect("a folder");
        let plugin = OnFolderChange { folder: folder.path().into(), job: "import".into(), every_seconds: 1 };
        // The clock of a file system may be coarser than this test is fast.
        fs::File::open(folder.path()).and_then(|file| file.set_modified(UNIX_EPOCH)).expect("an old folder");
        let mut seen = vec![plugin.look().expect("a look")];
        let file = folder.path().join("a");
        let steps: [&dyn Fn(); 3] = [&|| write(&file, "1"), &|| write(&file, "22"), &|| remove(&file)];
        for step in steps {
            step();
            seen.push(plugin.look().expect("a look"));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4, "{seen:?}");
        drop(folder);
        let error = plugin.look().expect_err("gone").to_string();
        assert!(error.contains("can't be read: No such file"), "{error}");
    }

    #[test]
    fn a_mistyped_key_is_told() {
        let config = r#"{"folder": "/srv", "jobs": "import"}"#.parse().expect("JSON");
        let error = OnFolderChange::from_config(config).expect_err("refused").to_string();
        assert!(error.starts_with("config: unknown field `jobs`, expected one of `folder`, `job`"), "{error}");
    }

    #[expect(clippy::disallowed_methods, reason = "the files of a test")]
    fn write(file: &std::path::Path, text: &str) {
        fs::write(file, text).expect("a file");
    }

    #[expect(clippy::disallowed_methods, reason = "the files of a test")]
    fn remove(file: &std::path::Path) {
        fs::remove_file(file).expect("the file");
    }
}
