//! The plugins of a home, as the resolver of providers and people see them. Looking for them never fails: whatever is in the
//! folder has an entry, with the reason if it can't be used.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use scheduler_core::{
    Error, ErrorKind, Home, Result,
    provider::{BUILTIN_ALIASES, CronScheduler, ProviderFactory, SchedulerContext},
};

use crate::{
    child::{self, Child, Introduced},
    preflight::{Cleared, Grounds, preflight},
    protocol::{self, Hello, Ready},
    provider::PluginProvider,
    strikes::Strikes,
};

/// The plugins of a home.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use sched_plugin_host::{Grounds, Plugins, Strikes};
/// use scheduler_core::{Home, SystemClock, provider::resolve, vfs::RealFs};
/// # let folder = tempfile::tempdir()?;
/// let home = Home::new(folder.path());
/// let grounds = Grounds { cache: home.state().join("plugins"), loader: vec![], environment: vec![] };
/// let strikes = Strikes::new(Arc::new(RealFs), Arc::new(SystemClock), &home);
/// let plugins = Plugins::new(&home, grounds, strikes, Duration::from_secs(60));
/// assert!(plugins.look(&[]).is_empty(), "there is no folder `plugins`");
///
/// std::fs::create_dir_all(folder.path().join("plugins/bells"))?;
/// let resolved = resolve("bells", &plugins.factories());
/// assert_eq!(resolved.provider.name(), "builtin");
/// assert!(resolved.reason.unwrap().contains("provider `bells` could not be made: "));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plugins(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    grounds: Grounds,
    strikes: Strikes,
    interval: Duration,
}

/// What was found under one name.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The name of its folder, by which it is asked for.
    pub name: String,
    /// Where.
    pub folder: PathBuf,
    /// What would become of it.
    pub standing: Standing,
}

/// What would become of a plugin if it were asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Standing {
    /// It passed the preflight, and would be started.
    Usable(Box<Cleared>),
    /// A provider that comes with sched has its name, and wins.
    Hidden,
    /// It would not be started, and why; with the fix, where one is known.
    Refused(String, Option<String>),
}

impl Plugins {
    /// Those of `home`. `interval` is the longest that one which ticks may be silent.
    pub fn new(home: &Home, grounds: Grounds, strikes: Strikes, interval: Duration) -> Self {
        Self(Arc::new(Inner { folder: home.path().join("plugins"), grounds, strikes, interval }))
    }

    /// Looks at all of them, starting none; `bundled` are the names that are taken.
    pub fn look(&self, bundled: &[&str]) -> Vec<Found> {
        let names = match self.0.names() {
            Ok(names) => names,
            Err(error) => {
                let name = self.0.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                return vec![Found { name, folder: self.0.folder.clone(), standing: refused(&error) }];
            }
        };
        let found = names.into_iter().map(|name| {
            let standing = if is_taken(&name, bundled) {
                Standing::Hidden
            } else {
                self.0
                    .cleared(&name)
                    .map_or_else(|error| refused(&error), |cleared| Standing::Usable(Box::new(cleared)))
            };
            Found { folder: self.0.folder.join(&name), name, standing }
        });
        found.collect()
    }

    /// What [`resolve`](scheduler_core::provider::resolve()) takes: each starts its plugin when it is asked for it, and only
    /// then. That takes as long as the plugin has to get ready, so it is nothing for a thread that mustn't wait.
    pub fn factories(&self) -> Vec<Arc<dyn ProviderFactory>> {
        self.make(true)
    }

    /// The same, but no plugin is started: what is made stands for one that passed the preflight.
    pub fn dry_factories(&self) -> Vec<Arc<dyn ProviderFactory>> {
        self.make(false)
    }

    /// Takes the plugin in `folder`, wherever that is, through gates 1 and 2: it is started, says what it is, and is ended. What
    /// it does is not held against it.
    ///
    /// # Errors
    /// Why it would not pass the first; the second's are beside what the first found out.
    pub fn check(&self, folder: &Path) -> Result<(Cleared, Result<Ready>)> {
        let real = folder.canonicalize();
        let real = real.map_err(|error| {
            Error::io(format!("cannot find {}", folder.display()), error)
                .hint("give the folder of a plugin, or the name of one that `sched plugin list` shows")
        })?;
        let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let cleared = preflight(&name, &real, &self.0.grounds)?;
        let introduced =
            self.0.introduced(&cleared, self.0.interval).and_then(|(_child, introduced)| match introduced {
                Introduced::Ready(ready) => Ok(ready),
                Introduced::Unavailable(why) => {
                    Err(Error::new(ErrorKind::Foreign, format!("it is not available here: {why}")))
                }
            });
        Ok((cleared, introduced))
    }

    /// Changes with the code and the plugin.yaml of the plugin called `name`, and with the interval that it is told; `None` if it can't be used.
    pub fn mark(&self, name: &str) -> Option<String> {
        let cleared = self.0.cleared(name).ok()?;
        Some(format!("{} {:?} {:?}", cleared.sha256, cleared.manifest, self.0.interval))
    }

