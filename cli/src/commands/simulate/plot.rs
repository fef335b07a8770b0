//! From arguments, home and history to what is played: [`Plot`].

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use scheduler_core::{
    JobId, duration,
    schedule::zone,
    simulation::{ASSUMED, Scenario},
    store::JobView,
};

use super::durations::{self, Known};
use crate::{
    args::SimulateArgs,
    context::{self, Context},
    daemon::machinery,
    failure::Failure,
    selection, when,
};

/// What is played, and what is to be told of it.
pub(super) struct Plot {
    pub(super) scenario: Scenario,
    /// Where it is known from how long runs take.
    pub(super) known: BTreeMap<JobId, Known>,
    /// The zone of the home.
    pub(super) zone: TimeZone,
    pub(super) home: String,
}

/// The longest that is played: a year, on the minute.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

pub(super) async fn read(args: &SimulateArgs, context: &Context) -> Result<Plot, Failure> {
    let defaults = context.job_defaults();
    let zone = zone::parse(&defaults.zone)?;
    let (from, to) = stretch(args, &zone, context.now())?;
    let times = Times { zone: &zone, from };
    let downtime = args.downtime.iter().map(|text| times.downtime(text)).collect::<Result<_, _>>()?;
    let clock_steps = args.clock_step.iter().map(|text| times.clock_step(text)).collect::<Result<_, _>>()?;

    let store = context.look_existing()?;
    let views = context::jobs(&store).await?;
    let wanted = selection::several(&views, &args.jobs, args.jobs.is_empty())?;
    let jobs: Vec<JobView> = views.iter().filter(|view| wanted.contains(&view.id)).cloned().collect();
    let mut known = durations::of(&store, &jobs).await?;
    for pair in &args.duration {
        let view = selection::one(&views, &pair.name)?;
        let takes = duration::parse(&pair.value).map_err(|why| {
            Failure::usage(format!("--duration: {why}")).hint("write JOB=SPAN: `--duration backup=40m`")
        })?;
        if !wanted.contains(&view.id) {
            return Err(Failure::usage(format!("--duration: job `{}` is not simulated", view.id))
                .hint("name it among the jobs, or name none"));
        }
        known.insert(view.id.clone(), Known::given(takes));
    }

    let mut scenario = Scenario::new(jobs, from, to);
    scenario.defaults = defaults;
    scenario.limits = machinery::settings(&context.config().config).limits;
    scenario.durations = scenario.jobs.iter().filter_map(|view| assumed(view, from)).collect();
    scenario.durations.extend(known.iter().map(|(job, known)| (job.clone(), known.takes)));
    scenario.downtime = downtime;
    scenario.clock_steps = clock_steps;
    Ok(Plot { scenario, known, zone, home: context.home()?.path().display().to_string() })
}

/// How long runs of a job that is due every second are taken to last: what nobody knows must not be why something is skipped.
fn assumed(view: &JobView, from: Timestamp) -> Option<(JobId, Duration)> {
    let job = view.job.as_ref().ok()?;
    let period = job.schedule.period_hint(from, &job.time_zone).filter(|period| *period <= ASSUMED)?;
    Some((view.id.clone(), period / 2))
}

/// From when to when.
fn stretch(args: &SimulateArgs, zone: &TimeZone, now: Timestamp) -> Result<(Timestamp, Timestamp), Failure> {
    let ago = |text: &str| now.checked_sub(duration::parse(text).ok()?).ok();
    let from = match args.from.as_deref() {
        None => now,
        Some(text) => when::read(text, zone).or_else(|| ago(text)).ok_or_else(|| no_instant("--from", text))?,
    };
    let to = Times { zone, from }.read("--to", &args.to)?;
    let spans = |at: Timestamp| when::stamp(at, zone);
    if to <= from {
        return Err(Failure::usage(format!("--to: {} is not after {}", spans(to), spans(from)))
            .hint("--from is now unless it is given; `--to 24h` is a day later"));
    }
    if to.duration_since(from) > LONGEST {
        return Err(Failure::usage(format!("--to: {} is more than 366 days after {}", spans(to), spans(from)))
            .hint("simulate a part of it"));
    }
    Ok((from, to))
}

/// Reads instants, spans among them as counted from the beginning.
struct Times<'a> {
    zone: &'a TimeZone,
    from: Timestamp,
}

impl Times<'_> {
    fn read(&self, option: &str, text: &str) -> Result<Timestamp, Failure> {
        let later = || self.from.checked_add(duration::parse_or_zero(text).ok()?).ok();
        when::read(text, self.zone).or_else(later).ok_or_else(|| no_instant(option, text))
    }

    fn downtime(&self, text: &str) -> Result<(Timestamp, Timestamp), Failure> {
        let option = "--downtime";
        let (begin, end) = text.split_once("..").ok_or_else(|| {
            Failure::usage(format!("{option}: `{text}` is not A..B"))
                .hint("write `2026-11-22 02:00..2026-11-22 09:00`, or `2h..9h`")
        })?;
        let (begin, end) = (self.read(option, begin)?, self.read(option, end)?);
        if end <= begin {
            return Err(Failure::usage(format!("{option}: `{text}` ends before it begins"))
                .hint("spans count from --from: `2h..9h` lasts 7 hours"));
        }
        Ok((begin, end))
    }

    fn clock_step(&self, text: &str) -> Result<(Timestamp, SignedDuration), Failure> {
        let option = "--clock-step";
        let refused =
            |why: String| Failure::usage(format!("{option}: {why}")).hint("write `2026-11-22 03:00=+1h`, or `3h=-30m`");
        let (at, by) = text.rsplit_once('=').ok_or_else(|| refused(format!("`{text}` is not T=SPAN")))?;
        let (span, back) = match (by.strip_prefix('-'), by.strip_prefix('+')) {
            (Some(span), _) => (span, true),
            (None, span) => (span.unwrap_or(by), false),
        };
        let span = duration::parse(span).map_err(refused)?;
        let span =
            SignedDuration::try_from(span).map_err(|_| refused(format!("`{by}` is longer than a clock can be set")))?;
        Ok((self.read(option, at)?, if back { -span } else { span }))
    }
}

fn no_instant(option: &str, text: &str) -> Failure {
    Failure::usage(format!("{option}: `{}` is not an instant", text.trim())).hint(
        "write `2026-11-22T10:00:00Z`, `2026-11-22 10:00` on the clock of the home's zone, or a span such as `24h`",
    )
}
