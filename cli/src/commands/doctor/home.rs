//! Rows about the home: who may do what in it, and what lies about there.

use std::path::PathBuf;

use scheduler_core::size;

use super::row::Row;

/// A home folder as it lies there.
#[derive(Debug, Clone)]
pub(super) struct HomeFolder {
    pub(super) path: PathBuf,
    /// Permission bits and owner; `None` if it may not be looked at.
    pub(super) mode: Option<u32>,
    pub(super) uid: Option<u32>,
    /// Whether the names in `state` may be looked at.
    pub(super) state_is_open: bool,
    /// Who asks.
    pub(super) me: u32,
    /// Files in it that belong to somebody else than the home does.
    pub(super) of_others: Vec<String>,
    /// Files in it that anybody else may write.
    pub(super) open_to_others: Vec<String>,
    /// The current generation and its size.
    pub(super) journal: Option<(u64, u64)>,
    /// Journals of generations before.
    pub(super) old_journals: Vec<String>,
    /// `jobs.json.bak.N`.
    pub(super) backups: usize,
    /// What a command that died left half written.
    pub(super) half_written: Vec<String>,
}

/// A journal beyond this takes seconds to read, which every start and every command does.
const LARGE: u64 = 256 << 20;

pub(super) fn rows(home: &HomeFolder) -> Vec<Row> {
    vec![permissions(home), owner(home), journal(home), leftovers(home)]
}

fn permissions(home: &HomeFolder) -> Row {
    const CHECK: &str = "permissions";
    let path = home.path.display();
    let Some(mode) = home.mode.map(|mode| mode & 0o7777) else {
        return Row::unknown(CHECK, format!("{path} may not be looked at"));
    };
    if mode & 0o022 != 0 {
        let detail = format!("mode {mode:04o}: others may write into {path}, and so run commands as you");
        return Row::bad(CHECK, detail, format!("chmod 700 {path}"));
    }
    if !home.open_to_others.is_empty() {
        let names = home.open_to_others.join(" ");
        let detail = format!("others may write {names}, and so run commands as you");
        return Row::bad(CHECK, detail, format!("cd {path} && chmod go-w {names}"));
    }
    if mode & 0o700 != 0o700 {
        let detail = format!("mode {mode:04o}: its owner may not do everything in {path}");
        return Row::bad(CHECK, detail, format!("chmod 700 {path}"));
    }
    if mode & 0o077 != 0 {
        let detail = format!("mode {mode:04o}: others may look at environments and output of jobs");
        return Row::warn(CHECK, detail, format!("chmod 700 {path}"));
    }
    Row::ok(CHECK, format!("mode {mode:04o}: nobody else gets in"))
}

fn owner(home: &HomeFolder) -> Row {
    const CHECK: &str = "owner";
    let (path, me) = (home.path.display(), home.me);
    match home.uid {
        None => Row::unknown(CHECK, format!("{path} may not be looked at")),
        Some(uid) if uid != me && me == 0 => Row::warn(
            CHECK,
            format!("{path} belongs to uid {uid}, and this is root: a daemon of root runs its jobs as root"),
            "run sched as the owner, or give the home to root",
        ),
        Some(uid) if uid != me => {
            let detail = format!("{path} belongs to uid {uid}, and this is uid {me}");
            Row::bad(CHECK, detail, format!("run sched as uid {uid}, or: chown -R {me} {path}"))
        }
        Some(uid) if !home.of_others.is_empty() => {
            let names = home.of_others.join(", ");
            let detail = format!("the home belongs to uid {uid}, but somebody else owns {names}");
            Row::bad(CHECK, detail, format!("chown -R {uid} {path}"))
        }
        Some(uid) if !home.state_is_open => {
            Row::unknown(CHECK, format!("uid {uid} asks and owns it, but can't look into `state`"))
        }
        Some(uid) => Row::ok(CHECK, format!("uid {uid}, who asks; all files in it too")),
    }
}

fn journal(home: &HomeFolder) -> Row {
    const CHECK: &str = "journal";
    match home.journal {
        None => Row::unknown(CHECK, "there is none yet, or it may not be looked at"),
        Some((generation, bytes)) => {
            let detail = format!("state/journal.{generation}, {}", size::format(bytes));
            if bytes <= LARGE {
                return Row::ok(CHECK, detail);
            }
            let fix = "a daemon or `sched tick` compacts it; `sched status` says why if it can't";
            Row::warn(CHECK, format!("{detail}: reading it takes long, and every start reads all of it"), fix)
        }
    }
}

