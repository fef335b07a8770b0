//! One entry of `watchdog.checks`: from YAML to a check, or what is wrong with which of its members.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_yaml::{Mapping, Value};

use super::{Beat, Check, Process, Syntax, Tcp};
use crate::{
    config::values::{Wrong, any_duration, kind},
    ids::is_plain,
    nearest,
};

/// The kinds there are, each with the members that its entries have.
pub(in crate::config) const KINDS: [(&str, &[&str]); 4] = [
    ("tcp", &["name", "address", "timeout"]),
    ("process", &["name", "pidfile", "pattern"]),
    ("heartbeat", &["name", "file", "max_age"]),
    ("syntax", &["name", "file", "command", "timeout"]),
];

/// The longest that one look may take: a watchdog that waits for hours watches nothing.
const LONGEST: Duration = Duration::from_mins(1);

/// What it is about, and what is wrong: the member is `""` for the entry as a whole.
type Refused = (&'static str, Wrong);

/// The check of this kind that `entry` asks for.
pub(in crate::config) fn check(word: &str, members: &'static [&'static str], entry: &Value) -> Result<Check, Refused> {
    let expected = || Wrong::expected("a check, a section of keys such as `name`", entry);
    let entry = Entry(entry.as_mapping().ok_or_else(|| ("", expected()))?);
    entry.judge(members)?;
    match word {
        "tcp" => entry.tcp().map(Check::Tcp),
        "process" => entry.process().map(Check::Process),
        "heartbeat" => entry.beat().map(Check::Beat),
        _ => entry.syntax().map(Check::Syntax),
    }
}

struct Entry<'a>(&'a Mapping);

impl Entry<'_> {
    fn tcp(&self) -> Result<Tcp, Refused> {
        let address = self.required("address", "`host:port`, or an `http://` URL")?;
        let mut tcp = Tcp::new(self.name()?, address);
        check_address(&tcp.address).map_err(|wrong| ("address", wrong))?;
        self.set_wait("timeout", &mut tcp.timeout)?;
        Ok(tcp)
    }

    fn process(&self) -> Result<Process, Refused> {
        let process = Process::new(self.name()?, self.path("pidfile")?, self.text("pattern")?);
        if process.pidfile.is_none() && process.pattern.is_none() {
            return Err(("", Wrong::because("it has neither `pidfile` nor `pattern`").hint("say how it is known")));
        }
        Ok(process)
    }

    fn beat(&self) -> Result<Beat, Refused> {
        let mut beat = Beat::new(self.name()?, self.file()?);
        if let Some(value) = self.get("max_age") {
            beat.max_age = some_duration(value).map_err(|wrong| ("max_age", wrong))?;
        }
        Ok(beat)
    }

    fn syntax(&self) -> Result<Syntax, Refused> {
        let mut syntax = Syntax::new(self.name()?, self.file()?);
        syntax.command = self.command()?;
        self.set_wait("timeout", &mut syntax.timeout)?;
        let suffix = syntax.file.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default();
        if syntax.command.is_none() && !Syntax::SUFFIXES.contains(&suffix) {
            let wrong = Wrong::because(format!("what `{}` is, its suffix doesn't say", syntax.file.display()));
            let hint =
                format!("it can be {}; for others say who judges it with `command`", Syntax::SUFFIXES.join(", "));
            return Err(("file", wrong.hint(hint)));
        }
        Ok(syntax)
    }

    fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    /// Members that mean nothing here: who wrote them thinks that something is watched.
    fn judge(&self, known: &[&'static str]) -> Result<(), Refused> {
        let stray = |key: &&Value| key.as_str().is_none_or(|key| !known.contains(&key));
        let Some(key) = self.0.keys().find(stray) else { return Ok(()) };
        let near = nearest(key.as_str().unwrap_or_default(), known.iter().copied());
        let hint = near
            .first()
            .map_or_else(|| format!("its keys are `{}`", known.join("`, `")), |near| format!("did you mean `{near}`?"));
        Err(("", Wrong::because(format!("{} is no key of it", kind(key))).hint(hint)))
    }

    fn name(&self) -> Result<String, Refused> {
        let name = self.required("name", "what you call it")?;
        if is_plain(&name) {
            return Ok(name);
        }
        let wrong = Wrong::because(format!("{name:?} is no name of a check"));
        Err(("name", wrong.hint("a name is a-z, 0-9, `.`, `_` or `-`, at most 63 long")))
    }

    fn required(&self, member: &'static str, expected: &str) -> Result<String, Refused> {
        let missing = || ("", Wrong::because(format!("it has no `{member}`: {expected}")));
        self.text(member)?.ok_or_else(missing)
    }

    fn text(&self, member: &'static str) -> Result<Option<String>, Refused> {
        let Some(value) = self.get(member) else { return Ok(None) };
        let text = value.as_str().map(str::trim).filter(|text| !text.is_empty() && !text.contains('\0'));
        text.map(|text| Some(text.to_owned())).ok_or_else(|| (member, Wrong::expected("a text", value)))
    }

    fn path(&self, member: &'static str) -> Result<Option<PathBuf>, Refused> {
        match self.text(member)? {
            Some(path) if !Path::new(&path).is_absolute() => {
                Err((member, Wrong::because(format!("`{path}` is not an absolute path"))))
            }
            path => Ok(path.map(PathBuf::from)),
        }
    }

    fn file(&self) -> Result<PathBuf, Refused> {
        self.required("file", "the absolute path of a file")?;
        Ok(self.path("file")?.unwrap_or_default())
    }

    fn command(&self) -> Result<Option<Vec<String>>, Refused> {
        let Some(value) = self.get("command") else { return Ok(None) };
        let wrong = || ("command", Wrong::expected("a list of texts, a program and its arguments", value));
        let text = |value: &Value| value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned);
        let words: Option<Vec<String>> = value.as_sequence().ok_or_else(wrong)?.iter().map(text).collect();
        words.filter(|words| words.first().is_some_and(|program| !program.is_empty())).map(Some).ok_or_else(wrong)
    }

    fn set_wait(&self, member: &'static str, wait: &mut Duration) -> Result<(), Refused> {
        let Some(value) = self.get(member) else { return Ok(()) };
        *wait = match some_duration(value).map_err(|wrong| (member, wrong))? {
            long if long > LONGEST => return Err((member, Wrong::because("longer than 1m, for one look"))),
            wait => wait,
        };
        Ok(())
    }
}

fn some_duration(value: &Value) -> Result<Duration, Wrong> {
    match any_duration(value)? {
        Duration::ZERO => Err(Wrong::because("it is zero; a duration such as `20m` is needed")),
        duration => Ok(duration),
    }
}

fn check_address(address: &str) -> Result<(), Wrong> {
    if address.starts_with("https://") {
        let wrong = Wrong::because("`https://` is not spoken here");
        return Err(wrong.hint("give `host:port`, which is tried without TLS"));
    }
    let authority = match address.strip_prefix("http://") {
        Some(rest) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            if host.contains(':') && !host.ends_with(']') { host.to_owned() } else { format!("{host}:80") }
        }
        None => address.to_owned(),
    };
    let (host, port) = authority.rsplit_once(':').unwrap_or_default();
    let blank = address.contains(|c: char| c.is_whitespace() || c.is_control());
    if host.is_empty() || blank || host.contains('@') || port.parse::<u16>().map_or(true, |port| port == 0) {
        let wrong = Wrong::because(format!("{address:?} is no address"));
        return Err(wrong.hint("write `127.0.0.1:7373`, `[::1]:7373`, `name:7373` or `http://name:7373/path`"));
    }
    Ok(())
}
