//! `sched why JOB@INSTANT`: why a job ran then, or didn't, with the evidence.

use jiff::{
    Timestamp,
    civil::{DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use scheduler_core::{
    ErrorKind, Job, JobId, JobStore as _,
    audit::{Explanation, Why},
    schedule::{Kind, zone},
    store::{JsonStore, Which},
};
use serde_json::{Value, json};

use super::Done;
use crate::{
    args::WhyArgs,
    because,
    context::Context,
    exit,
    failure::Failure,
    outages,
    output::{Output, Printed},
    past, selection, standing, when,
};

pub(crate) async fn run(args: &WhyArgs, context: &Context, out: &mut Output) -> Done {
    let (job, text) = &args.what;
    let now = context.now();
    let home = context.home()?;
    let store = context.look_existing()?;
    let job = selection::find_or_former(&store, job).await?;
    let view = store.select(Which::Job(job.clone())).await?.jobs;
    let default = || zone::parse(&context.job_defaults().zone).unwrap_or(TimeZone::UTC);
    let zone = view.first().map_or_else(default, standing::zone_of);
    let asked = Asked::read(text, &zone, now)?;
    let skipped = skipped_time(&asked, &store, &job, &zone).await?;
    let mut answers = Vec::new();
    // Of a time that never is, the instant that stands for it is of interest only to who has that time.
    let instants = if skipped.as_ref().is_some_and(|skipped| !skipped.is_owed) { Vec::new() } else { asked.instants() };
    for instant in instants {
        let mut explanation = store.explain(job.clone(), instant).await?;
        // What goes on is not on record yet.
        if matches!(explanation.why, Why::Waiting | Why::Open) {
            explanation.outages.extend(outages::ongoing(&home, &**context.clock()));
        }
        answers.push(explanation);
    }
    let skipped = skipped.map(|skipped| skipped.told);
    if out.wants_json() {
        let answers: Vec<Value> = answers.iter().map(|answer| to_json(answer, &zone)).collect();
        out.json(json!({"job": job, "asked": text, "no_such_time": skipped, "answers": answers}))?;
    } else {
        if let Some(skipped) = &skipped {
            out.line(skipped)?;
        }
        if answers.len() > 1 {
            out.line(format_args!("the clocks of {} showed this time twice that day:", name_of(&zone)))?;
        }
        for answer in &answers {
            print(answer, &zone, out)?;
        }
    }
    let lost = answers.iter().any(|answer| answer.why == Why::Missing);
    Ok(if lost { exit::ATTENTION } else { exit::OK })
}

/// An instant as somebody wrote it.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// There is one.
    Instant(Timestamp),
    /// Two, an hour apart or so: the clocks were set back.
    Twice(Timestamp, Timestamp),
    /// None: the clocks were set forwards over it. This is when.
    Never { time: DateTime, leapt_at: Timestamp },
}

impl Asked {
    /// # Errors
    /// What can be written.
    fn read(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Self, Failure> {
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(Self::Instant(instant));
        }
        if let Ok(time) = text.parse::<DateTime>() {
            return Self::on_the_clock(time, zone).ok_or_else(|| unreadable(text));
        }
        // A time alone is the last one.
        let time: Time = text.parse().map_err(|_| unreadable(text))?;
        let today = now.to_zoned(zone.clone()).date();
        let days = [Some(today), today.yesterday().ok()];
        let asked = days.into_iter().flatten().filter_map(|day| Self::on_the_clock(day.to_datetime(time), zone));
        asked.into_iter().find(|asked| asked.first() <= now).ok_or_else(|| unreadable(text))
    }

    fn on_the_clock(time: DateTime, zone: &TimeZone) -> Option<Self> {
        let ambiguous = zone.to_ambiguous_timestamp(time);
        Some(match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => Self::Instant(offset.to_timestamp(time).ok()?),
            AmbiguousOffset::Fold { before, after } => {
                Self::Twice(before.to_timestamp(time).ok()?, after.to_timestamp(time).ok()?)
            }
            AmbiguousOffset::Gap { after, .. } => {
                // By the new offset, the time that never was lies before the leap.
                let leapt_at = zone.following(after.to_timestamp(time).ok()?).next()?.timestamp();
                Self::Never { time, leapt_at }
            }
        })
    }

    fn first(&self) -> Timestamp {
        match self {
            Self::Instant(at) | Self::Twice(at, _) | Self::Never { leapt_at: at, .. } => *at,
        }
    }

    fn instants(&self) -> Vec<Timestamp> {
        match self {
            Self::Instant(at) | Self::Never { leapt_at: at, .. } => vec![*at],
            Self::Twice(first, second) => vec![*first, *second],
        }
    }
}

fn unreadable(text: &str) -> Failure {
    Failure::new(ErrorKind::Invalid, format!("`{text}` is no instant"))
        .hint("write RFC 3339, 2026-11-22T02:30:00Z, a date and time on the clock of the job, 2026-11-22T02:30, or a time, 02:30")
}

/// What there is to say of a time that no clock shows.
struct SkippedTime {
    told: String,
    /// Whether the end of the gap stands for it, or nobody knows.
    is_owed: bool,
}

