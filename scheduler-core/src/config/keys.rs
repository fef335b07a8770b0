//! From parsed YAML to a [`Config`], key by key: a wrong value costs that key and nothing else.
//!
//! Keys are taken one by one instead of derived, for the same reasons as the fields of a job: an operator needs to hear
//! which key is wrong, where, what was found and what could stand there; and a key that this build doesn't carry out
//! must never be ignored.

use serde_yaml::{Mapping, Value};

use super::{
    Config,
    checks::{self, Checks},
    locate, probes, report,
    sinks::{self, Refused},
    values::{
        Parts, Wrong, any_duration, bytes, environment, folder, grace, groups, heartbeat, interval, is_empty, kind,
        name, overlap, ping_interval, ping_url, policy, retries, shell, sink_names, sinks_each, time_zone, truth,
        whole,
    },
};
use crate::{nearest, store::Problem};

/// Keys of the format that this build doesn't carry out. A daemon without the gateway or the monitor somebody asked for
/// would look as if it had them.
pub(super) const NOT_HERE: [&str; 3] = ["gateway", "providers", "store"];

/// The configuration that `root`, the parsed `text` of the file called `file`, asks for, and what is wrong with it.
pub(super) fn read(file: &str, text: &str, root: &Mapping) -> (Config, Vec<Problem>) {
    let mut config = Config::default();
    let mut keys = Keys { file, text, root, known: Vec::new(), problems: Vec::new() };
    keys.take_all(&mut config);
    keys.judge_the_rest();
    (config, keys.problems)
}

/// Every key this build knows, in the order of [`read`].
#[cfg(test)]
pub(super) fn known() -> Vec<&'static str> {
    let root = Mapping::new();
    let mut keys = Keys { file: "", text: "", root: &root, known: Vec::new(), problems: Vec::new() };
    keys.take_all(&mut Config::default());
    keys.known
}

/// Reads an entry of a list.
type Read<T> = fn(&Value) -> Result<T, Refused>;

