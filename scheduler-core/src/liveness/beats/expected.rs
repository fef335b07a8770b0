//! Heartbeats that must come: those of config.yaml, and those that `heartbeat expect` has written down, a file each in
//! `state/heartbeats`. A file each needs no lock, and one that is damaged costs no other.
//!
//! Since when config.yaml expects one is noted there too, by whoever checks: a file that is only touched puts no alarm off.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{super::heartbeat::Unreadable, files, name::BeatName};
use crate::{
    Error, ErrorKind, Home, Result,
    config::{Config, Loaded},
    store::Problem,
    vfs::Vfs,
};

/// A heartbeat that must come.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::liveness::beats::{BeatName, Expected};
/// let expected = Expected { name: BeatName::new("agent"), every: Duration::from_mins(15), max_age: None };
/// assert_eq!(expected.limit(2.0), Duration::from_mins(30));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Which.
    pub name: BeatName,
    /// How often it comes.
    pub every: Duration,
    /// The oldest it may get; `None` is a multiple of `every`.
    pub max_age: Option<Duration>,
}

impl Expected {
    /// The oldest it may get: what was said, else `every` so many times.
    pub fn limit(&self, factor: f64) -> Duration {
        self.max_age.unwrap_or_else(|| times(self.every, factor))
    }
}

/// `span` so many times, or as long as can be.
pub(super) fn times(span: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(span.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// Who expects a heartbeat.
///
/// ```
/// use scheduler_core::liveness::beats::ExpectedBy;
/// assert_eq!(serde_json::to_string(&ExpectedBy::Config)?, r#""config""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpectedBy {
    /// `heartbeats` in config.yaml.
    Config,
    /// `sched heartbeat expect`.
    Command,
}

/// An expected heartbeat, with who expects it and since when.
///
/// ```
/// use std::time::Duration;
/// use jiff::Timestamp;
/// use scheduler_core::liveness::beats::{BeatName, Expectation, Expected, ExpectedBy};
/// let expected = Expected { name: BeatName::new("agent"), every: Duration::from_mins(15), max_age: None };
/// let expectation = Expectation { expected, by: ExpectedBy::Command, since: Timestamp::UNIX_EPOCH };
/// assert_eq!(expectation.by, ExpectedBy::Command);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// What is expected.
    pub expected: Expected,
    /// Who does.
    pub by: ExpectedBy,
    /// Since when: one that never came gets as long as its limit from here.
    pub since: Timestamp,
}

/// All that is expected in a home.
///
/// ```
/// use std::time::Duration;
/// use jiff::Timestamp;
/// use scheduler_core::{Home, config::Config, vfs::RealFs};
/// use scheduler_core::liveness::beats::{BeatName, Expectations, Expected};
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let home = Home::new(folder.path());
/// let agent = Expected { name: BeatName::new("agent"), every: Duration::from_mins(15), max_age: None };
/// Expectations::put(&RealFs, &home, &agent, Timestamp::UNIX_EPOCH)?;
/// let all = Expectations::load(&RealFs, &home, &Config::default());
/// assert_eq!(all.of(&agent.name).map(|found| &found.expected), Some(&agent));
/// assert!(Expectations::remove(&RealFs, &home, &agent.name)?);
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expectations {
    /// Those that can be read; each name once, and config.yaml's word counts.
    pub all: Vec<Expectation>,
    /// What can't be read.
    pub problems: Vec<Problem>,
}

/// The file of one.
#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    every_s: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age_s: Option<f64>,
    since: Timestamp,
}

const FORMAT: u32 = 1;
const SUFFIX: &str = ".json";
/// How the file ends that says since when config.yaml expects one.
const NOTED: &str = ".config";