fn leftovers(home: &HomeFolder) -> Row {
    const CHECK: &str = "leftovers";
    if !home.old_journals.is_empty() {
        let names = home.old_journals.join(", ");
        let detail = format!("{names} of a generation before: a sync failed, or a compaction was cut short");
        let fix = "look at the kernel's log for errors of the disk; the next compaction removes it";
        return Row::warn(CHECK, detail, fix);
    }
    if !home.half_written.is_empty() {
        let names = home.half_written.join(", ");
        let fix = "remove it if no sched command is running";
        return Row::warn(CHECK, format!("{names}: left by a command that died"), fix);
    }
    match home.backups {
        _ if !home.state_is_open => Row::unknown(CHECK, "`state` isn't there, or may not be looked at"),
        0 => Row::ok(CHECK, "none"),
        1 => Row::info(CHECK, "jobs.json.bak.1: jobs.json before the last command that changed it"),
        count => Row::info(CHECK, format!("jobs.json.bak.1 to .{count}: jobs.json before commands changed it")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::row::shown, *};

    fn fine() -> HomeFolder {
        HomeFolder {
            path: "/h".into(),
            mode: Some(0o40700),
            uid: Some(7),
            state_is_open: true,
            me: 7,
            of_others: Vec::new(),
            open_to_others: Vec::new(),
            journal: Some((1, 2048)),
            old_journals: Vec::new(),
            backups: 0,
            half_written: Vec::new(),
        }
    }

    #[track_caller]
    fn check(check: fn(&HomeFolder) -> Row, change: impl FnOnce(&mut HomeFolder), expected: &str) {
        let mut home = fine();
        change(&mut home);
        assert_eq!(shown(&check(&home)), expected);
    }

    #[test]
    fn who_may_get_in() {
        check(permissions, |_| {}, "ok permissions: mode 0700: nobody else gets in");
        check(
            permissions,
            |h| h.mode = Some(0o750),
            "warn permissions: mode 0750: others may look at environments and output of jobs [chmod 700 /h]",
        );
        for mode in [0o770, 0o702] {
            let expected = format!(
                "bad permissions: mode {mode:04o}: others may write into /h, and so run commands as you [chmod 700 /h]"
            );
            check(permissions, |h| h.mode = Some(mode), &expected);
        }
        check(
            permissions,
            |h| h.mode = Some(0o500),
            "bad permissions: mode 0500: its owner may not do everything in /h [chmod 700 /h]",
        );
        check(
            permissions,
            |h| h.open_to_others = vec!["jobs.json".into()],
            "bad permissions: others may write jobs.json, and so run commands as you [cd /h && chmod go-w jobs.json]",
        );
        check(permissions, |h| h.mode = None, "unknown permissions: can't know: /h may not be looked at");
    }

    #[test]
    fn whose_it_is() {
        check(owner, |_| {}, "ok owner: uid 7, who asks; all files in it too");
        check(
            owner,
            |h| h.me = 8,
            "bad owner: /h belongs to uid 7, and this is uid 8 [run sched as uid 7, or: chown -R 8 /h]",
        );
        check(
            owner,
            |h| h.me = 0,
            "warn owner: /h belongs to uid 7, and this is root: a daemon of root runs its jobs as root \
             [run sched as the owner, or give the home to root]",
        );
        check(
            owner,
            |h| h.of_others = vec!["jobs.json".into(), "state/lock".into()],
            "bad owner: the home belongs to uid 7, but somebody else owns jobs.json, state/lock [chown -R 7 /h]",
        );
        check(
            owner,
            |h| h.state_is_open = false,
            "unknown owner: can't know: uid 7 asks and owns it, but can't look into `state`",
        );
        check(owner, |h| h.uid = None, "unknown owner: can't know: /h may not be looked at");
    }

    #[test]
    fn what_lies_about() {
        check(journal, |_| {}, "ok journal: state/journal.1, 2 KiB");
        check(
            journal,
            |h| h.journal = Some((2, 1 << 30)),
            "warn journal: state/journal.2, 1 GiB: reading it takes long, and every start reads all of it [a \
             daemon or `sched tick` compacts it; `sched status` says why if it can't]",
        );
        check(
            journal,
            |h| h.journal = None,
            "unknown journal: can't know: there is none yet, or it may not be looked at",
        );
        check(leftovers, |_| {}, "ok leftovers: none");
        check(
            leftovers,
            |h| h.state_is_open = false,
            "unknown leftovers: can't know: `state` isn't there, or may not be looked at",
        );
        check(
            leftovers,
            |h| h.backups = 3,
            "info leftovers: jobs.json.bak.1 to .3: jobs.json before commands changed it",
        );
        check(
            leftovers,
            |h| h.old_journals = vec!["state/journal.1".into()],
            "warn leftovers: state/journal.1 of a generation before: a sync failed, or a compaction was cut short \
             [look at the kernel's log for errors of the disk; the next compaction removes it]",
        );
        check(
            leftovers,
            |h| h.half_written = vec!["jobs.json.tmp".into()],
            "warn leftovers: jobs.json.tmp: left by a command that died [remove it if no sched command is running]",
        );
    }
}
