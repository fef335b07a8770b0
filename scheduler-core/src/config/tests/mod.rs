//! The configuration: key by key, as whole files, and the places in messages.
#![expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]

mod keys;
mod load;
mod locate;
mod sinks;

use std::fs;

use super::{keys as reader, locate as locator, *};
use crate::{Home, reference::tests::CONFIG, store::Problem, vfs::RealFs};

/// A home of its own for every case.
struct Case {
    folder: tempfile::TempDir,
    home: Home,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        fs::create_dir(home.state()).unwrap();
        Self { folder, home }
    }

    fn with(config: impl AsRef<[u8]>) -> Self {
        let case = Self::new();
        fs::write(case.home.config_yaml(), config).unwrap();
        case
    }

    fn load(&self) -> Loaded {
        load(&RealFs, &self.home, false)
    }

    /// Problems as `key: what [hint]`, without the folder.
    fn problems(&self) -> Vec<String> {
        let prefix = format!("{}/", self.folder.path().display());
        let line = |p: &Problem| format!("{}{}: {} [{}]", if p.remark { "remark " } else { "" }, p.key, p.what, p.hint);
        self.load().problems.iter().map(|problem| line(problem).replace(&prefix, "")).collect()
    }
}

/// `text` is taken without a problem and differs from the defaults by `change`.
#[track_caller]
fn taken(text: &str, change: impl FnOnce(&mut Config)) {
    let case = Case::with(text);
    let mut expected = Config::default();
    change(&mut expected);
    assert_eq!(case.problems(), [""; 0], "{text}");
    assert_eq!(case.load().config, expected, "{text}");
    // And no editor underlines it.
    assert_eq!(fits(text), Some(true), "{text}");
}

/// Whether the schema takes `text`; `None` for YAML that JSON has no words for.
fn fits(text: &str) -> Option<bool> {
    let text = text.trim_start_matches('\u{feff}');
    match serde_yaml::from_str(text).unwrap_or_default() {
        serde_yaml::Value::Null => Some(true),
        yaml => serde_json::to_value(yaml).ok().map(|json| CONFIG.is_valid(&json)),
    }
}

/// The configuration that `text`, which must be without a problem, asks for.
#[track_caller]
pub(crate) fn configured(text: &str) -> Config {
    let case = Case::with(text);
    assert_eq!(case.problems(), [""; 0], "{text}");
    assert_eq!(fits(text), Some(true), "{text}");
    case.load().config
}

/// Every key that is read, in order.
pub(crate) fn known() -> Vec<&'static str> {
    reader::known()
}

/// `text` has exactly `problem`, and everything else in it still holds: `agent: still` is added to prove it.
#[track_caller]
fn refused(text: &str, problem: &str) {
    let case = Case::with(format!("{text}\nagent: still\n"));
    assert_eq!(case.problems(), [problem], "{text}");
    let loaded = case.load();
    assert!(loaded.readable);
    assert_eq!(loaded.config, Config { agent: Some("still".into()), ..Config::default() }, "{text}");
}

/// `text` can't be read as a whole, for this reason.
#[track_caller]
fn broken(text: impl AsRef<[u8]>, problem: &str) {
    let case = Case::with(text.as_ref());
    let loaded = case.load();
    assert_eq!(case.problems(), [problem]);
    assert!(!loaded.readable);
    assert_eq!((loaded.source, loaded.config), (Source::Defaults, Config::default()));
}
