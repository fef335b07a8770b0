//! Facts about one process, read from `/proc`: who it is, whether it lives, which boot and namespace we are in.
//!
//! Reads only. Everything answers `None` where `/proc` can't say; nothing is guessed.

use std::{fs, os::unix::fs::MetadataExt, sync::OnceLock};

use scheduler_core::ProcessRef;

/// The process that has `pid` now, zombies included; `None` if there is none.
///
/// ```
/// let me = sched_runner::proc::identity(std::process::id()).unwrap();
/// assert_eq!(me, sched_runner::proc::myself());
/// ```
pub fn identity(pid: u32) -> Option<ProcessRef> {
    let stat = Stat::read(pid)?;
    Some(ProcessRef { pid, start_time: stat.start_time, boot_id: boot_id()? })
}

/// The state of the process that has `pid` now: `R`unning, `S`leeping, `D` (waiting for a device), `T` (stopped),
/// `Z`ombie, and so on.
pub fn state(pid: u32) -> Option<char> {
    Stat::read(pid).map(|stat| stat.state)
}

/// Whether just this process still runs: the same boot, the same start, and not a zombie.
pub fn is_alive(process: &ProcessRef) -> bool {
    Stat::of(process).is_some_and(|stat| stat.is_running())
}

/// The id of this boot of the machine.
pub fn boot_id() -> Option<String> {
    static BOOT_ID: OnceLock<Option<String>> = OnceLock::new();
    let read = || Some(fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned());
    BOOT_ID.get_or_init(read).clone()
}

/// This process. Where `/proc` isn't mounted, with a start time of 0 and no boot id: it is then never found alive.
pub fn myself() -> ProcessRef {
    let pid = std::process::id();
    identity(pid).unwrap_or_else(|| ProcessRef { pid, start_time: 0, boot_id: String::new() })
}

/// The number of the pid namespace this process lives in: pids of another namespace mean other processes.
pub fn pid_namespace() -> Option<u64> {
    fs::metadata("/proc/self/ns/pid").ok().map(|namespace| namespace.ino())
}

/// A thread of this process that waits for something other than work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Its name.
    pub name: String,
    /// The function of the kernel that it waits in.
    pub waits_in: String,
}

/// The threads of this process that wait for a disk, a lock on a file, a pipe and the like, as far as the kernel tells: why a
/// process doesn't get on.
pub fn blocked_threads() -> Vec<Blocked> {
    let idle = |place: &str| ["0", ""].contains(&place) || IDLE.iter().any(|idle| place.contains(idle));
    let read = |task: fs::DirEntry| {
        let read = |file: &str| Some(fs::read_to_string(task.path().join(file)).ok()?.trim().to_owned());
        Some(Blocked { name: read("comm")?, waits_in: read("wchan")? }).filter(|thread| !idle(&thread.waits_in))
    };
    fs::read_dir("/proc/self/task").into_iter().flatten().flatten().filter_map(read).collect()
}

/// Where threads wait that have nothing to do.
const IDLE: [&str; 4] = ["futex", "ep_poll", "epoll", "nanosleep"];

/// Ends this process at once: nothing of it runs any more, no destructor and nothing that was left for the end, since any of
/// that may be what it waits for.
pub fn exit_now(code: u8) -> ! {
    // SAFETY: `_exit` takes any number, touches no memory of ours, and doesn't return.
    unsafe { libc::_exit(code.into()) }
}

/// The fields of `/proc/<pid>/stat` that this crate needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) name: String,
    pub(crate) state: char,
    pub(crate) group: u32,
    pub(crate) session: u32,
    pub(crate) kernel_thread: bool,
    pub(crate) start_time: u64,
}

impl Stat {
    pub(crate) fn read(pid: u32) -> Option<Self> {
        // Bytes, not text: a process can give itself a name that isn't UTF-8.
        Self::parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
    }

    /// The facts about `process`, if its pid is still its own.
    pub(crate) fn of(process: &ProcessRef) -> Option<Self> {
        let stat = Self::read(process.pid)?;
        (stat.start_time == process.start_time && boot_id()? == process.boot_id).then_some(stat)
    }

    pub(crate) fn is_running(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// Numbered as in proc(5). The name (2) is in parentheses and may hold anything, even `) R 1`, so the rest starts
    /// after the last parenthesis.
    fn parse(text: &str) -> Option<Self> {
        const PF_KTHREAD: u64 = 0x0020_0000;
        let (head, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?; // 3
        let group = fields.nth(1)?.parse().ok()?; // 5
        let session = fields.next()?.parse().ok()?; // 6
        let flags: u64 = fields.nth(2)?.parse().ok()?; // 9
        let start_time = fields.nth(12)?.parse().ok()?; // 22
        let name = head.split_once('(')?.1.to_owned();
        Some(Self { name, state, group, session, kernel_thread: flags & PF_KTHREAD != 0, start_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_whatever_the_name() {
        let line = "17 (a) R 1 (b) S 1 15 14 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 4711 1000 50 18446744073709551615";
        let expected = Stat {
            name: "a) R 1 (b".into(),
            state: 'S',
            group: 15,
            session: 14,
            kernel_thread: false,
            start_time: 4711,
        };
        assert_eq!(Stat::parse(line), Some(expected));
        assert_eq!(Stat::parse("17 (a) S 1 15"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn knows_this_process_and_no_other_with_its_pid() {
        let me = myself();
        assert!(is_alive(&me));
        assert!(!is_alive(&ProcessRef { start_time: me.start_time + 1, ..me.clone() }));
        assert!(!is_alive(&ProcessRef { boot_id: "another boot".into(), ..me.clone() }));
        assert_eq!(state(me.pid).map(|state| "RSD".contains(state)), Some(true));
        assert!(pid_namespace().is_some());
        // Pid 0 is nobody's.
        assert_eq!((identity(0), state(0)), (None, None));
    }
}
