//! What the forms for people share. Names, reasons and what jobs said come from anywhere: none of it may break a line, move a
//! cursor, or fill the page.

use std::{fmt::Write as _, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::duration;

use super::{AlertLine, BeatLine, Counts, JobLine, OutageLine, PausedLine, Report};

/// The most letters of one such text.
const MOST: usize = 400;

/// How many jobs that are well are listed; of more the rest is folded.
pub(super) const WELL_LISTED: usize = 40;

/// The most of anything else that is listed.
pub(super) const LISTED: usize = 100;

/// The instant to the second on the clock of `zone`, with its offset.
pub(super) fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(at);
    // RFC 3339 has no seconds in offsets; the mean times of long ago do.
    let offset = if offset.seconds() % 60 == 0 { offset } else { jiff::tz::Offset::UTC };
    Timestamp::from_second(at.as_second()).unwrap_or(at).display_with_offset(offset).to_string()
}

/// `text` with the instants that it tells in UTC on the clock of `zone`.
pub(super) fn zoned(text: &str, zone: &TimeZone) -> String {
    const LENGTH: usize = "2026-11-22T07:00:00Z".len();
    let mut zoned = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let instant =
            rest.get(..LENGTH).filter(|begin| begin.ends_with('Z') && begin.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(at) = instant.and_then(|instant| instant.parse().ok()) {
            zoned.push_str(&stamp(at, zone));
            rest = &rest[LENGTH..];
        } else {
            zoned.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    zoned
}

/// `1 run`, `2 runs`.
pub(super) fn plural(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// In one line, without what a terminal obeys or what turns letters around, and not too long.
pub(super) fn flat(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let plain: String = text.chars().take(MOST + 1).map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.chars().count() > MOST { format!("{words}…") } else { words }
}

/// How long something took.
pub(super) fn length(millis: u64) -> String {
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{:.1} s", millis as f64 / 1000.0),
        _ => duration::format(Duration::from_secs(millis / 1000)),
    }
}

/// `338 ok, 1 failed, 2 skipped`; nothing is `no run`.
pub(super) fn counts(counts: &Counts) -> String {
    let all = [
        (counts.succeeded, "ok"),
        (counts.failed, "failed"),
        (counts.timed_out, "timed out"),
        (counts.unknown, "unknown"),
        (counts.cancelled, "cancelled"),
        (counts.retried, "retried"),
        (counts.skipped, "skipped"),
        (counts.coalesced, "coalesced"),
        (counts.missing, "missing"),
    ];
    let told: Vec<String> =
        all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if told.is_empty() { "no run".into() } else { told.join(", ") }
}

/// All runs, how they ended, and what of it went well.
pub(super) fn totals(report: &Report) -> String {
    let totals = &report.totals;
    let rate = totals.success_rate.map_or_else(String::new, |rate| format!(", {} ok", percent(rate)));
    let all = &totals.counts;
    let ended = format!(
        "{} ok, {} failed, {} timed out, {} unknown, {} skipped, {} coalesced",
        all.succeeded, all.failed, all.timed_out, all.unknown, all.skipped, all.coalesced
    );
    let some = [(all.cancelled, "cancelled"), (all.retried, "retried"), (all.missing, "missing")];
    let mut more = String::new();
    for (count, what) in some.iter().filter(|(count, _)| *count > 0) {
        let _ = write!(more, ", {count} {what}");
    }
    format!("{}: {ended}{more}{rate}", plural(all.runs, "run"))
}

/// Rounded down: what is not all is not 100 %.
fn percent(rate: f64) -> String {
    format!("{:.1} %", (rate * 1000.0).floor() / 10.0)
}

/// Whose run took longest, for how long, and when.
pub(super) fn longest(report: &Report) -> Option<String> {
    let longest = report.totals.longest.as_ref()?;
    Some(format!("{}, {}, started at {}", longest.job, length(longest.took_ms), longest.at))
}

/// What fires next.
pub(super) fn next(report: &Report) -> Option<String> {
    report.totals.next.as_ref().map(|next| format!("{} at {}", next.job, next.at))
}

/// How the last run ended.
pub(super) fn last(job: &JobLine) -> Option<String> {
    let last = job.last.as_ref()?;
    let why = last.why.as_ref().map_or_else(String::new, |why| format!(": {}", flat(why)));
    Some(format!("{}{why}, at {}", last.result.replace('_', " "), last.at))
}

/// How old it is and may be, or what is wrong with it.
pub(super) fn beat(beat: &BeatLine) -> String {
    let span = |seconds: u64| duration::coarse(Duration::from_secs(seconds));
    match (&beat.why, beat.age_s, beat.limit_s) {
        // Its state stands before it.
        (Some(why), ..) => flat(why.strip_prefix(&format!("is {}: ", beat.state)).unwrap_or(why)),
        (None, Some(age), Some(limit)) => format!("{} old, of at most {}", span(age), span(limit)),
        (None, Some(age), None) => format!("{} old", span(age)),
        (None, None, Some(limit)) => format!("none yet; one is due within {}", span(limit)),
        (None, None, None) => "none yet".into(),
    }
}

/// Since when, until when, and why.
pub(super) fn pause(paused: &PausedLine) -> String {
    let until = paused.until.as_ref().map_or_else(String::new, |until| format!(", until {until}"));
    let why = paused.reason.as_ref().map_or_else(|| ", no reason given".into(), |why| format!(": {}", flat(why)));
    format!("since {}{until}{why}", paused.since)
}

/// Since when, and who knows.
pub(super) fn alert(alert: &AlertLine) -> String {
    let by = alert.by.as_ref().map_or_else(String::new, |by| format!(" by {}", flat(by)));
    let known = if alert.acknowledged { format!(", acknowledged{by}") } else { String::new() };
    format!("{}, since {}{known}", flat(&alert.title), alert.since)
}

/// From when to when, why, and what it cost.
pub(super) fn outage(outage: &OutageLine) -> String {
    let detail = outage.detail.as_ref().map_or_else(String::new, |detail| format!(": {}", flat(detail)));
    let costs = [(outage.skipped, "coalesced or skipped"), (outage.late, "late"), (outage.waiting, "waiting")];
    let costs: Vec<String> =
        costs.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let costs = if costs.is_empty() { "it cost nothing".into() } else { costs.join(", ") };
    format!("{} to {}: {}{detail}; {costs}", outage.from, outage.to, outage.cause)
}

/// The jobs that are listed: all that need a look, and the first that are well; and how many of each are not.
pub(super) fn listed(jobs: &[JobLine]) -> (impl Iterator<Item = &JobLine>, usize, usize) {
    let unwell = jobs.iter().filter(|job| !job.well).count();
    let well = jobs.len() - unwell;
    let all = jobs.iter().filter(|job| !job.well).take(LISTED);
    let all = all.chain(jobs.iter().filter(|job| job.well).take(WELL_LISTED));
    (all, unwell.saturating_sub(LISTED), well.saturating_sub(WELL_LISTED))
}

/// What is folded, in words.
pub(super) fn folded(unwell: usize, well: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if unwell > 0 {
        lines.push(format!(
            "and {} that need a look; `sched report --format json` has all",
            plural(unwell as u64, "more job")
        ));
    }
    if well > 0 {
        lines.push(format!(
            "and {} that are well; `sched report --format json` has all",
            plural(well as u64, "more job")
        ));
    }
    lines
}

/// That there are more than are listed.
pub(super) fn more(all: usize) -> Option<String> {
    (all > LISTED).then(|| format!("and {} more; `sched report --format json` has all", all - LISTED))
}
