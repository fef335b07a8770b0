//! The load in buckets, as text.

use jiff::{SignedDuration, Span, Timestamp, tz::TimeZone};
use scheduler_core::simulation::{Minute, Report};

use super::plot::Plot;
use crate::{
    output::{Output, Printed},
    when,
};

/// A stretch of time, and the load in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) begin: Timestamp,
    pub(super) end: Timestamp,
    pub(super) load: Minute,
}

/// How wide buckets may be, in minutes.
const WIDTHS: [u32; 15] =
    [1, 2, 5, 10, 15, 30, 60, 2 * 60, 3 * 60, 6 * 60, 12 * 60, 24 * 60, 2 * 24 * 60, 7 * 24 * 60, 14 * 24 * 60];

/// The load in at most about so many buckets, which begin at round times of the home's clock. Answers their width, too.
pub(super) fn buckets(plot: &Plot, report: &Report, most: u32) -> (SignedDuration, Vec<Bucket>) {
    let (from, to) = (plot.scenario.from, plot.scenario.to);
    let minutes = report.load.minutes().len() as u32;
    let width = WIDTHS.into_iter().find(|width| minutes.div_ceil(*width) <= most).unwrap_or(WIDTHS[WIDTHS.len() - 1]);
    let begins = begins(from, to, width, &plot.zone);
    let ends = begins.iter().skip(1).copied().chain([to]);
    let loads = report.load.buckets(&begins);
    let buckets = begins.iter().zip(ends).zip(loads);
    let buckets = buckets.map(|((begin, end), load)| Bucket { begin: (*begin).max(from), end, load }).collect();
    (SignedDuration::from_mins(i64::from(width)), buckets)
}

/// Every `width` minutes from the midnight before `from` on, those that concern what comes then. A day is one of the
/// calendar, whatever its length.
fn begins(from: Timestamp, to: Timestamp, width: u32, zone: &TimeZone) -> Vec<Timestamp> {
    let Ok(midnight) = from.to_zoned(zone.clone()).start_of_day() else { return vec![from] };
    let nth = |count: i64| {
        let minutes = count * i64::from(width);
        let span = if width < 1440 { Span::new().minutes(minutes) } else { Span::new().days(minutes / 1440) };
        midnight.checked_add(span).ok().map(|at| at.timestamp())
    };
    let mut begins: Vec<Timestamp> = (0..).map_while(nth).take_while(|at| *at < to).collect();
    begins.drain(..begins.partition_point(|begin| *begin <= from).saturating_sub(1));
    begins
}

/// The most rows.
const ROWS: u32 = 31;
/// The longest bar, and where stdout is no terminal.
const BAR: usize = 60;

pub(super) fn print(plot: &Plot, report: &Report, out: &mut Output) -> Printed {
    let Some((at, busiest)) = report.load.busiest() else { return out.line("nothing would start") };
    let (width, buckets) = buckets(plot, report, ROWS);
    let most = buckets.iter().map(|bucket| bucket.load.starts).max().unwrap_or(0);
    let room = Output::width().map_or(BAR, |width| usize::from(width).saturating_sub(TO_THE_LEFT).clamp(10, BAR));
    out.line(format_args!("\n{:25}  {:>8}  {:>6}", span_words(width), "STARTS", "OPEN"))?;
    for bucket in &buckets {
        let Minute { starts, open } = bucket.load;
        let bar = "#".repeat(length(starts, most, room));
        let notes = notes(plot, bucket);
        let begin = when::stamp(bucket.begin, &plot.zone);
        let line =
            format!("{begin:25}  {starts:>8}  {open:>6}  {bar}{}{notes}", if bar.is_empty() { "" } else { "  " });
        out.line(line.trim_end())?;
    }
    let minute = when::stamp(at, &plot.zone);
    out.line(format_args!("busiest minute: {minute}, {}", load_words(busiest)))
}

/// A load: `3 starts, 2 open at once`.
pub(super) fn load_words(Minute { starts, open }: Minute) -> String {
    format!("{starts} start{}, {open} open at once", if starts == 1 { "" } else { "s" })
}

/// Instant, starts and open runs, with the blanks after each.
const TO_THE_LEFT: usize = 27 + 10 + 8;

/// How long a bar is: one that stands for something is seen.
fn length(starts: u32, most: u32, room: usize) -> usize {
    let length = (starts as usize * room) / (most.max(1) as usize);
    length.max(usize::from(starts > 0))
}

fn span_words(width: SignedDuration) -> String {
    match width.as_mins() {
        minutes @ 0..60 => format!("EACH {minutes} MIN FROM"),
        minutes @ 60..1440 => format!("EACH {} H FROM", minutes / 60),
        minutes => format!("EACH {} D FROM", minutes / 1440),
    }
}

/// What happened in it from outside.
fn notes(plot: &Plot, bucket: &Bucket) -> String {
    let down = plot.scenario.downtime.iter().any(|(begin, end)| *begin < bucket.end && bucket.begin < *end);
    let steps = plot.scenario.clock_steps.iter().filter(|(at, _)| bucket.begin <= *at && *at < bucket.end);
    let steps = steps.map(|(_, by)| step_words(*by));
    down.then(|| "down".to_owned()).into_iter().chain(steps).collect::<Vec<_>>().join(", ")
}

/// A step of the clock: `clock +1h`.
pub(super) fn step_words(by: SignedDuration) -> String {
    format!("clock {}{}", if by.is_negative() { "-" } else { "+" }, scheduler_core::duration::format(by.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_what_it_stands_for() {
        for (starts, most, expected) in [(0, 0, 0), (0, 10, 0), (10, 10, 40), (5, 10, 20), (1, 1000, 1)] {
            assert_eq!(length(starts, most, 40), expected, "{starts} of {most}");
        }
    }

    #[test]
    fn buckets_begin_at_round_times_of_the_clock_on_the_wall() {
        let berlin = scheduler_core::schedule::zone::parse("Europe/Berlin").unwrap();
        let check = |from: &str, to: &str, width, expected: &[&str]| {
            let begins = begins(from.parse().unwrap(), to.parse().unwrap(), width, &berlin);
            let begins: Vec<String> = begins.into_iter().map(|begin| when::stamp(begin, &berlin)).collect();
            assert_eq!(begins, expected, "{from} {width}");
        };
        check(
            "2026-03-02T10:40:30+01:00",
            "2026-03-02T12:00:00+01:00",
            30,
            &["2026-03-02T10:30:00+01:00", "2026-03-02T11:00:00+01:00", "2026-03-02T11:30:00+01:00"],
        );
        check(
            "2026-03-28T10:00:00+01:00",
            "2026-03-30T10:00:00+02:00",
            1440,
            &["2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"],
        );
        check(
            "2026-03-29T00:00:00+01:00",
            "2026-03-29T05:00:00+02:00",
            60,
            &[
                "2026-03-29T00:00:00+01:00",
                "2026-03-29T01:00:00+01:00",
                "2026-03-29T03:00:00+02:00",
                "2026-03-29T04:00:00+02:00",
            ],
        );
    }

    #[test]
    fn a_width_is_told_in_its_unit() {
        let check = |minutes, expected: &str| assert_eq!(span_words(SignedDuration::from_mins(minutes)), expected);
        check(5, "EACH 5 MIN FROM");
        check(180, "EACH 3 H FROM");
        check(2 * 1440, "EACH 2 D FROM");
    }
}
