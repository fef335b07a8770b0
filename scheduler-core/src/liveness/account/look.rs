//! What one look found, told from what was known before it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Error, JobId,
    audit::{Audit, Missing},
    liveness::heartbeat::Failure,
};

/// The format this build writes.
pub(super) const FORMAT: u32 = 1;
/// How far back a look goes.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// How many stretches are listed; the others are counted.
const LISTED: usize = 200;
/// Looking may take one part of so many of the time: a large history is looked at more rarely.
const SHARE: i32 = 20;

/// What one look found, and what was known before it.
///
/// ```
/// use scheduler_core::{Home, JobStore, audit::AuditQuery, liveness::Account, store::MemoryStore, vfs::RealFs};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> scheduler_core::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// let (file, now) = (Home::new(folder.path()).account(), jiff::Timestamp::UNIX_EPOCH);
/// let since = Some(Account::looks_back_to(None, false, now));
/// let audit = MemoryStore::default().audit(AuditQuery { since, ..AuditQuery::default() }).await?;
/// let account = Account::of(&audit, None, now);
/// account.write(&RealFs, &file)?;
/// assert_eq!(Account::read(&RealFs, &file), Ok(account.clone()));
/// assert!(account.unrecorded.is_empty() && !account.has_news(now));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// The version of the file.
    pub format: u32,
    /// When it was looked.
    pub at: Timestamp,
    /// From when on every instant was looked for.
    pub since: Option<Timestamp>,
    /// Instants of which nothing is on record, the earliest first.
    #[serde(default)]
    pub unrecorded: Vec<Unrecorded>,
    /// How many there are besides those that are listed.
    #[serde(default)]
    pub more: u64,
    /// When the last of them was found.
    #[serde(default)]
    pub found_at: Option<Timestamp>,
    /// A job that can't be judged, if there is one, and why.
    #[serde(default)]
    pub unjudged: Option<(JobId, String)>,
    /// Why nothing new is known, if the look failed.
    #[serde(default)]
    pub error: Option<Failure>,
    /// How long the look took, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
    /// What the files of the history were like.
    #[serde(default)]
    pub files: String,
    /// The boot it was in; empty if that can't be known.
    #[serde(default)]
    pub boot_id: String,
    /// Time since that boot, suspend excluded.
    #[serde(default)]
    pub monotonic_ns: u64,
}

/// Instants of one job, one after the other, of which nothing is on record.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::liveness::Unrecorded;
/// let (job, at) = ("backup".parse()?, Timestamp::UNIX_EPOCH);
/// assert_eq!(Unrecorded { job, from: at, to: at, count: 1 }.first(), "backup@1970-01-01T00:00:00Z");
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unrecorded {
    /// Whose.
    pub job: JobId,
    /// The first.
    pub from: Timestamp,
    /// The last.
    pub to: Timestamp,
    /// How many there are.
    pub count: u64,
}

impl Unrecorded {
    /// The first of them, as `sched why` takes it.
    pub fn first(&self) -> String {
        format!("{}@{}", self.job, self.from)
    }

    /// Whether all instants of `other` are among these.
    fn covers(&self, other: &Self) -> bool {
        self.job == other.job && self.from <= other.from && other.to <= self.to && other.count <= self.count
    }
}

impl Account {
    /// The key of the problem that something isn't on record, and of its alert.
    ///
    /// ```
    /// assert_eq!(scheduler_core::liveness::Account::KEY, "unrecorded");
    /// ```
    pub const KEY: &'static str = "unrecorded";

    /// How often whoever keeps the home looks.
    ///
    /// ```
    /// assert_eq!(scheduler_core::liveness::Account::EVERY.as_secs(), 3600);
    /// ```
    pub const EVERY: Duration = Duration::from_hours(1);

