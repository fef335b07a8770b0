//! The thread that works with the [`Keeper`]: everybody sends it work and waits for the answer, with a deadline on the
//! waiting. What arrives while a sync is under way goes into the next frame together. A thread that is set apart for the start
//! of a run doesn't send its work but does it, if nothing is in its way.
//!
//! **Invariant:** a panic ends the work that it happened in, and nothing else. What is in memory may be anything then, so it is
//! forgotten and read again, as it would be by another process.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Weak,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    super::transactions::Transaction,
    keeper::{Begun, Keeper, Work},
    owners::Coroner,
};
use crate::{Error, ErrorKind, Result, blocking, panics::words_of};

/// How long a record that nobody waits for may stay unsynced.
const LAZY: Duration = Duration::from_millis(50);
/// How many changes go into one frame at most: bounds the time under the lock.
const BATCH: usize = 4096;

const MISTAKE: &str = "this is a mistake in the program: report it, with what the log says of the panic";

enum Task {
    Change(Box<dyn Work>),
    Direct(Box<dyn FnOnce(&mut Keeper) + Send>),
}

/// The other end of the thread.
pub(super) struct Writer {
    tasks: Arc<Sender<Task>>,
    keeper: Arc<Mutex<Keeper>>,
    patience: Duration,
}

impl Writer {
    /// Starts the thread around `keeper`; it ends when the last `Writer` is gone.
    pub(super) fn start(keeper: Keeper, patience: Duration) -> Result<Self> {
        let (tasks, inbox) = channel();
        let tasks = Arc::new(tasks);
        let ours = Arc::downgrade(&tasks);
        let keeper = Arc::new(Mutex::new(keeper));
        let shared = Arc::clone(&keeper);
        thread::Builder::new()
            .name("sched-store".into())
            .spawn(move || turn(&shared, &inbox, &ours))
            .map_err(|error| Error::io("cannot start the store's thread", error))?;
        Ok(Self { tasks, keeper, patience })
    }

    /// Runs `change` on this thread, which may block, if neither another thread nor another process is at work; otherwise
    /// as [`change`](Self::change).
    pub(super) async fn change_here<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>, &Coroner<'_>) -> T + Send + 'static,
    ) -> Result<T> {
        if blocking::is_allowed()
            && let Some(mut keeper) = self.keeper.try_lock()
            && keeper.may_change_at_once()
        {
            let (reply, mut answer) = oneshot::channel();
            let work: Box<dyn Work> =
                Box::new(Change { make: Some(change), answer: None, reply, deadline: Instant::now() + self.patience });
            commit(&mut keeper, vec![work]);
            return answer.try_recv().unwrap_or_else(|_| Err(Error::new(ErrorKind::Io, "the store gave no answer")));
        }
        self.change(change).await
    }

    /// Runs `change` in a transaction and answers when it is durable.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>, &Coroner<'_>) -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + self.patience;
        let work = Change { make: Some(change), answer: None, reply, deadline };
        self.send(Task::Change(Box::new(work)))?;
        self.wait(answer).await
    }

    /// Runs `act` with the keeper itself.
    pub(super) async fn direct<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Keeper) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + self.patience;
        self.send(Task::Direct(Box::new(move |keeper| {
            if Instant::now() < deadline {
                let _ = reply.send(act(keeper));
            }
        })))?;
        self.wait(answer).await
    }

    fn send(&self, task: Task) -> Result<()> {
        self.tasks.send(task).map_err(|_| Error::new(ErrorKind::Io, "the store's thread has ended"))
    }

    async fn wait<T>(&self, answer: oneshot::Receiver<Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Error::new(ErrorKind::Io, "the store panicked over this").hint(MISTAKE)),
            Err(_) => {
                let seconds = self.patience.as_secs();
                let what = format!("the store did not answer for {seconds} s: state/lock is held, or the disk hangs");
                Err(Error::new(ErrorKind::Unanswered, what)
                    .hint("see who holds state/lock with `fuser -v`; nothing was written"))
            }
        }
    }
}

