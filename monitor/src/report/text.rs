//! The report in plain text, for terminals and mail.

use std::fmt::{self, Write as _};

use super::{
    Blocker, Report,
    words::{self, LISTED, flat},
};

impl Report {
    /// In plain text. Of many jobs that are well some are folded, which it says.
    pub fn text(&self) -> String {
        let mut page = String::new();
        // Writing to a text can't fail.
        let _ = write(self, &mut page);
        page
    }
}

fn write(report: &Report, page: &mut String) -> fmt::Result {
    writeln!(page, "{}", flat(&report.summary))?;
    writeln!(page)?;
    writeln!(page, "{} on {}", flat(&report.agent), flat(&report.home))?;
    writeln!(page, "from {} to {}", report.since, report.until)?;
    writeln!(page, "{}: {}", report.verdict.word(), flat(&report.verdict_summary))?;
    blockers(page, "Blockers", '!', &report.blockers)?;
    jobs(report, page)?;
    let width = report.heartbeats.iter().map(|beat| flat(&beat.name).chars().count()).max().unwrap_or(0).min(32);
    let beats = report.heartbeats.iter().map(|beat| {
        format!("{} {:<width$}  {:<10}  {}", sign(beat.well), flat(&beat.name), beat.state, words::beat(beat))
    });
    list(page, "Heartbeats", beats)?;
    writeln!(page, "\nRuns")?;
    writeln!(page, "  {}", words::totals(report))?;
    if let Some(longest) = words::longest(report) {
        writeln!(page, "  longest: {longest}")?;
    }
    writeln!(page, "  next: {}", words::next(report).unwrap_or_else(|| "nothing".into()))?;
    list(page, "Paused", report.paused.iter().map(|paused| format!("{}  {}", paused.job, words::pause(paused))))?;
    list(page, "Outages", report.outages.iter().map(words::outage))?;
    list(page, "Open alerts", report.alerts.iter().map(words::alert))?;
    blockers(page, "Remarks", '-', &report.remarks)?;
    list(page, "What this report could not find out", report.gaps.iter().map(|gap| flat(gap)))
}

fn jobs(report: &Report, page: &mut String) -> fmt::Result {
    if report.jobs.is_empty() {
        return writeln!(page, "\nNo jobs");
    }
    writeln!(page, "\nJobs")?;
    let (jobs, unwell, well) = words::listed(&report.jobs);
    let jobs: Vec<_> = jobs.collect();
    let width = jobs.iter().map(|job| job.job.as_str().len()).max().unwrap_or(0).min(32);
    for job in jobs {
        let counts = words::counts(&job.counts);
        let took = job.longest_ms.map_or_else(String::new, |took| format!("; longest {}", words::length(took)));
        let next = job.next.as_ref().map_or_else(String::new, |next| format!("; next {next}"));
        writeln!(page, "  {} {:<width$}  {:<12}  {counts}{took}{next}", sign(job.well), job.job.as_str(), job.state)?;
        if let Some(last) = words::last(job).filter(|_| !job.well) {
            writeln!(page, "      last run: {last}")?;
        }
    }
    words::folded(unwell, well).iter().try_for_each(|line| writeln!(page, "  {line}"))
}

fn blockers(page: &mut String, title: &str, mark: char, blockers: &[Blocker]) -> fmt::Result {
    if blockers.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n{title}")?;
    for blocker in blockers.iter().take(LISTED) {
        writeln!(page, "  {mark} {}", flat(&blocker.what))?;
        writeln!(page, "    hint: {}", flat(&blocker.hint))?;
    }
    words::more(blockers.len()).map_or(Ok(()), |more| writeln!(page, "  {more}"))
}

fn list(page: &mut String, title: &str, lines: impl ExactSizeIterator<Item = String>) -> fmt::Result {
    let all = lines.len();
    if all == 0 {
        return Ok(());
    }
    writeln!(page, "\n{title}")?;
    for line in lines.take(LISTED) {
        writeln!(page, "  {line}")?;
    }
    words::more(all).map_or(Ok(()), |more| writeln!(page, "  {more}"))
}

fn sign(well: bool) -> char {
    if well { '+' } else { '-' }
}
