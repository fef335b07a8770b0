//! What a report tells, as plain values. Instants are texts already, RFC 3339 on the clock of the report's zone, so that no
//! form can show them otherwise.

use scheduler_core::{JobId, liveness::VerdictKind};
use serde::Serialize;
use serde_json::{Value, json};

/// The version of the JSON.
const SCHEMA: u32 = 1;

/// How a home is doing, and what happened in it for a while.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// One line: "all well: 12 jobs, 340 runs, 0 failed", or what blocks.
    pub summary: String,
    /// Whether nothing blocks.
    pub clean: bool,
    /// The name of the node.
    pub agent: String,
    /// Its home.
    pub home: String,
    /// Where the time begins that is reported on.
    pub since: String,
    /// When it was made.
    pub until: String,
    /// What `status` concludes.
    pub verdict: VerdictKind,
    /// The same in a sentence.
    pub verdict_summary: String,
    /// What somebody has to see to, the most pressing first.
    pub blockers: Vec<Blocker>,
    /// What is worth knowing, and works in spite of it.
    pub remarks: Vec<Blocker>,
    /// All jobs together.
    pub totals: Totals,
    /// Job by job, those that need a look first.
    pub jobs: Vec<JobLine>,
    /// The heartbeats, those that need a look first.
    pub heartbeats: Vec<BeatLine>,
    /// Who is paused.
    pub paused: Vec<PausedLine>,
    /// The alerts that are open.
    pub alerts: Vec<AlertLine>,
    /// Times at which nobody could fire, the latest first.
    pub outages: Vec<OutageLine>,
    /// What this report could not find out, and why.
    pub gaps: Vec<String>,
}

impl Report {
    /// All of it, for programs.
    pub fn json(&self) -> Value {
        let mut marked = json!({ "schema": SCHEMA });
        if let (Some(marked), Ok(Value::Object(all))) = (marked.as_object_mut(), serde_json::to_value(self)) {
            marked.extend(all);
        }
        marked
    }
}

/// Something to see to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Blocker {
    /// Stable for as long as it is the same problem.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// The job it is about.
    pub job: Option<JobId>,
}

/// How often something ended in some way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Runs that are over; an attempt that was followed by another is none.
    pub runs: u64,
    /// Those that went well.
    pub succeeded: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that took too long.
    pub timed_out: u64,
    /// Those that somebody stopped.
    pub cancelled: u64,
    /// Those of which nobody saw the end.
    pub unknown: u64,
    /// Attempts that were followed by another.
    pub retried: u64,
    /// Instants that were skipped, with a reason on record.
    pub skipped: u64,
    /// Instants that a later run stands for.
    pub coalesced: u64,
    /// Instants of which nothing is on record.
    pub missing: u64,
}

/// All jobs together.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// How many jobs there are.
    pub jobs: usize,
    /// How many of them are enabled.
    pub enabled: usize,
    /// How their runs ended.
    #[serde(flatten)]
    pub counts: Counts,
    /// Which part of the runs went well, from 0 to 1; those that somebody stopped don't count.
    pub success_rate: Option<f64>,
    /// The run that took longest.
    pub longest: Option<Longest>,
    /// What fires next.
    pub next: Option<Next>,
}

/// A run that took its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Longest {
    /// Whose.
    pub job: JobId,
    /// When it started.
    pub at: String,
    /// For how long, in milliseconds.
    pub took_ms: u64,
}

/// A fire to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Next {
    /// Whose.
    pub job: JobId,
    /// When.
    pub at: String,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct JobLine {
    /// Which.
    pub job: JobId,
    /// What people call it.
    pub name: Option<String>,
    /// Whether nobody has to see to it.
    pub well: bool,
    /// How it is doing, in a word: `ok`, `failed`, `paused`.
    pub state: &'static str,
    /// Its schedule, as it was written.
    pub schedule: String,
    /// How its runs ended.
    #[serde(flatten)]
    pub counts: Counts,
    /// Its longest run, in milliseconds.
    pub longest_ms: Option<u64>,
    /// Its last run, be that before the time that is reported on.
    pub last: Option<LastRun>,
    /// When it fires next.
    pub next: Option<String>,
}

/// How a job's last run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastRun {
    /// When.
    pub at: String,
    /// How, in a word.
    pub result: &'static str,
    /// Why, if it is known.
    pub why: Option<String>,
}

/// A heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BeatLine {
    /// Whose.
    pub name: String,
    /// Whether nobody has to see to it.
    pub well: bool,
    /// How it is doing, in a word: `fresh`, `stale`.
    pub state: &'static str,
    /// How old it is, in seconds.
    pub age_s: Option<u64>,
    /// How old it may get, in seconds.
    pub limit_s: Option<u64>,
    /// What is wrong with it.
    pub why: Option<String>,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PausedLine {
    /// Whose.
    pub job: JobId,
    /// Since when.
    pub since: String,
    /// Until when; `None` is until somebody resumes it.
    pub until: Option<String>,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// An alert that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AlertLine {
    /// Its key.
    pub key: String,
    /// What is wrong, and how often.
    pub title: String,
    /// Since when.
    pub since: String,
    /// Whether somebody has taken note of it.
    pub acknowledged: bool,
    /// Who, if they said.
    pub by: Option<String>,
}

/// A time at which nobody could fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutageLine {
    /// Why, as part of a sentence.
    pub cause: &'static str,
    /// Its begin.
    pub from: String,
    /// Its end.
    pub to: String,
    /// What there is to say besides.
    pub detail: Option<String>,
    /// How many instants were coalesced or skipped for it.
    pub skipped: u64,
    /// How many ran late.
    pub late: u64,
    /// How many wait to be settled.
    pub waiting: u64,
}
