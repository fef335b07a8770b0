//! A home of twenty jobs, in every state that there is, at seven in the morning.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use scheduler_core::{
    Alert, JobStore as _, OccurrenceId, Outcome, ProcessRef, RunId, RunResult,
    audit::{Audit, AuditQuery, End, JobAudit, Missing, Outage, OutageCause, OutageCost},
    liveness::{
        Facts, Heartbeat, Phase, Troubled, Unreadable, Verdict,
        beats::{Beat, BeatName, Judged, judge},
        verdict,
    },
    occurrence::{Cause, Closing, SkipReason},
    schedule::zone,
    store::{Edit, JobView, LedgerEntry, LedgerWhat, MemoryStore, Paused},
};
use serde_json::json;

use crate::{Acknowledged, Material, OpenAlert, Report, State};

/// What nobody should call a job, or say of one.
pub(super) const HOSTILE: &str =
    "<script>alert(1)</script> | `rm` **b** [x](javascript:y) @everyone\n# head\n\u{1b}[31m\u{202e}&amp; \"q\" 'q'";

/// Everything that a report is made of, owned.
pub(super) struct Home {
    pub(super) zone: TimeZone,
    pub(super) facts: Facts,
    pub(super) jobs: Vec<JobView>,
    pub(super) history: Vec<LedgerEntry>,
    pub(super) audit: Audit,
    pub(super) alerts: Vec<OpenAlert>,
    pub(super) beats: Vec<Judged>,
    pub(super) gaps: Vec<String>,
}

fn at(text: &str) -> Timestamp {
    text.parse().expect(text)
}

