//! `state/report.json`: up to where the instants of `report.schedule` are settled, and what became of the last report.
//!
//! An instant is settled before its report is sent. Whoever dies in between has sent it, or not, and nobody sends it again: a
//! report that is missing is noticed, and one that comes twice teaches people not to read it.

use std::{collections::BTreeMap, io};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use scheduler_core::{
    Error, ErrorKind, Home, Result,
    config::ReportPlan,
    schedule::Schedule,
    store::Problem,
    vfs::{Lock, Open, RealFs, Vfs as _, atomic_write},
};
use serde::{Deserialize, Serialize};

/// The version of the file.
const FORMAT: u32 = 1;

/// A report that is later than this is no news.
const LATEST: SignedDuration = SignedDuration::from_hours(24);

/// No sink takes longer than this.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// What is known of the reports so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    format: u32,
    /// The schedule with its zone. Another one begins anew: it owes nothing for the time before it was there.
    schedule: String,
    /// Instants up to here are settled.
    through: Timestamp,
    /// When a report was last sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_at: Option<Timestamp>,
    /// The sinks that it is on its way to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<String>,
    /// Those that it did not reach, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    failed: BTreeMap<String, String>,
}

/// Whether a report is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// That of this instant, by whoever is told so.
    Won(Timestamp),
    /// That of this instant would be too late.
    Missed(Timestamp),
    Nothing,
}

/// What `record` says of `schedule` at `now`, and the record from then on, if that is another one. Pure.
fn judge(
    record: Option<&Record>,
    name: &str,
    sinks: &[String],
    (schedule, zone): (&Schedule, &TimeZone),
    now: Timestamp,
) -> (Claim, Option<Record>) {
    let begin = |through| Record {
        format: FORMAT,
        schedule: name.to_owned(),
        through,
        sent_at: None,
        pending: Vec::new(),
        failed: BTreeMap::new(),
    };
    let Some(record) = record.filter(|record| record.schedule == name) else {
        return (Claim::Nothing, Some(begin(now)));
    };
    // The clock was far ahead when that was written; what came meanwhile is not known.
    if record.through.duration_since(now) > LATEST {
        return (Claim::Nothing, Some(Record { through: now, ..record.clone() }));
    }
    // Of several that were missed, the last stands for all.
    let owed = (record.through < now).then(|| schedule.newest(record.through, now, zone)).flatten();
    let Some(instant) = owed.filter(|instant| *instant > record.through) else { return (Claim::Nothing, None) };
    if now.duration_since(instant) > LATEST {
        return (Claim::Missed(instant), Some(Record { through: instant, ..record.clone() }));
    }
    let sent = Record { sent_at: Some(now), pending: sinks.to_vec(), ..begin(instant) };
    (Claim::Won(instant), Some(sent))
}

/// Settles the instants of the plan's schedule up to `now`. Of all who ask, one is told to send.
///
/// # Errors
/// Why it can't be written down; nothing is to be sent then.
pub(super) fn claim(
    home: &Home,
    plan: &ReportPlan,
    schedule: &Schedule,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Claim> {
    let name = format!("{} in {}", schedule.text(), zone.iana_name().unwrap_or("a zone without a name"));
    changing(home, |record| judge(record, &name, &plan.notify, (schedule, zone), now))
        .map(|claim| claim.unwrap_or(Claim::Nothing))
}

/// Writes down what became of the report that was sent last.
///
/// # Errors
/// Why it can't be written down.
pub(super) fn note(home: &Home, answers: &[(String, std::result::Result<(), String>)]) -> Result<()> {
    let noted = changing(home, |record| {
        let noted = record.map(|record| {
            let mut record = record.clone();
            record.pending.retain(|sink| answers.iter().all(|(answered, _)| answered != sink));
            let failed =
                answers.iter().filter_map(|(sink, answer)| Some((sink.clone(), answer.as_ref().err()?.clone())));
            record.failed.extend(failed);
            record
        });
        ((), noted)
    })?;
    noted.ok_or_else(|| Error::new(ErrorKind::Busy, format!("somebody else writes {}", home.reported().display())))
}

/// Reads the record, and replaces it by another, with nobody between. `None` if somebody else is at it just now.
fn changing<T>(home: &Home, change: impl FnOnce(Option<&Record>) -> (T, Option<Record>)) -> Result<Option<T>> {
    let path = home.reported();
    let failed = |cause: io::Error| Error::io(format!("cannot write {}", path.display()), cause);
    let lock = RealFs.open(&path.with_extension("lock"), Open::Create).map_err(failed)?;
    if !lock.try_lock(Lock::Exclusive).map_err(failed)? {
        return Ok(None);
    }
    let (answer, changed) = change(Record::read(home)?.as_ref());
    if let Some(changed) = changed {
        let mut bytes = serde_json::to_vec_pretty(&changed).map_err(|why| failed(why.into()))?;
        bytes.push(b'\n');
        atomic_write(&RealFs, &path, &bytes, None).map_err(failed)?;
    }
    Ok(Some(answer))
}

impl Record {
    /// That of `home`; `None` if no report was ever due.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(super) fn read(home: &Home) -> Result<Option<Self>> {
        let path = home.reported();
        let bytes = match RealFs.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("cannot read {}", path.display()), error)),
        };
        let wrong = |why| Error::new(ErrorKind::Invalid, format!("{} is not what was written: {why}", path.display()));
        let record: Self = serde_json::from_slice(&bytes).map_err(wrong)?;
        Ok(Some(record))
    }

    /// What somebody has to see to.
    pub(super) fn problems(&self, now: Timestamp) -> Vec<Problem> {
        let Some(sent_at) = self.sent_at else { return Vec::new() };
        let cut_off = now.duration_since(sent_at) > PATIENCE;
        let cut_off = self.pending.iter().filter(|_| cut_off);
        let cut_off = cut_off.map(|sink| (sink, "whoever sent it ended before it was done"));
        let failed = self.failed.iter().map(|(sink, why)| (sink, why.as_str()));
        let problem = |(sink, why): (&String, &str)| {
            let what = format!("the last report did not reach the sink `{sink}`: {why}");
            Problem::new(format!("report-{sink}"), what, format!("`sched report --to {sink}` sends one now"))
        };
        failed.chain(cut_off).map(problem).collect()
    }
}

