//! The life of a plugin's process from `start` to its end: one loop over everything that can happen, with a bound on each.

use std::{io, os::fd::OwnedFd, sync::Arc, time::Duration};

use scheduler_core::{ErrorKind, duration, provider::SchedulerContext};
use tokio::{
    net::unix::pipe,
    sync::{mpsc, oneshot},
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};

use super::{
    failure::Failure,
    link::{Answer, Link},
    service,
};
use crate::{
    child::{Child, Meter, Pipes, Process, Silence},
    manifest::Timeouts,
    protocol::{Code, Fault, HostCall, LineBuffer, MOST_WORDS, Message, PluginCall, Unread, brief},
};

/// Calls of a plugin that are carried out at once. While there are as many, nothing more is read.
const AT_ONCE: usize = 64;
/// Lines in a second. What asks for something never gets so far; what doesn't has to stop somewhere.
const MOST_LINES: u32 = 10_000;
/// How long the output of a process that has ended may go on: somebody it started holds it.
const AFTER_END: Duration = Duration::from_secs(1);
const AT_WORK: &str = "while it was at work";

/// What a plugin's life goes by.
pub(super) struct Course<'a> {
    pub(super) name: &'a str,
    pub(super) timeouts: Timeouts,
    /// Whether it promised to tick.
    pub(super) ticks: bool,
    /// How long it may keep silent then.
    pub(super) longest_silence: Duration,
    pub(super) link: &'a Arc<Link>,
    pub(super) cx: &'a SchedulerContext,
}

/// What can happen.
enum Event {
    Line(Result<String, Silence>),
    Failed(Failure),
    Unwritten(Failure),
    Started(Answer),
    StopAnswered,
    Told,
    ProcessEnded,
    OutputOverdue,
    StopOverdue,
    Silent,
    Served,
}