/// Seven in the morning, in Berlin.
fn now() -> Timestamp {
    at("2026-11-22T06:00:00Z")
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

impl Home {
    /// With jobs of these ids, which are well and have never run.
    pub(super) async fn with(ids: impl IntoIterator<Item = String>) -> Self {
        let store = MemoryStore::default();
        let entry = |id: String| json!({"id": id, "schedule": "30 2 * * *", "payload": 1, "timezone": "Europe/Berlin"});
        let entries: Vec<_> = ids.into_iter().map(entry).collect();
        let mut jobs =
            if entries.is_empty() { Vec::new() } else { store.define(Edit::Add(entries)).await.expect("jobs") };
        for job in &mut jobs {
            job.due_at = Some(at("2026-11-23T01:30:00Z"));
        }
        let mut audit = store.audit(AuditQuery::default()).await.expect("an audit");
        audit.jobs.clear();
        let mut facts = Facts::default();
        facts.now = now();
        facts.home_exists = true;
        facts.lock.held = true;
        facts.boottime = Duration::from_hours(100);
        facts.monotonic = Duration::from_hours(100);
        facts.jobs.total = jobs.len();
        facts.jobs.enabled = jobs.len();
        let zone = zone::parse("Europe/Berlin").expect("a zone");
        let mut home = Self {
            zone,
            facts,
            jobs,
            history: Vec::new(),
            audit,
            alerts: Vec::new(),
            beats: Vec::new(),
            gaps: Vec::new(),
        };
        home.is_alive();
        home
    }

    fn is_alive(&mut self) {
        let mut beat = Heartbeat::new("run", now(), Duration::from_mins(1));
        beat.phase = Phase::Idle;
        beat.provider = "builtin".into();
        beat.provider_ticks = true;
        beat.cycle = 9;
        beat.last_success_at = Some(now());
        let me = ProcessRef { pid: 42, start_time: 7, boot_id: "boot".into() };
        (beat.pid, beat.proc_start, beat.boot_id) = (me.pid, me.start_time, me.boot_id.clone());
        self.facts.boot_id = Some(me.boot_id.clone());
        self.facts.lock.holder = Some(me);
        self.facts.holder_state = Some('S');
        beat.boottime_ns = self.facts.boottime.as_nanos() as u64;
        beat.monotonic_ns = self.facts.monotonic.as_nanos() as u64;
        beat.progress_monotonic_ns = beat.monotonic_ns;
        beat.provider_monotonic_ns = Some(beat.monotonic_ns);
        self.facts.beat = Ok(beat);
    }

    fn job(&mut self, id: &str) -> &mut JobView {
        self.jobs.iter_mut().find(|job| job.id.as_str() == id).expect(id)
    }

    /// A run of `id` that began so many minutes ago; the last one is the job's last.
    fn ran(&mut self, id: &str, minutes: i64, seconds: i64, outcome: &Outcome) {
        let (started, run) = (ago(minutes), RunId::random(ago(minutes)));
        let ended = started + SignedDuration::from_secs(seconds);
        let job = self.job(id);
        let what = LedgerWhat::Occurrence {
            id: OccurrenceId::scheduled(job.id.clone(), 1, started),
            run,
            owed_at: started,
            cause: Cause::OnTime,
            attempt: 1,
            started_at: Some(started),
            end: Closing::Ran(outcome.clone()),
            retry_at: None,
        };
        let entry = LedgerEntry { job: job.id.clone(), at: ended, what };
        job.last = Some(Arc::new(entry.clone()));
        self.history.push(entry);
        if outcome.result.is_trouble() {
            let job = self.job(id).id.clone();
            // Ids of runs are drawn, and a page that is compared can't have them.
            let run = RunId::new("0000000000-run");
            let message = outcome.reason();
            self.facts.jobs.troubled.push(Troubled {
                job,
                run,
                result: outcome.result,
                at: ended,
                message,
                acknowledged: false,
            });
        }
    }

    /// Twenty jobs, heartbeats, alerts and outages of every kind.
    pub(super) async fn in_every_state() -> Self {
        let ids = [
            "backup", "cleanup", "report", "db-dump", "sync", "certs", "mirror", "billing", "import", "export",
            "old-job", "broken", "indexer", "flaky", "hourly", "gone", "new-job", "hostile", "watched", "one-shot",
        ];
        let mut home = Self::with(ids.map(str::to_owned)).await;
        let ok = || Outcome::new(RunResult::Succeeded);
        for minutes in [1200, 600, 60] {
            home.ran("cleanup", minutes, 2, &ok());
        }
        home.ran("backup", 210, 4000, &ok());
        let mut failed = Outcome::new(RunResult::Failed);
        failed.exit_code = Some(3);
        home.ran("report", 1100, 5, &ok());
        home.ran("report", 100, 5, &failed);
        home.ran("db-dump", 300, 3600, &Outcome::new(RunResult::TimedOut));
        let mut cut_off = Outcome::new(RunResult::Unknown);
        cut_off.message = Some("the daemon was killed".into());
        home.ran("sync", 90, 1, &cut_off);
        home.ran("certs", 80, 1, &failed);
        home.ran("mirror", 70, 30, &Outcome::new(RunResult::Cancelled));
        home.ran("hostile", 50, 1, &Outcome::failed(HOSTILE));
        home.ran("flaky", 40, 1, &ok());
        home.ran("hourly", 20, 1, &ok());
        home.ran("watched", 10, 1, &ok());
        home.ran("one-shot", 500, 61, &ok());
        home.attempts();
        home.states();
        home.surroundings();
        home
    }

    /// An attempt that was followed by another.
    fn attempts(&mut self) {
        let mut retried = self.history.iter().find(|entry| entry.job.as_str() == "flaky").expect("it ran").clone();
        if let LedgerWhat::Occurrence { end, retry_at, .. } = &mut retried.what {
            (*end, *retry_at) = (Closing::Ran(Outcome::new(RunResult::Failed)), Some(ago(40)));
        }
        self.history.push(retried);
    }

    fn states(&mut self) {
        for troubled in &mut self.facts.jobs.troubled {
            troubled.acknowledged = troubled.job.as_str() == "certs";
        }
        let overdue = self.job("billing").id.clone();
        self.job("billing").due_at = Some(ago(120));
        self.facts.jobs.overdue.push((overdue, ago(120)));
        for (id, until, reason) in [("import", None, Some(HOSTILE)), ("export", Some(at("2026-11-22T20:00:00Z")), None)]
        {
            let job = self.job(id).id.clone();
            self.job(id).paused = Some(Paused { job, at: ago(2000), until, reason: reason.map(str::to_owned) });
        }
        let mut disabled = self.job("old-job").job.as_ref().expect("valid").as_ref().clone();
        disabled.enabled = false;
        self.job("old-job").job = Ok(Arc::new(disabled));
        self.job("old-job").due_at = None;
        self.job("broken").job = Err("the schedule can't be read".into());
        self.job("broken").due_at = None;
        self.job("one-shot").due_at = None;
        self.job("hostile").definition = Arc::new(json!({"name": HOSTILE, "schedule": "30 2 * * *"}));
        self.facts.jobs.paused = 2;
        self.facts.jobs.enabled = 18;
        let mut hourly = JobAudit::new(self.job("hourly").id.clone());
        hourly.ends.insert(End::Skipped(SkipReason::Coalesced), 7);
        hourly.ends.insert(End::Skipped(SkipReason::Overlap), 2);
        let mut gone = JobAudit::new(self.job("gone").id.clone());
        gone.missing.push(Missing { from: ago(600), to: ago(540), count: 2 });
        self.audit.jobs = vec![hourly, gone];
    }

    fn surroundings(&mut self) {
        let mut outage = Outage::new(OutageCause::Crashed, ago(900), ago(880));
        outage.detail = Some(HOSTILE.into());
        let mut cost = OutageCost::new(outage);
        (cost.skipped, cost.late) = (7, 1);
        self.audit.outages = vec![OutageCost::new(Outage::new(OutageCause::Stopped, ago(1300), ago(1299))), cost];
        let mut known = OpenAlert::new(&Alert::open("gateway", "the gateway refuses connections", ago(300)));
        known.acknowledged = Some(Acknowledged { at: ago(200), by: Some("ann".into()) });
        let watchdog = OpenAlert::new(&Alert::open("disk", format!("the disk is nearly full {HOSTILE}"), ago(30)));
        let mut closed = OpenAlert::new(&Alert::open("over", "this is over", ago(30)));
        closed.state = State::Closed;
        self.alerts = vec![known, watchdog, closed];
        let beat = |minutes| Ok(Beat::new(ago(minutes), Duration::from_mins(15)));
        let judged = |name: &str, read| judge(&BeatName::new(name), read, None, now(), 2.0);
        self.beats = vec![
            judged("agent", beat(5)),
            judged("etl", beat(300)),
            judged("<b>|`x`", Err(Unreadable::Garbage(HOSTILE.into()))),
        ];
        self.facts.problems.extend(self.beats.iter().filter_map(Judged::problem));
        self.gaps.push("this is only a test".into());
    }

    pub(super) fn verdict(&self) -> Verdict {
        verdict(&self.facts)
    }

    pub(super) fn report(&self) -> Report {
        let verdict = self.verdict();
        Report::of(&Material {
            agent: "db-1",
            home: "/var/lib/sched",
            zone: &self.zone,
            since: ago(24 * 60),
            facts: &self.facts,
            verdict: &verdict,
            jobs: &self.jobs,
            history: &self.history,
            audit: Some(&self.audit),
            alerts: &self.alerts,
            beats: &self.beats,
            gaps: &self.gaps,
        })
    }
}