#[cfg(test)]
mod tests {
    use scheduler_core::schedule::ParseOptions;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    fn settled(through: &str) -> Record {
        Record {
            format: FORMAT,
            schedule: "daily".into(),
            through: at(through),
            sent_at: None,
            pending: Vec::new(),
            failed: BTreeMap::new(),
        }
    }

    #[test]
    fn each_instant_is_sent_once_and_a_missed_one_within_a_day() {
        let schedule = Schedule::parse("0 7 * * *", &ParseOptions::default()).expect("a schedule");
        let sinks = ["ops".to_owned()];
        let check = |record: Option<&Record>, now: &str, claim: Claim, through: Option<&str>| {
            let judged = judge(record, "daily", &sinks, (&schedule, &TimeZone::UTC), at(now));
            assert_eq!((judged.0, judged.1.map(|record| record.through)), (claim, through.map(at)), "at {now}");
        };
        let yesterday = settled("2026-11-21T07:00:00Z");
        let won = |text| Claim::Won(at(text));
        check(None, "2026-11-22T07:00:00Z", Claim::Nothing, Some("2026-11-22T07:00:00Z"));
        check(Some(&yesterday), "2026-11-22T06:59:59Z", Claim::Nothing, None);
        check(Some(&yesterday), "2026-11-22T07:00:00Z", won("2026-11-22T07:00:00Z"), Some("2026-11-22T07:00:00Z"));
        check(Some(&settled("2026-11-22T07:00:00Z")), "2026-11-22T07:00:01Z", Claim::Nothing, None);
        // Down over the weekend: one late report, and none of the days before.
        check(Some(&yesterday), "2026-11-25T06:00:00Z", won("2026-11-24T07:00:00Z"), Some("2026-11-24T07:00:00Z"));
        // A clock that was a month ahead keeps nobody waiting for a month.
        check(
            Some(&settled("2026-12-22T07:00:00Z")),
            "2026-11-22T07:00:00Z",
            Claim::Nothing,
            Some("2026-11-22T07:00:00Z"),
        );
        let other = Record { schedule: "weekly".into(), ..yesterday };
        check(Some(&other), "2026-11-22T07:00:00Z", Claim::Nothing, Some("2026-11-22T07:00:00Z"));
        let weekly = Schedule::parse("0 7 * * 1", &ParseOptions::default()).expect("a schedule");
        let (claim, _) = judge(
            Some(&settled("2026-11-16T06:00:00Z")),
            "daily",
            &sinks,
            (&weekly, &TimeZone::UTC),
            at("2026-11-17T07:00:01Z"),
        );
        assert_eq!(claim, Claim::Missed(at("2026-11-16T07:00:00Z")));
    }

    #[test]
    fn of_two_who_ask_one_sends_and_what_failed_is_a_problem() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::new(folder.path());
        RealFs.create_dir_all(&home.state()).expect("a folder");
        let mut plan = ReportPlan::default();
        plan.notify = vec!["mail".into(), "ops".into()];
        let schedule = Schedule::parse("0 7 * * *", &ParseOptions::default()).expect("a schedule");
        let ask = |now: &str| claim(&home, &plan, &schedule, &TimeZone::UTC, at(now)).expect("written down");
        assert_eq!(ask("2026-11-22T06:00:00Z"), Claim::Nothing, "it is new");
        let claims = [ask("2026-11-22T07:00:00Z"), ask("2026-11-22T07:00:00Z")];
        assert_eq!(claims, [Claim::Won(at("2026-11-22T07:00:00Z")), Claim::Nothing]);
        let problems = |now: &str| {
            let record = Record::read(&home).expect("it can be read").expect("it is there");
            record.problems(at(now)).into_iter().map(|problem| problem.what).collect::<Vec<_>>()
        };
        assert_eq!(problems("2026-11-22T07:00:10Z"), Vec::<String>::new(), "it is on its way");
        assert_eq!(problems("2026-11-22T08:00:00Z").len(), 2, "whoever sent it is gone");
        note(&home, &[("mail".into(), Ok(())), ("ops".into(), Err("refused".into()))]).expect("noted");
        assert_eq!(problems("2026-11-22T08:00:00Z"), ["the last report did not reach the sink `ops`: refused"]);
    }
}
