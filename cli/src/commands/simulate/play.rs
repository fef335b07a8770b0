//! Playing it: as fast as it goes, or for somebody who watches.

use std::time::Duration;

use jiff::Timestamp;
use scheduler_core::{
    Error,
    occurrence::Cause,
    simulation::{Fire, Report, Simulation},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep_until},
};

use super::{durations, plot::Plot};
use crate::{failure::Failure, output::Output, when};

/// Plays it to its end; `None` if somebody who watched has seen enough.
pub(super) async fn through(plot: &Plot, speed: Option<f64>, out: &mut Output) -> Result<Option<Report>, Failure> {
    let mut simulation = Simulation::new(plot.scenario.clone());
    if let Some(speed) = speed {
        return Ok(watched(&mut simulation, plot, speed, out).await?.then(|| simulation.report()));
    }
    let seconds = |at: Timestamp| at.as_second().saturating_sub(plot.scenario.from.as_second()).unsigned_abs();
    let mut progress = out.progress(seconds(plot.scenario.to));
    while let Some(step) = simulation.step() {
        progress.reached(seconds(step.at));
    }
    drop(progress);
    Ok(Some(simulation.report()))
}

/// Prints each fire when it comes, in a time that runs `speed` times as fast. Answers whether it was watched to the end.
async fn watched(simulation: &mut Simulation, plot: &Plot, speed: f64, out: &mut Output) -> Result<bool, Failure> {
    let mut interrupt =
        signal(SignalKind::interrupt()).map_err(|error| Error::io("cannot listen for signals", error))?;
    let (began, from) = (Instant::now(), plot.scenario.from);
    let moment = |at: Timestamp| {
        let away = Duration::try_from(at.duration_since(from)).unwrap_or(Duration::ZERO);
        // What no clock of this machine will live to see comes in a year.
        began + Duration::try_from_secs_f64(away.as_secs_f64() / speed).map_or(YEAR, |away| away.min(YEAR))
    };
    loop {
        let step = simulation.step();
        let at = step.map_or(plot.scenario.to, |step| step.at);
        tokio::select! {
            () = sleep_until(moment(at)) => {}
            _ = interrupt.recv() => {
                out.aside("stopped; nothing was run or changed");
                return Ok(false);
            }
        }
        let Some(step) = step else { return Ok(true) };
        for fire in step.fires {
            out.line(line(fire, plot))?;
        }
        if !step.fires.is_empty() {
            out.flush()?;
        }
    }
}

const YEAR: Duration = Duration::from_hours(366 * 24);

fn line(fire: &Fire, plot: &Plot) -> String {
    let late = (fire.cause == Cause::Late).then(|| format!("late: owed at {}", when::stamp(fire.owed_at, &plot.zone)));
    let again = (fire.attempt > 1).then(|| format!("attempt {}", fire.attempt));
    let waited = Duration::try_from(fire.waited).ok().filter(|waited| !waited.is_zero());
    let waited = waited.map(|waited| format!("waited {}", durations::shown(waited)));
    let notes: Vec<String> = [late, again, waited].into_iter().flatten().collect();
    let line = format!("{}  {:16} {}", when::stamp(fire.at, &plot.zone), fire.job, notes.join(", "));
    line.trim_end().to_owned()
}
