//! From the text of plugin.yaml to a [`Manifest`], key by key, so that every refusal names the key and its place.

use std::{path::PathBuf, time::Duration};

use scheduler_core::{
    Error, ErrorKind, JobId, Result,
    config::locate::{self, Place},
    duration, nearest,
};
use serde_yaml::{Mapping, Value};

use super::{Code, Manifest, TARGET, Timeouts};
use crate::protocol;

/// Every key, in the order of the format.
const KEYS: [&str; 12] = [
    "name",
    "version",
    "description",
    "kind",
    "library",
    "command",
    "abi",
    "protocol",
    "sha256",
    "config",
    "timeouts",
    "min_sched",
];
const TIMEOUTS: [&str; 3] = ["ready", "call", "stop"];

const LONGEST: Duration = Duration::from_hours(1);
/// The engine leaves behind what has not ended some time after this; a plugin is killed before.
const LONGEST_STOP: Duration = Duration::from_secs(10);

/// More than this is no manifest but a mistake.
const MAX_LEN: usize = 1 << 20;

pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Manifest> {
    let fail = |place: Option<Place>, why: String| {
        let place = place.map_or_else(String::new, |place| format!("{place}: "));
        Error::new(ErrorKind::Invalid, format!("{file}: {place}{why}"))
    };
    if bytes.len() > MAX_LEN {
        return Err(fail(None, "it is larger than 1 MiB".into()).hint("a plugin.yaml is a few lines"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (fine, rest) = bytes.split_at(error.valid_up_to());
        let place = locate::after(&String::from_utf8_lossy(fine));
        fail(Some(place), format!("byte 0x{:02x} is not UTF-8", rest[0])).hint("save the file as UTF-8")
    })?;
    let root: Value = serde_yaml::from_str(text).map_err(|error| {
        let place = error.location().map(|at| Place { line: at.line(), column: at.column() });
        let mut why = error.to_string();
        if let Some(place) = place {
            why = why.replacen(&format!(" at line {} column {}", place.line, place.column), "", 1);
        }
        fail(place, why).hint("correct the YAML")
    })?;
    let Value::Mapping(root) = root else {
        return Err(fail(None, format!("expected keys with values, found {}", kind(&root)))
            .hint("begin with `name`, `version` and `kind`"));
    };
    Keys { file, text, root: &root }.read()
}

struct Keys<'a> {
    file: &'a str,
    text: &'a str,
    root: &'a Mapping,
}

