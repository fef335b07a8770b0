//! Rows about limits of the system on the process that runs jobs.

use super::row::Row;

/// The soft limits that count, and for how many runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    /// Whose they are: the daemon's, or those of this process, which one that is started from here would have.
    pub(super) whose: String,
    pub(super) files: Option<Limit>,
    pub(super) processes: Option<Limit>,
    pub(super) max_parallel: usize,
}

/// A limit; `None` is none.
type Limit = Option<u64>;

/// Open files beside those of runs: the store, locks, timers, the runtime.
const FILES: u64 = 64;
/// Open files for each run: the process's handle, its output, one more while it starts.
const FILES_OF_A_RUN: u64 = 3;
/// Processes beside those of runs: threads count, and other programs of the user.
const PROCESSES: u64 = 64;

pub(super) fn rows(limits: &Limits) -> Vec<Row> {
    let runs = limits.max_parallel as u64;
    let files = runs.saturating_mul(FILES_OF_A_RUN).saturating_add(FILES);
    let of_runs = format!("max_parallel is {}", limits.max_parallel);
    let raise = |option: &str, key: &str| {
        format!("`ulimit {option}` or {key}= of the unit raises it, or lower max_parallel in config.yaml")
    };
    vec![
        row("open files", limits.files, files, &limits.whose, &of_runs, &raise("-n", "LimitNOFILE")),
        row(
            "processes",
            limits.processes,
            runs.saturating_add(PROCESSES),
            &limits.whose,
            &of_runs,
            &raise("-u", "LimitNPROC"),
        ),
    ]
}

fn row(check: &'static str, limit: Option<Limit>, needed: u64, whose: &str, of_runs: &str, fix: &str) -> Row {
    match limit {
        None => Row::unknown(check, format!("the limits of {whose} may not be looked at")),
        Some(Some(limit)) if limit < needed => {
            let detail = format!("{limit} for {whose}, and {of_runs}: {needed} may be needed");
            Row::warn(check, detail, fix)
        }
        Some(Some(limit)) => Row::ok(check, format!("{limit} for {whose}, and {of_runs}")),
        Some(None) => Row::ok(check, format!("no limit for {whose}")),
    }
}

/// A soft limit in the text of `/proc/PID/limits`.
pub(super) fn soft(text: &str, name: &str) -> Option<Limit> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::row::shown, *};

    #[test]
    fn limits_are_compared_with_what_runs_may_need() {
        let check = |files: Option<Limit>, processes: Option<Limit>, expected: [&str; 2]| {
            let limits = Limits { whose: "this process".into(), files, processes, max_parallel: 256 };
            for (row, expected) in rows(&limits).iter().map(shown).zip(expected) {
                assert!(row.starts_with(expected), "{row}\nis not\n{expected}");
            }
        };
        check(
            Some(Some(1024)),
            Some(None),
            [
                "ok open files: 1024 for this process, and max_parallel is 256",
                "ok processes: no limit for this process",
            ],
        );
        check(
            Some(Some(256)),
            Some(Some(100)),
            [
                "warn open files: 256 for this process, and max_parallel is 256: 832 may be needed [`ulimit -n`",
                "warn processes: 100 for this process, and max_parallel is 256: 320 may be needed [`ulimit -u`",
            ],
        );
        check(None, None, ["unknown open files: can't know: the limits of this process", "unknown processes"]);
    }

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             unlimited            96365                processes \n\
                    Max open files            20000                20000                files     \n";
        assert_eq!(soft(text, "Max open files"), Some(Some(20000)));
        assert_eq!(soft(text, "Max processes"), Some(None));
        assert_eq!(soft(text, "Max locks"), None);
    }
}
