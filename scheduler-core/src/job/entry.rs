//! One entry of `jobs.json`: from JSON to a checked [`Job`], with errors that name the field and the fix.
//!
//! Fields are taken one by one instead of derived, because an operator needs to hear *which* field of *which* entry is wrong,
//! what was found there and what could stand there, and because a field that this build doesn't implement must never be
//! ignored.

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

use super::{Command, Delivery, Job, Misfire, MisfirePolicy, Overlap, Retries, Work, jitter, reference::TABLE};
use crate::{
    JobId, duration,
    ids::is_plain,
    nearest,
    reference::names,
    schedule::{Kind, ParseOptions, Schedule, zone},
    size,
};

/// The fields of an entry that this build carries out.
///
/// ```
/// assert!(scheduler_core::job::FIELDS.contains(&"payload"));
/// ```
pub const FIELDS: [&str; 24] = names(&TABLE);

/// Fields of the format that this build doesn't carry out. An entry that asks for one is refused: running the job without
/// its `user` or its `umask` would be worse than not running it.
pub(super) const NOT_HERE: [&str; 6] = ["user", "umask", "nice", "stdin", "env_file", "ping_url"];

/// What holds for a job whose entry doesn't say otherwise.
///
/// ```
/// use scheduler_core::job::JobDefaults;
/// let mut defaults = JobDefaults::default();
/// assert_eq!(defaults.zone_name(), "UTC");
/// defaults.zone = "Europe/Berlin".into();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobDefaults {
    /// The zone, by its IANA name.
    pub zone: String,
    /// How long a run may take.
    pub timeout: Option<Duration>,
    /// What happens when a run is open.
    pub overlap: Overlap,
    /// What happens to missed instants.
    pub misfire: Misfire,
    /// What follows an attempt that ended badly.
    pub retries: Retries,
}

impl Default for JobDefaults {
    fn default() -> Self {
        Self {
            zone: "UTC".into(),
            timeout: None,
            overlap: Overlap::default(),
            misfire: Misfire::default(),
            retries: Retries::default(),
        }
    }
}

impl JobDefaults {
    /// The zone, by its IANA name.
    pub fn zone_name(&self) -> &str {
        &self.zone
    }
}

/// What is wrong with an entry.
///
/// ```
/// use scheduler_core::job::entry_id;
/// let error = entry_id(&serde_json::json!({"id": 7})).unwrap_err();
/// assert_eq!(error.field.as_deref(), Some("id"));
/// assert_eq!(error.to_string(), "id: expected a text, found the number 7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryError {
    /// The field, if it is one; `env.PATH` for a member.
    pub field: Option<String>,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
}

impl EntryError {
    fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), message: message.into() }
    }
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for EntryError {}

/// The id of an entry: the one it gives, or the one made from its name.
///
/// # Errors
/// Why it has none.
///
/// ```
/// use scheduler_core::job::entry_id;
/// assert_eq!(entry_id(&serde_json::json!({"name": "Nightly backup"}))?.as_str(), "nightly-backup");
/// # Ok::<(), scheduler_core::job::EntryError>(())
/// ```
pub fn entry_id(entry: &Value) -> Result<JobId, EntryError> {
    let Some(entry) = entry.as_object() else {
        return Err(EntryError { field: None, message: format!("expected a job ({{...}}), found {}", kind(entry)) });
    };
    match (entry.get("id"), entry.get("name").and_then(Value::as_str)) {
        (Some(Value::String(id)), _) => id.parse().map_err(|error: crate::Error| {
            let hint = error.hint_text().unwrap_or_default().to_owned();
            EntryError::new("id", format!("{error}; {hint}"))
        }),
        (Some(other), _) => Err(EntryError::new("id", format!("expected a text, found {}", kind(other)))),
        (None, Some(name)) if !name.trim().is_empty() => Ok(JobId::from_name(name)),
        (None, _) => Err(EntryError { field: None, message: "it has neither `id` nor `name`; give it an `id`".into() }),
    }
}