async fn skipped_time(
    asked: &Asked,
    store: &JsonStore,
    job: &JobId,
    zone: &TimeZone,
) -> Result<Option<SkippedTime>, Failure> {
    let Asked::Never { time, leapt_at } = asked else { return Ok(None) };
    let explanation = store.explain(job.clone(), *leapt_at).await?;
    let clock = |at: Timestamp| at.to_zoned(zone.clone()).time();
    let from =
        zone.preceding(*leapt_at).next().map_or_else(|| zone.to_offset(*leapt_at), |transition| transition.offset());
    let shown = from.to_datetime(*leapt_at).time();
    let told = format!(
        "there is no {} in {} on {}: the clocks go from {shown} to {}",
        time.time(),
        name_of(zone),
        time.date(),
        clock(*leapt_at)
    );
    let Some(job) = explanation.in_force.and_then(|in_force| in_force.job) else {
        return Ok(Some(SkippedTime { told, is_owed: true }));
    };
    let owed = !matches!(explanation.why, Why::NotOwed(_));
    let (and, is_owed) = match has(&job, *time) {
        false => (", and the schedule has no such time on that date anyway".to_owned(), false),
        true if job.schedule.is_wildcard() => {
            ("; a schedule that runs through minutes or hours (`*`) leaves such times out".to_owned(), false)
        }
        true => (format!("; what the schedule has in between is owed once, at {}:", clock(*leapt_at)), owed),
    };
    Ok(Some(SkippedTime { told: told + &and, is_owed }))
}

/// Whether the schedule has this time of day on this date, wherever clocks are not set.
fn has(job: &Job, time: DateTime) -> bool {
    let Ok(at) = TimeZone::UTC.to_timestamp(time) else { return false };
    job.schedule.kind() == Kind::Calendar && job.schedule.newest(at, at, &TimeZone::UTC) == Some(at)
}

fn name_of(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("this zone")
}

fn print(answer: &Explanation, zone: &TimeZone, out: &mut Output) -> Printed {
    let at = when::both(answer.instant, zone, answer.now);
    let (word, text) = because::verdict(answer, zone);
    out.toned(&word, format_args!("job `{}` at {at}: {text}", answer.job))?;
    for (label, text) in because::evidence(answer, zone) {
        out.line(format_args!("  {label:<12} {text}"))?;
    }
    Ok(())
}

fn to_json(answer: &Explanation, zone: &TimeZone) -> Value {
    let stamp = |at: Timestamp| when::exact(at, zone);
    let evidence: Vec<Value> = because::evidence(answer, zone)
        .into_iter()
        .map(|(label, text)| json!({"label": label, "text": text}))
        .collect();
    json!({
        "instant": stamp(answer.instant),
        "verdict": because::word(&answer.why),
        "reason": because::reason(&answer.why),
        "because": because::verdict(answer, zone).1,
        "in_force": answer.in_force.as_ref().map(|in_force| json!({
            "incarnation": in_force.incarnation,
            "revision": in_force.revision,
            "since": stamp(in_force.since),
            "until": in_force.until.map(stamp),
            "schedule": in_force.job.as_ref().map(|job| job.schedule.text()),
            "timezone": in_force.job.as_ref().and_then(|job| job.time_zone.iana_name()),
        })),
        "attempts": answer.attempts.iter().map(|entry| past::entry_json(entry, zone)).collect::<Vec<_>>(),
        "gap": answer.gap.as_ref().map(|entry| past::entry_json(entry, zone)),
        "open": answer.open.as_ref().map(|open| past::open_json(open, zone)),
        "in_its_place": answer.in_its_place.as_ref().map(|entry| past::entry_json(entry, zone)),
        "in_the_way": answer.in_the_way.as_ref().map(|entry| past::entry_json(entry, zone)),
        "still_in_the_way": answer.still_in_the_way.as_ref().map(|open| past::open_json(open, zone)),
        "paused_at": answer.paused.as_ref().map(|paused| stamp(paused.at)),
        "resumed_at": answer.resumed_at.map(stamp),
        "outages": answer.outages.iter().map(|outage| json!({
            "cause": outage.cause,
            "from": stamp(outage.from),
            "to": stamp(outage.to),
            "detail": outage.detail,
        })).collect::<Vec<_>>(),
        "before": answer.before.map(stamp),
        "after": answer.after.map(stamp),
        "evidence": evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_on_the_clock_of_the_job() {
        let berlin = zone::parse("Europe/Berlin").unwrap();
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let check =
            |text: &str, expected: Asked| assert_eq!(Asked::read(text, &berlin, now).unwrap(), expected, "{text}");
        check("2026-11-22T02:30:00Z", Asked::Instant(at("2026-11-22T02:30:00Z")));
        check("2026-11-22T02:30", Asked::Instant(at("2026-11-22T01:30:00Z")));
        check("2026-11-22 02:30:15", Asked::Instant(at("2026-11-22T01:30:15Z")));
        check("02:30", Asked::Instant(at("2026-11-22T01:30:00Z")));
        check("23:30", Asked::Instant(at("2026-11-21T22:30:00Z")));
        check("2026-10-25T02:30", Asked::Twice(at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z")));
        let time: DateTime = "2026-03-29T02:30".parse().unwrap();
        check("2026-03-29T02:30", Asked::Never { time, leapt_at: at("2026-03-29T01:00:00Z") });
        for text in ["", "yesterday", "25:00", "2026-02-30T02:30"] {
            assert!(Asked::read(text, &berlin, now).is_err(), "{text}");
        }
    }
}
