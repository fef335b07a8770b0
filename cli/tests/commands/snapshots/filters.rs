//! What differs from one run to the next, and what stands in its place in a snapshot.

use std::path::Path;

use regex::Regex;

/// What is looked for, and what is put there instead; in this order.
const REPLACEMENTS: [(&str, &str); 12] = [
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "[TIME]"),
    // Nine letters of time, of which the first stays the same for decades, and six of chance.
    (r"\b1[0-9a-hjkmnp-tv-z]{14}\b", "[RUN]"),
    (r"\bin \d+ (s|min|h|days|years)\b|\b\d+ (s|min|h|days|years) ago\b", "[WHEN]"),
    (r"\bin \d+[hmsd]( \d+[hms])*|\b\d+[hmsd]( \d+[hms])* ago", "[WHEN]"),
    (r"\(now\)", "([WHEN])"),
    (r"\b(succeeded|failed|failed \(exit \d+\)) now\b", "$1 [WHEN]"),
    (r"\b\d+ ms\b|\b\d+\.\d s\b", "[TOOK]"),
    (r#"("(took_ms|longest_ms|age_s|user_us|system_us|max_rss_kib)": )\d+"#, "$1[NUMBER]"),
    // A report begins with the name of the machine.
    (r#"("agent": ")[^"]+(",\n  "home")"#, "$1[AGENT]$2"),
    (r"(?m)^\S+( on \S*/home)$", "[AGENT]$1"),
    // Which of the runs of a session took longest is chance.
    (r#"(longest: |"longest": \{\s+"job": ")[a-z]+"#, "$1[JOB]"),
    // Columns are as wide as what stands in them.
    (r"(\S)  +", "$1  "),
];

pub(super) struct Filters(Vec<(Regex, &'static str)>);

impl Filters {
    pub(super) fn new() -> Self {
        let compiled = |(pattern, instead): (&str, &'static str)| (Regex::new(pattern).unwrap(), instead);
        Self(REPLACEMENTS.into_iter().map(compiled).collect())
    }

    /// `text` as it would have been printed at any other time, in any other folders.
    pub(super) fn apply(&self, text: &str, folders: &[&Path]) -> String {
        let named = |text: String, folder: &&Path| text.replace(&folder.display().to_string(), "[DIR]");
        let text = folders.iter().fold(text.to_owned(), named);
        let text = text.replace(env!("CARGO_BIN_EXE_sched"), "[SCHED]").replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        self.0.iter().fold(text, |text, (pattern, instead)| pattern.replace_all(&text, *instead).into_owned())
    }
}

#[test]
fn what_differs_is_taken_out_and_nothing_else() {
    let filters = Filters::new();
    let check = |text: &str, expected: &str| assert_eq!(filters.apply(text, &[Path::new("/tmp/x")]), expected);
    check("made /tmp/x/home", "made [DIR]/home");
    check("at 2026-11-22T04:34:45.5Z (1s ago)", "at [TIME] ([WHEN])");
    check("2026-11-23T02:30:00+01:00 (in 22 h)  ok", "[TIME] ([WHEN])  ok");
    check("2026-11-22T04:34:45+01:00 (now)        backup", "[TIME] ([WHEN])  backup");
    check("run 1m80n4457pp0yjz of job `disk`: succeeded now\nx", "run [RUN] of job `disk`: succeeded [WHEN]\nx");
    check("took 3 ms, 1.2 s, \"took_ms\": 12", "took [TOOK], [TOOK], \"took_ms\": [NUMBER]");
    check("  fire  Run a job now", "  fire  Run a job now");
    check("to run that job now: sched fire", "to run that job now: sched fire");
    check("4 jobs, exit 3, line 2, column 13", "4 jobs, exit 3, line 2, column 13");
    check("  \"b\": 1", "  \"b\": 1");
}
