//! What differs between two configurations, key by key and in words.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{Config, Defaults, History, Monitor, Probe, ReportPlan, Watchdog, checks::Checks, sinks::Sink};
use crate::{
    duration,
    job::{Misfire, MisfirePolicy, Overlap, Retries},
    liveness::beats::Expected,
    store::Groups,
};

/// A key that says something else.
///
/// ```
/// use scheduler_core::config::{Config, Difference};
/// let mut after = Config::default();
/// after.provider = "none".into();
/// let [Difference { key, after, .. }] = &Config::default().differences(&after)[..] else { panic!("one key") };
/// assert_eq!((*key, after.as_str()), ("provider", "none"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Which: `ticker.interval`.
    pub key: &'static str,
    /// What it said.
    pub before: String,
    /// What it says.
    pub after: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, before, after } = self;
        write!(f, "{key}: {before} -> {after}")
    }
}

impl Config {
    /// What `after` says otherwise. Values of the environment are left out: they may be secrets.
    ///
    /// ```
    /// use scheduler_core::config::Config;
    /// let mut other = Config::default();
    /// other.max_parallel = 8;
    /// assert_eq!(Config::default().differences(&other)[0].to_string(), "max_parallel: 256 -> 8");
    /// ```
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let differs = |(before, after): ((&'static str, String), (&'static str, String))| {
            let ((key, before), (_, after)) = (before, after);
            (before != after).then_some(Difference { key, before, after })
        };
        let mut differences: Vec<Difference> = said(self).into_iter().zip(said(after)).filter_map(differs).collect();
        // Values of the environment are secrets, addresses may be, and the rest of these would be long.
        let hidden = [
            ("defaults.env", "old values", self.defaults.env != after.defaults.env),
            ("notify", "old settings", self.notify != after.notify),
            ("monitor.ping_url", "old value", self.monitor.ping_url != after.monitor.ping_url),
            ("probes", "old settings", self.probes != after.probes),
        ];
        for (key, before, differs) in hidden {
            if differs && differences.iter().all(|difference| difference.key != key) {
                let after = if key == "monitor.ping_url" { "a new one" } else { "new ones" };
                let (before, after) = (before.to_owned(), after.to_owned());
                differences.push(Difference { key, before, after });
            }
        }
        // What a check is made of is more than its name.
        if differences.iter().all(|difference| difference.key != "watchdog.checks")
            && self.watchdog.checks != after.watchdog.checks
        {
            let (before, after) = ("old ones".to_owned(), "changed ones".to_owned());
            differences.push(Difference { key: "watchdog.checks", before, after });
        }
        differences
    }
}

/// Every key in words. Taken apart without `..`, so that none can be forgotten.
fn said(config: &Config) -> Vec<(&'static str, String)> {
    let Config {
        provider,
        agent,
        timezone,
        interval,
        abort_after,
        max_parallel,
        groups,
        drain_timeout,
        misfire,
        history,
        defaults,
        notify,
        watchdog,
        heartbeats,
        heartbeats_dir: folder,
        monitor,
        probes,
        report,
    } = config;
    let ReportPlan { schedule, timezone: report_zone, since, notify: report_notify } = report;
    let Watchdog { every, rate_limit, notify: watchdog_notify, checks } = watchdog;
    let Monitor { ping_url, ping_interval, ping_body } = monitor;
    let Misfire { grace, policy, max } = misfire;
    let History { keep_days, max_bytes, logs_per_job, logs_max_bytes, output_limit } = history;
    let Defaults { timeout, overlap, retries, inherit_env, env, shell } = defaults;
    vec![
        ("provider", if provider.is_empty() { "builtin".into() } else { provider.clone() }),
        ("agent", agent.clone().unwrap_or_else(|| "the name of the machine".into())),
        ("timezone", timezone.clone()),
        ("ticker.interval", duration::format(*interval)),
        ("ticker.abort_after", duration::format(*abort_after)),
        ("max_parallel", max_parallel.to_string()),
        ("groups", groups_words(groups)),
        ("drain_timeout", duration::format(*drain_timeout)),
        ("misfire.grace", grace.map_or_else(|| "auto".into(), duration::format)),
        ("misfire.policy", policy_word(*policy).into()),
        ("misfire.max", max.to_string()),
        ("history.keep_days", keep_days.to_string()),
        ("history.max_bytes", format!("{max_bytes} bytes")),
        ("history.logs_per_job", logs_per_job.to_string()),
        ("history.logs_max_bytes", format!("{logs_max_bytes} bytes")),
        ("history.output_limit", format!("{output_limit} bytes")),
        ("defaults.timeout", duration::format(timeout.unwrap_or(Duration::ZERO))),
        ("defaults.overlap", overlap_word(*overlap).into()),
        ("defaults.retries", retries_words(*retries)),
        ("defaults.inherit_env", inherit_env.to_string()),
        ("defaults.env", names(env)),
        ("defaults.shell", shell.clone()),
        ("notify", sinks_words(notify)),
        ("watchdog.every", every.map_or_else(|| "not said".into(), duration::format)),
        ("watchdog.rate_limit", duration::format(*rate_limit)),
        ("watchdog.notify", watchdog_notify.as_ref().map_or_else(|| "all".into(), |names| names.join(" "))),
        ("watchdog.checks", checks_words(checks)),
        ("heartbeats", heartbeats_words(heartbeats)),
        ("heartbeats_dir", folder.as_ref().map_or_else(|| "the home's own".into(), |it| it.display().to_string())),
        ("monitor.ping_url", ping_url.as_ref().map_or_else(|| "none".into(), ToString::to_string)),
        ("monitor.ping_interval", duration::format(*ping_interval)),
        ("monitor.ping_body", format!("{ping_body} bytes")),
        ("probes", probes_words(probes)),
        ("report.schedule", schedule.clone().unwrap_or_else(|| "none".into())),
        ("report.timezone", report_zone.clone().unwrap_or_else(|| "that of the jobs".into())),
        ("report.since", duration::format(*since)),
        ("report.notify", if report_notify.is_empty() { "nobody".into() } else { report_notify.join(" ") }),
    ]
}