struct Keys<'a> {
    file: &'a str,
    text: &'a str,
    root: &'a Mapping,
    /// Every path that was asked for, and so exactly what this build knows.
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl Keys<'_> {
    /// The keys of the format, each with what reads it.
    fn take_all(&mut self, config: &mut Config) {
        let text = self.text;
        self.set(&mut config.provider, "provider", name);
        self.set(&mut config.agent, "agent", |value| {
            name(value).map(|agent| Some(agent).filter(|agent| !agent.is_empty()))
        });
        self.set(&mut config.timezone, "timezone", time_zone);
        self.set(&mut config.interval, "ticker.interval", interval);
        self.set(&mut config.abort_after, "ticker.abort_after", any_duration);
        self.set(&mut config.max_parallel, "max_parallel", |value| whole(value, 1));
        self.set_parts(&mut config.groups, "groups", groups);
        self.set(&mut config.drain_timeout, "drain_timeout", any_duration);
        self.set(&mut config.misfire.grace, "misfire.grace", grace);
        self.set(&mut config.misfire.policy, "misfire.policy", policy);
        self.set(&mut config.misfire.max, "misfire.max", |value| whole(value, 1));
        self.set(&mut config.history.keep_days, "history.keep_days", |value| whole(value, 0));
        self.set(&mut config.history.max_bytes, "history.max_bytes", bytes);
        self.set(&mut config.history.logs_per_job, "history.logs_per_job", |value| whole(value, 0));
        self.set(&mut config.history.logs_max_bytes, "history.logs_max_bytes", bytes);
        self.set(&mut config.history.output_limit, "history.output_limit", bytes);
        self.set(&mut config.defaults.timeout, "defaults.timeout", |value| {
            any_duration(value).map(|timeout| Some(timeout).filter(|timeout| !timeout.is_zero()))
        });
        self.set(&mut config.defaults.overlap, "defaults.overlap", overlap);
        self.set(&mut config.defaults.retries, "defaults.retries", retries);
        self.set(&mut config.defaults.inherit_env, "defaults.inherit_env", truth);
        self.set_parts(&mut config.defaults.env, "defaults.env", |value| environment(value, text));
        self.set(&mut config.defaults.shell, "defaults.shell", shell);
        self.entries(
            &mut config.notify,
            "notify",
            ("sink", "nothing is sent to this sink"),
            (sinks::sink, |sink| &sink.name),
        );
        self.set(&mut config.watchdog.every, "watchdog.every", |value| interval(value).map(Some));
        self.set(&mut config.watchdog.rate_limit, "watchdog.rate_limit", any_duration);
        // Where one can't be read all are told: that is the smaller harm.
        self.set(&mut config.watchdog.notify, "watchdog.notify", sink_names);
        self.checks(&mut config.watchdog.checks);
        self.entries(
            &mut config.heartbeats,
            "heartbeats",
            ("heartbeat", "nobody misses this one"),
            (heartbeat, |expected| expected.name.stem()),
        );
        self.set(&mut config.heartbeats_dir, "heartbeats_dir", folder);
        self.set(&mut config.monitor.ping_url, "monitor.ping_url", ping_url);
        self.set(&mut config.monitor.ping_interval, "monitor.ping_interval", ping_interval);
        self.set(&mut config.monitor.ping_body, "monitor.ping_body", bytes);
        self.entries(&mut config.probes, "probes", ("probe", "it isn't run"), (probes::probe, |probe| &probe.name));
        self.name_sinks(&["watchdog", "notify"], config.watchdog.notify.as_deref(), config);
        for probe in &config.probes {
            let index = self.index_of("probes", &probe.name).to_string();
            self.name_sinks(&["probes", &index, "notify"], probe.notify.as_deref(), config);
        }
        self.set(&mut config.report.schedule, "report.schedule", report::schedule);
        self.set(&mut config.report.timezone, "report.timezone", |value| time_zone(value).map(Some));
        self.set(&mut config.report.since, "report.since", report::since);
        self.set_parts(&mut config.report.notify, "report.notify", sinks_each);
        self.name_sinks(&["report", "notify"], Some(&config.report.notify), config);
        self.judge_report(config);
    }

    /// Sets `field` to the value at `path` if there is one (`null` is none) and `read` takes it.
    fn set<T>(&mut self, field: &mut T, path: &'static str, read: impl FnOnce(&Value) -> Result<T, Wrong>) {
        self.known.push(path);
        let mut value = None;
        let mut within = Some(self.root);
        for step in path.split('.') {
            value = within.and_then(|mapping| mapping.get(step));
            within = value.and_then(Value::as_mapping);
        }
        match value.filter(|value| !value.is_null()).map(read) {
            None => {}
            Some(Ok(read)) => *field = read,
            Some(Err(wrong)) => {
                let hint = wrong.hint.unwrap_or_else(|| "correct the value; until then its default holds".into());
                self.problem(&path.split('.').collect::<Vec<_>>(), &wrong.what, hint);
            }
        }
    }

    /// The same for a value with many members, of which a wrong one costs itself alone.
    fn set_parts<T>(
        &mut self,
        field: &mut T,
        path: &'static str,
        read: impl FnOnce(&Value) -> Result<Parts<T>, Wrong>,
    ) {
        let mut parts = None;
        self.set(&mut parts, path, |value| read(value).map(Some));
        let Some((taken, wrong)) = parts else { return };
        *field = taken;
        for (member, wrong) in wrong {
            let hint = wrong.hint.unwrap_or_else(|| "correct it; until then it counts for nothing".into());
            let path: Vec<&str> = path.split('.').chain([member.as_str()]).filter(|step| !step.is_empty()).collect();
            self.problem(&path, &wrong.what, hint);
        }
    }

    /// The entries of a list, each with a name of its own: what they are and what comes of a wrong one, what reads one and what it is called. A wrong one
    /// costs itself alone.
    fn entries<T>(
        &mut self,
        taken: &mut Vec<T>,
        key: &'static str,
        (what, meanwhile): (&str, &str),
        (read, name): (Read<T>, fn(&T) -> &str),
    ) {
        self.known.push(key);
        let Some(value) = self.root.get(key).filter(|value| !is_empty(value)) else { return };
        let Some(entries) = value.as_sequence() else {
            let wrong = Wrong::expected(&format!("a list of {what}s"), value);
            return self.problem(&[key], &wrong.what, "begin each with `- name:`, one below the other".into());
        };
        for (index, entry) in entries.iter().enumerate() {
            let index = index.to_string();
            let twice = |name: &str| Wrong::because(format!("a second {what} with the name `{name}`"));
            let read = match read(entry) {
                Ok(one) if taken.iter().any(|known| name(known) == name(&one)) => Err(("name", twice(name(&one)))),
                other => other,
            };
            match read {
                Ok(one) => taken.push(one),
                Err((member, wrong)) => {
                    let path = [key, &index, member];
                    let hint = wrong.hint.unwrap_or_else(|| format!("correct it; until then {meanwhile}"));
                    self.problem(if member.is_empty() { &path[..2] } else { &path }, &wrong.what, hint);
                }
            }
        }
    }

    /// The lists of `watchdog.checks`. A wrong entry costs itself alone: the rest is watched.
    fn checks(&mut self, into: &mut Checks) {
        const SECTION: [&str; 2] = ["watchdog", "checks"];
        self.known.push("watchdog.checks");
        let root = self.root;
        let value = root.get(SECTION[0]).and_then(|section| section.as_mapping()?.get(SECTION[1]));
        let Some(value) = value.filter(|value| !is_empty(value)) else { return };
        let kinds = checks::KINDS.map(|(word, _)| word);
        let Some(lists) = value.as_mapping() else {
            let wrong = Wrong::expected("a section of lists", value);
            return self.problem(&SECTION, &wrong.what, format!("its keys are `{}`", kinds.join("`, `")));
        };
        for (key, list) in lists {
            let word = key.as_str().unwrap_or_default();
            let Some((word, members)) = checks::KINDS.into_iter().find(|(known, _)| *known == word) else {
                let near = nearest(word, kinds);
                let hint = near.first().map_or_else(
                    || format!("there are `{}`", kinds.join("`, `")),
                    |near| format!("did you mean `{near}`?"),
                );
                self.problem(&[SECTION[0], SECTION[1], word], &format!("{} is no kind of check", kind(key)), hint);
                continue;
            };
            let path = [SECTION[0], SECTION[1], word];
            let Some(entries) = list.as_sequence() else {
                if !is_empty(list) {
                    let wrong = Wrong::expected("a list of checks", list);
                    self.problem(&path, &wrong.what, "begin each with `- name:`, one below the other".into());
                }
                continue;
            };
            for (index, entry) in entries.iter().enumerate() {
                if let Err((member, wrong)) = checks::check(word, members, entry).and_then(|check| into.take(check)) {
                    let index = index.to_string();
                    let path = [SECTION[0], SECTION[1], word, &index, member];
                    let hint = wrong.hint.unwrap_or_else(|| "correct it; until then this is not watched".into());
                    self.problem(if member.is_empty() { &path[..4] } else { &path }, &wrong.what, hint);
                }
            }
        }
    }

    /// Where the entry with this name stands in the list behind `key`.
    fn index_of(&self, key: &str, name: &str) -> usize {
        let entries = self.root.get(key).and_then(Value::as_sequence);
        let is_it = |entry: &Value| entry.get("name").and_then(Value::as_str) == Some(name);
        entries.and_then(|entries| entries.iter().position(is_it)).unwrap_or_default()
    }

    /// Names of sinks that there are none of: those are told nothing, and the rest of the list is.
    fn name_sinks(&mut self, path: &[&str], names: Option<&[String]>, config: &Config) {
        for name in names.unwrap_or_default() {
            if config.notify.iter().all(|sink| sink.name != *name) {
                let near = nearest(name, config.notify.iter().map(|sink| sink.name.as_str()));
                let hint = near.first().map_or_else(
                    || "add it to `notify`, or take the name out".into(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.problem(path, &format!("there is no sink `{name}` in `notify`"), hint);
            }
        }
    }

    /// A report that nobody gets, or that goes where no report can.
    fn judge_report(&mut self, config: &Config) {
        let plan = &config.report;
        for name in &plan.notify {
            if config.notify.iter().any(|sink| sink.name == *name && !sink.takes_reports()) {
                let what = format!("`{name}` is a tracker, which keeps issues and takes no reports");
                let hint = "name a sink of type webhook, email or command".into();
                self.problem(&["report", "notify"], &what, hint);
            }
        }
        if plan.schedule.is_some() && plan.notify.is_empty() {
            let what = "nobody gets this report: `report.notify` names no sink";
            self.problem(
                &["report", "schedule"],
                what,
                "name sinks of `notify` in it, or take the schedule out".into(),
            );
        }
    }

    /// Sections that are none, keys that this build doesn't carry out, and keys that mean nothing.
    fn judge_the_rest(&mut self) {
        let root = self.root;
        for (key, value) in root {
            let section = key.as_str().filter(|key| self.sections().any(|section| section == *key));
            match (section, value) {
                (None, _) => self.judge(&[], key, value),
                (Some(_), Value::Null) => {}
                (Some(section), Value::Mapping(members)) => {
                    members.iter().for_each(|(key, value)| self.judge(&[section], key, value));
                }
                (Some(section), other) => {
                    let inside = self.names(&[section]).join("`, `");
                    let wrong = Wrong::expected("a section of keys", other);
                    self.problem(&[section], &wrong.what, format!("its keys are `{inside}`, one a line below it"));
                }
            }
        }
    }

    /// A key at the top, or inside the section that `parents` names.
    fn judge(&mut self, parents: &[&str], key: &Value, value: &Value) {
        let Some(key) = key.as_str() else {
            let what = format!("{}: {} is no key", self.file, kind(key));
            self.problems.push(Problem::remark("config-key", what, "remove it"));
            return;
        };
        let path: Vec<&str> = parents.iter().copied().chain([key]).collect();
        let dotted = path.join(".");
        // `ticker.interval: 5s` on one line looks like the path it isn't.
        let is_path = !key.contains('.');
        if parents.is_empty() && key.starts_with(['$', '_'])
            || is_path && self.known.iter().any(|known| *known == dotted)
        {
            return;
        }
        if is_path && NOT_HERE.contains(&dotted.as_str()) {
            let is_here = dotted == "store" && value.as_str() == Some("json");
            if !is_empty(value) && !is_here {
                let what = format!("this build of sched does not carry `{dotted}` out");
                self.problem(&path, &what, "remove the key".into());
            }
            return;
        }
        let place = locate::key(self.text, &path).map_or_else(String::new, |place| format!("{place}: "));
        let what = format!("{}: {place}no such key: `{dotted}`", self.file);
        let hint = self.meant(parents, key);
        self.problems.push(Problem::remark(problem_key(&path), what, hint));
    }

    /// What somebody may have meant with a key that there isn't.
    fn meant(&self, parents: &[&str], key: &str) -> String {
        let last = key.rsplit('.').next().unwrap_or(key);
        let elsewhere = self.known.iter().filter_map(|known| known.split_once('.')).find(|(_, name)| *name == last);
        let near = nearest(key, self.names(parents));
        match (near.first(), elsewhere) {
            (near, Some((section, name))) if near.is_none() || key.contains('.') => {
                format!("write `{name}` on a line of its own, indented, below `{section}:`")
            }
            (Some(near), _) => {
                let near: Vec<&str> = parents.iter().copied().chain([*near]).collect();
                format!("did you mean `{}`?", near.join("."))
            }
            (None, _) => "remove it".into(),
        }
    }

    fn problem(&mut self, path: &[&str], what: &str, hint: String) {
        let place = locate::value(self.text, path).map_or_else(String::new, |place| format!("{place}: "));
        let what = format!("{}: {place}{}: {what}", self.file, path.join("."));
        self.problems.push(Problem::new(problem_key(path), what, hint));
    }

    fn sections(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.known.iter().filter_map(|known| known.split_once('.')).map(|(section, _)| section)
    }

    /// The keys there are below `parents`, those included that other builds carry out.
    fn names(&self, parents: &[&str]) -> Vec<&'static str> {
        let all = self.known.iter().copied().chain(NOT_HERE);
        let mut names: Vec<&str> = match parents.first() {
            Some(section) => all.filter_map(|key| key.strip_prefix(section)?.strip_prefix('.')).collect(),
            None => all.map(|key| key.split('.').next().unwrap_or(key)).collect(),
        };
        names.dedup();
        names
    }
}

/// The stable name of a problem with a key: it also names a file, so nothing of the key's text but plain letters gets
/// in.
fn problem_key(path: &[&str]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') { c } else { '-' };
    let path: String = path.join(".").chars().take(60).map(plain).collect();
    format!("config-{path}")
}