    /// From when on a look at `now` has to account for instants: a day, or as far back as something is missing that nobody
    /// has acknowledged.
    ///
    /// ```
    /// use jiff::{Timestamp, ToSpan as _};
    /// use scheduler_core::liveness::Account;
    /// let now: Timestamp = "2026-11-22T03:00:00Z".parse()?;
    /// assert_eq!(Account::looks_back_to(None, false, now), now - 24.hours());
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn looks_back_to(before: Option<&Self>, acknowledged: bool, now: Timestamp) -> Timestamp {
        let day = now.checked_sub(WINDOW).unwrap_or(now);
        let known = before.filter(|_| !acknowledged).and_then(|before| before.unrecorded.first());
        known.map_or(day, |first| day.min(first.from))
    }

    /// What `audit` says, after what was known `before`.
    pub fn of(audit: &Audit, before: Option<&Self>, now: Timestamp) -> Self {
        let stretches = audit.jobs.iter().flat_map(|job| {
            let of_job = |missing: &Missing| Unrecorded {
                job: job.job.clone(),
                from: missing.from,
                to: missing.to,
                count: missing.count,
            };
            job.missing.iter().map(of_job)
        });
        let mut unrecorded: Vec<Unrecorded> = stretches.collect();
        unrecorded.sort_by(|one, other| (one.from, &one.job).cmp(&(other.from, &other.job)));
        let more = unrecorded.iter().skip(LISTED).map(|one| one.count).sum();
        unrecorded.truncate(LISTED);
        let is_known = |one: &Unrecorded| before.is_some_and(|it| it.unrecorded.iter().any(|known| known.covers(one)));
        let is_new = more > before.map_or(0, |before| before.more) || !unrecorded.iter().all(is_known);
        // One of a time to come, by a clock that has been set back, nobody could acknowledge.
        let found_before = before.and_then(|it| it.found_at).filter(|_| !unrecorded.is_empty()).map(|at| at.min(now));
        let unjudged = audit.jobs.iter().find_map(|job| Some((job.job.clone(), job.unjudged.clone()?)));
        let found_at = if is_new { Some(now) } else { found_before };
        Self { since: Some(audit.since), unrecorded, more, found_at, unjudged, ..Self::nothing(now) }
    }

    /// Nothing is known.
    fn nothing(now: Timestamp) -> Self {
        Self {
            format: FORMAT,
            at: now,
            since: None,
            unrecorded: Vec::new(),
            more: 0,
            found_at: None,
            unjudged: None,
            error: None,
            took_ms: 0,
            files: String::new(),
            boot_id: String::new(),
            monotonic_ns: 0,
        }
    }

    /// That a look failed with `why`; what was known `before` is all that is known.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use scheduler_core::{Error, ErrorKind, liveness::Account};
    /// let why = Error::new(ErrorKind::Io, "cannot read state/ledger");
    /// let failed = Account::failed(&why, None, Timestamp::UNIX_EPOCH);
    /// assert_eq!(Account::failed(&why, Some(&failed), Timestamp::MAX).error.map(|error| error.count), Some(2));
    /// ```
    pub fn failed(why: &Error, before: Option<&Self>, now: Timestamp) -> Self {
        let known = before.cloned().unwrap_or_else(|| Self::nothing(now));
        let (since, count) = known.error.as_ref().map_or((now, 0), |error| (error.since, error.count));
        let error = Failure { message: why.to_string(), since, count: count + 1 };
        Self { at: now, error: Some(error), ..known }
    }

