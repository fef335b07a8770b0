//! Probes: commands that the daemon runs now and then to see whether something is well. Plain values, and how they are read;
//! what runs them is another crate.

use std::time::Duration;

use serde_yaml::{Mapping, Value};

use super::{
    sinks::Refused,
    values::{Wrong, any_duration, kind, sink_names},
};
use crate::{JobId, ids::is_plain, job::Command, nearest};

/// How long a probe may take that doesn't say.
const PATIENCE: Duration = Duration::from_secs(30);

/// How seldom a probe may run, and how long it may take: whoever wants more has a job.
const SELDOM: (Duration, &str) = (Duration::from_hours(24 * 7), "7d");
const LONGEST: (Duration, &str) = (Duration::from_hours(1), "1h");

const MEMBERS: [&str; 6] = ["name", "command", "every", "timeout", "notify", "not_during"];

/// A command whose exit code says whether something is well.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::{config::Probe, job::Command};
/// let probe = Probe::new("disk", Command::Shell("df / | grep -qv 100%".into()), Duration::from_mins(5));
/// assert_eq!((probe.timeout.as_secs(), probe.scope().as_str()), (30, "probe-disk"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// What the operator calls it.
    pub name: String,
    /// What is run: with 0 it is well.
    pub command: Command,
    /// How often.
    pub every: Duration,
    /// How long it may take; then all its processes are ended.
    pub timeout: Duration,
    /// The sinks that hear of it, by their names; `None` is all.
    pub notify: Option<Vec<String>>,
    /// It doesn't run while one of these jobs does.
    pub not_during: Vec<JobId>,
}

impl Probe {
    /// A probe that tells everybody, and runs whatever else runs.
    pub fn new(name: impl Into<String>, command: Command, every: Duration) -> Self {
        Self { name: name.into(), command, every, timeout: PATIENCE, notify: None, not_during: Vec::new() }
    }

    /// What its alert goes by, and its problem in `status`.
    pub fn scope(&self) -> String {
        format!("{SCOPE}{}", self.name)
    }
}

/// What the scopes of probes begin with.
///
/// ```
/// assert_eq!("probe-disk".strip_prefix(scheduler_core::config::PROBE_SCOPE), Some("disk"));
/// ```
pub const SCOPE: &str = "probe-";

/// The probe that `entry` asks for.
pub(super) fn probe(entry: &Value) -> Result<Probe, Refused> {
    let expected = "a probe such as `{name: disk, command: check-disk, every: 5m}`";
    let members = entry.as_mapping().ok_or_else(|| ("", Wrong::expected(expected, entry)))?;
    let members = Members(members);
    let name = members.name()?;
    members.judge()?;
    let command = members.command()?;
    let every = members.required("every", "how often it runs, such as `5m`")?;
    let mut probe = Probe::new(name, command, within("every", every, SELDOM)?);
    if let Some(timeout) = members.get("timeout") {
        probe.timeout = within("timeout", timeout, LONGEST)?;
    }
    if let Some(notify) = members.get("notify") {
        probe.notify = sink_names(notify).map_err(|wrong| ("notify", wrong))?;
    }
    probe.not_during = members.jobs()?;
    Ok(probe)
}

fn within(member: &'static str, value: &Value, most: (Duration, &str)) -> Result<Duration, Refused> {
    let duration = any_duration(value).map_err(|wrong| (member, wrong))?;
    if duration < Duration::from_secs(1) || duration > most.0 {
        return Err((member, Wrong::because(format!("it is not between 1s and {}", most.1))));
    }
    Ok(duration)
}

struct Members<'a>(&'a Mapping);

impl<'a> Members<'a> {
    fn get(&self, member: &str) -> Option<&'a Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    fn required(&self, member: &'static str, example: &str) -> Result<&'a Value, Refused> {
        self.get(member).ok_or_else(|| ("", Wrong::because(format!("it has no `{member}`: {example}"))))
    }

    fn name(&self) -> Result<String, Refused> {
        let value = self.required("name", "what you call it")?;
        let name = value.as_str().filter(|name| is_plain(name));
        let wrong = || Wrong::because(format!("{} is no name of a probe", kind(value)));
        let hint = "a name is a-z, 0-9, `.`, `_` or `-`, at most 63 long";
        name.map(str::to_owned).ok_or_else(|| ("name", wrong().hint(hint)))
    }

    /// Refuses members that a probe doesn't have.
    fn judge(&self) -> Result<(), Refused> {
        let is_known = |key: &Value| key.as_str().is_some_and(|key| MEMBERS.contains(&key));
        let Some(key) = self.0.keys().find(|key| !is_known(key)) else { return Ok(()) };
        let wrong = Wrong::because(format!("{} is no key of a probe", kind(key)));
        Err((
            "",
            match nearest(key.as_str().unwrap_or_default(), MEMBERS).first() {
                Some(near) => wrong.hint(format!("did you mean `{near}`?")),
                None => wrong.hint(format!("its keys are `{}`", MEMBERS.join("`, `"))),
            },
        ))
    }

    fn command(&self) -> Result<Command, Refused> {
        let value = self.required("command", "a program with its arguments, or a line for the shell")?;
        let wrong = |why: &str| ("command", Wrong::because(why));
        let text = |value: &Value| value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned);
        match value {
            Value::String(line) if line.trim().is_empty() => Err(wrong("it is empty")),
            Value::String(line) if line.contains('\0') => Err(wrong("it contains a NUL character")),
            Value::String(line) => Ok(Command::Shell(line.as_str().into())),
            Value::Sequence(argv) => match argv.iter().map(text).collect::<Option<Vec<String>>>() {
                None => Err(wrong("expected a list of texts")),
                Some(argv) if argv.first().is_none_or(|program| program.trim().is_empty()) => {
                    Err(wrong("it names no program"))
                }
                Some(argv) => Ok(Command::Argv(argv.into())),
            },
            other => Err(("command", Wrong::expected("a list of texts or a line for the shell", other))),
        }
    }

    fn jobs(&self) -> Result<Vec<JobId>, Refused> {
        let Some(value) = self.get("not_during") else { return Ok(Vec::new()) };
        let id = |value: &Value| {
            let id = value.as_str().and_then(|text| text.parse::<JobId>().ok());
            id.ok_or_else(|| ("not_during", Wrong::because(format!("{} is no id of a job", kind(value)))))
        };
        let jobs =
            value.as_sequence().ok_or_else(|| ("not_during", Wrong::expected("a list of ids of jobs", value)))?;
        jobs.iter().map(id).collect()
    }
}
