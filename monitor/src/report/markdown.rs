//! The report in Markdown, as CommonMark with the tables of GitHub has it.

use std::fmt::{self, Write as _};

use super::{
    Blocker, Report,
    words::{self, LISTED, flat},
};

impl Report {
    /// In Markdown. Of many jobs that are well some are folded, which it says.
    pub fn markdown(&self) -> String {
        let mut page = String::new();
        // Writing to a text can't fail.
        let _ = write(self, &mut page);
        page
    }
}

fn write(report: &Report, page: &mut String) -> fmt::Result {
    writeln!(page, "# {}", escaped(&report.summary))?;
    writeln!(page)?;
    writeln!(
        page,
        "**{}** on {}, from {} to {}",
        escaped(&report.agent),
        escaped(&report.home),
        report.since,
        report.until
    )?;
    writeln!(page)?;
    writeln!(page, "**{}**: {}", report.verdict.word(), escaped(&report.verdict_summary))?;
    blockers(page, "Blockers", &report.blockers)?;
    jobs(report, page)?;
    if !report.heartbeats.is_empty() {
        writeln!(page, "\n## Heartbeats\n\n| | heartbeat | state | |\n|---|---|---|---|")?;
        for beat in report.heartbeats.iter().take(LISTED) {
            let (name, words) = (escaped(&beat.name), escaped(&words::beat(beat)));
            writeln!(page, "| {} | {name} | {} | {words} |", sign(beat.well), beat.state)?;
        }
        more(page, report.heartbeats.len())?;
    }
    writeln!(page, "\n## Runs\n")?;
    writeln!(page, "- {}", words::totals(report))?;
    if let Some(longest) = words::longest(report) {
        writeln!(page, "- longest: {}", escaped(&longest))?;
    }
    writeln!(page, "- next: {}", words::next(report).map_or_else(|| "nothing".into(), |next| escaped(&next)))?;
    list(
        page,
        "Paused",
        report.paused.iter().map(|paused| format!("`{}` {}", paused.job, escaped(&words::pause(paused)))),
    )?;
    list(page, "Outages", report.outages.iter().map(|outage| escaped(&words::outage(outage))))?;
    list(page, "Open alerts", report.alerts.iter().map(|alert| escaped(&words::alert(alert))))?;
    blockers(page, "Remarks", &report.remarks)?;
    list(page, "What this report could not find out", report.gaps.iter().map(|gap| escaped(gap)))
}

fn jobs(report: &Report, page: &mut String) -> fmt::Result {
    if report.jobs.is_empty() {
        return writeln!(page, "\n## No jobs");
    }
    writeln!(page, "\n## Jobs\n\n| | job | state | runs | longest | last run | next |\n|---|---|---|---|---|---|---|")?;
    let (jobs, unwell, well) = words::listed(&report.jobs);
    for job in jobs {
        // Ids are plain letters.
        let name = job.name.as_ref().map_or_else(String::new, |name| format!(" {}", escaped(name)));
        let took = job.longest_ms.map(words::length).unwrap_or_default();
        let last = words::last(job).map(|last| escaped(&last)).unwrap_or_default();
        let (sign, counts) = (sign(job.well), words::counts(&job.counts));
        let next = job.next.as_deref().unwrap_or_default();
        writeln!(page, "| {sign} | `{}`{name} | {} | {counts} | {took} | {last} | {next} |", job.job, job.state)?;
    }
    for line in words::folded(unwell, well) {
        writeln!(page, "\n{line}")?;
    }
    Ok(())
}

fn blockers(page: &mut String, title: &str, blockers: &[Blocker]) -> fmt::Result {
    if blockers.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n## {title}\n")?;
    for blocker in blockers.iter().take(LISTED) {
        writeln!(page, "- **{}**  \n  hint: {}", escaped(&blocker.what), with_code(&blocker.hint))?;
    }
    more(page, blockers.len())
}

fn list(page: &mut String, title: &str, lines: impl ExactSizeIterator<Item = String>) -> fmt::Result {
    let all = lines.len();
    if all == 0 {
        return Ok(());
    }
    writeln!(page, "\n## {title}\n")?;
    for line in lines.take(LISTED) {
        writeln!(page, "- {line}")?;
    }
    more(page, all)
}

fn more(page: &mut String, all: usize) -> fmt::Result {
    words::more(all).map_or(Ok(()), |more| writeln!(page, "\n{more}"))
}

/// A text of our own with what is to be typed as code, so that it can be copied as it is.
fn with_code(text: &str) -> String {
    let flat = flat(text);
    let pieces: Vec<&str> = flat.split('`').collect();
    // A mark without its end is only a mark, and what somebody else named may be anything.
    let is_code = |code: &&str| !code.is_empty() && !code.contains(['<', '>', '&', '@', '|', '\\']);
    if pieces.len().is_multiple_of(2) || !pieces.iter().skip(1).step_by(2).all(is_code) {
        return escaped(text);
    }
    let piece = |(index, piece): (usize, &&str)| match index {
        0 => escaped_within(piece, false),
        _ if index % 2 == 1 => format!("`{piece}`"),
        // It begins in the middle of a line.
        _ => escaped_within(piece, true),
    };
    pieces.iter().enumerate().map(piece).collect()
}

/// What is said, and nothing that Markdown or HTML would make of it, nor anybody's name called out.
fn escaped(text: &str) -> String {
    escaped_within(&flat(text), false)
}

/// The same of a text that may stand `within` a line.
fn escaped_within(text: &str, within: bool) -> String {
    let mut escaped = String::new();
    let mut letters = text.chars().peekable();
    let mut digits_so_far = !within;
    while let Some(letter) = letters.next() {
        let at_the_start = escaped.is_empty() && !within;
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' if letters.peek().is_some_and(|next| next.is_alphanumeric()) => escaped.push_str("@\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => escaped.extend(['\\', letter]),
            // Only at the start of a line do these make a list or a line.
            '-' | '+' | '=' if at_the_start => escaped.extend(['\\', letter]),
            '.' | ')' if digits_so_far && !at_the_start => escaped.extend(['\\', letter]),
            _ => escaped.push(letter),
        }
        digits_so_far &= letter.is_ascii_digit();
    }
    escaped
}

fn sign(well: bool) -> &'static str {
    // In a table neither begins a list.
    if well { "+" } else { "\\-" }
}