impl Course<'_> {
    /// Until it is told to stop and has; or why it ended before.
    pub(super) async fn run(self, child: Child) -> Result<(), Failure> {
        let Child { mut process, pipes } = child;
        let Err(gone) = self.hold(&process, pipes).await else {
            let _ = spawn_blocking(move || drop(process)).await;
            return Ok(());
        };
        // Looking for the words ends the process, and waits for that.
        let worded = spawn_blocking(move || match gone {
            Gone::Silent(silence) => Failure::crash(silence.words(&mut process, AT_WORK)),
            Gone::Failed(failure) => failure,
        });
        Err(worded.await.unwrap_or_else(|_| Failure::crash("it could not be ended")))
    }

    async fn hold(&self, process: &Process, pipes: Pipes) -> Result<(), Gone> {
        let unusable = |error: io::Error| Failure::orderly(format!("its pipes could not be watched: {error}"));
        let watch = process.watch().map_err(unusable)?;
        let Pipes { stdin, stdout, lines } = pipes;
        let mut reader = Reader::new(stdout, lines).map_err(unusable)?;
        let outgoing = self.link.outgoing();
        let mut writer = Some(Box::pin(write_all(stdin, outgoing, self.timeouts.call)));

        let started = self.link.send(HostCall::Start).await;
        let mut started = Some(started.map_err(|error| Failure::orderly(error.to_string()))?);
        // For what is armed outside, `start` is a call like any other.
        let start_by = (!self.ticks).then(|| Instant::now() + self.timeouts.call);
        self.link.open();

        let mut serving = JoinSet::new();
        let mut rate = Rate::new();
        let mut log = Meter::new(self.name);
        let mut heard = Instant::now();
        let mut stop: Option<(oneshot::Receiver<Answer>, Instant)> = None;
        let mut stop_answered = false;
        let mut output_by = None;
        loop {
            let stopping = stop.is_some();
            let silent_at = (self.ticks && !stopping && serving.is_empty()).then(|| heard + self.longest_silence);
            let stop_by = stop.as_ref().map(|(_, by)| *by);
            let start_by = start_by.filter(|_| started.is_some() && !stopping);
            let event = tokio::select! {
                line = reader.next_line(), if serving.len() < AT_ONCE => Event::Line(line),
                failure = self.link.failed() => Event::Failed(failure),
                failure = or_never(writer.as_mut()) => Event::Unwritten(failure),
                answer = or_never(started.as_mut()) => {
                    started = None;
                    match answer {
                        Ok(answer) => Event::Started(answer),
                        Err(_) => Event::Served,
                    }
                }
                _ = or_never(stop.as_mut().map(|(answered, _)| answered)), if !stop_answered => Event::StopAnswered,
                () = self.cx.stopping().cancelled(), if !stopping => Event::Told,
                _ = watch.readable(), if output_by.is_none() => Event::ProcessEnded,
                () = until(output_by) => Event::OutputOverdue,
                () = until(stop_by) => Event::StopOverdue,
                () = until(start_by) => {
                    let limit = duration::format(self.timeouts.call);
                    Event::Failed(Failure::crash(format!("it did not answer `start` within {limit}")))
                }
                () = until(silent_at) => Event::Silent,
                Some(_) = serving.join_next() => Event::Served,
            };
            match event {
                Event::Line(Ok(line)) => {
                    if !rate.allows() {
                        let what = format!("more than {MOST_LINES} lines within a second");
                        return Err(Failure::breach(what).into());
                    }
                    let call = self.take(&line, stopping, &mut serving)?;
                    if matches!(call, Some((_, PluginCall::Beat | PluginCall::Tick))) {
                        heard = Instant::now();
                    }
                    if let Some((id, call)) = call {
                        self.serve(id, call, &mut serving, &mut log);
                    }
                }
                Event::Line(Err(Silence::Closed)) | Event::OutputOverdue if stopping => return Ok(()),
                Event::Line(Err(silence)) => return Err(Gone::Silent(silence)),
                Event::OutputOverdue => return Err(Gone::Silent(Silence::Closed)),
                // One that is on its way out need not read what it is no longer interested in.
                Event::Unwritten(_) if stopping => writer = None,
                Event::Failed(failure) | Event::Unwritten(failure) => return Err(failure.into()),
                Event::Started(Ok(_)) if self.ticks && !stopping => {
                    let what = "its `start` returned though nobody told it to stop";
                    return Err(Failure::crash(what).into());
                }
                Event::Started(Err(fault)) if !stopping => {
                    let what = format!("its `start` failed: {}", brief(&fault.to_string(), MOST_WORDS));
                    let is_crash = fault.code == Code::Panic;
                    return Err(Failure { what, is_crash }.into());
                }
                Event::Told => {
                    let by = Instant::now() + self.timeouts.stop;
                    // One that doesn't read has its time too, and is killed after it.
                    let Ok(Ok(answered)) = timeout(by - Instant::now(), self.link.send(HostCall::Stop)).await else {
                        self.overdue();
                        return Ok(());
                    };
                    stop = Some((answered, by));
                }
                Event::StopAnswered => {
                    stop_answered = true;
                    // The end of its input, for those that read until then.
                    writer = None;
                }
                Event::ProcessEnded => output_by = Some(Instant::now() + AFTER_END),
                Event::StopOverdue => {
                    self.overdue();
                    return Ok(());
                }
                Event::Silent => {
                    let (silence, interval) = (self.longest_silence, self.longest_silence / 3);
                    let [silence, interval] = [silence, interval].map(duration::format);
                    let what = format!("it was silent for {silence}, and promised to tick or beat every {interval}");
                    return Err(Failure::crash(what).into());
                }
                Event::Served | Event::Started(_) => {}
            }
        }
    }

    /// Reads a line: an answer goes to who asked, a call is returned.
    fn take(
        &self,
        line: &str,
        stopping: bool,
        serving: &mut JoinSet<()>,
    ) -> Result<Option<(Option<u64>, PluginCall)>, Failure> {
        match Message::<PluginCall>::read(line) {
            Ok(Message::Answer { id, answer }) => {
                if !self.link.answered(id, answer) {
                    return Err(Failure::breach(format!("it answered a call that nobody made (id {id})")));
                }
                Ok(None)
            }
            Ok(Message::Call { call: PluginCall::Stopped, .. }) if !stopping => {
                Err(Failure::crash("it stopped though nobody told it to"))
            }
            Ok(Message::Call { id, call }) => Ok(Some((id, call))),
            Err(Unread::Call { id, fault }) => {
                tracing::debug!(plugin = self.name, "{fault}");
                let Some(id) = id else { return Ok(None) };
                self.answer(id, Err(fault), serving);
                Ok(None)
            }
            Err(Unread::Garbage(why)) => Err(Failure::breach(why)),
        }
    }

    fn serve(&self, id: Option<u64>, call: PluginCall, serving: &mut JoinSet<()>, log: &mut Meter) {
        match &call {
            PluginCall::Beat => self.cx.beat(),
            PluginCall::Log { level, message } => log.line(*level, message),
            _ => {}
        }
        let (cx, link) = (self.cx.clone(), Arc::clone(self.link));
        if id.is_none() && matches!(call, PluginCall::Beat | PluginCall::Log { .. } | PluginCall::Stopped) {
            return;
        }
        serving.spawn(async move {
            let answer = service::answer(&cx, &link, call).await;
            if let Some(id) = id {
                give(&link, id, answer).await;
            }
        });
    }

    /// Gives an answer that is there already, when there is room for it: until then it counts as one that is worked on.
    fn answer(&self, id: u64, answer: Answer, serving: &mut JoinSet<()>) {
        let link = Arc::clone(self.link);
        serving.spawn(async move { give(&link, id, answer).await });
    }

    fn overdue(&self) {
        let limit = duration::format(self.timeouts.stop);
        tracing::warn!(plugin = self.name, "the plugin did not stop within {limit}; it is killed");
    }
}

