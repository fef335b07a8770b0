//! The report as a page: one file without scripts and without anything from elsewhere, for browsers and for mail.
//!
//! What a mail program must not lose is written on the elements, since some drop `<style>`; what only makes it better, dark
//! mode and narrow screens, is in `html.css`. Every state is a word and a sign; colour only repeats it. The page is XML as
//! well, so that a test can read it.

use std::fmt::{self, Write as _};

use super::{
    Blocker, JobLine, Report,
    words::{self, LISTED, flat},
};

/// What `<style>` says; nothing in it needs escaping.
const STYLE: &str = include_str!("html.css");

const FONT: &str = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const CELL: &str = "padding:6px 10px 6px 0;border-bottom:1px solid #d0d7de;vertical-align:top;text-align:left";
const MUTED: &str = "color:#57606a";

impl Report {
    /// As an HTML page. Of many jobs that are well some are folded, which it says.
    pub fn html(&self) -> String {
        let mut page = String::new();
        // Writing to a text can't fail.
        let _ = write(self, &mut page);
        page
    }
}

fn write(report: &Report, page: &mut String) -> fmt::Result {
    let summary = escaped(&report.summary);
    writeln!(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>")?;
    writeln!(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>")?;
    writeln!(page, "<meta name=\"color-scheme\" content=\"light dark\"/>")?;
    writeln!(page, "<title>{}: {summary}</title>", escaped(&report.agent))?;
    writeln!(page, "<style>\n{STYLE}</style>\n</head>")?;
    writeln!(
        page,
        "<body style=\"margin:0;padding:16px;background:#ffffff;color:#1f2328;{FONT};font-size:15px;line-height:1.45\">"
    )?;
    writeln!(page, "<main style=\"max-width:960px;margin:0 auto\">")?;
    head(report, page, &summary)?;
    blockers(page, "Blockers", &report.blockers, true)?;
    jobs(report, page)?;
    beats(report, page)?;
    runs(report, page)?;
    let paused = report.paused.iter().map(|paused| format!("<b>{}</b> {}", paused.job, escaped(&words::pause(paused))));
    list(page, "Paused", paused)?;
    list(page, "Outages", report.outages.iter().map(|outage| escaped(&words::outage(outage))))?;
    list(page, "Open alerts", report.alerts.iter().map(|alert| escaped(&words::alert(alert))))?;
    blockers(page, "Remarks", &report.remarks, false)?;
    list(page, "What this report could not find out", report.gaps.iter().map(|gap| escaped(gap)))?;
    writeln!(page, "</main>\n</body>\n</html>")
}

fn head(report: &Report, page: &mut String, summary: &str) -> fmt::Result {
    let (class, colours, word) = if report.clean {
        ("good", "background:#e6f4ea;color:#0b4f22;border-left:6px solid #1a7f37", "+ all well")
    } else {
        ("bad", "background:#ffebe9;color:#82071e;border-left:6px solid #cf222e", "! needs you")
    };
    writeln!(page, "<header class=\"banner {class}\" style=\"{colours};padding:12px 16px;border-radius:6px\">")?;
    writeln!(page, "<div style=\"font-size:13px;font-weight:600\">{word}</div>")?;
    writeln!(
        page,
        "<h1 style=\"font-size:20px;line-height:1.3;margin:2px 0 0 0;overflow-wrap:anywhere\">{summary}</h1>\n</header>"
    )?;
    writeln!(
        page,
        "<p class=\"muted\" style=\"{MUTED};margin:12px 0;overflow-wrap:anywhere\"><b>{}</b> on {}<br/>from {} to {}<br/><b>{}</b>: {}</p>",
        escaped(&report.agent),
        escaped(&report.home),
        time(&report.since),
        time(&report.until),
        report.verdict.word(),
        escaped(&report.verdict_summary)
    )
}

fn blockers(page: &mut String, title: &str, blockers: &[Blocker], pressing: bool) -> fmt::Result {
    if blockers.is_empty() {
        return Ok(());
    }
    heading(page, title)?;
    writeln!(page, "<ul style=\"margin:0;padding:0;list-style:none\">")?;
    let (class, edge) = if pressing { ("blocker", "#cf222e") } else { ("remark", "#9a6700") };
    for blocker in blockers.iter().take(LISTED) {
        let (what, hint) = (escaped(&blocker.what), escaped(&blocker.hint));
        let style =
            format!("border-left:4px solid {edge};padding:2px 0 2px 12px;margin:0 0 10px 0;overflow-wrap:anywhere");
        writeln!(page, "<li class=\"{class}\" style=\"{style}\"><b>{what}</b>")?;
        writeln!(page, "<div class=\"muted\" style=\"{MUTED}\">hint: {hint}</div></li>")?;
    }
    writeln!(page, "</ul>")?;
    more(page, words::more(blockers.len()))
}

fn jobs(report: &Report, page: &mut String) -> fmt::Result {
    if report.jobs.is_empty() {
        return heading(page, "No jobs");
    }
    heading(page, "Jobs")?;
    table(page, &["Job", "State", "Runs", "Last run", "Next"])?;
    let (jobs, unwell, well) = words::listed(&report.jobs);
    for job in jobs {
        let took = job.longest_ms.map(|took| format!("longest {}", words::length(took)));
        let name = job.name.as_deref().filter(|name| *name != job.job.as_str()).map(escaped);
        writeln!(page, "<tr>")?;
        writeln!(page, "<th scope=\"row\" style=\"{CELL};overflow-wrap:anywhere\">{}{}</th>", job.job, second(name))?;
        cell(page, "State", &badge(job.well, job.state))?;
        cell(page, "Runs", &format!("{}{}", words::counts(&job.counts), second(took)))?;
        cell(page, "Last run", &last(job))?;
        cell(page, "Next", &job.next.as_deref().map_or_else(|| "none".into(), time))?;
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</tbody>\n</table>")?;
    words::folded(unwell, well).into_iter().try_for_each(|line| more(page, Some(line)))
}

fn beats(report: &Report, page: &mut String) -> fmt::Result {
    if report.heartbeats.is_empty() {
        return Ok(());
    }
    heading(page, "Heartbeats")?;
    table(page, &["Heartbeat", "State", "Age"])?;
    for beat in report.heartbeats.iter().take(LISTED) {
        writeln!(page, "<tr>\n<th scope=\"row\" style=\"{CELL};overflow-wrap:anywhere\">{}</th>", escaped(&beat.name))?;
        cell(page, "State", &badge(beat.well, beat.state))?;
        cell(page, "Age", &escaped(&words::beat(beat)))?;
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</tbody>\n</table>")?;
    more(page, words::more(report.heartbeats.len()))
}

fn runs(report: &Report, page: &mut String) -> fmt::Result {
    let longest = words::longest(report).map(|longest| format!("longest: {longest}"));
    let next = format!("next: {}", words::next(report).unwrap_or_else(|| "nothing".into()));
    list(
        page,
        "Runs",
        [Some(words::totals(report)), longest, Some(next)].into_iter().flatten().collect::<Vec<_>>().into_iter(),
    )
}

fn heading(page: &mut String, title: &str) -> fmt::Result {
    writeln!(page, "<h2 style=\"font-size:17px;margin:24px 0 8px 0\">{title}</h2>")
}

fn table(page: &mut String, columns: &[&str]) -> fmt::Result {
    writeln!(page, "<table style=\"width:100%;border-collapse:collapse;font-size:14px\">\n<thead><tr>")?;
    for column in columns {
        writeln!(page, "<th scope=\"col\" class=\"muted\" style=\"{CELL};{MUTED};font-size:13px\">{column}</th>")?;
    }
    writeln!(page, "</tr></thead>\n<tbody>")
}

/// On a narrow screen the label stands beside the cell, where the head of the table is gone.
fn cell(page: &mut String, label: &str, inside: &str) -> fmt::Result {
    writeln!(page, "<td data-label=\"{label}\" style=\"{CELL};overflow-wrap:anywhere\">{inside}</td>")
}

fn list(page: &mut String, title: &str, lines: impl ExactSizeIterator<Item = String>) -> fmt::Result {
    let all = lines.len();
    if all == 0 {
        return Ok(());
    }
    heading(page, title)?;
    writeln!(page, "<ul style=\"margin:0;padding-left:20px;overflow-wrap:anywhere\">")?;
    for line in lines.take(LISTED) {
        writeln!(page, "<li>{line}</li>")?;
    }
    writeln!(page, "</ul>")?;
    more(page, words::more(all))
}

fn more(page: &mut String, line: Option<String>) -> fmt::Result {
    let line = line.map(|line| escaped(&line));
    line.map_or(Ok(()), |line| writeln!(page, "<p class=\"muted\" style=\"{MUTED}\">{line}</p>"))
}

/// How something is doing: a sign, a word, and a colour that says the same.
fn badge(well: bool, state: &str) -> String {
    let (class, sign, colours) = match (well, state) {
        (false, _) => ("bad", "-", "background:#ffebe9;color:#82071e"),
        (true, "paused" | "disabled" | "acknowledged" | "waiting") => {
            ("quiet", "+", "background:#eaeef2;color:#424a53")
        }
        (true, _) => ("good", "+", "background:#e6f4ea;color:#0b4f22"),
    };
    let style =
        format!("{colours};padding:1px 8px;border-radius:10px;font-size:13px;font-weight:600;white-space:nowrap");
    format!("<span class=\"badge {class}\" style=\"{style}\">{sign} {state}</span>")
}

fn last(job: &JobLine) -> String {
    let Some(last) = &job.last else { return "none".into() };
    let why = last.why.as_ref().map_or_else(String::new, |why| format!(": {}", escaped(why)));
    format!("{}{why}{}", last.result.replace('_', " "), second(Some(time(&last.at))))
}

/// A second, fainter line of a cell.
fn second(inside: Option<String>) -> String {
    inside.map_or_else(String::new, |inside| {
        format!("<div class=\"muted\" style=\"{MUTED};font-size:13px;font-weight:400\">{inside}</div>")
    })
}

/// An instant for people, and for programs beside it.
fn time(at: &str) -> String {
    let (at, shown) = (escaped(at), at.replacen('T', " ", 1));
    let offset = shown.rfind(['+', '-']).filter(|place| *place > 10);
    let shown = offset.map_or_else(|| shown.clone(), |place| format!("{} {}", &shown[..place], &shown[place..]));
    format!("<time datetime=\"{at}\" style=\"white-space:nowrap\">{}</time>", escaped(&shown))
}

/// What is said, and nothing that HTML would make of it.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in flat(text).chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not in XML, nor in HTML.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}