fn turn(keeper: &Mutex<Keeper>, inbox: &Receiver<Task>, ours: &Weak<Sender<Task>>) {
    let mut lazy: Option<Instant> = None;
    loop {
        let first = match lazy {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => inbox.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        let mut keeper = keeper.lock();
        match first {
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => guarded(&mut keeper, sync),
            Ok(Task::Direct(act)) => guarded(&mut keeper, act),
            Ok(Task::Change(work)) => {
                let mut batch = vec![work];
                let mut then = None;
                while batch.len() < BATCH {
                    match inbox.try_recv() {
                        Ok(Task::Change(work)) => batch.push(work),
                        Ok(Task::Direct(act)) => {
                            then = Some(act);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                commit(&mut keeper, batch);
                if let Some(act) = then {
                    guarded(&mut keeper, act);
                }
            }
        }
        guarded(&mut keeper, |keeper| compact(keeper, ours));
        lazy = if keeper.needs_sync() { lazy.or_else(|| Some(Instant::now() + LAZY)) } else { None };
    }
    guarded(&mut keeper.lock(), sync);
}

/// Commits `batch`, and answers whoever waits for it.
fn commit(keeper: &mut Keeper, mut batch: Vec<Box<dyn Work>>) {
    let result = caught(keeper, |keeper| keeper.commit(&mut batch)).and_then(|done| done);
    for work in batch {
        work.answer(result.as_ref().map(|&()| ()));
    }
}

/// Runs `act`. Whoever waits for it hears that it panicked from the end of the channel.
fn guarded(keeper: &mut Keeper, act: impl FnOnce(&mut Keeper)) {
    let _ = caught(keeper, act);
}

fn caught<T>(keeper: &mut Keeper, act: impl FnOnce(&mut Keeper) -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| act(keeper))).map_err(|panic| {
        let words = words_of(&*panic);
        tracing::error!(home = %keeper.home().display(), "the store panicked: {words}; what is on the disk is read anew");
        // What fails here is tried again by whoever comes next, and told to them.
        let _ = catch_unwind(AssertUnwindSafe(|| keeper.start_over()));
        Error::new(ErrorKind::Io, format!("the store panicked: {words}")).hint(MISTAKE)
    })
}

/// Begins a compaction if it is time: what takes long is a thread of its own, which sends its result back here.
fn compact(keeper: &mut Keeper, ours: &Weak<Sender<Task>>) {
    // Nobody waits for anything any more where there is no other end.
    let Some(tasks) = ours.upgrade() else { return };
    let Some(Begun { compaction, under_way }) = keeper.begin_compaction() else { return };
    let build = move || {
        let direct = |act: Box<dyn FnOnce(&mut Keeper) + Send>| drop(tasks.send(Task::Direct(act)));
        let (tell, switched) = channel();
        let built = compaction.build();
        direct(Box::new(move |keeper| drop(tell.send(built.and_then(|built| keeper.switch_to(built))))));
        // Where nobody answers, the store has ended, and nobody hears of this either.
        let Ok(switched) = switched.recv() else { return };
        let ended = switched.and_then(|built| built.prune());
        direct(Box::new(move |keeper| {
            keeper.end_compaction(ended);
            drop(under_way);
        }));
    };
    if let Err(error) = thread::Builder::new().name("sched-compact".into()).spawn(build) {
        keeper.end_compaction(Err(Error::io("cannot start a thread", error)));
    }
}

fn sync(keeper: &mut Keeper) {
    if let Err(error) = keeper.sync() {
        tracing::error!(%error, home = %keeper.home().display(), "the last records may not survive a power loss");
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("patience", &self.patience).finish_non_exhaustive()
    }
}

struct Change<F, T> {
    make: Option<F>,
    answer: Option<T>,
    reply: oneshot::Sender<Result<T>>,
    deadline: Instant,
}

impl<F, T> Work for Change<F, T>
where
    F: FnOnce(&mut Transaction<'_>, &Coroner<'_>) -> T + Send,
    T: Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>, coroner: &Coroner<'_>) {
        self.answer = self.make.take().map(|make| make(transaction, coroner));
    }

    fn answer(self: Box<Self>, result: Result<(), &Error>) {
        let answer = match (result, self.answer) {
            (Ok(()), Some(answer)) => Ok(answer),
            (Err(error), _) => Err(error.copy()),
            (Ok(()), None) => return,
        };
        let _ = self.reply.send(answer);
    }

    fn is_expired(&self) -> bool {
        self.reply.is_closed() || Instant::now() >= self.deadline
    }
}
