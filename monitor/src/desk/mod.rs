//! Where problems are reported to, and from where sinks hear of them.

mod clerk;
mod post;
mod settings;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use scheduler_core::{Alert, Clock, Error, ErrorKind, Home, JobId, Notifier, Result, vfs::Vfs};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

pub(crate) use self::settings::Secrets;
pub use self::settings::Settings;
use self::{
    clerk::{Clerk, News},
    post::{Gate, Post},
};
use crate::{Report, alert::OpenAlert, report::Letter, shelf::Shelf};

/// How much news waits to be written down. More than this is a storm, or a disk that hangs.
const WAITING: usize = 256;

/// How long it may take to note what became of a delivery.
const NOTED: Duration = Duration::from_secs(5);

/// What [`Desk::reconcile`] has changed, by keys.
///
/// ```
/// assert!(sched_monitor::Changes::default().opened.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// These are new.
    pub opened: Vec<String>,
    /// These last.
    pub updated: Vec<String>,
    /// These are over.
    pub closed: Vec<String>,
}

/// The one place where alerts are opened, updated and closed, and from where sinks hear of them.
///
/// As a `Notifier` it takes what an engine has to tell. Clones are the same desk; its tasks end with the last one.
///
/// # Behavior
/// - Needs a runtime, and answers at once: files and sinks have tasks of their own.
/// - What can't be delivered is tried again, by this process or the next one that has a desk with that sink.
/// - Two desks of one home, in two processes, tell a sink once.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use scheduler_core::{Alert, Clock as _, Home, Notifier as _, Result, SystemClock, vfs::RealFs};
/// use sched_monitor::{Desk, Settings};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let home = Home::new(folder.path());
/// let desk = Desk::new(Arc::new(RealFs), &home, Arc::new(SystemClock), &Settings::default());
/// desk.notify(&Alert::open("job-a", "job `a` failed", SystemClock.now())).await?;
/// desk.settle(Duration::from_secs(5)).await;
/// assert!(home.alerts().join("job-a.alert").exists());
///
/// let crashed = Alert::open("daemon", "the daemon has crashed", SystemClock.now());
/// assert_eq!(desk.reconcile("watchdog", vec![crashed]).await?.opened, ["daemon"]);
/// assert_eq!(desk.reconcile("watchdog", Vec::new()).await?.closed, ["daemon"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    queue: mpsc::Sender<News>,
    _clerk: JoinSet<()>,
    /// The tasks of the posts; dropped, and with it ended, with the posts.
    rounds: Mutex<JoinSet<()>>,
}

/// What the tasks share.
#[derive(Debug)]
struct Shared {
    home: Home,
    shelf: Shelf,
    clock: Arc<dyn Clock>,
    /// One for each sink in force.
    posts: Mutex<Arc<Vec<Arc<Post>>>>,
    rate_limit: Mutex<Duration>,
    /// Goes up when something on the shelf has changed.
    changed: watch::Sender<u64>,
}

impl Desk {
    /// One for `home`, with the sinks of `settings`.
    pub fn new(fs: Arc<dyn Vfs>, home: &Home, clock: Arc<dyn Clock>, settings: &Settings) -> Self {
        let desk = Self::to_look(fs, home, clock, settings);
        desk.employ(settings, true);
        desk
    }

    /// One that delivers nothing by itself: for previews, and to try the sinks out.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_core::{Home, SystemClock, vfs::RealFs};
    /// use sched_monitor::{Desk, Settings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let desk = Desk::to_look(Arc::new(RealFs), &Home::new("/srv/sched"), Arc::new(SystemClock), &Settings::default());
    /// assert!(desk.sinks().is_empty() && desk.test("ops").await.is_err());
    /// # }
    /// ```
    pub fn to_look(fs: Arc<dyn Vfs>, home: &Home, clock: Arc<dyn Clock>, settings: &Settings) -> Self {
        let shared = Arc::new(Shared {
            home: home.clone(),
            shelf: Shelf::new(fs, home).or_in(settings.spare.as_deref()),
            clock,
            posts: Mutex::default(),
            rate_limit: Mutex::new(settings.rate_limit),
            changed: watch::Sender::new(0),
        });
        let (queue, news) = mpsc::channel(WAITING);
        let mut clerk = JoinSet::new();
        clerk.spawn(Clerk::new(Arc::clone(&shared), news).work());
        let desk = Self(Arc::new(Inner { shared, queue, _clerk: clerk, rounds: Mutex::default() }));
        desk.employ(settings, false);
        desk
    }

