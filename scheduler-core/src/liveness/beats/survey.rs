//! All heartbeats of jobs that there are and that there should be, judged one by one.

use std::path::Path;

use jiff::Timestamp;

use super::{
    expected::Expectations,
    files,
    judge::{Judged, judge},
};
use crate::{Error, store::Problem, vfs::Vfs};

/// The heartbeats of a folder.
///
/// ```
/// use scheduler_core::liveness::beats::Survey;
/// assert!(Survey::default().problems().is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Survey {
    /// Each by name: those that there are, and those that are expected.
    pub beats: Vec<Judged>,
    /// What kept others from being found.
    pub hidden: Vec<Problem>,
}

impl Survey {
    /// All that somebody has to put right.
    pub fn problems(&self) -> Vec<Problem> {
        self.hidden.iter().cloned().chain(self.beats.iter().filter_map(Judged::problem)).collect()
    }
}

/// Reads and judges what is in `folder` and what is expected there. A folder that isn't there is an empty one. `now` must
/// not have been asked for long before: what comes meanwhile is from the future.
///
/// ```
/// use std::time::Duration;
/// use jiff::Timestamp;
/// use scheduler_core::{liveness::beats::{self, Beat, BeatName, BeatVerdict, Expectations, survey}, vfs::RealFs};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let now: Timestamp = "2026-11-22T10:00:00Z".parse()?;
/// beats::write(&RealFs, folder, &BeatName::new("agent"), &Beat::new(now, Duration::from_mins(15)))?;
/// std::fs::write(folder.join("broken.last"), "{")?;
/// let found = survey(&RealFs, folder, &Expectations::default(), now, 2.0);
/// let verdicts: Vec<BeatVerdict> = found.beats.iter().map(|judged| judged.verdict).collect();
/// assert_eq!(verdicts, [BeatVerdict::Fresh, BeatVerdict::Corrupt]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn survey(fs: &dyn Vfs, folder: &Path, expected: &Expectations, now: Timestamp, factor: f64) -> Survey {
    let mut hidden = expected.problems.clone();
    let listed = files::names(fs, folder).unwrap_or_else(|error| {
        let what = Error::io(format!("cannot read the heartbeats in {}", folder.display()), error).to_string();
        hidden.push(Problem::new("heartbeats", what, "check who owns the folder"));
        Vec::new()
    });
    let mut names = listed;
    names.extend(expected.all.iter().map(|expectation| expectation.expected.name.clone()));
    names.sort();
    names.dedup();
    let judged = names.iter().map(|name| {
        let read = files::read(fs, &files::path_of(folder, name));
        judge(name, read, expected.of(name), now, factor)
    });
    Survey { beats: judged.collect(), hidden }
}
