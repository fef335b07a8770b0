//! What stands behind a key: from one YAML value to the type it is meant to be, or what is wrong with it in words.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_yaml::{Mapping, Value};

use super::{locate, sinks::Refused};
use crate::{
    PingUrl, duration,
    ids::is_plain,
    job::{MisfirePolicy, Overlap, Retries},
    liveness::beats::{BeatName, Expected},
    schedule::zone,
    size,
    store::Groups,
};

/// The longest beat. A heart that beats more rarely tells nobody in time that it stopped.
const MAX_INTERVAL: Duration = Duration::from_hours(1);

/// What is wrong with a value: what it is and should be, and the fix where there is a better one than "correct it".
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

impl Wrong {
    pub(super) fn expected(what: &str, found: &Value) -> Self {
        Self::because(format!("expected {what}, found {}", kind(found)))
    }

    pub(super) fn because(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// A name; what YAML takes for something else needs quotes, and a person who wrote `provider: off` needs to hear that.
pub(super) fn name(value: &Value) -> Result<String, Wrong> {
    match value {
        Value::String(text) => no_nul(text.trim()).map(str::to_owned),
        Value::Bool(_) | Value::Number(_) => {
            Err(Wrong::expected("a name", value).hint("put it in quotes if it is meant as a name"))
        }
        other => Err(Wrong::expected("a name", other)),
    }
}

pub(super) fn time_zone(value: &Value) -> Result<String, Wrong> {
    let name = name(value)?;
    if name.eq_ignore_ascii_case("system") {
        return Ok("system".into());
    }
    let zone = zone::parse(&name).map_err(|error| Wrong::because(error.message()).hint(error.hint()))?;
    Ok(zone.iana_name().map_or(name, str::to_owned))
}

pub(super) fn any_duration(value: &Value) -> Result<Duration, Wrong> {
    let parse = |text: &str| duration::parse_or_zero(text).map_err(Wrong::because);
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => parse(&number.to_string()),
        other => Err(Wrong::expected("a duration such as `30s` or `1h30m`", other)),
    }
}

pub(super) fn interval(value: &Value) -> Result<Duration, Wrong> {
    match any_duration(value)? {
        short if short < Duration::from_secs(1) => Err(Wrong::because("shorter than 1s")),
        long if long > MAX_INTERVAL => Err(Wrong::because("longer than 1h, so a stop would go unnoticed for hours")),
        interval => Ok(interval),
    }
}

pub(super) fn grace(value: &Value) -> Result<Option<Duration>, Wrong> {
    if value.as_str() == Some("auto") { Ok(None) } else { any_duration(value).map(Some) }
}

pub(super) fn policy(value: &Value) -> Result<MisfirePolicy, Wrong> {
    match value.as_str() {
        Some("latest") => Ok(MisfirePolicy::Latest),
        Some("all") => Ok(MisfirePolicy::All),
        Some("skip") => Ok(MisfirePolicy::Skip),
        _ => Err(Wrong::expected("`latest`, `all` or `skip`", value)),
    }
}

pub(super) fn overlap(value: &Value) -> Result<Overlap, Wrong> {
    match value.as_str() {
        Some("forbid") => Ok(Overlap::Forbid),
        Some("allow") => Ok(Overlap::Allow),
        Some("queue") => Ok(Overlap::Queue),
        Some("replace") => Ok(Overlap::Replace),
        _ => Err(Wrong::expected("`forbid`, `allow`, `queue` or `replace`", value)),
    }
}

/// What was read of a value with many members, and what is wrong with which of those that aren't in it.
pub(super) type Parts<T> = (T, Vec<(String, Wrong)>);

/// Reads each of `members`, which have names, by itself: a wrong one costs itself alone.
fn parts<M, P, T: FromIterator<P>>(
    members: impl IntoIterator<Item = (String, M)>,
    read: impl Fn(M) -> Result<P, Wrong>,
) -> Parts<T> {
    let mut wrong = Vec::new();
    let mut take = |(name, member): (String, M)| read(member).map_err(|why| wrong.push((name, why))).ok();
    let taken = members.into_iter().filter_map(&mut take).collect();
    (taken, wrong)
}

/// The members of a section, each with its name where that is a text.
fn named(members: &Mapping) -> impl Iterator<Item = (String, (&Value, &Value))> {
    members.iter().map(|(name, value)| (name.as_str().unwrap_or_default().to_owned(), (name, value)))
}

/// Groups of jobs, each a section with a name of its own.
pub(super) fn groups(value: &Value) -> Result<Parts<Groups>, Wrong> {
    const EXAMPLE: &str = "`{backups: {max_parallel: 2}}`";
    let groups = value.as_mapping().ok_or_else(|| Wrong::expected(&format!("groups such as {EXAMPLE}"), value))?;
    Ok(parts(named(groups), |(name, group)| group_of(name, group)))
}

fn group_of(name: &Value, group: &Value) -> Result<(String, usize), Wrong> {
    let Some(name) = name.as_str().filter(|name| is_plain(name)) else {
        let wrong = Wrong::because(format!("{} is no name of a group", kind(name)));
        return Err(wrong.hint("a name is a-z, 0-9, `.`, `_` or `-`, at most 63 long"));
    };
    let members = group.as_mapping();
    let members = members.ok_or_else(|| Wrong::expected("a section such as `{max_parallel: 2}`", group))?;
    if let Some((other, _)) = members.iter().find(|(key, _)| key.as_str() != Some("max_parallel")) {
        let wrong = Wrong::because(format!("{} is no key of it", kind(other)));
        return Err(wrong.hint("its only key is `max_parallel`"));
    }
    let most = members.get("max_parallel").ok_or_else(|| Wrong::because("it has no `max_parallel`"));
    let most = most.and_then(|most| {
        whole(most, 1).map_err(|wrong| Wrong { what: format!("max_parallel: {}", wrong.what), ..wrong })
    });
    most.map(|most| (name.to_owned(), most))
}

/// A section within a section: read as one value, so one wrong member costs them all.
pub(super) fn retries(value: &Value) -> Result<Retries, Wrong> {
    let members =
        value.as_mapping().ok_or_else(|| Wrong::expected("a section such as `{max: 2, backoff: 1m}`", value))?;
    let mut retries = Retries::default();
    for (key, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let name = key.as_str().unwrap_or_default();
        let read = match name {
            "max" => whole(value, 0).map(|max| retries.max = max),
            "backoff" => any_duration(value).map(|backoff| retries.backoff = backoff),
            "max_backoff" => any_duration(value).map(|longest| retries.max_backoff = longest),
            _ => {
                let wrong = Wrong::because(format!("{} is no key of it", kind(key)));
                return Err(wrong.hint("its keys are `max`, `backoff` and `max_backoff`"));
            }
        };
        read.map_err(|wrong| Wrong { what: format!("{name}: {}", wrong.what), ..wrong })?;
    }
    Ok(retries)
}

/// The heartbeat that must come by `entry`.
pub(super) fn heartbeat(entry: &Value) -> Result<Expected, Refused> {
    let example = "a section such as `{name: agent, every: 15m}`";
    let members = entry.as_mapping().ok_or_else(|| ("", Wrong::expected(example, entry)))?;
    let known = |key: &Value| matches!(key.as_str(), Some("name" | "every" | "max_age"));
    if let Some((other, _)) = members.iter().find(|(key, _)| !known(key)) {
        let wrong = Wrong::because(format!("{} is no key of it", kind(other)));
        return Err(("", wrong.hint("its keys are `name`, `every` and `max_age`")));
    }
    let written = |key: &str| members.get(key).filter(|value| !value.is_null());
    let needed = |key: &str| written(key).ok_or_else(|| ("", Wrong::because(format!("it has no `{key}`"))));
    let within = |key: &'static str| move |wrong: Wrong| (key, wrong);
    let name = match name(needed("name")?).map_err(within("name"))? {
        name if name.is_empty() => return Err(("name", Wrong::because("it is empty"))),
        name => BeatName::new(name),
    };
    let every = some_duration(needed("every")?).map_err(within("every"))?;
    let max_age = written("max_age").map(some_duration).transpose().map_err(within("max_age"))?;
    Ok(Expected { name, every, max_age })
}

fn some_duration(value: &Value) -> Result<Duration, Wrong> {
    match any_duration(value)? {
        Duration::ZERO => Err(Wrong::because("it is zero; a duration such as `15m` is needed")),
        duration => Ok(duration),
    }
}

/// The absolute path of a folder.
pub(super) fn folder(value: &Value) -> Result<Option<PathBuf>, Wrong> {
    match name(value)? {
        path if Path::new(&path).is_absolute() => Ok(Some(path.into())),
        path => Err(Wrong::because(format!("`{path}` is not an absolute path"))),
    }
}

pub(super) fn truth(value: &Value) -> Result<bool, Wrong> {
    match (value, value.as_str()) {
        (Value::Bool(truth), _) => Ok(*truth),
        // YAML 1.1 had more words for it; one that is text here must not be taken for its opposite.
        (_, Some("yes" | "on")) => Err(Wrong::expected("true or false", value).hint("write `true`")),
        (_, Some("no" | "off")) => Err(Wrong::expected("true or false", value).hint("write `false`")),
        _ => Err(Wrong::expected("true or false", value)),
    }
}

pub(super) fn whole<T: TryFrom<u64>>(value: &Value, least: u64) -> Result<T, Wrong> {
    let number = value.as_u64().filter(|number| *number >= least);
    let wrong = || Wrong::expected(&format!("a whole number of at least {least}"), value);
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(wrong)
}

pub(super) fn bytes(value: &Value) -> Result<u64, Wrong> {
    match (value, value.as_u64()) {
        (_, Some(bytes)) => Ok(bytes),
        (Value::String(text), _) => size::parse(text).map_err(Wrong::because),
        _ => Err(Wrong::expected("a size such as `1MiB`, or a number of bytes", value)),
    }
}

pub(super) fn shell(value: &Value) -> Result<String, Wrong> {
    match name(value)? {
        shell if shell.is_empty() => Err(Wrong::because("it is empty")),
        shell => Ok(shell),
    }
}

pub(super) fn environment(value: &Value, text: &str) -> Result<Parts<BTreeMap<String, String>>, Wrong> {
    let variables = value.as_mapping().ok_or_else(|| Wrong::expected("variables with their values", value))?;
    Ok(parts(named(variables), |(name, value)| variable(name, value, text)))
}

fn variable(name: &Value, value: &Value, text: &str) -> Result<(String, String), Wrong> {
    let name = match name.as_str() {
        Some(name) if !name.is_empty() && !name.contains(['=', '\0']) => name,
        _ => return Err(Wrong::because(format!("{} is not a name of a variable", kind(name)))),
    };
    let content = match value {
        Value::String(content) => Some(content.clone()),
        // A number has lost its spelling by now, and `1.10` is not `1.1` to the program that reads it.
        Value::Number(_) | Value::Bool(_) => locate::written(text, &["defaults", "env", name]),
        _ => None,
    };
    let content = content.ok_or_else(|| Wrong::expected("a text", value))?;
    no_nul(&content)?;
    Ok((name.to_owned(), content))
}

/// An address, which is no part of what is said about it.
pub(super) fn ping_url(value: &Value) -> Result<Option<PingUrl>, Wrong> {
    match value.as_str().map(str::trim) {
        Some("") => Ok(None),
        Some(text) => PingUrl::parse(text).map(Some).map_err(Wrong::because),
        None => Err(Wrong::because("expected the text of an address")),
    }
}

/// How often somebody outside is told that we live.
pub(super) fn ping_interval(value: &Value) -> Result<Duration, Wrong> {
    match any_duration(value)? {
        short if short < Duration::from_secs(1) => Err(Wrong::because("shorter than 1s")),
        long if long > Duration::from_hours(24) => Err(Wrong::because("longer than 24h")),
        interval => Ok(interval),
    }
}

/// Names of sinks; of a list with a wrong one none is taken.
pub(super) fn sink_names(value: &Value) -> Result<Option<Vec<String>>, Wrong> {
    list_of_sinks(value)?.iter().map(sink_name).collect::<Result<_, _>>().map(Some)
}

/// Names of sinks, each by itself.
pub(super) fn sinks_each(value: &Value) -> Result<Parts<Vec<String>>, Wrong> {
    Ok(parts(list_of_sinks(value)?.iter().enumerate().map(|(at, name)| (at.to_string(), name)), sink_name))
}

fn list_of_sinks(value: &Value) -> Result<&Vec<Value>, Wrong> {
    value.as_sequence().ok_or_else(|| Wrong::expected("a list of names of sinks", value))
}

fn sink_name(value: &Value) -> Result<String, Wrong> {
    let name = value.as_str().filter(|name| is_plain(name));
    name.map(str::to_owned).ok_or_else(|| Wrong::because(format!("{} is no name of a sink", kind(value))))
}

fn no_nul(text: &str) -> Result<&str, Wrong> {
    if text.contains('\0') { Err(Wrong::because("it contains a NUL character")) } else { Ok(text) }
}

/// Whether a value asks for nothing, however it is written.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(members) => members.values().all(is_empty),
        _ => false,
    }
}

/// What a YAML value is, in words.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() <= 40 => format!("the text {text:?}"),
        Value::String(_) => "a text".into(),
        Value::Sequence(_) => "a list".into(),
        Value::Mapping(_) => "a section of keys".into(),
        Value::Tagged(tagged) => format!("a value tagged `{}`", tagged.tag),
    }
}
