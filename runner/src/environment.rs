//! What a child finds in its environment, and the folder it starts in.
//!
//! The part that is the same for every run is put together once; this process's environment is not read again. Nothing
//! here touches the child or looks at a file.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{CStr, OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    ptr,
};

use scheduler_core::{Job, RunContext};

use crate::RunnerConfig;

/// The name by which the processes of a run are found again.
pub(crate) const RUN_ID: &str = "SCHED_RUN_ID";

/// What cron gives when nothing else does.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

/// What concerns this process alone, and would mislead or harm a child: a child that could write to `NOTIFY_SOCKET`
/// could keep a dead daemon's watchdog quiet.
fn is_of_the_daemon(name: &OsStr) -> bool {
    let name = name.as_bytes();
    [&b"WATCHDOG_"[..], b"LISTEN_"].iter().any(|prefix| name.starts_with(prefix))
        || [&b"NOTIFY_SOCKET"[..], b"JOURNAL_STREAM", b"SYSTEMD_EXEC_PID", b"MAINPID", b"PWD", b"OLDPWD", b"_"]
            .contains(&name)
}

/// The environment that all runs start from.
pub(crate) struct Environment {
    base: BTreeMap<OsString, OsString>,
    /// What of it is there whatever this process has: the floor, and what the operator has written.
    given: BTreeMap<OsString, OsString>,
    home: PathBuf,
}

/// The environment of one job.
pub(crate) struct ChildEnvironment {
    variables: BTreeMap<OsString, OsString>,
    passwd_home: PathBuf,
}

impl Environment {
    /// What `config` asks for, `inherited` being the environment of this process.
    pub(crate) fn new(config: &RunnerConfig, inherited: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let user = User::current();
        // The floor: a system service without `User=` has no HOME, and a container may have next to nothing.
        let mut given = BTreeMap::from([
            ("PATH".into(), DEFAULT_PATH.into()),
            ("SHELL".into(), config.shell.clone().into()),
            ("HOME".into(), user.home.clone().into_os_string()),
        ]);
        if let Some(name) = user.name {
            given.insert("LOGNAME".into(), name.clone());
            given.insert("USER".into(), name);
        }
        let mut base = given.clone();
        if config.inherit_env {
            let secret = |name: &OsStr| config.secret_env.iter().any(|secret| OsStr::new(secret) == name);
            base.extend(inherited.filter(|(name, _)| !is_of_the_daemon(name) && !secret(name)));
        }
        for (name, value) in &config.env {
            base.insert(name.into(), value.into());
            given.insert(name.into(), value.into());
        }
        Self { base, given, home: user.home }
    }

    /// What a run of `job` gets but for the facts about the run itself.
    pub(crate) fn of_job(&self, job: &Job) -> ChildEnvironment {
        self.without(job, &BTreeSet::new())
    }

    /// The same without what of `hidden` comes from this process.
    fn without(&self, job: &Job, hidden: &BTreeSet<String>) -> ChildEnvironment {
        let mut variables = self.base.clone();
        for name in hidden.iter().map(OsStr::new) {
            match self.given.get(name) {
                Some(given) => variables.insert(name.into(), given.clone()),
                None => variables.remove(name),
            };
        }
        variables.extend(job.env.iter().map(|(name, value)| (name.into(), value.into())));
        ChildEnvironment { variables, passwd_home: self.home.clone() }
    }

    /// What `run` gets. The facts about the run can't be overridden: a run is found again by them.
    pub(crate) fn of_run(&self, run: &RunContext) -> ChildEnvironment {
        let mut environment = self.without(&run.job, run.secrets());
        environment.variables.extend(
            [
                ("SCHED_JOB_ID", run.job.id.to_string()),
                (RUN_ID, run.run.to_string()),
                ("SCHED_SCHEDULED_AT", run.scheduled_at.to_string()),
                ("SCHED_ATTEMPT", run.attempt.to_string()),
                ("SCHED_OCCURRENCE", run.occurrence.to_string()),
            ]
            .map(|(name, value)| (name.into(), value.into())),
        );
        environment
    }
}

impl ChildEnvironment {
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Where programs are looked up.
    pub(crate) fn path(&self) -> &OsStr {
        self.get("PATH").unwrap_or(OsStr::new(DEFAULT_PATH))
    }

    /// The home of the user: what `HOME` says, as in a crontab, else what the system says.
    pub(crate) fn home(&self) -> &Path {
        self.get("HOME").map(Path::new).filter(|home| home.is_absolute()).unwrap_or(&self.passwd_home)
    }

    /// `NAME=value` for each variable.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&OsStr, OsString)> {
        self.variables.iter().map(|(name, value)| {
            let mut entry = name.clone();
            entry.push("=");
            entry.push(value);
            (name.as_os_str(), entry)
        })
    }
}

