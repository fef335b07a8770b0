//! The checks of `watchdog.checks`: what a watchdog looks at beside its scheduler. Plain values; who looks is another.
//!
//! `read` takes them from the file, entry by entry.

mod read;

use std::{path::PathBuf, time::Duration};

pub(super) use read::{KINDS, check};

use super::values::Wrong;

/// The checks that an operator asks for, in the order of the file.
///
/// ```
/// use scheduler_core::config::checks::Checks;
/// assert!(Checks::default().is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checks {
    /// Servers that must answer.
    pub tcp: Vec<Tcp>,
    /// Processes that must be there.
    pub process: Vec<Process>,
    /// Files that must be fresh.
    pub heartbeat: Vec<Beat>,
    /// Files that must make sense.
    pub syntax: Vec<Syntax>,
}

impl Checks {
    /// How many there are.
    ///
    /// ```
    /// use scheduler_core::config::checks::{Checks, Tcp};
    /// let mut checks = Checks::default();
    /// checks.tcp.push(Tcp::new("gateway", "127.0.0.1:7373"));
    /// assert_eq!(checks.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.tcp.len() + self.process.len() + self.heartbeat.len() + self.syntax.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Checks {
    /// Adds one, unless there is one of its kind with its name already.
    pub(super) fn take(&mut self, check: Check) -> Result<(), (&'static str, Wrong)> {
        fn add<T>(to: &mut Vec<T>, new: T, name: fn(&T) -> &str) -> Result<(), (&'static str, Wrong)> {
            if to.iter().any(|known| name(known) == name(&new)) {
                let what = format!("a second check of this kind with the name `{}`", name(&new));
                return Err(("name", Wrong::because(what).hint("give it another name")));
            }
            to.push(new);
            Ok(())
        }
        match check {
            Check::Tcp(check) => add(&mut self.tcp, check, |check| &check.name),
            Check::Process(check) => add(&mut self.process, check, |check| &check.name),
            Check::Beat(check) => add(&mut self.heartbeat, check, |check| &check.name),
            Check::Syntax(check) => add(&mut self.syntax, check, |check| &check.name),
        }
    }
}

/// One check of any kind, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Check {
    Tcp(Tcp),
    Process(Process),
    Beat(Beat),
    Syntax(Syntax),
}

/// A server that must answer.
///
/// ```
/// use scheduler_core::config::checks::Tcp;
/// let gateway = Tcp::new("gateway", "127.0.0.1:7373");
/// assert_eq!(gateway.timeout.as_secs(), 5);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tcp {
    /// What the operator calls it.
    pub name: String,
    /// `host:port`, or an `http://` URL, which must answer with a status below 400.
    pub address: String,
    /// How long it may take.
    pub timeout: Duration,
}

impl Tcp {
    /// One with the time that holds where nothing is said.
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { name: name.into(), address: address.into(), timeout: Duration::from_secs(5) }
    }
}

/// A process that must be there.
///
/// ```
/// use scheduler_core::config::checks::Process;
/// let api = Process::new("api", Some("/run/api.pid".into()), None);
/// assert!(api.pattern.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Process {
    /// What the operator calls it.
    pub name: String,
    /// The file that has its pid.
    pub pidfile: Option<PathBuf>,
    /// What its command line has in it.
    pub pattern: Option<String>,
}

impl Process {
    /// One that is known by either, or by both.
    pub fn new(name: impl Into<String>, pidfile: Option<PathBuf>, pattern: Option<String>) -> Self {
        Self { name: name.into(), pidfile, pattern }
    }
}

/// A file that must be fresh.
///
/// ```
/// use scheduler_core::config::checks::Beat;
/// assert_eq!(Beat::new("agent", "/run/agent.json").max_age.as_secs(), 300);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Beat {
    /// What the operator calls it.
    pub name: String,
    /// The file, of any kind.
    pub file: PathBuf,
    /// How old it may get.
    pub max_age: Duration,
}

impl Beat {
    /// One with the age that holds where nothing is said.
    pub fn new(name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), file: file.into(), max_age: Duration::from_mins(5) }
    }
}

/// A file that must make sense.
///
/// ```
/// use scheduler_core::config::checks::Syntax;
/// assert_eq!(Syntax::new("think", "/srv/think.py").command, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Syntax {
    /// What the operator calls it.
    pub name: String,
    /// The file. Its suffix says what it is.
    pub file: PathBuf,
    /// Who judges it instead: program and arguments, the file's path is added to them.
    pub command: Option<Vec<String>>,
    /// How long that may take.
    pub timeout: Duration,
}

impl Syntax {
    /// One that is judged by its suffix.
    pub fn new(name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), file: file.into(), command: None, timeout: Duration::from_secs(10) }
    }

    /// The suffixes of files that can be judged without a `command`.
    ///
    /// ```
    /// use scheduler_core::config::checks::Syntax;
    /// assert!(Syntax::SUFFIXES.contains(&"py"));
    /// ```
    pub const SUFFIXES: [&str; 7] = ["py", "sh", "bash", "dash", "json", "yaml", "yml"];
}