/// Fields of `entry` that mean nothing, each with the nearest one that does.
///
/// ```
/// let entry = serde_json::json!({"id": "a", "shedule": "@daily", "_note": "mine"});
/// assert_eq!(scheduler_core::job::unknown_fields(&entry), [("shedule".to_owned(), Some("schedule"))]);
/// ```
pub fn unknown_fields(entry: &Value) -> Vec<(String, Option<&'static str>)> {
    let known = || FIELDS.into_iter().chain(NOT_HERE);
    let fields = entry.as_object().into_iter().flat_map(Map::keys);
    fields
        .filter(|field| !field.starts_with(['$', '_']) && !known().any(|known| known == field.as_str()))
        .map(|field| (field.clone(), nearest(field, known()).first().copied()))
        .collect()
}

/// Checks an entry; its schedule is read in `zone` unless it names one itself, and intervals are counted from `anchor`.
///
/// # Errors
/// The first thing that is wrong with it.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::job::{JobDefaults, parse_definition};
/// let entry = serde_json::json!({"id": "greet", "schedule": "@hourly", "payload": {"greet": "world"}});
/// let job = parse_definition(&entry, &JobDefaults::default(), "Europe/Berlin", Timestamp::UNIX_EPOCH)?;
/// assert_eq!(job.payload().map(|payload| &payload["greet"]), Some(&"world".into()));
/// # Ok::<(), scheduler_core::job::EntryError>(())
/// ```
pub fn parse_definition(
    entry: &Value,
    defaults: &JobDefaults,
    zone: &str,
    anchor: Timestamp,
) -> Result<Job, EntryError> {
    let id = entry_id(entry)?;
    let fields = Fields(entry.as_object().expect("entry_id has seen that it is an object"));
    fields.refuse_not_here()?;
    let time_zone = match fields.text("timezone")? {
        Some(own) => zone::parse(own).map_err(|error| EntryError::new("timezone", error.to_string()))?,
        None => zone::parse(zone).map_err(|error| EntryError::new("timezone", error.to_string()))?,
    };
    let schedule = fields.schedule(&id, anchor)?;
    let jitter = fields.jitter(&schedule, &time_zone, anchor)?;
    let work = fields.work()?;
    let (start_at, end_at) = (fields.instant("start_at", &time_zone)?, fields.instant("end_at", &time_zone)?);
    if let (Some(start), Some(end)) = (start_at, end_at)
        && end < start
    {
        return Err(EntryError::new("end_at", "it is before `start_at`, so the job would never fire"));
    }
    Ok(Job {
        name: fields.text("name")?.unwrap_or(id.as_str()).to_owned(),
        id,
        description: fields.text("description")?.map(str::to_owned),
        enabled: fields.bool("enabled")?.unwrap_or(true),
        schedule,
        time_zone,
        work,
        env: fields.env()?,
        workdir: fields.workdir()?,
        timeout: match fields.get("timeout") {
            None => defaults.timeout,
            Some(_) => fields.duration("timeout")?.filter(|timeout| !timeout.is_zero()),
        },
        overlap: fields.overlap()?.unwrap_or(defaults.overlap),
        misfire: fields.misfire(defaults.misfire)?,
        retries: fields.retries(defaults.retries)?,
        delivery: fields.delivery()?,
        max_runs: fields.positive("max_runs")?,
        start_at,
        end_at,
        jitter,
        max_parallel: fields.positive("max_parallel")?,
        group: fields.group()?,
        output_limit: fields.size("output_limit")?,
        tags: fields.tags()?,
        notify: fields.notify()?,
    })
}

/// Names this build as far as it judges entries. What one build has found good, the same one need not check again; another
/// may know more fields, or fewer.
pub(crate) fn build() -> u32 {
    static BUILD: LazyLock<u32> = LazyLock::new(|| {
        let mut hash = crc32fast::Hasher::new();
        for word in FIELDS.iter().chain(&NOT_HERE).chain(&[env!("CARGO_PKG_VERSION")]) {
            hash.update(word.as_bytes());
            hash.update(b"\n");
        }
        hash.finalize()
    });
    *BUILD
}

struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The field, `null` being the same as absent.
    fn get(&self, field: &str) -> Option<&'a Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    fn refuse_not_here(&self) -> Result<(), EntryError> {
        match self.0.iter().find(|(field, value)| !value.is_null() && NOT_HERE.contains(&field.as_str())) {
            Some((field, _)) => Err(EntryError::new(
                field,
                "this build of sched does not carry this field out, and will not run the job without it; remove the field",
            )),
            None => Ok(()),
        }
    }

    fn expect<T>(
        &self,
        field: &str,
        what: &str,
        take: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, EntryError> {
        match self.get(field) {
            None => Ok(None),
            Some(value) => match take(value) {
                Some(taken) => Ok(Some(taken)),
                None => Err(EntryError::new(field, format!("expected {what}, found {}", kind(value)))),
            },
        }
    }

    fn text(&self, field: &str) -> Result<Option<&'a str>, EntryError> {
        self.expect(field, "a text", Value::as_str)
    }

    fn bool(&self, field: &str) -> Result<Option<bool>, EntryError> {
        self.expect(field, "true or false", Value::as_bool)
    }

    fn duration(&self, field: &str) -> Result<Option<Duration>, EntryError> {
        if self.get(field).and_then(Value::as_u64) == Some(0) {
            return Ok(Some(Duration::ZERO));
        }
        let text = self.expect(field, "a duration such as \"30s\" or \"1h30m\"", Value::as_str)?;
        text.map(|text| duration::parse_or_zero(text).map_err(|why| EntryError::new(field, why))).transpose()
    }

    fn size(&self, field: &str) -> Result<Option<u64>, EntryError> {
        match self.get(field) {
            Some(Value::String(text)) => size::parse(text).map(Some).map_err(|why| EntryError::new(field, why)),
            _ => self.expect(field, "a size such as \"1MiB\", or a number of bytes", Value::as_u64),
        }
    }

    fn positive(&self, field: &str) -> Result<Option<u32>, EntryError> {
        let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        self.expect(field, "a whole number of at least 1", number)
    }

    fn schedule(&self, id: &JobId, anchor: Timestamp) -> Result<Schedule, EntryError> {
        let text = self.text("schedule")?;
        let text = text.ok_or_else(|| EntryError::new("schedule", "missing; write for example \"30 2 * * *\""))?;
        let options = ParseOptions::default().with_anchor(anchor).with_seed(id.as_str());
        Schedule::parse(text, &options).map_err(|error| EntryError::new("schedule", error.to_string()))
    }

    /// One instant, in the forms of a one-shot schedule.
    fn instant(&self, field: &str, zone: &TimeZone) -> Result<Option<Timestamp>, EntryError> {
        let Some(text) = self.expect(field, "a date and time", Value::as_str)? else { return Ok(None) };
        let once = Schedule::parse(text, &ParseOptions::default()).ok().filter(|once| once.kind() == Kind::Once);
        let instant = once.and_then(|once| once.next_after(Timestamp::MIN, zone));
        let forms = "write `2026-06-01 09:00`, `2026-06-01T09:00:00Z` or `2026-06-01T09:00[Europe/Berlin]`";
        let wrong = || EntryError::new(field, format!("`{text}` is not a date and time; {forms}"));
        instant.map(Some).ok_or_else(wrong)
    }

    /// What it runs: a `command` or a `payload`, never both.
    fn work(&self) -> Result<Work, EntryError> {
        match (self.get("command"), self.get("payload")) {
            (Some(command), None) => command_of(command).map(Work::Command),
            (None, Some(payload)) => Ok(Work::from(payload.clone())),
            (Some(_), Some(_)) => Err(EntryError::new(
                "payload",
                "it has a `command` as well, and a job runs one thing; remove one of them",
            )),
            (None, None) => Err(EntryError::new(
                "command",
                "missing; write [\"program\", \"argument\"] or a line for the shell (or a `payload`, for a program that \
                 embeds scheduler-core)",
            )),
        }
    }

    fn env(&self) -> Result<BTreeMap<String, String>, EntryError> {
        let Some(env) = self.expect("env", "an object of texts", Value::as_object)? else { return Ok(BTreeMap::new()) };
        env.iter()
            .map(|(name, value)| {
                let field = format!("env.{name}");
                if name.is_empty() || name.contains(['=', '\0']) {
                    return Err(EntryError::new(&field, "not a name of a variable"));
                }
                let text = match value {
                    Value::String(text) => checked_no_nul(&field, text)?.to_owned(),
                    Value::Number(number) => number.to_string(),
                    Value::Bool(truth) => truth.to_string(),
                    other => return Err(EntryError::new(&field, format!("expected a text, found {}", kind(other)))),
                };
                Ok((name.clone(), text))
            })
            .collect()
    }

    fn workdir(&self) -> Result<Option<PathBuf>, EntryError> {
        let Some(text) = self.text("workdir")? else { return Ok(None) };
        let path = PathBuf::from(checked_no_nul("workdir", text)?);
        if path.is_absolute() {
            Ok(Some(path))
        } else {
            Err(EntryError::new(
                "workdir",
                format!("`{text}` is not absolute; a daemon has no folder of yours to start from"),
            ))
        }
    }

    fn overlap(&self) -> Result<Option<Overlap>, EntryError> {
        match self.text("overlap")? {
            None => Ok(None),
            Some("forbid") => Ok(Some(Overlap::Forbid)),
            Some("allow") => Ok(Some(Overlap::Allow)),
            Some("queue") => Ok(Some(Overlap::Queue)),
            Some("replace") => Ok(Some(Overlap::Replace)),
            Some(other) => {
                Err(EntryError::new("overlap", format!("`{other}` is none of `forbid`, `allow`, `queue`, `replace`")))
            }
        }
    }

    fn delivery(&self) -> Result<Delivery, EntryError> {
        match self.text("delivery")? {
            None | Some("at_most_once") => Ok(Delivery::AtMostOnce),
            Some("at_least_once") => Ok(Delivery::AtLeastOnce),
            Some(other) => {
                Err(EntryError::new("delivery", format!("`{other}` is neither `at_most_once` nor `at_least_once`")))
            }
        }
    }

    fn misfire(&self, default: Misfire) -> Result<Misfire, EntryError> {
        let Some(object) = self.expect("misfire", "an object such as {\"policy\": \"latest\"}", Value::as_object)?
        else {
            return Ok(default);
        };
        misfire(object, default).map_err(|mut error| {
            error.field = error.field.map(|field| format!("misfire.{field}"));
            error
        })
    }

    fn retries(&self, default: Retries) -> Result<Retries, EntryError> {
        let Some(object) = self.expect("retries", "an object such as {\"max\": 2}", Value::as_object)? else {
            return Ok(default);
        };
        retries(object, default).map_err(|mut error| {
            error.field = error.field.map(|field| format!("retries.{field}"));
            error
        })
    }

    fn jitter(&self, schedule: &Schedule, zone: &TimeZone, anchor: Timestamp) -> Result<Option<Duration>, EntryError> {
        let Some(given) = self.duration("jitter")?.filter(|given| !given.is_zero()) else { return Ok(None) };
        jitter::check(given, schedule, zone, anchor).map_err(|why| EntryError::new("jitter", why))?;
        Ok(Some(given))
    }

    fn group(&self) -> Result<Option<Arc<str>>, EntryError> {
        match self.text("group")? {
            Some(name) if !is_plain(name) => {
                let what = format!("`{name}` is no name of a group; it is a-z, 0-9, `.`, `_` or `-`, at most 63 long");
                Err(EntryError::new("group", what))
            }
            name => Ok(name.map(Arc::from)),
        }
    }

    fn tags(&self) -> Result<Vec<String>, EntryError> {
        let tags = self.expect("tags", "a list of texts", |value| {
            value.as_array()?.iter().map(|tag| tag.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
        })?;
        Ok(tags.unwrap_or_default())
    }

    /// Names of sinks. Whether there are such, config.yaml says.
    fn notify(&self) -> Result<Option<Vec<String>>, EntryError> {
        self.expect("notify", "a list of names of sinks", |value| {
            let name = |name: &Value| name.as_str().filter(|name| is_plain(name)).map(str::to_owned);
            value.as_array()?.iter().map(name).collect::<Option<Vec<String>>>()
        })
    }
}

