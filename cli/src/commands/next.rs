//! `sched next`: when a job, or a schedule that somebody is trying out, fires next.

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::{ErrorKind, schedule::zone, store::JobView};
use serde_json::json;

use super::Done;
use crate::{
    args::NextArgs,
    context::{self, Context},
    exit,
    failure::Failure,
    next_fires,
    output::Output,
    selection, standing, upcoming, when,
};

pub(crate) async fn run(args: &NextArgs, context: &Context, out: &mut Output) -> Done {
    match (&args.job, &args.expr) {
        (Some(job), _) => {
            let store = context.look()?;
            let views = context::jobs(&store).await?;
            of_job(selection::one(&views, job)?, args, context, out)
        }
        (None, expr) => of_expr(expr.as_deref().unwrap_or_default(), args, context, out),
    }
}

fn of_job(view: &JobView, args: &NextArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let zone = standing::zone_of(view);
    let after = after(args.after.as_deref(), &zone, now)?;
    if let Err(why) = &view.job {
        let what = format!("job `{}` is invalid and does not fire: {why}", view.id);
        return Err(Failure::new(ErrorKind::Invalid, what).hint("`sched validate` says where"));
    }
    let silence = next_fires::silence(view, now);
    if out.wants_json() {
        out.json(json!({
            "job": standing::to_json(view, None),
            "after": when::exact(after, &zone),
            "silent": silence,
            "next": next_fires::to_json(view, after, args.count),
        }))?;
        return Ok(exit::OK);
    }
    out.line(format_args!("job `{}`: {}", view.id, standing::meaning(view)))?;
    if let Some(jitter) = view.job.as_ref().ok().and_then(|job| next_fires::jitter(job)) {
        out.line(format_args!("jitter: {jitter}"))?;
    }
    if let Some(silence) = silence {
        out.line(silence)?;
    }
    next_fires::print_instants(&next_fires::instants(view, after, args.count), &zone, now, out)?;
    Ok(exit::OK)
}

fn of_expr(expr: &str, args: &NextArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let zone_name = args.time_zone.clone().unwrap_or_else(|| context.job_defaults().zone);
    let zone = zone::parse(&zone_name)?;
    let after = after(args.after.as_deref(), &zone, now)?;
    let schedule = upcoming::schedule(expr, &zone, after)?;
    let next = upcoming::instants(&schedule, &zone, after, args.count);
    let means = schedule.describe(Some(zone.iana_name().unwrap_or(&zone_name)));
    if out.wants_json() {
        let next: Vec<String> = next.into_iter().map(|at| when::exact(at, &zone)).collect();
        let after = when::exact(after, &zone);
        let spread = schedule.is_spread();
        out.json(json!({
            "expr": expr, "means": means, "timezone": zone_name, "after": after, "next": next, "spread": spread,
        }))?;
        return Ok(exit::OK);
    }
    out.line(means)?;
    if schedule.is_spread() {
        out.line("H and ~ are made of a job's id; as there is no job, they are made of this text here")?;
    }
    next_fires::print_instants(&next, &zone, now, out)?;
    if next.is_empty() && upcoming::is_by_the_clock(&schedule) {
        out.line(format_args!("never after {}", when::stamp(after, &zone)))?;
    }
    Ok(exit::OK)
}

/// The instant to start from: as given, or now.
fn after(given: Option<&str>, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, Failure> {
    let Some(text) = given.map(str::trim) else { return Ok(now) };
    when::read(text, zone).ok_or_else(|| {
        Failure::usage(format!("--after: `{text}` is not an instant"))
            .hint("write `2026-11-22T10:00:00Z`, or `2026-11-22 10:00` on the clock of the zone")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_is_an_instant_or_a_time_on_the_clock() {
        let berlin = zone::parse("Europe/Berlin").unwrap();
        let check = |given: Option<&str>, expected: &str| {
            assert_eq!(after(given, &berlin, Timestamp::UNIX_EPOCH).unwrap().to_string(), expected, "{given:?}");
        };
        check(None, "1970-01-01T00:00:00Z");
        check(Some("2026-11-22T10:00:00+05:00"), "2026-11-22T05:00:00Z");
        check(Some("2026-11-22 10:00"), "2026-11-22T09:00:00Z");
        assert_eq!(after(Some("soon"), &berlin, Timestamp::UNIX_EPOCH).unwrap_err().exit, exit::USAGE);
    }
}
