//! `sched service`: the daemon and its watchdog as units of systemd.
//!
//! `units` is their text, `files` where it lies, `systemctl` the service manager; this file puts them together.

mod files;
mod systemctl;
mod units;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use scheduler_core::{Error, ErrorKind, Home, config, vfs::RealFs};
use serde_json::{Value, json};

use self::{
    files::State,
    systemctl::Systemctl,
    units::{SYSTEM_HOME, Settings, Unit},
};
use super::Done;
use crate::{
    args::{ServiceCommand, ServiceInstallArgs, ServiceStatusArgs, ServiceUninstallArgs, WhichService},
    context::Context,
    exit,
    failure::Failure,
    output::Output,
    table::{Cell, Tone},
};

pub(crate) fn run(command: &ServiceCommand, context: &Context, out: &mut Output) -> Done {
    match command {
        ServiceCommand::Install(args) => install(args, context, out),
        ServiceCommand::Uninstall(args) => uninstall(args, context, out),
        ServiceCommand::Status(args) => status(args, context, out),
    }
}

/// The unit of systemd that keeps a daemon on `home` at work, if this machine has one that is ours; or the unit that this very
/// process is part of, if what it starts would be ended with it.
pub(super) fn keeps(home: &Home) -> Option<String> {
    if !Path::new("/run/systemd/system").is_dir() {
        return None;
    }
    let folders = [Some(PathBuf::from("/etc/systemd/system")), user_folder().ok()];
    let units = folders.into_iter().flatten().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let ours = units.filter_map(|unit| {
        let text = fs::read_to_string(unit.path()).ok()?;
        units::runs(&text, home.path()).then(|| unit.file_name().to_string_lossy().into_owned())
    });
    let own = || {
        let cgroup = fs::read_to_string("/proc/self/cgroup").ok()?;
        let unit = cgroup.trim().rsplit('/').next()?;
        unit.ends_with("-watchdog.service").then(|| unit.replace("-watchdog.service", ".service"))
    };
    ours.min().or_else(own)
}

/// A service that is there, or to be there.
struct Service {
    units: Vec<Unit>,
    folder: PathBuf,
    systemctl: Systemctl,
    /// Why systemd isn't asked for anything, if it isn't.
    unmanaged: Option<&'static str>,
    home: Home,
}

impl Service {
    fn of(which: &WhichService, run_as: Option<&str>, context: &Context) -> Result<Self, Failure> {
        let home = if which.user || context.names_a_home() { context.home()? } else { Home::new(SYSTEM_HOME) };
        Self::on(home, which, run_as)
    }

    /// The one that is there: unless somebody names a home, that of its unit, which runs as whom its unit says.
    fn installed(which: &WhichService, context: &Context) -> Result<Self, Failure> {
        let asked = Self::of(which, None, context)?;
        let unit = fs::read_to_string(asked.folder.join(&asked.daemon().file)).ok();
        let Some((home, run_as)) = unit.as_deref().and_then(units::settings_of) else { return Ok(asked) };
        let home = if context.names_a_home() { asked.home } else { Home::new(home) };
        Self::on(home, which, run_as.as_deref())
    }

    fn on(home: Home, which: &WhichService, run_as: Option<&str>) -> Result<Self, Failure> {
        let program = env::current_exe().map_err(|error| Error::io("cannot find this program", error))?;
        let folder = match &which.unit_dir {
            Some(folder) => folder.clone(),
            None if which.user => user_folder()?,
            None => PathBuf::from("/etc/systemd/system"),
        };
        let settings = Settings {
            name: &which.name,
            program: &program,
            home: home.path(),
            user: which.user,
            run_as,
            drain: config::load(&RealFs, &home, false).config.drain_timeout,
        };
        let units = units::units(&settings);
        let systemctl = Systemctl { user: which.user };
        let unmanaged = match &which.unit_dir {
            Some(_) => Some("systemd may not read that folder"),
            None => (!systemctl.is_there()).then_some("systemd does not run here"),
        };
        Ok(Self { units, folder, systemctl, unmanaged, home })
    }

    /// The home of the unit that is there, if it is another one.
    fn other_home(&self) -> Option<PathBuf> {
        let unit = fs::read_to_string(self.folder.join(&self.daemon().file)).ok()?;
        units::settings_of(&unit).map(|(home, _)| home).filter(|home| home != self.home.path())
    }

    /// The unit of the daemon.
    fn daemon(&self) -> &Unit {
        &self.units[0]
    }

    /// The names of those that are started by themselves.
    fn enabled(&self) -> Vec<&str> {
        self.units.iter().filter(|unit| unit.enabled).map(|unit| unit.file.as_str()).collect()
    }

