//! Is a process there? By its pid in a file, or by its command line.

use std::{fs, io, path::Path, time::Duration};

use scheduler_core::{Error, config::checks::Process};

use super::Found;

/// Ticks of a clock in a second, as `/proc` counts them.
const TICKS: u64 = 100;

/// How long after its process began a pid file can have been written by the same clock.
const SLACK: i128 = 5;

/// A process, as `/proc` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    pid: u32,
    parent: u32,
    /// `R`unning, `S`leeping, `Z`ombie...
    state: char,
    /// When it began, in seconds since 1970.
    began: i128,
    command: String,
}

/// A pid file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PidFile {
    pid: u32,
    /// When it was written, in seconds since 1970.
    written: i128,
}

pub(super) fn look(check: &Process) -> Found {
    let pidfile = match check.pidfile.as_deref().map(|path| (path, read_pidfile(path))) {
        None => None,
        Some((_, Ok(pidfile))) => Some(pidfile),
        Some((path, Err(why))) => {
            return Found::bad(why, format!("see whether the process runs, and writes {}", path.display()));
        }
    };
    match table() {
        Ok(table) => judge(check, pidfile.as_ref(), &table, std::process::id()),
        Err(error) => Found::unknown(Error::io("/proc", error).to_string(), "mount /proc where the watchdog runs"),
    }
}

/// Whether `check` finds its process in `table`, asked by the process `me`.
fn judge(check: &Process, pidfile: Option<&PidFile>, table: &[Seen], me: u32) -> Found {
    let matches = |seen: &Seen| check.pattern.as_ref().is_none_or(|pattern| seen.command.contains(pattern.as_str()));
    let Some(PidFile { pid, written }) = pidfile else {
        let pattern = check.pattern.as_deref().unwrap_or_default();
        // Whoever started the watchdog may have the pattern in its own command line: a shell, a line of a crontab.
        let own = line_of_descent(table, me);
        let found: Vec<u32> = table
            .iter()
            .filter(|seen| !matches!(seen.state, 'Z' | 'X') && !own.contains(&seen.pid) && matches(seen))
            .map(|seen| seen.pid)
            .collect();
        return match found.as_slice() {
            [] => Found::bad(format!("no process has `{pattern}` in its command line"), "start it"),
            [pid] => Found::ok(format!("pid {pid}")),
            [pid, rest @ ..] => Found::ok(format!("pid {pid}, and {} more", rest.len())),
        };
    };
    match table.iter().find(|seen| seen.pid == *pid) {
        None => Found::bad(format!("pid {pid} is gone"), "start it again"),
        Some(seen) if matches!(seen.state, 'Z' | 'X') => {
            Found::bad(format!("pid {pid} is dead, and nobody has taken note of it"), "see what its parent does")
        }
        Some(seen) if !matches(seen) => {
            let what = format!("pid {pid} belongs to another process now: {}", short(&seen.command));
            Found::bad(what, "start it again")
        }
        // Clocks are set, names are not: with a pattern, only that counts.
        Some(seen) if check.pattern.is_none() && seen.began > written + SLACK => {
            let what = format!("pid {pid} was used again: {} began after the file was written", short(&seen.command));
            Found::bad(what, "start it again; if the clock was set since, give a `pattern` too")
        }
        Some(_) => Found::ok(format!("pid {pid}")),
    }
}

/// `me`, and all that it descends from.
fn line_of_descent(table: &[Seen], me: u32) -> Vec<u32> {
    let mut line = vec![me];
    while let Some(seen) = table.iter().find(|seen| Some(&seen.pid) == line.last()) {
        // Read one after the other, the entries need not fit each other.
        if seen.parent == 0 || line.contains(&seen.parent) {
            break;
        }
        line.push(seen.parent);
    }
    line
}

fn short(command: &str) -> String {
    let cut: String = command.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("`{}`", cut.trim_end())
}