    /// One for [`preview`](Self::preview) alone: it has no tasks, so nothing is delivered and no file is touched.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_core::{Alert, Clock as _, Home, SystemClock, vfs::RealFs};
    /// use sched_monitor::{Desk, Settings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> scheduler_core::Result<()> {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let home = Home::new(folder.path());
    /// let desk = Desk::dry(Arc::new(RealFs), &home, Arc::new(SystemClock), &Settings::default());
    /// let crashed = Alert::open("daemon", "the daemon has crashed", SystemClock.now());
    /// assert!(desk.preview("watchdog", vec![crashed]).await?.is_empty(), "there is no sink to be told");
    /// assert!(!home.alerts().exists());
    /// # Ok(())
    /// # }
    /// ```
    pub fn dry(fs: Arc<dyn Vfs>, home: &Home, clock: Arc<dyn Clock>, settings: &Settings) -> Self {
        let posts = settings.posts(home).into_iter().map(Arc::new).collect();
        let shared = Arc::new(Shared {
            home: home.clone(),
            shelf: Shelf::new(fs, home).or_in(settings.spare.as_deref()),
            clock,
            posts: Mutex::new(Arc::new(posts)),
            rate_limit: Mutex::new(settings.rate_limit),
            changed: watch::Sender::new(0),
        });
        let (queue, _) = mpsc::channel(1);
        Self(Arc::new(Inner { shared, queue, _clerk: JoinSet::new(), rounds: Mutex::default() }))
    }

    /// Brings other settings into force. What failed so far is tried again at once: that may have been put right.
    pub fn change(&self, settings: &Settings) {
        self.employ(settings, true);
        // A queue that is full is on its way to be empty, and what failed is tried again in any case.
        let _ = self.0.queue.try_send(News::Forgive);
    }

    fn employ(&self, settings: &Settings, at_work: bool) {
        let Inner { shared, rounds, .. } = &*self.0;
        *shared.rate_limit.lock() = settings.rate_limit;
        let posts: Vec<Arc<Post>> = settings.posts(&shared.home).into_iter().map(Arc::new).collect();
        let mut tasks = JoinSet::new();
        for post in posts.iter().filter(|_| at_work) {
            let (shared, post) = (Arc::clone(shared), Arc::clone(post));
            tasks.spawn(async move { post.work(&shared).await });
        }
        let old = std::mem::replace(&mut *shared.posts.lock(), Arc::new(posts));
        // Whoever is in the middle of a delivery ends it first.
        old.iter().for_each(|post| post.retire());
        std::mem::replace(&mut *rounds.lock(), tasks).detach_all();
    }

    /// Takes in all that is wrong in `scope`: what is new opens, what lasts is updated, and what is no more closes. Two scopes
    /// know nothing of each other.
    ///
    /// Alerts that can't be read keep nobody from hearing of what is wrong now: it opens, and is kept as where a disk takes no
    /// files.
    ///
    /// # Errors
    /// Why it can't be kept.
    pub async fn reconcile(&self, scope: impl Into<String>, current: Vec<Alert>) -> Result<Changes> {
        let (shared, scope) = (Arc::clone(&self.0.shared), scope.into());
        let changes = blocking(move || {
            let now = shared.clock.now();
            shared.shelf.reconcile(&scope, &current, &|gone| over(gone, now))
        });
        let changes = changes.await?;
        self.0.shared.has_changed();
        Ok(changes)
    }

    /// What would be sent, a text for each message, if `scope` had these problems now. Nothing is written or sent.
    ///
    /// # Errors
    /// Why the alerts can't be read.
    pub async fn preview(&self, scope: impl Into<String>, current: Vec<Alert>) -> Result<Vec<String>> {
        let (shared, scope) = (Arc::clone(&self.0.shared), scope.into());
        blocking(move || {
            let (now, shelf) = (shared.clock.now(), shared.shelf.dry());
            shelf.reconcile(&scope, &current, &|gone| over(gone, now))?;
            let alerts = shelf.read()?.alerts;
            let posts = Arc::clone(&shared.posts.lock());
            let rate_limit = *shared.rate_limit.lock();
            let all = posts.iter().flat_map(|post| post.preview(&alerts, rate_limit, now));
            Ok(all.collect())
        })
        .await
    }

    /// Waits until what is known so far is written down and every sink was tried, `within` this time at most. A delivery that
    /// is under way then is cut off and noted as failed, with when it is tried again. For processes that end and that somebody
    /// waits for.
    pub async fn settle(&self, within: Duration) {
        self.close_after(within, Duration::ZERO, std::future::pending()).await;
    }

    /// The same for processes that nobody waits for: deliveries begin for as long as `begin`, and what has begun gets the
    /// time that its sink may take, unless `hurry` comes to its end: somebody has lost patience.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use scheduler_core::{Home, SystemClock, vfs::RealFs};
    /// use sched_monitor::{Desk, Settings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let home = Home::new(folder.path());
    /// let desk = Desk::new(Arc::new(RealFs), &home, Arc::new(SystemClock), &Settings::default());
    /// desk.settle_patiently(Duration::from_mins(1), std::future::pending()).await;
    /// # }
    /// ```
    pub async fn settle_patiently(&self, begin: Duration, hurry: impl Future<Output = ()>) {
        let longest = self.0.shared.posts.lock().iter().map(|post| post.patience()).max();
        self.close_after(begin, longest.unwrap_or_default() + NOTED, hurry).await;
    }