    fn states(&self) -> Result<Vec<(&Unit, State)>, Failure> {
        let state = |unit| Ok((unit, files::state(&self.folder, unit)?));
        self.units.iter().map(state).collect()
    }

    /// Refuses what is not ours to change.
    fn refuse_foreign(&self, states: &[(&Unit, State)], force: bool, ours: &[State]) -> Result<(), Failure> {
        match states.iter().find(|(_, state)| !force && !ours.contains(state) && *state != State::Missing) {
            None => Ok(()),
            Some((unit, State::Foreign)) => {
                let what = format!("{} was not written by sched", self.folder.join(&unit.file).display());
                Err(Failure::new(ErrorKind::Exists, what)
                    .hint("look at it; --force doesn't spare it, --name takes another"))
            }
            Some((unit, _)) => {
                let what = format!("{} is not what this build would write", self.folder.join(&unit.file).display());
                let hint = "it was changed, or is of another build: `sched service install --print` shows the new one; \
                            --force takes that, and changes of your own belong into `systemctl edit`";
                Err(Failure::new(ErrorKind::Exists, what).hint(hint))
            }
        }
    }
}

/// Whether the machine knows the user, also one that a directory in the network has.
fn account_exists(account: &str) -> bool {
    if account.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let asked = Command::new("getent").args(["passwd", account]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.map_or_else(
        |_| {
            let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
            known.lines().any(|line| line.split(':').next() == Some(account))
        },
        |status| status.success(),
    )
}

fn user_folder() -> Result<PathBuf, Failure> {
    let home = crate::env::home().ok_or_else(|| {
        Failure::new(ErrorKind::NotFound, "there is no saying where your units are: HOME is not set")
            .hint("give --unit-dir DIR, or set HOME")
    })?;
    Ok(home.join(".config/systemd/user"))
}

fn install(args: &ServiceInstallArgs, context: &Context, out: &mut Output) -> Done {
    let service = Service::of(&args.which, args.run_as.as_deref(), context)?;
    if args.print {
        return print(&service, out);
    }
    if let Some(account) = &args.run_as
        && !account_exists(account)
    {
        let what = format!("there is no user `{account}` on this machine");
        return Err(Failure::new(ErrorKind::NotFound, what)
            .hint(format!("make one, such as with `useradd --system {account}`; with it the daemon could not start")));
    }
    let states = service.states()?;
    service.refuse_foreign(&states, args.force, &[State::Same])?;
    let written: Vec<&Unit> = states.iter().filter(|(_, state)| *state != State::Same).map(|(unit, _)| *unit).collect();
    for unit in &written {
        files::write(&service.folder, unit).map_err(|error| may_need_root(error, args.which.user))?;
    }
    let Systemctl { user } = service.systemctl;
    let start: Vec<&str> = ["enable", "--now"].into_iter().chain(service.enabled()).collect();
    let started = !args.no_start && service.unmanaged.is_none();
    if started {
        service.systemctl.does(&["daemon-reload"])?;
        service.systemctl.does(&start)?;
        if written.iter().any(|unit| unit.file == service.daemon().file) {
            // One that ran already runs on with what it was started with.
            service.systemctl.does(&["try-restart", &service.daemon().file])?;
        }
    }
    if out.wants_json() {
        let files: Vec<Value> = states
            .iter()
            .map(|(unit, state)| json!({"file": service.folder.join(&unit.file), "written": *state != State::Same}))
            .collect();
        out.json(json!({"home": service.home.path(), "units": files, "started": started}))?;
        return Ok(exit::OK);
    }
    for (unit, state) in &states {
        let done = if *state == State::Same { "is as it should be" } else { "written" };
        out.line(format_args!("{}: {done}", service.folder.join(&unit.file).display()))?;
    }
    out.line(format_args!("home: {}", service.home.path().display()))?;
    if started {
        out.line(format_args!("started; see it with: sched --home {} status", service.home.path().display()))?;
    } else {
        let why = service.unmanaged.filter(|_| !args.no_start).map_or_else(String::new, |why| format!("{why}, so "));
        let (reload, start) = (service.systemctl.line(&["daemon-reload"]), service.systemctl.line(&start));
        out.line(format_args!("{why}nothing was started; to start it: {reload} && {start}"))?;
    }
    if user {
        out.line("it ends when you log out, unless: loginctl enable-linger")?;
    }
    Ok(exit::OK)
}

fn print(service: &Service, out: &mut Output) -> Done {
    if out.wants_json() {
        let units: Vec<Value> = service
            .units
            .iter()
            .map(|unit| json!({"file": service.folder.join(&unit.file), "text": unit.text}))
            .collect();
        out.json(json!({"home": service.home.path(), "units": units}))?;
        return Ok(exit::OK);
    }
    for unit in &service.units {
        out.line(format_args!("# {}\n{}", service.folder.join(&unit.file).display(), unit.text))?;
    }
    Ok(exit::OK)
}

fn uninstall(args: &ServiceUninstallArgs, context: &Context, out: &mut Output) -> Done {
    let service = Service::installed(&args.which, context)?;
    let states = service.states()?;
    service.refuse_foreign(&states, args.force, &[State::Same, State::Differs])?;
    let there: Vec<&Unit> =
        states.iter().filter(|(_, state)| *state != State::Missing).map(|(unit, _)| *unit).collect();
    if there.is_empty() {
        let what = format!("no units of a service `{}` are in {}", args.which.name, service.folder.display());
        return Err(
            Failure::new(ErrorKind::NotFound, what).hint("with --user, --name or --unit-dir there may be another")
        );
    }
    if service.unmanaged.is_none() {
        let stop: Vec<&str> = ["disable", "--now"].into_iter().chain(service.enabled()).collect();
        service.systemctl.does(&stop)?;
    }
    for unit in &there {
        files::remove(&service.folder, unit).map_err(|error| may_need_root(error, args.which.user))?;
    }
    if service.unmanaged.is_none() {
        service.systemctl.does(&["daemon-reload"])?;
    }
    if out.wants_json() {
        let removed: Vec<PathBuf> = there.iter().map(|unit| service.folder.join(&unit.file)).collect();
        out.json(json!({"removed": removed, "stopped": service.unmanaged.is_none()}))?;
        return Ok(exit::OK);
    }
    for unit in &there {
        out.line(format_args!("removed {}", service.folder.join(&unit.file).display()))?;
    }
    if let Some(why) = service.unmanaged {
        out.line(format_args!("{why}, so nothing was stopped"))?;
    }
    Ok(exit::OK)
}

fn status(args: &ServiceStatusArgs, context: &Context, out: &mut Output) -> Done {
    let service = Service::installed(&args.which, context)?;
    let other = service.other_home();
    let asked = |question: &str, unit: &Unit| {
        if service.unmanaged.is_none() { service.systemctl.says(&[question, &unit.file]) } else { None }
    };
    let mut rows = Vec::new();
    let mut code = exit::OK;
    for (unit, state) in service.states()? {
        let (enabled, active) = (asked("is-enabled", unit), asked("is-active", unit));
        let well = state != State::Missing && (!unit.enabled || active.as_deref() == Some("active"));
        if !well {
            code = code.max(if unit == service.daemon() { exit::NOT_FIRING } else { exit::ATTENTION });
        }
        rows.push((unit, state, enabled, active, well));
    }
    if out.wants_json() {
        let units: Vec<Value> = rows
            .iter()
            .map(|(unit, state, enabled, active, well)| {
                json!({"unit": unit.file, "file": word(*state), "enabled": enabled, "active": active, "well": well})
            })
            .collect();
        let home = other.as_deref().unwrap_or(service.home.path());
        let systemd = service.unmanaged.is_none();
        out.json(json!({"folder": service.folder, "home": home, "systemd": systemd, "units": units}))?;
        return Ok(code);
    }
    let cells = rows.iter().map(|(unit, state, enabled, active, well)| {
        let tone = if *well { Tone::Good } else { Tone::Bad };
        let said = |answer: &Option<String>| Cell::new(answer.clone().unwrap_or_else(|| "-".into()), tone);
        vec![unit.file.clone().into(), Cell::new(word(*state), tone), said(enabled), said(active)]
    });
    out.table(&["UNIT", "FILE", "ENABLED", "ACTIVE"], cells.collect())?;
    out.line(format_args!("units in: {}", service.folder.display()))?;
    if let Some(other) = other {
        out.line(format_args!("they are for the home {}, not {}", other.display(), service.home.path().display()))?;
    } else {
        out.line(format_args!("home: {}", service.home.path().display()))?;
    }
    if let Some(why) = service.unmanaged {
        out.line(format_args!("{why}, so nothing is known of what is at work"))?;
    } else if code != exit::OK {
        out.line(
            "hint: `sched service install` writes and starts what is missing; `journalctl -u` says why one failed",
        )?;
    }
    Ok(code)
}

fn word(state: State) -> &'static str {
    match state {
        State::Missing => "missing",
        State::Same => "as written",
        State::Differs => "differs",
        State::Foreign => "not ours",
    }
}

fn may_need_root(error: Error, user: bool) -> Failure {
    let failure = Failure::from(error);
    let is_root = rustix::process::geteuid().is_root();
    if user || is_root { failure } else { failure.hint("run it with sudo, or with --user for a service of your own") }
}
