//! One entry of `notify`: from YAML to a [`Sink`], or what is wrong with which of its members.
//!
//! A value that may hold a password is never part of a message.

use std::{collections::BTreeSet, time::Duration};

use serde_yaml::{Mapping, Value};

use super::{Event, Forge, Preset, Secret, Sink, Tracker, Via};
use crate::{
    config::values::{Wrong, any_duration, kind, whole},
    ids::is_plain,
    nearest,
};

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it is about, and what is wrong: the member is `""` for the entry as a whole.
pub(in crate::config) type Refused = (&'static str, Wrong);

/// The types there are, each with the members it has beside `name`, `type` and `on`.
const TYPES: [(&str, &[&str]); 6] = [
    ("webhook", &["url", "preset", "token", "chat"]),
    ("email", &["to", "from", "smtp"]),
    ("command", &["command", "timeout"]),
    ("gitea", &TRACKER),
    ("forgejo", &TRACKER),
    ("github", &TRACKER),
];

const TRACKER: [&str; 6] = ["url", "repo", "token", "assignees", "label", "max_issues"];

/// What every entry may have.
const COMMON: [&str; 3] = ["name", "type", "on"];

/// The sink that `entry` asks for.
pub(in crate::config) fn sink(entry: &Value) -> Result<Sink, Refused> {
    let expected = "a sink such as `{name: pager, type: command, command: [page]}`";
    let members = entry.as_mapping().ok_or_else(|| ("", Wrong::expected(expected, entry)))?;
    let members = Members(members);
    let name = members.plain("name")?;
    let kind = members.required("type", "one of `webhook`, `email`, `command`, `gitea`, `forgejo`, `github`")?;
    let known = TYPES.iter().find(|(word, _)| Some(*word) == kind.as_str());
    let Some((word, own)) = known else {
        let near = kind.as_str().and_then(|word| nearest(word, TYPES.map(|(word, _)| word)).first().copied());
        let wrong = Wrong::expected("`webhook`, `email`, `command`, `gitea`, `forgejo` or `github`", kind);
        return Err((
            "type",
            near.into_iter().fold(wrong, |wrong, near| wrong.hint(format!("did you mean `{near}`?"))),
        ));
    };
    members.judge(word, own)?;
    let via = match *word {
        "webhook" => members.webhook()?,
        "email" => members.email()?,
        "command" => members.command()?,
        forge => Via::Tracker(members.tracker(forge)?),
    };
    let mut sink = Sink::new(name, via);
    if let Some(on) = members.on()? {
        sink.on = on;
    }
    Ok(sink)
}

struct Members<'a>(&'a Mapping);