impl Expectations {
    /// Those of `config`, which was read from `home`, and those that are kept there. Never fails: what can't be read is a
    /// problem.
    pub fn load(fs: &dyn Vfs, home: &Home, config: &Config) -> Self {
        // Of what nobody has noted yet, the last change of config.yaml is the latest that this can have been.
        let changed = fs.stat(&home.config_yaml()).ok();
        let since = changed.and_then(|stat| Timestamp::from_nanosecond(stat.modified_ns).ok());
        let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
        let of_config = |expected: &Expected| {
            let since = noted(fs, home, expected).unwrap_or(since);
            Expectation { expected: expected.clone(), by: ExpectedBy::Config, since }
        };
        let mut found = Self { all: config.heartbeats.iter().map(of_config).collect(), problems: Vec::new() };
        let folder = home.expected_beats();
        let files = match fs.list(&folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let what = Error::io(format!("cannot read {}", folder.display()), error);
                let hint = "check who owns the folder: what it expects is not looked for";
                found.problems.push(Problem::new("heartbeats-expected", what.to_string(), hint));
                Vec::new()
            }
        };
        for stem in files.iter().filter(|file| !file.starts_with('.')).filter_map(|file| file.strip_suffix(SUFFIX)) {
            let name = BeatName::of_stem(stem);
            if found.of(&name).is_some() {
                continue;
            }
            match kept(fs, &path(home, &name, SUFFIX), &name) {
                Ok((expected, since)) => {
                    found.all.push(Expectation { expected, by: ExpectedBy::Command, since });
                }
                Err(why) => {
                    let what = format!(
                        "what is expected of heartbeat `{name}` can't be known: {}: {why}",
                        path(home, &name, SUFFIX).display()
                    );
                    let hint = format!("say it again: `sched heartbeat expect {} --every ...`", name.typed());
                    found.problems.push(Problem::new(format!("heartbeats-expected-{stem}"), what, hint));
                }
            }
        }
        found
    }

    /// The one of this name.
    pub fn of(&self, name: &BeatName) -> Option<&Expectation> {
        self.all.iter().find(|one| one.expected.name == *name)
    }

    /// Keeps one in `home`. One that was expected before is expected since then: whoever says it again every night puts no
    /// alarm off.
    ///
    /// # Errors
    /// Why it can't be kept.
    pub fn put(fs: &dyn Vfs, home: &Home, expected: &Expected, now: Timestamp) -> Result<Expectation> {
        let path = path(home, &expected.name, SUFFIX);
        let before = kept(fs, &path, &expected.name).ok().map(|(_, since)| since).filter(|since| *since < now);
        let since = before.unwrap_or(now);
        keep(fs, &path, expected, since)?;
        Ok(Expectation { expected: expected.clone(), by: ExpectedBy::Command, since })
    }

    /// Notes since when each heartbeat of the configuration of `home` is expected, if that isn't noted yet, and forgets what
    /// was noted of those that it no longer expects. One whose entry is another one is expected since that.
    ///
    /// # Errors
    /// What can't be noted; it then is expected since the last change of config.yaml.
    ///
    /// ```
    /// use std::{fs, time::SystemTime};
    /// use scheduler_core::{Home, config, liveness::beats::Expectations, vfs::RealFs};
    /// # let folder = tempfile::tempdir()?;
    /// # let home = Home::new(folder.path());
    /// fs::write(home.config_yaml(), "heartbeats: [{name: agent, every: 15m}]\n")?;
    /// let loaded = config::load(&RealFs, &home, false);
    /// let before = Expectations::load(&RealFs, &home, &loaded.config);
    /// Expectations::note(&RealFs, &home, &loaded, jiff::Timestamp::now())?;
    /// fs::File::options().append(true).open(home.config_yaml())?.set_modified(SystemTime::UNIX_EPOCH)?;
    /// assert_eq!(Expectations::load(&RealFs, &home, &loaded.config), before);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn note(fs: &dyn Vfs, home: &Home, loaded: &Loaded, now: Timestamp) -> Result<()> {
        let heartbeats = &loaded.config.heartbeats;
        for of_config in Self::load(fs, home, &loaded.config).all.iter().filter(|one| one.by == ExpectedBy::Config) {
            let expected = &of_config.expected;
            // A note from the future is of a clock that was ahead.
            if noted(fs, home, expected).is_none_or(|since| since > now) {
                keep(fs, &path(home, &expected.name, NOTED), expected, of_config.since.min(now))?;
            }
        }
        if !loaded.knows_heartbeats() {
            return Ok(());
        }
        for file in fs.list(&home.expected_beats()).unwrap_or_default() {
            let stem = file.strip_suffix(NOTED).filter(|_| !file.starts_with('.'));
            if stem.is_some_and(|stem| heartbeats.iter().all(|expected| expected.name.stem() != stem)) {
                files::remove(fs, &home.expected_beats().join(file))?;
            }
        }
        Ok(())
    }

    /// Keeps one no more; whether it was kept.
    ///
    /// # Errors
    /// Why it still is.
    pub fn remove(fs: &dyn Vfs, home: &Home, name: &BeatName) -> Result<bool> {
        files::remove(fs, &path(home, name, SUFFIX))
    }
}

fn path(home: &Home, name: &BeatName, suffix: &str) -> PathBuf {
    home.expected_beats().join(format!("{}{suffix}", name.stem()))
}

/// Since when config.yaml expects `expected`, if that is noted of just that.
fn noted(fs: &dyn Vfs, home: &Home, expected: &Expected) -> Option<Timestamp> {
    let noted = kept(fs, &path(home, &expected.name, NOTED), &expected.name);
    noted.ok().filter(|(of, _)| of == expected).map(|(_, since)| since)
}

fn keep(fs: &dyn Vfs, path: &Path, expected: &Expected, since: Timestamp) -> Result<()> {
    let every_s = expected.every.as_secs_f64();
    let max_age_s = expected.max_age.map(|age| age.as_secs_f64());
    let kept = Kept { format: FORMAT, every_s, max_age_s, since };
    let mut text = serde_json::to_vec(&kept).map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))?;
    text.push(b'\n');
    files::replace(fs, path, &text)
}

/// What is kept at `path` of heartbeat `name`, and since when.
fn kept(fs: &dyn Vfs, path: &Path, name: &BeatName) -> Result<(Expected, Timestamp), String> {
    let content = files::content(fs, path).map_err(|why| match why {
        Unreadable::Failed(why) | Unreadable::Garbage(why) => why,
        Unreadable::Missing | Unreadable::Empty => "it is empty".into(),
    })?;
    let kept: Kept = serde_json::from_slice(&content).map_err(|error| error.to_string())?;
    if kept.format != FORMAT {
        return Err(format!("it is of format {}, and this build reads {FORMAT}", kept.format));
    }
    let span = |seconds| Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string());
    let expected =
        Expected { name: name.clone(), every: span(kept.every_s)?, max_age: kept.max_age_s.map(span).transpose()? };
    Ok((expected, kept.since))
}