impl Keys<'_> {
    fn read(&self) -> Result<Manifest> {
        self.known(&[], self.root, &KEYS)?;
        self.min_sched()?;
        let name: String = self.text("name")?;
        if name.parse::<JobId>().is_err() {
            let hint = "a name is a-z, 0-9, `.`, `_` or `-`, at most 63 long";
            return Err(self.wrong(&["name"], &format!("`{name}` can't be a name"), hint));
        }
        let (code, number, ours) = self.code()?;
        match self.get(number) {
            Some(value) if value.as_u64() == Some(ours.into()) => {}
            Some(value) => {
                let what = format!("this build of sched speaks {ours} alone, found {}", kind(value));
                return Err(self.wrong(&[number], &what, format!("write `{number}: {ours}`")));
            }
            None => return Err(self.missing(number, &format!("{number}: {ours}"))),
        }
        Ok(Manifest {
            name,
            version: self.text("version")?,
            description: if self.get("description").is_some() { self.text("description")? } else { String::new() },
            code,
            sha256: self.sha256()?,
            config: self.config()?,
            timeouts: self.timeouts()?,
        })
    }

    fn code(&self) -> Result<(Code, &'static str, u32)> {
        match self.text("kind")?.as_str() {
            "exec" => {
                self.absent("library", "exec")?;
                self.absent("abi", "exec")?;
                Ok((Code::Command(self.command()?), "protocol", protocol::VERSION))
            }
            "dylib" => {
                self.absent("command", "dylib")?;
                self.absent("protocol", "dylib")?;
                Ok((Code::Library(self.library()?), "abi", sched_plugin_abi::ABI_MAJOR))
            }
            other => {
                let hint = "`exec` is a program that speaks the protocol, `dylib` a library";
                Err(self.wrong(&["kind"], &format!("there is no kind `{other}`"), hint))
            }
        }
    }

    fn command(&self) -> Result<Vec<String>> {
        let hint = "write it as a list: `command: [./program, --option]`";
        let Some(value) = self.get("command") else {
            return Err(self.missing("command", "command: [./program]"));
        };
        let wrong = |what: &str| self.wrong(&["command"], what, hint);
        let words = value.as_sequence().ok_or_else(|| wrong(&format!("expected a list, found {}", kind(value))))?;
        let words: Option<Vec<String>> = words.iter().map(|word| word.as_str().map(str::to_owned)).collect();
        let words = words.ok_or_else(|| wrong("a word of it is no text"))?;
        if words.first().is_none_or(String::is_empty) {
            return Err(wrong("it names no program"));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(wrong("it holds a NUL byte"));
        }
        Ok(words)
    }

    fn library(&self) -> Result<PathBuf> {
        match self.get("library") {
            None => Err(self.missing("library", "library: libplugin.so")),
            Some(Value::String(path)) if !path.is_empty() && !path.contains('\0') => Ok(path.into()),
            Some(Value::Mapping(targets)) => match targets.get(TARGET).and_then(Value::as_str) {
                Some(path) if !path.is_empty() && !path.contains('\0') => Ok(path.into()),
                _ => {
                    let what = format!("there is no library for {TARGET}, which this machine is");
                    Err(self.wrong(&["library"], &what, format!("build it and add `{TARGET}: PATH`")))
                }
            },
            Some(other) => {
                let what = format!("expected a path, or paths by target, found {}", kind(other));
                Err(self.wrong(&["library"], &what, "write it as `library: libplugin.so`"))
            }
        }
    }

    fn sha256(&self) -> Result<Option<String>> {
        if self.get("sha256").is_none() {
            return Ok(None);
        }
        let sum = self.text("sha256")?.to_ascii_lowercase();
        if sum.len() != 64 || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.wrong(&["sha256"], "expected 64 hex digits", "take what `sha256sum` prints"));
        }
        Ok(Some(sum))
    }

    fn config(&self) -> Result<serde_json::Value> {
        let config = self.get("config").cloned().unwrap_or_default();
        serde_json::to_value(config).map_err(|why| {
            self.wrong(&["config"], &format!("it can't be handed over as JSON: {why}"), "make its keys texts")
        })
    }

    fn timeouts(&self) -> Result<Timeouts> {
        let mut timeouts = Timeouts::default();
        let Some(value) = self.get("timeouts") else { return Ok(timeouts) };
        let Some(members) = value.as_mapping() else {
            let what = format!("expected a section of keys, found {}", kind(value));
            return Err(self.wrong(&["timeouts"], &what, "its keys are `ready`, `call`, `stop`, one a line below it"));
        };
        self.known(&["timeouts"], members, &TIMEOUTS)?;
        for (name, field) in TIMEOUTS.iter().zip([&mut timeouts.ready, &mut timeouts.call, &mut timeouts.stop]) {
            let Some(value) = members.get(name) else { continue };
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                other => kind(other),
            };
            *field = duration::parse(&text)
                .and_then(|given| {
                    let (most, why) = match *name {
                        "stop" => (LONGEST_STOP, "longer than 10s, after which a daemon that stops waits no more"),
                        _ => (LONGEST, "longer than 1h, so a plugin that hangs would go unnoticed for hours"),
                    };
                    if given <= most { Ok(given) } else { Err(why.into()) }
                })
                .map_err(|why| self.wrong(&["timeouts", name], &why, "write it as `10s`"))?;
        }
        Ok(timeouts)
    }

    fn min_sched(&self) -> Result<()> {
        const OURS: &str = env!("CARGO_PKG_VERSION");
        if self.get("min_sched").is_none() {
            return Ok(());
        }
        let least = self.text("min_sched")?;
        let parse = |text: &str| {
            let parts: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
            parts.filter(|parts| (1..=3).contains(&parts.len()))
        };
        let Some(parts) = parse(&least) else {
            return Err(self.wrong(&["min_sched"], &format!("`{least}` is no version"), "write it as `'1.2'`"));
        };
        if parse(OURS).is_some_and(|ours| ours < parts) {
            let what = format!("it needs sched {least} or later, and this is {OURS}");
            return Err(self.wrong(&["min_sched"], &what, "update sched"));
        }
        Ok(())
    }

    /// The value of a key that has to be there, as text; a version such as `1.2` is read as it was written.
    fn text(&self, name: &'static str) -> Result<String> {
        let Some(value) = self.get(name) else { return Err(self.missing(name, &format!("{name}: ..."))) };
        match value {
            Value::String(text) if text.contains('\0') => Err(self.wrong(&[name], "it holds a NUL byte", "remove it")),
            Value::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Value::String(_) => Err(self.wrong(&[name], "it is empty", "write something there")),
            other => {
                let what = format!("expected a text, found {}", kind(other));
                Err(self.wrong(&[name], &what, "put it in quotes if it is meant as a text"))
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.root.get(name).filter(|value| !value.is_null())
    }

    fn absent(&self, name: &'static str, plugins: &str) -> Result<()> {
        if self.get(name).is_none() {
            return Ok(());
        }
        Err(self.wrong_key(&[name], &format!("`{name}` is nothing that a plugin of kind `{plugins}` has"), "remove it"))
    }

    fn known(&self, parents: &[&str], members: &Mapping, known: &[&str]) -> Result<()> {
        for (key, _) in members {
            let Some(name) = key.as_str() else {
                return Err(self.wrong_key(parents, &format!("{} is no key", kind(key)), "remove it"));
            };
            if known.contains(&name) || name.starts_with(['$', '_']) {
                continue;
            }
            let path: Vec<&str> = parents.iter().copied().chain([name]).collect();
            let hint = match nearest(name, known.iter().copied()).first() {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("there are `{}`", known.join("`, `")),
            };
            return Err(self.wrong_key(&path, &format!("there is no key `{}`", path.join(".")), hint));
        }
        Ok(())
    }

    fn missing(&self, name: &str, example: &str) -> Error {
        Error::new(ErrorKind::Invalid, format!("{}: there is no `{name}`", self.file)).hint(format!("add `{example}`"))
    }

    fn wrong(&self, path: &[&str], what: &str, hint: impl Into<String>) -> Error {
        self.at(locate::value(self.text, path), &format!("{}: {what}", path.join(".")), hint)
    }

    fn wrong_key(&self, path: &[&str], what: &str, hint: impl Into<String>) -> Error {
        self.at(locate::key(self.text, path), what, hint)
    }

    fn at(&self, place: Option<Place>, what: &str, hint: impl Into<String>) -> Error {
        let place = place.map_or_else(String::new, |place| format!("{place}: "));
        Error::new(ErrorKind::Invalid, format!("{}: {place}{what}", self.file)).hint(hint)
    }
}

/// What a value is, in words.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {text:?}"),
        Value::Sequence(_) => "a list".into(),
        Value::Mapping(_) => "a section of keys".into(),
        Value::Tagged(tagged) => format!("a value with the tag {}", tagged.tag),
    }
}