async fn give(link: &Link, id: u64, answer: Answer) {
    let written = match link.write(&Message::<HostCall>::Answer { id, answer }).await {
        // An answer that is too long for a line. Whoever asked waits for one, and gets why there is none.
        Err(error) if error.kind() == ErrorKind::Invalid => {
            let fault = Fault::new(Code::Invalid, format!("the answer can't be given: {error}"));
            link.write(&Message::<HostCall>::Answer { id, answer: Err(fault) }).await
        }
        written => written,
    };
    if let Err(error) = written {
        tracing::debug!(%error, "an answer could not be given");
    }
}

/// How a plugin was lost.
enum Gone {
    /// It went, and its process may tell how.
    Silent(Silence),
    /// We know.
    Failed(Failure),
}

impl From<Failure> for Gone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Writes what comes, each line within `limit`; completes when that fails.
async fn write_all(stdin: OwnedFd, outgoing: Option<mpsc::Receiver<String>>, limit: Duration) -> Failure {
    let pipe = pipe::Sender::from_owned_fd(stdin);
    let (Ok(pipe), Some(mut outgoing)) = (pipe, outgoing) else {
        return Failure::orderly("its input could not be watched");
    };
    while let Some(line) = outgoing.recv().await {
        let write = async {
            let mut rest = line.as_bytes();
            while !rest.is_empty() {
                pipe.writable().await?;
                match pipe.try_write(rest) {
                    Ok(written) => rest = &rest[written..],
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        match timeout(limit, write).await {
            Ok(Ok(())) => {}
            // Its end, or the end of its output, says more; where neither comes, this does.
            Ok(Err(_)) => {
                tokio::time::sleep(AFTER_END).await;
                return Failure::crash(format!("it closed its input {AT_WORK}"));
            }
            Err(_) => return Failure::crash(format!("it did not read its input for {}", duration::format(limit))),
        }
    }
    std::future::pending().await
}

/// Lines out of a plugin's output.
struct Reader {
    pipe: pipe::Receiver,
    lines: LineBuffer,
}

impl Reader {
    fn new(stdout: OwnedFd, lines: LineBuffer) -> io::Result<Self> {
        Ok(Self { pipe: pipe::Receiver::from_owned_fd(stdout)?, lines })
    }

    /// The next line. Nothing is lost if the wait for it is given up.
    async fn next_line(&mut self) -> Result<String, Silence> {
        let mut chunk = [0; 8 << 10];
        loop {
            match self.lines.next_line() {
                Ok(Some(line)) => return Ok(line),
                Ok(None) => {}
                Err(error) => return Err(Silence::Breach(error.to_string())),
            }
            self.pipe.readable().await.map_err(|_| Silence::Closed)?;
            match self.pipe.try_read(&mut chunk) {
                Ok(0) => return Err(Silence::Closed),
                Ok(read) => self.lines.push(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Silence::Closed),
            }
        }
    }
}

/// Counts lines, a second at a time.
struct Rate {
    since: Instant,
    lines: u32,
}

impl Rate {
    fn new() -> Self {
        Self { since: Instant::now(), lines: 0 }
    }

    fn allows(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Self::new();
        }
        self.lines += 1;
        self.lines <= MOST_LINES
    }
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

async fn or_never<F: Future + Unpin>(future: Option<&mut F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
