//! The sinks of `notify`: who is told of alerts, and over what. Plain values; the crate that speaks to them is another.
//!
//! `read` takes them from the file, entry by entry.

mod read;

use std::{collections::BTreeSet, time::Duration};

pub(super) use read::{Refused, sink};

use super::Secret;
use crate::notify::AlertKind;

/// One sink.
///
/// ```
/// use scheduler_core::config::sinks::{Event, Sink, Via};
/// let via = Via::Command { command: vec!["/usr/local/bin/page".into()], timeout: std::time::Duration::from_secs(30) };
/// let sink = Sink::new("pager", via);
/// assert!(sink.hears(Event::Failure) && !sink.hears(Event::Skipped));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sink {
    /// What the operator calls it.
    pub name: String,
    /// What it is told of.
    pub on: BTreeSet<Event>,
    /// How it is reached.
    pub via: Via,
}

impl Sink {
    /// A sink that is told of everything but skipped occurrences.
    pub fn new(name: impl Into<String>, via: Via) -> Self {
        Self { name: name.into(), on: Event::USUAL.into(), via }
    }

    /// Whether it is told of this.
    pub fn hears(&self, event: Event) -> bool {
        self.on.contains(&event)
    }

    /// The word for what it is.
    ///
    /// ```
    /// use scheduler_core::config::{Secret, sinks::{Forge, Sink, Tracker, Via}};
    /// let tracker = Tracker::new(Forge::GitHub, "https://api.github.com", "ops/cron", Secret::new("${TOKEN}"));
    /// assert_eq!(Sink::new("hub", Via::Tracker(tracker)).type_word(), "github");
    /// ```
    pub fn type_word(&self) -> &'static str {
        match &self.via {
            Via::Webhook { .. } => "webhook",
            Via::Email { .. } => "email",
            Via::Command { .. } => "command",
            Via::Tracker(tracker) => tracker.forge.word(),
        }
    }

    /// Whether a report can be sent to it: a tracker keeps issues, and a report is none.
    ///
    /// ```
    /// use scheduler_core::config::{Secret, sinks::{Forge, Sink, Tracker, Via}};
    /// let tracker = Tracker::new(Forge::GitHub, "https://api.github.com", "ops/cron", Secret::new("${TOKEN}"));
    /// assert!(!Sink::new("hub", Via::Tracker(tracker)).takes_reports());
    /// ```
    pub fn takes_reports(&self) -> bool {
        !matches!(self.via, Via::Tracker(_))
    }

    /// Everything in it that is a secret.
    ///
    /// ```
    /// use scheduler_core::config::{Secret, sinks::{Sink, Via}};
    /// let smtp = Secret::new("smtps://ann:${SMTP_PASS}@mail.example.org");
    /// let via = Via::Email { to: vec!["ops@example.org".into()], from: "sched@example.org".into(), smtp };
    /// assert_eq!(Sink::new("mail", via).secrets()[0].variables(), ["SMTP_PASS"]);
    /// ```
    pub fn secrets(&self) -> Vec<&Secret> {
        match &self.via {
            Via::Webhook { url, token, .. } => [url].into_iter().chain(token).collect(),
            Via::Email { smtp, .. } => vec![smtp],
            Via::Command { .. } => Vec::new(),
            Via::Tracker(tracker) => vec![&tracker.token],
        }
    }
}

/// What a sink may be told of.
///
/// ```
/// use scheduler_core::{config::sinks::Event, notify::AlertKind};
/// assert_eq!(Event::from(AlertKind::Timeout), Event::Timeout);
/// assert_eq!("recovery".parse(), Ok(Event::Recovery));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Event {
    /// A job failed.
    Failure,
    /// What it was told of is over.
    Recovery,
    /// A job took too long.
    Timeout,
    /// A job was due, and didn't run.
    Skipped,
    /// Nobody saw how a job ended.
    Unknown,
    /// A check found something else.
    Watchdog,
}

impl Event {
    /// All of them, with their words in config.yaml.
    pub(crate) const ALL: [(&str, Self); 6] = [
        ("failure", Self::Failure),
        ("recovery", Self::Recovery),
        ("timeout", Self::Timeout),
        ("skipped", Self::Skipped),
        ("unknown", Self::Unknown),
        ("watchdog", Self::Watchdog),
    ];

    /// What a sink hears of that doesn't say: a job that is skipped because it still runs is what `overlap` asks for, and a
    /// job that is due every minute would fill a mailbox with it.
    const USUAL: [Self; 5] = [Self::Failure, Self::Recovery, Self::Timeout, Self::Unknown, Self::Watchdog];
}

