//! `sched simulate`: what would happen, by the rules of the daemon. Nothing is run, and nothing of the home is changed.
//!
//! | file | job |
//! |---|---|
//! | `plot` | from arguments, home and history to what is played |
//! | `durations` | how long runs take |
//! | `play` | playing it, at once or for somebody who watches |
//! | `chart` | the load in buckets, as text |
//! | `svg` | the same as a picture |
//! | `table` | the row of each job |
//! | `advice` | what needs attention |
//! | `answer` | all of it for programs |

mod advice;
mod answer;
mod chart;
mod durations;
mod play;
mod plot;
mod svg;
mod table;

use scheduler_core::{Error, simulation::Report, vfs::RealFs, vfs::atomic_write};

use self::plot::Plot;
use super::Done;
use crate::{args::SimulateArgs, context::Context, exit, failure::Failure, output::Output, when};

pub(crate) async fn run(args: &SimulateArgs, context: &Context, out: &mut Output) -> Done {
    let plot = plot::read(args, context).await?;
    let Some(report) = play::through(&plot, args.speed.filter(|speed| *speed > 0.0), out).await? else {
        return Ok(exit::OK);
    };
    let advice = advice::all(&plot, &report);
    if let Some(path) = &args.svg {
        draw(path, &svg::of(&plot, &report))?;
    }
    if out.wants_json() {
        out.json(answer::of(&plot, &report, &advice))?;
        return Ok(exit::OK);
    }
    print(&plot, &report, out)?;
    if let Some(path) = &args.svg {
        out.line(format_args!("drawn in {}", path.display()))?;
    }
    for advice in &advice {
        out.warn(&advice.what, Some(&advice.hint));
    }
    Ok(exit::OK)
}

fn print(plot: &Plot, report: &Report, out: &mut Output) -> Result<(), Failure> {
    let fires: u64 = report.jobs.iter().map(|tally| tally.fires).sum();
    let (from, to) = (when::stamp(plot.scenario.from, &plot.zone), when::stamp(plot.scenario.to, &plot.zone));
    let count = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (jobs, runs) = (count(plot.scenario.jobs.len() as u64, "job"), count(fires, "run"));
    out.line(format_args!("from {from} to {to}: {jobs}, {runs}; nothing was run or changed"))?;
    if !plot.scenario.jobs.is_empty() {
        out.table(&table::HEADERS, table::rows(plot, report))?;
    }
    chart::print(plot, report, out)
}

fn draw(path: &std::path::Path, picture: &str) -> Result<(), Failure> {
    let failed = |cause| Failure::from(Error::io(format!("cannot write {}", path.display()), cause));
    let absolute = std::path::absolute(path).map_err(failed)?;
    atomic_write(&RealFs, &absolute, picture.as_bytes(), None).map(drop).map_err(failed)
}