    /// The same, of a look that took so long.
    #[must_use]
    pub fn took(self, took: Duration) -> Self {
        Self { took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX), ..self }
    }

    /// The same, of files that were like this, as [`Account::mark`] says it.
    #[must_use]
    pub fn of_files(self, mark: String) -> Self {
        Self { files: mark, ..self }
    }

    /// The same, in this boot at this time awake.
    ///
    /// ```
    /// use std::time::Duration;
    /// use jiff::Timestamp;
    /// use scheduler_core::{Error, ErrorKind, liveness::Account};
    /// let account = Account::failed(&Error::new(ErrorKind::Io, "no"), None, Timestamp::UNIX_EPOCH);
    /// let account = account.took(Duration::from_secs(2)).of_files("mark".into()).in_boot(None, Duration::from_nanos(7));
    /// assert_eq!((account.took_ms, account.files.as_str(), account.monotonic_ns), (2000, "mark", 7));
    /// ```
    #[must_use]
    pub fn in_boot(self, boot_id: Option<String>, monotonic: Duration) -> Self {
        let monotonic_ns = u64::try_from(monotonic.as_nanos()).unwrap_or(u64::MAX);
        Self { boot_id: boot_id.unwrap_or_default(), monotonic_ns, ..self }
    }

    /// How many instants are on no record.
    ///
    /// ```
    /// use scheduler_core::liveness::Account;
    /// let account: Account =
    ///     serde_json::from_str(r#"{"format": 1, "at": "1970-01-01T00:00:00Z", "since": null, "more": 3}"#)?;
    /// assert_eq!(account.count(), 3);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn count(&self) -> u64 {
        self.unrecorded.iter().map(|one| one.count).sum::<u64>() + self.more
    }

    /// Whether all of what an audit says is `missing` of `job` is missing here as well.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use scheduler_core::{audit::Missing, liveness::{Account, Unrecorded}};
    /// let (job, at): (scheduler_core::JobId, _) = ("backup".parse()?, Timestamp::UNIX_EPOCH);
    /// let mut account: Account =
    ///     serde_json::from_str(r#"{"format": 1, "at": "1970-01-01T00:00:00Z", "since": null}"#).expect("an account");
    /// let missing = Missing { from: at, to: at, count: 1 };
    /// assert!(!account.knows(&job, &missing));
    /// account.unrecorded.push(Unrecorded { job: job.clone(), from: at, to: at, count: 1 });
    /// assert!(account.knows(&job, &missing));
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn knows(&self, job: &JobId, missing: &Missing) -> bool {
        let Missing { from, to, count } = *missing;
        let one = Unrecorded { job: job.clone(), from, to, count };
        self.unrecorded.iter().any(|known| known.covers(&one))
    }

    /// Whether the look at `at` found something that the one before had not.
    pub fn has_news(&self, at: Timestamp) -> bool {
        self.found_at == Some(at)
    }

    /// Whether it is time for another look at `now`, the files of the history being like `mark`: after a while, when these have
    /// changed, but never so often that looking takes much of the time; and at once when the last one failed, which has only waited.
    ///
    /// ```
    /// use jiff::{Timestamp, ToSpan as _};
    /// use scheduler_core::liveness::Account;
    /// let at = Timestamp::UNIX_EPOCH;
    /// let account: Account = serde_json::from_str(r#"{"format": 1, "at": "1970-01-01T00:00:00Z", "since": null, "files": "a"}"#)?;
    /// assert!(!account.is_old(at + 1.minute(), "a") && account.is_old(at + 1.minute(), "b"));
    /// assert!(account.is_old(at + 1.hour(), "a"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn is_old(&self, now: Timestamp, mark: &str) -> bool {
        let age = now.duration_since(self.at);
        let is_wanting = self.files != mark || age.unsigned_abs() >= Self::EVERY;
        let rest = SignedDuration::from_millis(i64::try_from(self.took_ms).unwrap_or(i64::MAX)).saturating_mul(SHARE);
        // One of a time to come was written by a clock that has been set back.
        age < SignedDuration::ZERO || self.error.is_some() || age >= rest && is_wanting
    }

    /// What is missing, in a sentence; `None` if nothing is.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use scheduler_core::{Error, ErrorKind, liveness::{Account, Unrecorded}};
    /// let (job, at) = ("backup".parse()?, Timestamp::UNIX_EPOCH);
    /// let mut account = Account::failed(&Error::new(ErrorKind::Io, "no"), None, at);
    /// assert_eq!(account.sentence(), None);
    /// account.unrecorded.push(Unrecorded { job, from: at, to: at, count: 1 });
    /// let sentence = account.sentence().unwrap_or_default();
    /// assert_eq!(sentence, "nothing is on record of `backup@1970-01-01T00:00:00Z`, which was owed");
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn sentence(&self) -> Option<String> {
        let first = self.unrecorded.first()?.first();
        Some(match self.count() {
            1 => format!("nothing is on record of `{first}`, which was owed"),
            count => format!("nothing is on record of {count} instants that were owed, the first `{first}`"),
        })
    }
}
