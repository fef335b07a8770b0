//! `sched report`: the morning report, printed or sent.

use jiff::{SignedDuration, Timestamp};
use sched_monitor::Report;
use scheduler_core::{ErrorKind, config::sinks::Sink};
use serde_json::json;

use super::Done;
use crate::{
    alerts,
    args::{ReportArgs, ReportFormat},
    context::{Context, no_home},
    deliveries::Deliveries,
    exit,
    failure::Failure,
    output::Output,
    reporting, unknown,
};

pub(crate) async fn run(args: &ReportArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    if let Ok(false) = home.path().try_exists() {
        return Err(no_home(&home));
    }
    let (now, config) = (context.now(), &context.config().config);
    let since = match &args.since {
        Some(since) => since.instant(now),
        None => {
            let back = SignedDuration::try_from(config.report.since).unwrap_or(SignedDuration::MAX);
            now.saturating_sub(back).unwrap_or(Timestamp::UNIX_EPOCH)
        }
    };
    if since > now {
        return Err(Failure::new(ErrorKind::Invalid, "nothing has happened yet since then: it is in the future")
            .hint("write how far back: `--since 24h`"));
    }
    if !args.to.is_empty() {
        // One that tells nothing of its own accord: its alerts are for a process that stays until they are delivered.
        let desk = alerts::desk_to_look(&home, config, context.clock());
        all_take_reports(&args.to, &config.notify)?;
        let report = reporting::report(context, &home, since).await;
        return send(args, &desk, &report, out).await;
    }
    let report = reporting::report(context, &home, since).await;
    match args.format {
        ReportFormat::Json => print_json(&report, out)?,
        _ if out.wants_json() => print_json(&report, out)?,
        ReportFormat::Text => out.raw(report.text().as_bytes())?,
        ReportFormat::Markdown => out.raw(report.markdown().as_bytes())?,
        ReportFormat::Html => out.raw(report.html().as_bytes())?,
    }
    Ok(code(&report))
}

/// Looked at before the first is told: of a name that is wrong nobody wants to hear after half of them were.
fn all_take_reports(names: &[String], sinks: &[Sink]) -> Result<(), Failure> {
    for name in names {
        let Some(sink) = sinks.iter().find(|sink| sink.name == *name) else {
            let known: Vec<String> = sinks.iter().map(|sink| sink.name.clone()).collect();
            return Err(unknown::sink(name, &known));
        };
        if !sink.takes_reports() {
            let what =
                format!("nothing was sent: the sink `{name}` is a tracker, which keeps issues, and takes no reports");
            let hint = "give `--to` sinks of type webhook, email or command";
            return Err(Failure::new(ErrorKind::Invalid, what).hint(hint));
        }
    }
    Ok(())
}

async fn send(args: &ReportArgs, desk: &sched_monitor::Desk, report: &Report, out: &mut Output) -> Done {
    let mut deliveries = Deliveries::default();
    for sink in &args.to {
        deliveries.take(sink, &desk.deliver(sink, report).await, out)?;
    }
    let failed = deliveries.failed();
    if out.wants_json() {
        out.json(json!({ "summary": report.summary, "clean": report.clean, "sinks": deliveries.into_json() }))?;
    }
    Ok(if failed { exit::ERROR } else { code(report) })
}

fn print_json(report: &Report, out: &mut Output) -> Result<(), Failure> {
    let mut bytes = serde_json::to_vec_pretty(&report.json()).map_err(|error| Failure::printing(error.into()))?;
    bytes.push(b'\n');
    out.raw(&bytes)
}

fn code(report: &Report) -> u8 {
    if report.clean { exit::OK } else { exit::ATTENTION }
}
