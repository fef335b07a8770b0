//! What a desk is told about its sinks.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use scheduler_core::{
    Home,
    config::{Config, Secret, sinks::Sink},
};

use super::post::Post;
use crate::{http, notice::Sender};

/// The sinks of a desk and how it treats them.
///
/// ```
/// use scheduler_core::config::Config;
/// use sched_monitor::Settings;
/// let settings = Settings::of(&Config::default(), "db-1", |name| std::env::var(name).ok());
/// assert_eq!((settings.sinks.len(), settings.rate_limit.as_secs()), (0, 3600));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Who is told.
    pub sinks: Vec<Sink>,
    /// How soon a sink hears of the same open alert again.
    pub rate_limit: Duration,
    /// The name of this node, in every message.
    pub agent: String,
    /// Tells this home from all others, so that two that share a tracker leave each other's issues alone.
    pub node: String,
    /// Below which folder alerts are kept while the home takes no files; `None` is in this process alone.
    pub spare: Option<PathBuf>,
    /// How long a sink that speaks HTTP may take for one answer.
    pub patience: Duration,
    /// The variables of the environment that hold what is secret; no program gets them.
    pub secret_env: Vec<String>,
    environment: Environment,
}

/// Reads variables of the environment.
type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl Settings {
    /// Those of `config`; `variable` reads the environment, for secrets.
    pub fn of(
        config: &Config,
        agent: impl Into<String>,
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            sinks: config.notify.clone(),
            rate_limit: config.watchdog.rate_limit,
            agent: agent.into(),
            node: String::new(),
            spare: None,
            patience: http::PATIENCE,
            secret_env: config.secret_variables(),
            environment: Arc::new(variable),
        }
    }

    pub(super) fn posts(&self, home: &Home) -> Vec<Post> {
        let sender = Sender {
            agent: self.agent.clone(),
            node: if self.node.is_empty() { self.agent.clone() } else { self.node.clone() },
            home: home.path().display().to_string(),
        };
        let secrets = || Secrets { environment: Arc::clone(&self.environment), variables: self.secret_env.clone() };
        let post = |sink: &Sink| Post::new(sink.clone(), sender.clone(), secrets(), self.patience);
        self.sinks.iter().map(post).collect()
    }
}

impl Default for Settings {
    /// No sinks: files alone.
    fn default() -> Self {
        Self::of(&Config::default(), "sched", |_| None)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("sinks", &self.sinks)
            .field("rate_limit", &self.rate_limit)
            .field("spare", &self.spare)
            .field("patience", &self.patience)
            .field("secret_env", &self.secret_env)
            .finish_non_exhaustive()
    }
}

/// What secrets are read with.
#[derive(Clone)]
pub(crate) struct Secrets {
    environment: Environment,
    variables: Vec<String>,
}

impl Secrets {
    pub(crate) fn reveal(&self, secret: &Secret) -> scheduler_core::Result<String> {
        secret.reveal(|name| (self.environment)(name))
    }

    /// The variables that hold any secret of config.yaml, also one of somebody else.
    pub(crate) fn into_variables(self) -> Vec<String> {
        self.variables
    }

    /// What of it must not be repeated: itself, and what its variables hold.
    pub(crate) fn hidden(&self, secret: &Secret) -> Vec<String> {
        let values = secret.variables().into_iter().filter_map(|name| (self.environment)(name));
        values.chain(self.reveal(secret).ok()).chain(self.reveal_url(secret).ok()).collect()
    }

    pub(crate) fn reveal_url(&self, secret: &Secret) -> scheduler_core::Result<String> {
        secret.reveal_url(|name| (self.environment)(name))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
