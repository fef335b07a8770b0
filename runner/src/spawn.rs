//! The system call that starts a child, and nothing else: `posix_spawn`, because a fork of a large daemon costs several
//! times as much and runs our code in the child.
//!
//! The child leads a session of its own, has no signal blocked or ignored, `/dev/null` as its input, the given file as
//! its output and errors, and no other descriptor. Looking up programs and wording errors is done elsewhere.

use std::{
    ffi::{CStr, CString},
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
    thread::sleep,
    time::Duration,
};

/// A child to be.
pub(crate) struct Spawn<'a> {
    /// The file to execute, as seen from `workdir`.
    pub(crate) program: &'a CStr,
    pub(crate) argv: &'a [CString],
    pub(crate) environment: &'a [CString],
    pub(crate) workdir: &'a CStr,
    /// Becomes descriptors 1 and 2; must not be 0, 1 or 2 itself.
    pub(crate) output: BorrowedFd<'a>,
}

/// A program that is open for writing can't be executed. Usually it is not being installed just now: another thread's
/// child holds the descriptor for the moment between its creation and its exec.
const BUSY_RETRIES: u32 = 10;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

impl Spawn<'_> {
    /// Starts it and answers its pid. Blocks until the child has executed its program or failed to.
    pub(crate) fn start(&self) -> io::Result<u32> {
        let actions = Actions::new(self)?;
        let attributes = Attributes::new()?;
        let mut busy = 0;
        loop {
            match self.once(&actions, &attributes) {
                Err(error) if error.raw_os_error() == Some(libc::ETXTBSY) && busy < BUSY_RETRIES => {
                    busy += 1;
                    sleep(BUSY_PAUSE);
                }
                result => return result,
            }
        }
    }

    fn once(&self, actions: &Actions, attributes: &Attributes) -> io::Result<u32> {
        let argv = pointers(self.argv);
        let environment = pointers(self.environment);
        let mut pid = 0;
        // SAFETY: both arrays end in a null pointer and, like the strings they point to and the two initialised
        // objects, outlive the call; posix_spawn doesn't write through them in spite of its signature.
        check(unsafe {
            libc::posix_spawn(
                &raw mut pid,
                self.program.as_ptr(),
                &raw const actions.0,
                &raw const attributes.0,
                argv.as_ptr(),
                environment.as_ptr(),
            )
        })?;
        Ok(pid.unsigned_abs())
    }
}

fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// The posix_spawn family answers the error instead of setting errno.
fn check(error: libc::c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// What the child does to its descriptors and its folder before it executes the program.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new(spawn: &Spawn<'_>) -> io::Result<Self> {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: init is given room for one object and initialises it, or fails and it is not used.
        let mut actions = unsafe {
            check(libc::posix_spawn_file_actions_init(raw.as_mut_ptr()))?;
            Self(raw.assume_init())
        };
        let this = &raw mut actions.0;
        // SAFETY: `this` is initialised, and each call copies the string it is given.
        unsafe {
            check(libc::posix_spawn_file_actions_addopen(this, 0, c"/dev/null".as_ptr(), libc::O_RDONLY, 0))?;
            check(libc::posix_spawn_file_actions_adddup2(this, spawn.output.as_raw_fd(), 1))?;
            check(libc::posix_spawn_file_actions_adddup2(this, spawn.output.as_raw_fd(), 2))?;
            // All of ours are close-on-exec. This closes what the host of this crate, or whoever started it, left open;
            // other C libraries than glibc have no such call, and there those descriptors leak as they always did.
            #[cfg(target_env = "gnu")]
            check(libc::posix_spawn_file_actions_addclosefrom_np(this, 3))?;
            check(libc::posix_spawn_file_actions_addchdir_np(this, spawn.workdir.as_ptr()))?;
        }
        Ok(actions)
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: it was initialised by `new` and is destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// A session of its own, and signals as a fresh login has them: a daemon started by `nohup`, or a Rust program with its
/// ignored SIGPIPE, must not hand that on (`yes | head` would never end).
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Self> {
        const FLAGS: libc::c_int =
            libc::POSIX_SPAWN_SETSID as libc::c_int | libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        let mut raw = MaybeUninit::uninit();
        // SAFETY: init is given room for one object and initialises it, or fails and it is not used.
        let mut attributes = unsafe {
            check(libc::posix_spawnattr_init(raw.as_mut_ptr()))?;
            Self(raw.assume_init())
        };
        let this = &raw mut attributes.0;
        let mut none = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the first set is initialised by the call, the second by writing all its bytes, any of which are valid
        // for an array of integers; `this` was initialised above; the setters copy what they are given.
        unsafe {
            libc::sigemptyset(none.as_mut_ptr());
            // Not sigfillset: it leaves out the two signals that glibc keeps to itself, and those the child would then
            // ignore for good.
            ptr::write_bytes(all.as_mut_ptr(), 0xff, 1);
            check(libc::posix_spawnattr_setsigmask(this, none.as_ptr()))?;
            check(libc::posix_spawnattr_setsigdefault(this, all.as_ptr()))?;
            check(libc::posix_spawnattr_setflags(this, FLAGS as libc::c_short))?;
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was initialised by `new` and is destroyed once.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}