impl<'a> Members<'a> {
    fn get(&self, member: &str) -> Option<&'a Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    fn required(&self, member: &'static str, expected: &str) -> Result<&'a Value, Refused> {
        self.get(member).ok_or_else(|| ("", Wrong::because(format!("it has no `{member}`: {expected}"))))
    }

    /// Members that mean nothing to this type: a `token` that nobody reads would be taken for one that is used.
    fn judge(&self, word: &str, own: &[&'static str]) -> Result<(), Refused> {
        let mut known = COMMON.iter().chain(own).copied();
        let stray = |key: &&Value| key.as_str().is_none_or(|key| !known.clone().any(|known| known == key));
        let Some(key) = self.0.keys().find(stray) else { return Ok(()) };
        let wrong = Wrong::because(format!("{} is no key of a sink of type `{word}`", kind(key)));
        let near = nearest(key.as_str().unwrap_or_default(), known.by_ref());
        Err((
            "",
            match near.first() {
                Some(near) => wrong.hint(format!("did you mean `{near}`?")),
                None => wrong.hint(format!(
                    "its keys are `{}`",
                    COMMON.iter().chain(own).copied().collect::<Vec<_>>().join("`, `")
                )),
            },
        ))
    }

    fn plain(&self, member: &'static str) -> Result<String, Refused> {
        let value = self.required(member, "what you call it")?;
        let name = value.as_str().filter(|name| is_plain(name));
        let wrong = || Wrong::because(format!("{} is no name of a sink", kind(value)));
        name.map(str::to_owned)
            .ok_or_else(|| (member, wrong().hint("a name is a-z, 0-9, `.`, `_` or `-`, at most 63 long")))
    }

    fn text(&self, member: &'static str) -> Result<Option<String>, Refused> {
        let Some(value) = self.get(member) else { return Ok(None) };
        let text = value.as_str().map(str::trim).filter(|text| !text.is_empty() && !text.contains('\0'));
        text.map(|text| Some(text.to_owned())).ok_or_else(|| (member, Wrong::expected("a text", value)))
    }

    /// A text whose value stays out of messages.
    fn secret(&self, member: &'static str) -> Result<Option<Secret>, Refused> {
        let Some(value) = self.get(member) else { return Ok(None) };
        let text = value.as_str().map(str::trim).filter(|text| !text.is_empty() && !text.contains('\0'));
        let wrong = || Wrong::because("expected a text".to_owned()).hint("put it in quotes");
        text.map(|text| Some(Secret::new(text))).ok_or_else(|| (member, wrong()))
    }

    /// Whether an address begins with one of these, as far as that can be known: a variable or a file may hold its begin.
    fn may_begin(&self, member: &str, schemes: &[&str]) -> bool {
        let text = self.get(member).and_then(Value::as_str).unwrap_or_default().trim();
        let written = text.split("${").next().unwrap_or_default();
        match written.split_once("://") {
            Some((scheme, _)) => schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)),
            None => text.contains("${") || text.starts_with("file:"),
        }
    }

    fn needed(&self, member: &'static str, example: &str) -> Result<String, Refused> {
        self.required(member, example)?;
        Ok(self.text(member)?.unwrap_or_default())
    }

    fn needed_secret(&self, member: &'static str, example: &str) -> Result<Secret, Refused> {
        self.required(member, example)?;
        Ok(self.secret(member)?.unwrap_or_default())
    }

    fn texts(&self, member: &'static str, least: usize) -> Result<Vec<String>, Refused> {
        let Some(value) = self.get(member) else { return Ok(Vec::new()) };
        let wrong = || (member, Wrong::expected("a list of texts", value));
        let text = |value: &Value| value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned);
        let items = value.as_sequence().filter(|items| items.len() >= least).ok_or_else(wrong)?;
        items.iter().map(text).collect::<Option<Vec<_>>>().ok_or_else(wrong)
    }

    fn on(&self) -> Result<Option<BTreeSet<Event>>, Refused> {
        if self.get("on").is_none() {
            return Ok(None);
        }
        let event = |word: &String| {
            word.parse().map_err(|()| {
                let words = Event::ALL.map(|(word, _)| word);
                let wrong = Wrong::because(format!("`{word}` is none of `{}`", words.join("`, `")));
                (
                    "on",
                    nearest(word, words)
                        .first()
                        .into_iter()
                        .fold(wrong, |wrong, near| wrong.hint(format!("did you mean `{near}`?"))),
                )
            })
        };
        self.texts("on", 1)?.iter().map(event).collect::<Result<_, _>>().map(Some)
    }

    fn webhook(&self) -> Result<Via, Refused> {
        let url = self.needed_secret("url", "where it is posted to")?;
        if !self.may_begin("url", &["https", "http"]) {
            let wrong = Wrong::because("it begins with neither `https://` nor `http://`");
            return Err(("url", wrong.hint("such as `https://hooks.example.org/...`")));
        }
        let preset = match self.text("preset")? {
            None => Preset::default(),
            Some(word) => Preset::ALL.into_iter().find(|preset| preset.word() == word).ok_or_else(|| {
                let wrong =
                    Wrong::because(format!("`{word}` is none of `slack`, `discord`, `telegram`, `ntfy`, `json`"));
                ("preset", wrong)
            })?,
        };
        let chat = match self.get("chat") {
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => self.text("chat")?,
        };
        if (preset == Preset::Telegram) != chat.is_some() {
            let wrong = Wrong::because("`chat` and `preset: telegram` belong together");
            return Err(("", wrong.hint("`chat` is the id of the chat that the bot writes to")));
        }
        Ok(Via::Webhook { url, preset, token: self.secret("token")?, chat })
    }

    fn email(&self) -> Result<Via, Refused> {
        self.required("to", "a list of addresses")?;
        let to = self.texts("to", 1)?;
        let from = self.needed("from", "an address")?;
        for (member, address) in to.iter().map(|to| ("to", to)).chain([("from", &from)]) {
            let bare = address.rsplit_once('<').map_or(address.as_str(), |(_, rest)| rest.trim_end_matches('>'));
            let parts = bare.split_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty());
            if parts.is_none() || bare.contains(char::is_whitespace) {
                return Err((member, Wrong::because(format!("`{address}` is no address such as `ops@example.org`"))));
            }
        }
        let smtp = self.needed_secret("smtp", "such as `smtps://user:${SMTP_PASS}@mail.example.org`")?;
        if !self.may_begin("smtp", &["smtps", "smtp+starttls", "smtp"]) {
            let wrong = Wrong::because("it begins with none of `smtps://`, `smtp+starttls://`, `smtp://`");
            return Err(("smtp", wrong.hint("such as `smtps://user:${SMTP_PASS}@mail.example.org`")));
        }
        Ok(Via::Email { to, from, smtp })
    }

    fn command(&self) -> Result<Via, Refused> {
        self.required("command", "a list: a program and its arguments")?;
        let command = self.texts("command", 1)?;
        if command.iter().take(1).any(|program| program.trim().is_empty()) {
            return Err(("command", Wrong::because("its program is empty")));
        }
        let timeout = match self.get("timeout") {
            None => PATIENCE,
            Some(value) => any_duration(value).map_err(|wrong| ("timeout", wrong))?,
        };
        if timeout.is_zero() || timeout > Duration::from_mins(10) {
            return Err(("timeout", Wrong::because("it is not between 1s and 10m")));
        }
        Ok(Via::Command { command, timeout })
    }

    fn tracker(&self, word: &str) -> Result<Tracker, Refused> {
        let forge = match word {
            "github" => Forge::GitHub,
            "forgejo" => Forge::Forgejo,
            _ => Forge::Gitea,
        };
        let url = match self.text("url")? {
            None if forge == Forge::GitHub => "https://api.github.com".to_owned(),
            None => return Err(("", Wrong::because("it has no `url`: where the tracker is"))),
            Some(url) if url.contains('@') => {
                let wrong = Wrong::because("a user or password doesn't belong into it");
                return Err(("url", wrong.hint("write it as `token`")));
            }
            Some(url) => url.trim_end_matches('/').to_owned(),
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(("url", Wrong::because("it begins with neither `https://` nor `http://`")));
        }
        let repo = self.needed("repo", "such as `owner/name`")?;
        let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
        if repo.split_once('/').is_none_or(|(owner, name)| !plain(owner) || !plain(name)) {
            return Err(("repo", Wrong::because(format!("`{repo}` is not `owner/name`"))));
        }
        let token = self.needed_secret("token", "such as `file:/etc/sched/token`")?;
        let mut tracker = Tracker::new(forge, url, repo, token);
        tracker.assignees = self.texts("assignees", 0)?;
        if let Some(label) = self.text("label")? {
            tracker.label = label;
        }
        if let Some(most) = self.get("max_issues") {
            tracker.max_issues = whole(most, 1).map_err(|wrong| ("max_issues", wrong))?;
        }
        Ok(tracker)
    }
}