fn names(env: &BTreeMap<String, String>) -> String {
    let names: Vec<&str> = env.keys().map(String::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(" ") }
}

fn groups_words(groups: &Groups) -> String {
    let groups: Vec<String> = groups.iter().map(|(name, most)| format!("{name} {most}")).collect();
    if groups.is_empty() { "none".into() } else { groups.join(" ") }
}

fn sinks_words(sinks: &[Sink]) -> String {
    let sinks: Vec<String> = sinks.iter().map(|sink| format!("{} ({})", sink.name, sink.type_word())).collect();
    if sinks.is_empty() { "none".into() } else { sinks.join(" ") }
}

fn checks_words(checks: &Checks) -> String {
    let names = |kind: &str, names: Vec<&str>| names.iter().map(|name| format!("{kind} {name}")).collect::<Vec<_>>();
    let all = [
        names("tcp", checks.tcp.iter().map(|check| check.name.as_str()).collect()),
        names("process", checks.process.iter().map(|check| check.name.as_str()).collect()),
        names("heartbeat", checks.heartbeat.iter().map(|check| check.name.as_str()).collect()),
        names("syntax", checks.syntax.iter().map(|check| check.name.as_str()).collect()),
    ]
    .concat();
    if all.is_empty() { "none".into() } else { all.join(", ") }
}

fn heartbeats_words(heartbeats: &[Expected]) -> String {
    let one = |Expected { name, every, max_age }: &Expected| {
        let most = max_age.map_or_else(String::new, |age| format!(" (at most {})", duration::format(age)));
        format!("{name} every {}{most}", duration::format(*every))
    };
    if heartbeats.is_empty() { "none".into() } else { heartbeats.iter().map(one).collect::<Vec<_>>().join(", ") }
}

fn probes_words(probes: &[Probe]) -> String {
    let names: Vec<&str> = probes.iter().map(|probe| probe.name.as_str()).collect();
    if names.is_empty() { "none".into() } else { names.join(" ") }
}

fn policy_word(policy: MisfirePolicy) -> &'static str {
    match policy {
        MisfirePolicy::Latest => "latest",
        MisfirePolicy::All => "all",
        MisfirePolicy::Skip => "skip",
    }
}

fn retries_words(Retries { max, backoff, max_backoff }: Retries) -> String {
    format!("{max} after {} to {}", duration::format(backoff), duration::format(max_backoff))
}

fn overlap_word(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Forbid => "forbid",
        Overlap::Allow => "allow",
        Overlap::Queue => "queue",
        Overlap::Replace => "replace",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PingUrl, config::keys};

    #[test]
    fn every_key_that_the_file_can_have_is_compared() {
        let compared: Vec<&str> = said(&Config::default()).into_iter().map(|(key, _)| key).collect();
        let mut known = keys::known();
        known.sort_unstable();
        let mut sorted = compared.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, known);
    }

    #[test]
    fn what_differs_is_told_and_values_of_the_environment_are_not() {
        let config = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config
        };
        let check = |before: fn(&mut Config), after: fn(&mut Config), expected: &[&str]| {
            let told = config(before).differences(&config(after));
            assert_eq!(told.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        };
        let nothing: fn(&mut Config) = |_| {};
        check(nothing, nothing, &[]);
        check(nothing, |c| c.provider = "none".into(), &["provider: builtin -> none"]);
        check(
            nothing,
            |c| {
                c.interval = Duration::from_secs(1);
                c.defaults.timeout = Some(Duration::from_mins(90));
            },
            &["ticker.interval: 1m -> 1s", "defaults.timeout: 0s -> 1h 30m"],
        );
        let secret = |c: &mut Config| drop(c.defaults.env.insert("TOKEN".into(), "hunter1".into()));
        let other = |c: &mut Config| drop(c.defaults.env.insert("TOKEN".into(), "hunter2".into()));
        let groups = |c: &mut Config| c.groups = [("a".into(), 1), ("b".into(), 2)].into_iter().collect();
        check(nothing, groups, &["groups: none -> a 1 b 2"]);
        let heartbeats = |c: &mut Config| {
            let (name, every) = (crate::liveness::beats::BeatName::new("a"), Duration::from_mins(15));
            c.heartbeats.push(Expected { name, every, max_age: Some(every) });
        };
        check(nothing, heartbeats, &["heartbeats: none -> a every 15m (at most 15m)"]);
        check(nothing, |c| c.heartbeats_dir = Some("/x".into()), &["heartbeats_dir: the home's own -> /x"]);
        check(nothing, secret, &["defaults.env: none -> TOKEN"]);
        check(secret, other, &["defaults.env: old values -> new ones"]);
        let ping = |c: &mut Config| c.monitor.ping_url = PingUrl::parse("https://a.org/s3cret").ok();
        let another = |c: &mut Config| c.monitor.ping_url = PingUrl::parse("https://a.org/other").ok();
        check(nothing, ping, &["monitor.ping_url: none -> https://a.org/***"]);
        check(ping, another, &["monitor.ping_url: old value -> a new one"]);
    }
}