/// A command: a list of texts is a program and its arguments, a text is a line for the shell.
fn command_of(value: &Value) -> Result<Command, EntryError> {
    let wrong = |why: &str| Err(EntryError::new("command", why));
    match value {
        Value::String(line) if line.trim().is_empty() => wrong("it is empty"),
        Value::String(line) => checked_no_nul("command", line).map(|line| Command::Shell(line.into())),
        Value::Array(argv) => {
            let argv: Result<Vec<String>, EntryError> = argv
                .iter()
                .map(|arg| match arg {
                    Value::String(arg) => checked_no_nul("command", arg).map(str::to_owned),
                    other => {
                        Err(EntryError::new("command", format!("expected texts, found {} in the list", kind(other))))
                    }
                })
                .collect();
            match argv? {
                argv if argv.first().is_none_or(String::is_empty) => wrong("it names no program"),
                argv => Ok(Command::Argv(Arc::from(argv))),
            }
        }
        other => wrong(&format!("expected a list of texts or a shell line, found {}", kind(other))),
    }
}

/// A `misfire` section, of a job or of the configuration.
pub(crate) fn misfire(object: &Map<String, Value>, default: Misfire) -> Result<Misfire, EntryError> {
    let fields = Fields(object);
    if let Some(unknown) = object.keys().find(|key| !["grace", "policy", "max"].contains(&key.as_str())) {
        return Err(EntryError::new(unknown, "no such setting; there are `grace`, `policy` and `max`"));
    }
    let grace = match fields.get("grace") {
        None => default.grace,
        Some(Value::String(text)) if text == "auto" => None,
        Some(_) => fields.duration("grace")?,
    };
    let policy = match fields.text("policy")? {
        None => default.policy,
        Some("latest") => MisfirePolicy::Latest,
        Some("all") => MisfirePolicy::All,
        Some("skip") => MisfirePolicy::Skip,
        Some(other) => return Err(EntryError::new("policy", format!("`{other}` is none of `latest`, `all`, `skip`"))),
    };
    Ok(Misfire { grace, policy, max: fields.positive("max")?.unwrap_or(default.max) })
}

/// A `retries` section, of a job.
fn retries(object: &Map<String, Value>, default: Retries) -> Result<Retries, EntryError> {
    let fields = Fields(object);
    if let Some(unknown) = object.keys().find(|key| !["max", "backoff", "max_backoff"].contains(&key.as_str())) {
        return Err(EntryError::new(unknown, "no such setting; there are `max`, `backoff` and `max_backoff`"));
    }
    let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
    Ok(Retries {
        max: fields.expect("max", "a whole number", number)?.unwrap_or(default.max),
        backoff: fields.duration("backoff")?.unwrap_or(default.backoff),
        max_backoff: fields.duration("max_backoff")?.unwrap_or(default.max_backoff),
    })
}

fn checked_no_nul<'t>(field: &str, text: &'t str) -> Result<&'t str, EntryError> {
    if text.contains('\0') { Err(EntryError::new(field, "it contains a NUL character")) } else { Ok(text) }
}

/// What a JSON value is, in words.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() <= 40 => format!("the text {text:?}"),
        Value::String(_) => "a text".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

#[cfg(test)]
mod tests;
