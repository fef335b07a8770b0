//! The system calls that start a plugin's process. It leads a session of its own, with no signal blocked or ignored, no
//! descriptor but its three, no core dumps, and a clean environment; and the kernel ends it when the daemon dies.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
};

use super::Process;

/// What of the daemon's environment a plugin finds in its own. Whatever else is there, passwords above all, is none of its
/// business.
const PASSED: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// A process, with our ends of its pipes.
pub(super) struct Spawned {
    pub(super) process: Process,
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// The clean environment of the plugin called `name`.
pub(super) fn clean(environment: &[(OsString, OsString)], name: &str) -> Vec<(OsString, OsString)> {
    let passed = environment.iter().filter(|(name, _)| PASSED.iter().any(|passed| name == OsStr::new(passed)));
    passed.cloned().chain([("SCHED_PLUGIN".into(), name.into())]).collect()
}

/// Starts `argv` in `folder`.
pub(super) fn start(argv: &[OsString], folder: &Path, environment: Vec<(OsString, OsString)>) -> io::Result<Spawned> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env_clear().envs(environment);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (answer, answered) = mpsc::channel();
    let gone = || io::Error::other("the thread that starts plugins is gone");
    spawner()?.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}

type Request = (Command, mpsc::Sender<io::Result<Spawned>>);

/// The thread that starts all plugins. The kernel ends a child with the *thread* that started it, not with the process; so
/// this one lives as long as the process does.
fn spawner() -> io::Result<mpsc::Sender<Request>> {
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    if let Some(sender) = SPAWNER.get() {
        return Ok(sender.clone());
    }
    let (sender, requests) = mpsc::channel::<Request>();
    thread::Builder::new().name("sched-plugins".into()).spawn(move || {
        for (command, answer) in requests {
            // Whoever asked may have given up; the process ends with what is dropped here.
            let _ = answer.send(spawn(command));
        }
    })?;
    // Of two threads made at the same moment one is left without senders, and ends before it started anything.
    Ok(SPAWNER.get_or_init(|| sender).clone())
}

fn spawn(mut command: Command) -> io::Result<Spawned> {
    let parent = rustix::process::getpid().as_raw_nonzero().get();
    // SAFETY: `prepare` makes nothing but system calls that are safe between fork and exec, and allocates nothing.
    unsafe { command.pre_exec(move || prepare(parent)) };
    let mut child = command.spawn()?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let process = Process::new(child)?;
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else { return Err(io::ErrorKind::BrokenPipe.into()) };
    Ok(Spawned { process, stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() })
}

/// Runs in the child, between fork and exec.
fn prepare(parent: libc::pid_t) -> io::Result<()> {
    let check = |answer: libc::c_int| if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) };
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: each call takes numbers, or a pointer to a live local that it only reads. All are async-signal-safe.
    unsafe {
        check(libc::setsid())?;
        check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
        if libc::getppid() != parent {
            // It died between the fork and the line above, and the kernel will tell nobody.
            libc::_exit(127);
        }
        check(libc::setrlimit(libc::RLIMIT_CORE, &raw const none))?;
        // What it writes into its folder must not keep it from being started again: others may not write there.
        let usual = libc::umask(0o077);
        libc::umask(usual | 0o022);
        for signal in 1..=libc::SIGRTMAX() {
            // Those that can't be set are those that can't be ignored either.
            libc::signal(signal, libc::SIG_DFL);
        }
        // A kernel that doesn't know it leaves what somebody else left open, as ever.
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
    }
    Ok(())
}