/// The user this process runs as.
struct User {
    name: Option<OsString>,
    home: PathBuf,
}

impl User {
    /// As the system's user database has it, which may be more than `/etc/passwd`; `/` is the home of unknown users.
    fn current() -> Self {
        let mut buffer = vec![0u8; 16 * 1024];
        let uid = rustix::process::getuid().as_raw();
        // SAFETY: passwd is plain data (integers and pointers), for which all zeroes is a valid value.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found = ptr::null_mut();
        // SAFETY: every pointer is to a live local; the buffer's true length is given.
        let failed =
            unsafe { libc::getpwuid_r(uid, &raw mut entry, buffer.as_mut_ptr().cast(), buffer.len(), &raw mut found) };
        if failed != 0 || found.is_null() {
            return Self { name: None, home: "/".into() };
        }
        let text = |field: *const libc::c_char| {
            // SAFETY: the call succeeded, so its fields are null or C strings within `buffer`, which is still alive.
            (!field.is_null())
                .then(|| OsString::from_vec(unsafe { CStr::from_ptr(field) }.to_bytes().to_vec()))
                .filter(|text| !text.is_empty())
        };
        Self { name: text(entry.pw_name), home: text(entry.pw_dir).map_or_else(|| "/".into(), PathBuf::from) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use scheduler_core::{
        OccurrenceId, RunId,
        job::Command,
        schedule::{ParseOptions, Schedule},
    };

    use super::*;

    fn names(config: &RunnerConfig, inherited: &[(&str, &str)]) -> BTreeSet<String> {
        let inherited = inherited.iter().map(|(name, value)| (name.into(), value.into()));
        let environment = Environment::new(config, inherited);
        environment.base.keys().map(|name| name.to_str().unwrap().to_owned()).collect()
    }

    fn set(names: &str) -> BTreeSet<String> {
        names.split(' ').map(str::to_owned).collect()
    }

    const DAEMONS: &[(&str, &str)] = &[
        ("EDITOR", "vi"),
        ("NOTIFY_SOCKET", "/run/notify"),
        ("WATCHDOG_USEC", "1"),
        ("WATCHDOG_PID", "1"),
        ("LISTEN_FDS", "1"),
        ("SMTP_PASS", "hunter2"),
    ];

    #[test]
    fn inherits_all_but_secrets_and_the_daemons_own() {
        let mut config = RunnerConfig::new("runs");
        config.secret_env = vec!["SMTP_PASS".into()];
        assert_eq!(names(&config, DAEMONS), set("EDITOR HOME LOGNAME PATH SHELL USER"));
    }

    #[test]
    fn inherits_nothing_when_told_so() {
        let mut config = RunnerConfig::new("runs");
        config.inherit_env = false;
        config.env.insert("LANG".into(), "C.UTF-8".into());
        assert_eq!(names(&config, DAEMONS), set("HOME LANG LOGNAME PATH SHELL USER"));
    }

    #[test]
    fn the_job_wins_over_the_config_and_the_config_over_the_daemon() {
        let mut config = RunnerConfig::new("runs");
        config.env = BTreeMap::from([("A".into(), "config".into()), ("B".into(), "config".into())]);
        let inherited = ["A", "B", "C"].map(|name| (name.into(), "daemon".into()));
        let environment = Environment::new(&config, inherited.into_iter());
        let schedule = Schedule::parse("@daily", &ParseOptions::default()).unwrap();
        let command = Command::Argv(Arc::from(["true".to_owned()]));
        let mut job = Job::new("j".parse().unwrap(), schedule, command);
        job.env = BTreeMap::from([("A".into(), "job".into()), ("HOME".into(), "/srv".into())]);
        let child = environment.of_job(&job);
        // What is secret is so where it comes from the daemon; what is written for jobs is theirs.
        let run = |job: Job| {
            let occurrence = OccurrenceId::scheduled(job.id.clone(), 1, Timestamp::UNIX_EPOCH);
            let run = RunContext::new(Arc::new(job), RunId::new("1"), occurrence, Timestamp::UNIX_EPOCH, 1);
            run.with_secrets(Arc::new(["A", "B", "C", "SHELL", "NONE"].map(str::to_owned).into()))
        };
        let told = environment.of_run(&run(job.clone()));
        let get = |name| told.get(name).and_then(OsStr::to_str);
        assert_eq!([get("A"), get("B"), get("C")], [Some("job"), Some("config"), None]);
        assert_eq!(get("SHELL"), Some("/bin/sh"), "the floor stays");
        let get = |name| child.get(name).and_then(OsStr::to_str);
        assert_eq!([get("A"), get("B"), get("C")], [Some("job"), Some("config"), Some("daemon")]);
        assert_eq!(child.home(), Path::new("/srv"));
        job.env.insert("HOME".into(), "relative".into());
        assert_eq!(environment.of_job(&job).home(), environment.home);
    }
}
