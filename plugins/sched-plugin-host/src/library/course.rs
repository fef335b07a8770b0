//! The course of a library's child, from `hello` to its end.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use parking_lot::RwLock;
use serde_json::{Value, json};

use super::{
    clock, exit,
    link::Link,
    load::load,
    plugin::Plugin,
    streams,
    table::{Daemon, asked_for, table},
    wait::Wait,
};
use crate::protocol::{Code, Fault, Hello, Hook, HostCall, LineReader, Message, Ready, Unread, VERSION, Welcome};

/// The plugin while it is there. Whoever calls it holds it for reading; taking it out waits for all of them.
type Held = Arc<RwLock<Option<Plugin>>>;

type Id = Option<u64>;

/// Serves the library until the daemon says stop, or is gone; answers the exit status. What can't be told to the daemon goes to
/// standard error, which is its log.
pub(super) fn run(library: Option<&Path>) -> i32 {
    let Some(library) = library else { return failed("no library is named") };
    let (requests, answers) = match streams::take() {
        Ok(streams) => streams,
        Err(error) => return failed(&format!("standard input and output can't be taken over: {error}")),
    };
    let mut lines = LineReader::new(requests);
    let link = Link::new(answers);
    let (id, hello) = match read_hello(&mut lines, &link) {
        Ok(hello) => hello,
        Err(why) => return failed(&why),
    };
    let wait = Wait::new(Duration::from_millis(hello.interval_ms));
    // The library may keep what it is given for as long as the process lives.
    let daemon: &'static Daemon = Box::leak(Box::new(Daemon { link, wait }));
    let held = Held::default();
    let (hooks, queue) = mpsc::channel();
    let reader = Reader { daemon, held: Arc::clone(&held), hooks };
    let (up, is_up) = mpsc::channel();
    spawn("reader", move || {
        let _ = up.send(());
        reader.run(lines);
    });
    spawn("clock", move || clock::follow(|| daemon.wait.clock_was_set()));
    // A constructor that hangs keeps new threads from their first line. This one is past that before anything is loaded, so
    // that a stop is heard at least.
    let _ = is_up.recv();

    let welcome = welcome(library, &hello, daemon).map(|(welcome, plugin)| {
        *held.write() = plugin;
        json!(welcome)
    });
    daemon.link.welcome(id, welcome);
    call_hooks(daemon, &held, &queue)
}

/// The daemon speaks first.
fn read_hello(lines: &mut LineReader<File>, link: &Link) -> Result<(Id, Hello), String> {
    let line = lines.next_line().map_err(|error| error.to_string())?.ok_or("the host is gone before it said hello")?;
    match Message::read(&line) {
        Ok(Message::Call { id, call: HostCall::Hello(hello) }) if hello.protocol == VERSION => Ok((id, hello)),
        Ok(Message::Call { id, call: HostCall::Hello(hello) }) => {
            let why = format!("the host speaks protocol {}, and this is protocol {VERSION}", hello.protocol);
            link.answer(id, Err(Fault::new(Code::Invalid, why.clone())));
            Err(why)
        }
        Ok(_) => Err("the host did not say hello first".into()),
        Err(unread) => Err(format!("the host's first line is no hello: {unread}")),
    }
}

/// Loads the library and has it make the plugin.
fn welcome(library: &Path, hello: &Hello, daemon: &'static Daemon) -> Result<(Welcome, Option<Plugin>), Fault> {
    let loaded = load(library).map_err(|why| Fault::new(Code::Invalid, why))?;
    let config = if hello.config.is_null() { "{}".to_owned() } else { hello.config.to_string() };
    let made = Plugin::create(loaded, table(daemon), &config).and_then(|plugin| {
        plugin.is_available()?;
        Ok(plugin)
    });
    match made {
        Err(fault) if fault.code == Code::Unavailable => Ok((Welcome::Unavailable { reason: fault.to_string() }, None)),
        Err(fault) => Err(fault),
        Ok(plugin) => {
            // A change of jobs ends a `wait_until` as well, so it is always wanted.
            let hooks = Hook::ALL.into_iter().filter(|hook| *hook == Hook::JobsChanged || plugin.has(*hook));
            let ready = Ready {
                name: plugin.name.clone(),
                version: plugin.version.clone(),
                nonce: hello.nonce.clone(),
                liveness: plugin.liveness(),
                hooks: hooks.map(|hook| hook.name().to_owned()).collect(),
            };
            Ok((Welcome::Ready(ready), Some(plugin)))
        }
    }
}

/// What the daemon asks of the hooks.
enum Asked {
    JobsChanged,
    Reconcile,
    FireDue { job: String, at: Option<i64> },
}

/// Calls hooks, one at a time, for as long as the process lives.
fn call_hooks(daemon: &'static Daemon, held: &Held, queue: &Receiver<(Id, Asked)>) -> i32 {
    for (id, asked) in queue {
        answer(daemon, held, id, |plugin| match asked {
            Asked::JobsChanged => plugin.jobs_changed().map(nothing),
            Asked::Reconcile => plugin.reconcile().map(nothing),
            Asked::FireDue { job, at } => asked_for(&job, at, || plugin.fire_due(&job)).map(|fired| json!(fired)),
        });
    }
    // The reader is gone, and has ended the process, or whoever stops the plugin will.
    loop {
        thread::park();
    }
}

