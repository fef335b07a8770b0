//! A home that has been at work for a while: `past HOME JOBS DAYS` makes one with so many jobs, due each minute, and a record
//! of every instant of so many days up to now, as compactions file it.
//!
//! Most of them ran; some failed, some were skipped, and each day had an hour of downtime. Prints how many there were.
#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "files of the history are made as compaction would have made them, and quicker"
)]

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::PathBuf,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use scheduler_core::{
    Clock as _, Home, JobId, JobStore as _, OccurrenceId, Outcome, RunId, RunResult, SystemClock,
    audit::{Outage, OutageCause},
    occurrence::{Cause, Closing, SkipReason},
    plan::Gap,
    store::{Edit, JsonStore, JsonStoreOptions, LedgerEntry, LedgerWhat},
    testing::ManualClock,
};
use serde_json::json;

fn main() {
    let mut words = std::env::args().skip(1);
    let mut word = |what| words.next().unwrap_or_else(|| panic!("{what} is missing: past HOME JOBS DAYS"));
    let home = Home::new(PathBuf::from(word("HOME")));
    let jobs: usize = word("JOBS").parse().expect("JOBS is a number");
    let days: i64 = word("DAYS").parse().expect("DAYS is a number");

    let today = SystemClock.now().to_zoned(TimeZone::UTC).start_of_day().expect("a day").timestamp();
    let begin = today - (24 * days).hours();
    let ids: Vec<JobId> = (0..jobs).map(|n| format!("job-{n:05}").parse().expect("an id")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let generation = runtime.block_on(define(&home, &ids, begin, days));
    let count: u64 = (0..days).map(|day| file(&home, &ids, begin + (24 * day).hours(), generation)).sum();
    writeln!(io::stdout(), "{count}").expect("stdout can be written");
}

/// The jobs as they were defined on the first day, and the outages since; compacted, so that there is a history to add to.
async fn define(home: &Home, ids: &[JobId], begin: Timestamp, days: i64) -> u64 {
    let clock = Arc::new(ManualClock::at(&(begin - 1.second()).to_string()));
    let store = JsonStore::open(&JsonStoreOptions::new(home.clone(), clock)).expect("a new home");
    let entry = |id: &JobId| json!({"id": id, "schedule": "* * * * *", "timezone": "UTC", "command": "true"});
    store.define(Edit::Add(ids.iter().map(entry).collect())).await.expect("jobs");
    let night = |day: i64| {
        let from = begin + (24 * day + 3).hours();
        Outage::new(OutageCause::Stopped, from - 30.seconds(), from + 3630.seconds())
    };
    store.note((0..days).map(night).collect()).await.expect("outages");
    store.compact().await.expect("a compaction");
    store.close().await.expect("everything is durable");
    2
}

/// The file of the day that begins at `day`. Answers how many instants it has.
fn file(home: &Home, ids: &[JobId], day: Timestamp, generation: u64) -> u64 {
    let date = day.to_zoned(TimeZone::UTC).date();
    let path = home.ledger().join(format!("{date}.{generation}.jsonl"));
    let mut out = BufWriter::new(fs::File::create(path).expect("a file of the history"));
    let mut write = |entry: &LedgerEntry| {
        serde_json::to_writer(&mut out, entry).expect("entries are JSON");
        out.write_all(b"\n").expect("the disk has room");
    };
    for minute in 0..1440_i64 {
        let at = day + SignedDuration::from_mins(minute);
        for (n, id) in ids.iter().enumerate() {
            if (180..240).contains(&minute) {
                if minute == 239 {
                    let reason = SkipReason::Coalesced;
                    let gap = Gap { reason, from: day + SignedDuration::from_mins(180), to: at };
                    write(&LedgerEntry { job: id.clone(), at: at + 90.seconds(), what: LedgerWhat::Gap(gap) });
                }
                continue;
            }
            let end = match (minute as usize + n) % 97 {
                0 => Closing::Ran(Outcome::failed("exit code 1")),
                1 => Closing::Skipped(SkipReason::Overlap),
                _ => Closing::Ran(Outcome::new(RunResult::Succeeded)),
            };
            let started = at + SignedDuration::from_millis(3);
            let what = LedgerWhat::Occurrence {
                id: OccurrenceId::scheduled(id.clone(), 1, at),
                run: RunId::random(at),
                owed_at: at,
                cause: Cause::OnTime,
                attempt: 1,
                started_at: matches!(end, Closing::Ran(_)).then_some(started),
                end,
                retry_at: None,
            };
            write(&LedgerEntry { job: id.clone(), at: started + SignedDuration::from_millis(7), what });
        }
    }
    out.flush().expect("the disk has room");
    1440 * ids.len() as u64
}
