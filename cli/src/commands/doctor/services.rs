//! Rows about what starts the daemon, what else fires jobs, which machine this is, and the verdict.

use scheduler_core::liveness::{Verdict, VerdictKind};

use super::row::Row;

/// What runs on the machine beside sched, and how sched itself does.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) verdict: Verdict,
    /// The daemon of the home, if it runs.
    pub(super) daemon: Option<u32>,
    /// Whether systemd manages the machine.
    pub(super) systemd: bool,
    /// The daemon's control group in `/proc`, if it may be looked at.
    pub(super) cgroup: Option<String>,
    /// Other cron daemons: names and pids; `None` if processes can't be looked at.
    pub(super) crons: Option<Vec<(String, u32)>>,
    pub(super) machine_id: Option<String>,
}

pub(super) fn rows(services: &Services) -> Vec<Row> {
    vec![systemd(services), cron(services), machine(services), daemon(services)]
}

fn systemd(services: &Services) -> Row {
    const CHECK: &str = "systemd";
    const FIX: &str = "make a unit for it, so that it is started with the machine and after a crash";
    let unit = services.cgroup.as_deref().and_then(unit);
    match (services.systemd, services.daemon, unit) {
        (false, ..) => Row::info(CHECK, "it doesn't manage this machine: see that something else starts the daemon"),
        (true, None, _) => {
            Row::info(CHECK, "it manages this machine; the daemon doesn't run, so its unit can't be told")
        }
        (true, Some(pid), Some(unit)) => Row::ok(CHECK, format!("the daemon (pid {pid}) is in {unit}")),
        (true, Some(pid), None) if services.cgroup.is_none() => {
            Row::unknown(CHECK, format!("the control group of the daemon (pid {pid}) may not be looked at"))
        }
        (true, Some(pid), None) => {
            Row::warn(CHECK, format!("the daemon (pid {pid}) is in no unit: nothing starts it again"), FIX)
        }
    }
}

/// The service in the text of `/proc/PID/cgroup`; that of a login (`user@1000.service` alone) is none.
fn unit(cgroup: &str) -> Option<&str> {
    let parts = cgroup.lines().filter_map(|line| line.rsplit(':').next()).flat_map(|path| path.rsplit('/'));
    parts.into_iter().find(|part| part.ends_with(".service") && !part.starts_with("user@"))
}

fn cron(services: &Services) -> Row {
    const CHECK: &str = "other crons";
    match services.crons.as_deref() {
        None => Row::unknown(CHECK, "processes can't be looked at"),
        Some([]) => Row::ok(CHECK, "none runs here"),
        Some(crons) => {
            let names: Vec<String> = crons.iter().map(|(name, pid)| format!("{name} (pid {pid})")).collect();
            Row::info(CHECK, format!("{}: a job that is in its tables and in sched fires twice", names.join(", ")))
        }
    }
}

fn machine(services: &Services) -> Row {
    const CHECK: &str = "machine id";
    match &services.machine_id {
        Some(id) => Row::ok(CHECK, id),
        None => Row::warn(
            CHECK,
            "/etc/machine-id is missing or empty: a copy of the home on another machine can't be told from this one",
            "systemd-machine-id-setup, or: dbus-uuidgen --ensure=/etc/machine-id",
        ),
    }
}

fn daemon(services: &Services) -> Row {
    const CHECK: &str = "daemon";
    let Verdict { kind, summary, problems, .. } = &services.verdict;
    let detail = format!("{}: {summary}", kind.word());
    let hint = problems.first().map_or_else(|| "see `sched status`".to_owned(), |problem| problem.hint.clone());
    match kind {
        VerdictKind::Live | VerdictKind::External | VerdictKind::Standby => Row::ok(CHECK, detail),
        VerdictKind::Starting | VerdictKind::Draining => Row::info(CHECK, detail),
        // Nothing is broken when nothing is meant to run; whether it fires is `status`'s to say.
        VerdictKind::Stopped | VerdictKind::Degraded => Row::warn(CHECK, detail, hint),
        _ => Row::bad(CHECK, detail, hint),
    }
}

#[cfg(test)]
mod tests {
    use scheduler_core::liveness::{Facts, verdict};

    use super::{super::row::shown, *};

    /// With the verdict on a home that is there and was never run.
    fn services() -> Services {
        let mut facts = Facts::default();
        facts.home_exists = true;
        Services {
            verdict: verdict(&facts),
            daemon: Some(9),
            systemd: true,
            cgroup: Some("0::/system.slice/sched.service\n".into()),
            crons: Some(Vec::new()),
            machine_id: Some("0123".into()),
        }
    }

    #[track_caller]
    fn check(check: fn(&Services) -> Row, change: impl FnOnce(&mut Services), expected: &str) {
        let mut services = services();
        change(&mut services);
        let row = shown(&check(&services));
        assert!(row.starts_with(expected), "{row}\nis not\n{expected}");
        assert_eq!(row.ends_with(']'), row.starts_with("bad") || row.starts_with("warn"), "{row}");
    }

    #[test]
    fn what_starts_the_daemon() {
        check(systemd, |_| {}, "ok systemd: the daemon (pid 9) is in sched.service");
        let login = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n";
        check(systemd, |s| s.cgroup = Some(login.into()), "warn systemd: the daemon (pid 9) is in no unit");
        let own = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/sched.service\n";
        check(systemd, |s| s.cgroup = Some(own.into()), "ok systemd: the daemon (pid 9) is in sched.service");
        check(systemd, |s| s.cgroup = Some("9:name=systemd:/\n0::/\n".into()), "warn systemd: the daemon (pid 9) is");
        check(systemd, |s| s.cgroup = None, "unknown systemd: can't know: the control group");
        check(systemd, |s| s.daemon = None, "info systemd: it manages this machine; the daemon doesn't run");
        check(systemd, |s| s.systemd = false, "info systemd: it doesn't manage this machine");
    }

    #[test]
    fn what_else_is_there() {
        check(cron, |_| {}, "ok other crons: none runs here");
        check(cron, |s| s.crons = Some(vec![("crond".into(), 5)]), "info other crons: crond (pid 5): a job that is in");
        check(cron, |s| s.crons = None, "unknown other crons: can't know");
        check(machine, |_| {}, "ok machine id: 0123");
        check(machine, |s| s.machine_id = None, "warn machine id: /etc/machine-id is missing");
    }

    #[test]
    fn the_verdict_is_told_and_alarms_only_if_something_broke() {
        check(daemon, |_| {}, "warn daemon: STOPPED: ");
        for (kind, expected) in [
            (VerdictKind::Live, "ok daemon: LIVE: "),
            (VerdictKind::Standby, "ok daemon: STANDBY: "),
            (VerdictKind::External, "ok daemon: EXTERNAL: "),
            (VerdictKind::Starting, "info daemon: STARTING: "),
            (VerdictKind::Draining, "info daemon: DRAINING: "),
            (VerdictKind::Degraded, "warn daemon: DEGRADED: "),
            (VerdictKind::Crashed, "bad daemon: CRASHED: "),
            (VerdictKind::Stalled, "bad daemon: STALLED: "),
            (VerdictKind::Failing, "bad daemon: FAILING: "),
            (VerdictKind::Unknown, "bad daemon: UNKNOWN: "),
        ] {
            check(daemon, |s| s.verdict.kind = kind, expected);
        }
    }
}