/// Takes every line from the daemon, and calls nothing of the plugin's.
struct Reader {
    daemon: &'static Daemon,
    held: Held,
    hooks: Sender<(Id, Asked)>,
}

impl Reader {
    fn run(self, mut lines: LineReader<File>) {
        loop {
            match lines.next_line() {
                Ok(Some(line)) => self.take(&line),
                // A daemon that has said stop may close its end. One that has not is dead, and what it has not asked for must
                // not go on.
                Ok(None) if self.daemon.wait.is_stopping() => break,
                Ok(None) => exit(failed("the host is gone")),
                Err(error) => exit(failed(&error.to_string())),
            }
        }
        self.daemon.link.close();
    }

    fn take(&self, line: &str) {
        let link = &self.daemon.link;
        match Message::<HostCall>::read(line) {
            Ok(Message::Answer { id, answer }) => link.deliver(id, answer),
            Ok(Message::Call { id, call }) => self.call(id, call),
            Err(Unread::Call { id, fault }) => link.answer(id, Err(fault)),
            Err(Unread::Garbage(why)) => exit(failed(&format!("the host doesn't keep to the protocol: {why}"))),
        }
    }

    fn call(&self, id: Id, call: HostCall) {
        match call {
            HostCall::Hello(_) => {
                self.daemon.link.answer(id, Err(Fault::new(Code::Invalid, "hello was said before")));
            }
            HostCall::Start => self.start(id),
            HostCall::Stop => self.stop(id),
            HostCall::JobsChanged { .. } => {
                self.daemon.wait.jobs_changed();
                self.ask(id, Asked::JobsChanged);
            }
            HostCall::Reconcile => self.ask(id, Asked::Reconcile),
            HostCall::FireDue { job, at } => self.ask(id, Asked::FireDue { job, at }),
        }
    }

    fn ask(&self, id: Id, asked: Asked) {
        // The other end lives as long as the process.
        let _ = self.hooks.send((id, asked));
    }

    /// Whether there is nothing to call yet, or any more. While a constructor hangs, it holds the loader's lock, and no new
    /// thread gets to its first line; so the reader, which must never wait, answers by itself then.
    fn has_nothing_to_call(&self) -> bool {
        self.held.try_read().is_some_and(|plugin| plugin.is_none())
    }

    fn start(&self, id: Id) {
        if self.has_nothing_to_call() {
            return self.daemon.link.answer(id, Err(not_there()));
        }
        let (daemon, held) = (self.daemon, Arc::clone(&self.held));
        spawn("start", move || {
            answer(daemon, &held, id, |plugin| match plugin.start() {
                // Whoever hands on that the daemon is stopping, while it is, has ended as it should.
                Err(fault) if fault.code == Code::Stopping && daemon.wait.is_stopping() => Ok(json!({})),
                ended => ended.map(nothing),
            });
        });
    }

    fn stop(&self, id: Id) {
        self.daemon.wait.stop();
        if self.has_nothing_to_call() {
            end(self.daemon, id, Ok(()));
        }
        let (daemon, held) = (self.daemon, Arc::clone(&self.held));
        spawn("stop", move || {
            // One that isn't made yet has armed nothing.
            let stopped = held.read().as_ref().map_or(Ok(()), Plugin::stop);
            // This waits for `start` and for a hook that runs. Whoever never returns is killed by the daemon in the end.
            let plugin = held.write().take();
            drop(plugin);
            end(daemon, id, stopped);
        });
    }
}

/// Tells the daemon how the stop went, and ends the process.
fn end(daemon: &Daemon, id: Id, stopped: Result<(), Fault>) -> ! {
    daemon.link.answer(id, stopped.map(nothing));
    daemon.link.stopped();
    exit(0)
}

/// Calls the plugin, if it is there, and answers the daemon before it lets go of it: after that the process may end.
fn answer(daemon: &Daemon, held: &Held, id: Id, call: impl FnOnce(&Plugin) -> Result<Value, Fault>) {
    let plugin = held.read();
    daemon.link.answer(id, plugin.as_ref().ok_or_else(not_there).and_then(call));
}

fn not_there() -> Fault {
    Fault::new(Code::Unavailable, "the plugin is not ready, or has ended")
}

fn nothing((): ()) -> Value {
    json!({})
}

/// A thread, whose end by a panic ends the process: without it nothing would, and nothing would go on either.
fn spawn(name: &str, body: impl FnOnce() + Send + 'static) {
    let guarded = move || {
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            exit(failed("panicked"));
        }
    };
    if let Err(error) = thread::Builder::new().name(format!("sched-{name}")).spawn(guarded) {
        exit(failed(&format!("a thread can't be started: {error}")));
    }
}

/// Says so on standard error, and answers the exit status.
#[expect(
    clippy::print_stderr,
    reason = "the standard error of a plugin's child is its log, and the daemon may be gone"
)]
fn failed(why: &str) -> i32 {
    eprintln!("{}: {why}", super::ARGUMENT);
    1
}
