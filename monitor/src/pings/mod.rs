//! Pings: signs of life for push monitors, which raise the alarm when none comes.
//!
//! | file | job |
//! |---|---|
//! | `runner` | the runner that tells of its runs |
//! | `lines` | what waits to be sent, in order per job, bounded in number and in age |
//! | `hosts` | who is reached, who isn't, and how many ask at once |
//! | `sender` | one ping on its way: the address, the body, and what became of it |
//! | `life` | the daemon's own sign of life |
//! | `protocol`, `body` | what is asked and what goes along; pure but for the output's file |
//!
//! **Invariant:** a ping never vouches for more than was seen. What a run did is told as it was; that the daemon fires is
//! judged anew before each try.
//!
//! **Invariant:** nobody waits for a push monitor, but who ends: for seconds.

mod body;
mod hosts;
mod life;
mod lines;
mod protocol;
mod runner;
mod sender;

use std::{fmt, sync::Arc, time::Duration};

use scheduler_core::{JobId, Outcome, PingUrl, Result, RunId, config::Config};
use tokio::{runtime::Handle, sync::watch};

pub use self::runner::Pinging;
use self::{
    lines::{Lines, Ping},
    protocol::Moment,
    sender::Sender,
};

/// Reads variables of the environment.
type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What `monitor` of config.yaml says.
///
/// ```
/// use scheduler_core::config::Config;
/// use sched_monitor::PingSettings;
/// let settings = PingSettings::of(&Config::default(), |name| std::env::var(name).ok());
/// assert_eq!((settings.url, settings.interval.as_secs(), settings.body), (None, 300, 10_000));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct PingSettings {
    /// Where the daemon says that it fires.
    pub url: Option<PingUrl>,
    /// How often it does.
    pub interval: Duration,
    /// The most of a run's output that is sent, in bytes.
    pub body: u64,
    environment: Environment,
}

impl PingSettings {
    /// Those of `config`; `variable` reads the environment, for secrets.
    pub fn of(config: &Config, variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let monitor = &config.monitor;
        let (url, interval, body) = (monitor.ping_url.clone(), monitor.ping_interval, monitor.ping_body);
        Self { url, interval, body, environment: Arc::new(variable) }
    }
}

impl Default for PingSettings {
    /// No sign of life of a daemon; jobs still have theirs.
    fn default() -> Self {
        Self::of(&Config::default(), |_| None)
    }
}

impl fmt::Debug for PingSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, interval, body, .. } = self;
        f.debug_struct("PingSettings").field("url", url).field("interval", interval).field("body", body).finish()
    }
}

/// Tells push monitors. Clones are the same one.
///
/// # Behavior
/// - Answers at once: what is to be told waits in line, and has tasks of its own in the runtime that it was made in.
/// - Of one job the pings are sent one after the other, in their order. What can't be delivered is tried again after 1 s,
///   2 s, 4 s and so on, up to every minute; a start for 5 minutes, an end for an hour.
/// - At most 16 wait for one job, the newest, and 1024 in all.
///
/// ```
/// use scheduler_core::{Outcome, PingUrl, RunId, RunResult};
/// use sched_monitor::{PingSettings, Pings};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> scheduler_core::Result<()> {
/// let pings = Pings::new(PingSettings::default());
/// let nobody = PingUrl::parse("http://127.0.0.1:9/backup").expect("an address");
/// let (job, run) = ("backup".parse()?, RunId::new("1"));
/// pings.started(&job, &nobody, &run);
/// pings.ended(&job, &nobody, &run, Outcome::new(RunResult::Succeeded), false);
/// assert_eq!(pings.settle(std::time::Duration::ZERO).await, 2, "nobody is there");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Pings(Arc<Inner>);

struct Inner {
    settings: watch::Sender<Arc<PingSettings>>,
    lines: Arc<Lines>,
    sender: Arc<Sender>,
    runtime: Handle,
}

impl Pings {
    /// Pings by `settings`, sent by tasks of the runtime that this is called in.
    pub fn new(settings: PingSettings) -> Self {
        let (settings, _) = watch::channel(Arc::new(settings));
        let (lines, sender) = (Arc::new(Lines::default()), Arc::new(Sender::default()));
        Self(Arc::new(Inner { settings, lines, sender, runtime: Handle::current() }))
    }

    /// Brings other settings into force.
    pub fn change(&self, settings: PingSettings) {
        self.0.settings.send_replace(Arc::new(settings));
    }

    /// The process of a run has started.
    pub fn started(&self, job: &JobId, url: &PingUrl, run: &RunId) {
        self.queue(job, Ping::new(Moment::Start, url.clone(), run.clone(), None));
    }

    /// A run has ended; `followed` if another attempt is made, so that this is no alarm yet.
    pub fn ended(&self, job: &JobId, url: &PingUrl, run: &RunId, outcome: Outcome, followed: bool) {
        let moment = Moment::of(&outcome, followed);
        let most = self.0.settings.borrow().body;
        // Now, before the file is pruned, and by a thread that may wait for a disk.
        let body = self.0.runtime.spawn_blocking(move || body::body(&outcome, most));
        self.queue(job, Ping::new(moment, url.clone(), run.clone(), Some(body)));
    }

    /// Says once that the daemon fires, at `url`.
    ///
    /// # Errors
    /// Why it was not heard, without the address.
    pub async fn sign_of_life(&self, url: &PingUrl) -> Result<()> {
        let settings = Arc::clone(&self.0.settings.borrow());
        self.0.sender.life(url, &settings).await
    }

    /// Waits until nothing is left to be sent, `within` this time at most. Answers how many pings are left.
    pub async fn settle(&self, within: Duration) -> usize {
        let _ = tokio::time::timeout(within, self.0.lines.until_empty()).await;
        let left = self.0.lines.waiting();
        if left > 0 {
            tracing::warn!("{left} pings of runs could not be delivered before the end");
        }
        left
    }

    fn queue(&self, job: &JobId, ping: Ping) {
        if !self.0.lines.push(job, ping) {
            return;
        }
        let (job, inner) = (job.clone(), Arc::clone(&self.0));
        self.0.runtime.spawn(async move {
            while let Some(ping) = inner.lines.next(&job) {
                let settings = Arc::clone(&inner.settings.borrow());
                inner.sender.deliver(&job, ping, &settings).await;
            }
        });
    }
}