impl std::str::FromStr for Event {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|(known, _)| *known == word).map(|(_, event)| event).ok_or(())
    }
}

impl From<AlertKind> for Event {
    fn from(kind: AlertKind) -> Self {
        match kind {
            AlertKind::Failure => Self::Failure,
            AlertKind::Timeout => Self::Timeout,
            AlertKind::Unknown => Self::Unknown,
            AlertKind::Skipped => Self::Skipped,
            AlertKind::Problem => Self::Watchdog,
        }
    }
}

/// How a sink is reached.
///
/// ```
/// use scheduler_core::config::{Secret, sinks::{Preset, Via}};
/// let url = Secret::new("https://ntfy.example.org/cron");
/// let via = Via::Webhook { url, preset: Preset::Ntfy, token: None, chat: None };
/// assert!(!format!("{via:?}").contains("example.org"), "an address may be a secret");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// An HTTP POST.
    Webhook {
        /// Where to.
        url: Secret,
        /// What the body looks like.
        preset: Preset,
        /// Sent as `Authorization: Bearer`.
        token: Option<Secret>,
        /// Telegram's chat.
        chat: Option<String>,
    },
    /// A mail.
    Email {
        /// To whom.
        to: Vec<String>,
        /// From whom.
        from: String,
        /// The server: `smtp://`, `smtps://` or `smtp+starttls://`, with user and password.
        smtp: Secret,
    },
    /// A program, with the alert on its standard input.
    Command {
        /// The program and its arguments.
        command: Vec<String>,
        /// How long it may take.
        timeout: Duration,
    },
    /// An issue in a tracker.
    Tracker(Tracker),
}

/// What the body of a webhook looks like.
///
/// ```
/// use scheduler_core::config::sinks::Preset;
/// assert_eq!((Preset::default(), Preset::Slack.word()), (Preset::Json, "slack"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Preset {
    /// Slack, Mattermost, Rocket.Chat: `{"text": ...}`.
    Slack,
    /// Discord: `{"content": ...}`.
    Discord,
    /// A bot of Telegram: `{"chat_id": ..., "text": ...}`.
    Telegram,
    /// ntfy: the text, with a title and a priority.
    Ntfy,
    /// The whole alert.
    #[default]
    Json,
}

impl Preset {
    pub(crate) const ALL: [Self; 5] = [Self::Slack, Self::Discord, Self::Telegram, Self::Ntfy, Self::Json];

    /// Its word in config.yaml.
    pub fn word(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Telegram => "telegram",
            Self::Ntfy => "ntfy",
            Self::Json => "json",
        }
    }
}

/// An issue tracker.
///
/// ```
/// use scheduler_core::config::{Secret, sinks::{Forge, Tracker}};
/// let tracker = Tracker::new(Forge::Gitea, "https://git.example.org", "ops/cron", Secret::new("file:/etc/sched/token"));
/// assert_eq!((tracker.label.as_str(), tracker.max_issues), ("sched-watchdog", 5));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tracker {
    /// Whose API it speaks.
    pub forge: Forge,
    /// Where it is.
    pub url: String,
    /// `owner/name`.
    pub repo: String,
    /// What it lets us in with.
    pub token: Secret,
    /// Who gets the issues.
    pub assignees: Vec<String>,
    /// How our issues are found again, together with a marker in their text.
    pub label: String,
    /// The most issues opened within one `watchdog.rate_limit`.
    pub max_issues: usize,
}

impl Tracker {
    /// One with what holds where nothing is said.
    pub fn new(forge: Forge, url: impl Into<String>, repo: impl Into<String>, token: Secret) -> Self {
        Self {
            forge,
            url: url.into(),
            repo: repo.into(),
            token,
            assignees: Vec::new(),
            label: "sched-watchdog".into(),
            max_issues: 5,
        }
    }
}

/// Whose API a tracker speaks.
///
/// ```
/// use scheduler_core::config::sinks::Forge;
/// assert_eq!(Forge::GitHub.word(), "github");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forge {
    /// Gitea.
    Gitea,
    /// Forgejo, which speaks as Gitea does.
    Forgejo,
    /// GitHub, or an installation of it elsewhere.
    GitHub,
}

impl Forge {
    /// Its word in config.yaml.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gitea => "gitea",
            Self::Forgejo => "forgejo",
            Self::GitHub => "github",
        }
    }
}