    /// Delivers for as long as `begin`, then lets what is under way go on for as long as `more`, then cuts it off.
    async fn close_after(&self, begin: Duration, more: Duration, hurry: impl Future<Output = ()>) {
        let posts = Arc::clone(&self.0.shared.posts.lock());
        let set = |gate| posts.iter().for_each(|post| post.set_gate(gate));
        let mut all = std::pin::pin!(self.round_of_all(&posts));
        let patience = async {
            tokio::time::sleep(begin).await;
            set(if more.is_zero() { Gate::Shut } else { Gate::Closing });
            tokio::time::sleep(more).await;
        };
        let ended = tokio::select! {
            biased;
            () = &mut all => true,
            () = hurry => false,
            () = patience => false,
        };
        if !ended {
            set(Gate::Shut);
            // A disk that hangs must not keep this process.
            let _ = tokio::time::timeout(NOTED, &mut all).await;
            tracing::warn!("not every sink was reached in time; what is owed to it is in the files of the alerts");
        }
        set(Gate::Open);
    }

    /// One round of each of `posts`, after all that is known is written down.
    async fn round_of_all(&self, posts: &[Arc<Post>]) {
        let (done, is_done) = oneshot::channel();
        if self.0.queue.send(News::Mark(done)).await.is_ok() {
            let _ = is_done.await;
        }
        let mut rounds = JoinSet::new();
        for post in posts {
            let (post, shared) = (Arc::clone(post), Arc::clone(&self.0.shared));
            rounds.spawn(async move { post.round(&shared).await });
        }
        while rounds.join_next().await.is_some() {}
    }

    /// Sends a message to the sink with this name, to see whether it arrives.
    ///
    /// # Errors
    /// `NotFound` if there is no such sink; why it can't be delivered.
    pub async fn test(&self, sink: &str) -> Result<()> {
        self.post(sink)?.test(self.a_test()).await
    }

    /// What [`test`](Self::test) would send.
    ///
    /// # Errors
    /// `NotFound` if there is no such sink.
    pub fn preview_test(&self, sink: &str) -> Result<String> {
        Ok(self.post(sink)?.preview_test(self.a_test()))
    }

    /// Brings `report` to the sink with this name: a mail has it as text and as a page, a webhook in Markdown, a program as
    /// JSON. It is tried once.
    ///
    /// # Errors
    /// `NotFound` if there is no such sink, `Invalid` if it is a tracker, which takes none; why it can't be delivered.
    pub async fn deliver(&self, sink: &str, report: &Report) -> Result<()> {
        self.post(sink)?.report(&Letter::of(report)).await
    }

    fn post(&self, sink: &str) -> Result<Arc<Post>> {
        let posts = Arc::clone(&self.0.shared.posts.lock());
        let post = posts.iter().find(|post| post.name() == sink).cloned();
        post.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no sink `{sink}`")))
    }

    fn a_test(&self) -> OpenAlert {
        let now = self.0.shared.clock.now();
        let key = format!("test-{}", now.as_millisecond());
        OpenAlert::new(&Alert::open(key, "a test of this sink; nothing is wrong", now))
    }

    /// Where its alerts lie.
    pub(crate) fn shelf(&self) -> Shelf {
        self.0.shared.shelf.clone()
    }

    /// The names of the sinks in force.
    pub fn sinks(&self) -> Vec<String> {
        self.0.shared.posts.lock().iter().map(|post| post.name().to_owned()).collect()
    }
}

#[async_trait]
impl Notifier for Desk {
    async fn notify(&self, alert: &Alert) -> Result<()> {
        self.0.queue.try_send(News::Alert(Box::new(alert.clone()))).map_err(|_| {
            let what = format!("{WAITING} alerts wait to be written already; this one is only in the log");
            Error::new(ErrorKind::Busy, what).hint("see whether the disk of the home answers")
        })
    }

    async fn open_about(&self) -> Result<Vec<JobId>> {
        let shelf = self.0.shared.shelf.clone();
        let shelved = blocking(move || shelf.read()).await?;
        let about = |alert: &OpenAlert| {
            let job = alert.job.clone().or_else(|| alert.key.strip_prefix("job-")?.parse().ok())?;
            (alert.key == scheduler_core::notify::job_key(&job)).then_some(job)
        };
        Ok(shelved.open().filter_map(about).collect())
    }
}

impl Shared {
    fn has_changed(&self) {
        self.changed.send_modify(|changes| *changes += 1);
    }
}

/// The end of an alert that isn't found any more.
fn over(gone: &OpenAlert, now: Timestamp) -> Alert {
    Alert::closed(&gone.key, format!("over: {}", gone.title), now)
}

/// Files are for threads that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let gone = |why| Error::new(ErrorKind::Foreign, format!("reading or writing alerts broke off: {why}"));
    tokio::task::spawn_blocking(work).await.map_err(gone)?
}