fn read_pidfile(path: &Path) -> Result<PidFile, String> {
    let shown = path.display();
    let failed = |error: io::Error| Error::io(format!("cannot read {shown}"), error).to_string();
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let pid = text.split_ascii_whitespace().next().and_then(|word| word.parse().ok()).filter(|pid| *pid > 0);
    let pid = pid.ok_or_else(|| format!("there is no pid in {shown}"))?;
    let since = metadata.modified().map_err(failed)?.duration_since(std::time::UNIX_EPOCH);
    Ok(PidFile { pid, written: since.unwrap_or(Duration::ZERO).as_secs().into() })
}

fn table() -> io::Result<Vec<Seen>> {
    let booted = fs::read_to_string("/proc/stat")?;
    let booted = booted.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok()).unwrap_or(0);
    let pids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // A process that ends while it is read is gone.
    Ok(pids.filter_map(|pid| seen(pid, booted)).collect())
}

fn seen(pid: u32, booted: u64) -> Option<Seen> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name may hold anything, even `) R 1`: the rest starts after the last parenthesis.
    let (head, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let began: u64 = fields.nth(17)?.parse().ok()?;
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&words).replace('\0', " ").trim_end().to_owned();
    // Of a thread of the kernel there is only its name.
    let command = if command.is_empty() { head.split_once('(')?.1.to_owned() } else { command };
    Some(Seen { pid, parent, state, began: i128::from(booted + began / TICKS), command })
}

#[cfg(test)]
mod tests {
    use super::{super::row::shown, *};

    fn process(pid: u32, parent: u32, command: &str) -> Seen {
        Seen { pid, parent, state: 'S', began: 1000, command: command.into() }
    }

    #[test]
    fn a_pattern_finds_others_and_never_who_asks() {
        let table = [
            process(1, 0, "init think"),
            process(10, 1, "sh -c sched watchdog # think"),
            process(11, 10, "sched watchdog think"),
            process(20, 1, "python3 think.py"),
            process(21, 20, "python3 think.py --child"),
            Seen { state: 'Z', ..process(30, 1, "dead-one") },
        ];
        let check = |pattern: &str, table: &[Seen], expected: &str| {
            let asked = Process::new("a", None, Some(pattern.into()));
            let found = shown(&judge(&asked, None, table, 11));
            assert!(found.starts_with(expected), "{found}");
        };
        check("think", &table, "ok pid 20, and 1 more");
        check("--child", &table, "ok pid 21");
        check("think", &table[..3], "bad no process has `think` in its command line [start it]");
        check("dead-one", &table, "bad no process");
    }

    #[test]
    fn a_pid_file_means_its_own_process_only() {
        let table = [
            process(20, 1, "api --serve"),
            Seen { state: 'Z', ..process(21, 1, "api") },
            Seen { began: 2000, ..process(22, 1, "other") },
        ];
        let check = |pid: u32, pattern: Option<&str>, expected: &str| {
            let asked = Process::new("a", Some("/run/a.pid".into()), pattern.map(str::to_owned));
            let found = shown(&judge(&asked, Some(&PidFile { pid, written: 1500 }), &table, 20));
            assert!(found.starts_with(expected), "{found}");
        };
        check(20, None, "ok pid 20");
        check(20, Some("--serve"), "ok pid 20");
        check(20, Some("think"), "bad pid 20 belongs to another process now: `api --serve`");
        check(21, None, "bad pid 21 is dead");
        check(22, None, "bad pid 22 was used again: `other` began after");
        check(22, Some("other"), "ok pid 22");
        check(23, None, "bad pid 23 is gone [start it again]");
    }

    #[test]
    fn this_process_is_read_as_it_is() {
        let table = table().unwrap();
        let me = table.iter().find(|seen| seen.pid == std::process::id()).unwrap();
        assert!(me.command.contains("sched_monitor") && me.began > 1_000_000_000, "{me:?}");
        assert_eq!(line_of_descent(&table, me.pid)[1], me.parent);
    }
}