    /// One that passed the preflight, started, whether or not it lies in the folder.
    pub(crate) fn started(&self, cleared: &Cleared, interval: Duration) -> Result<PluginProvider> {
        self.0.started(cleared, interval)
    }

    fn make(&self, starts: bool) -> Vec<Arc<dyn ProviderFactory>> {
        let names = self.0.names().unwrap_or_else(|error| {
            tracing::warn!(%error, "no plugin can be found");
            Vec::new()
        });
        let make = |name| Arc::new(Factory { name, plugins: Arc::clone(&self.0), starts }) as Arc<dyn ProviderFactory>;
        names.into_iter().map(make).collect()
    }
}

/// All that can be asked for: `bundled` providers win over `plugins` of the same name, which is worth a warning.
pub fn with_bundled(
    bundled: Vec<Arc<dyn ProviderFactory>>,
    plugins: Vec<Arc<dyn ProviderFactory>>,
) -> Vec<Arc<dyn ProviderFactory>> {
    let taken: Vec<String> = bundled.iter().map(|factory| factory.name().to_owned()).collect();
    let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
    let (hidden, plugins): (Vec<_>, Vec<_>) = plugins.into_iter().partition(|plugin| is_taken(plugin.name(), &taken));
    for plugin in hidden {
        let name = plugin.name();
        tracing::warn!(
            "the plugin `{name}` is never used, since a provider that comes with sched is called so; rename it"
        );
    }
    bundled.into_iter().chain(plugins).collect()
}

fn is_taken(name: &str, bundled: &[&str]) -> bool {
    bundled.contains(&name) || BUILTIN_ALIASES.contains(&name)
}

fn refused(error: &Error) -> Standing {
    Standing::Refused(error.to_string(), error.hint_text().map(str::to_owned))
}

impl Inner {
    /// The names in the folder; none if there is no folder.
    fn names(&self) -> Result<Vec<String>> {
        let failed = |error| Error::io(format!("cannot list {}", self.folder.display()), error);
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            // What an editor or a version control system left there is no plugin.
            if !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Gate 1, and the record.
    fn cleared(&self, name: &str) -> Result<Cleared> {
        if !self.names()?.iter().any(|known| known == name) {
            return Err(Error::new(ErrorKind::NotFound, format!("no plugin is called `{name}`")));
        }
        let cleared = preflight(name, &self.folder.join(name), &self.grounds)?;
        match self.strikes.quarantine(&cleared.sha256)? {
            None => Ok(cleared),
            Some(why) => {
                let hint = format!("if it is right by now: `sched plugin allow {name}`, then send the daemon SIGHUP");
                Err(Error::new(ErrorKind::Invalid, why).hint(hint))
            }
        }
    }

    fn introduced(&self, cleared: &Cleared, interval: Duration) -> Result<(Child, Introduced)> {
        let hello = Hello {
            protocol: protocol::VERSION,
            sched: env!("CARGO_PKG_VERSION").to_owned(),
            nonce: nonce()?,
            config: cleared.manifest.config.clone(),
            interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        };
        child::introduce(cleared, &self.grounds.environment, &hello)
    }

    /// Gate 2.
    fn started(&self, cleared: &Cleared, interval: Duration) -> Result<PluginProvider> {
        let introduced = self.introduced(cleared, interval).inspect_err(|error| {
            if error.kind() == ErrorKind::Foreign {
                self.strikes.record(&cleared.sha256, &cleared.manifest.name, &error.to_string());
            }
        })?;
        if let Introduced::Ready(ready) = &introduced.1 {
            tracing::info!(plugin = cleared.manifest.name, version = ready.version, "the plugin is ready");
            cleared.prune();
        }
        Ok(PluginProvider::new(cleared, interval, introduced, self.strikes.clone()))
    }
}

fn nonce() -> Result<String> {
    let number = getrandom::u64().map_err(|error| Error::new(ErrorKind::Io, format!("no random number: {error}")))?;
    Ok(format!("{number:016x}"))
}

struct Factory {
    name: String,
    plugins: Arc<Inner>,
    starts: bool,
}

impl ProviderFactory for Factory {
    fn name(&self) -> &str {
        &self.name
    }

    fn build(&self) -> Result<Arc<dyn CronScheduler>> {
        let cleared = self.plugins.cleared(&self.name)?;
        if !self.starts {
            return Ok(Arc::new(Unstarted(cleared.manifest.name)));
        }
        Ok(Arc::new(self.plugins.started(&cleared, self.plugins.interval)?))
    }
}

/// Stands for a plugin that passed the preflight, where nobody is to start one.
struct Unstarted(String);

#[async_trait]
impl CronScheduler for Unstarted {
    fn name(&self) -> &str {
        &self.0
    }

    async fn start(&self, _: SchedulerContext) -> Result<()> {
        Err(Error::new(ErrorKind::Foreign, "it was looked at, and not started"))
    }
}
