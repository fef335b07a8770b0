//! The child process of a plugin that is a library: it loads the library, and speaks the wire protocol for it.
//!
//! To the daemon it is a plugin like any program. What a library can do wrong, crash in a constructor, hang there, end the
//! process with success, it does to this process alone.
//!
//! # Map
//! - [`serve_if_asked`]: what a program that embeds plugins calls at the beginning of its `main`.
//! - `course.rs`: from `hello` to the end. Start reading here. `streams.rs`: where the lines come from and go to.
//! - `load.rs`: a library is opened, and its head checked. `plugin.rs`: its functions, as safe ones. `table.rs`: the host's
//!   functions, as the library calls them. `lent.rs`: texts and errors of C.
//! - `link.rs`: calls to the daemon, and who waits for which answer. `wait.rs`: `wait_until`. `clock.rs`: when the wall
//!   clock is set.
//!
//! # Threads
//! - The reader takes every line from the daemon and never runs a line of the plugin's code, so that an answer always arrives.
//! - One sleeps until the wall clock is set.
//! - `start`, `stop`, and the hooks have a thread each; hooks run one at a time. The plugin may have more, and call from all.
//!
//! **Invariants:** no panic of ours goes into the library's frames, and no call to it is made after `destroy`. The library is
//! never unloaded, and the process ends with `_exit`, so that nothing of the library's runs at its end.

mod clock;
mod course;
mod lent;
mod link;
mod load;
mod plugin;
mod streams;
mod table;
mod wait;

use std::{env, path::PathBuf};

/// The first argument of a process that is to be a library's child; the second one is the library.
pub const ARGUMENT: &str = "__plugin-host";

/// Makes this process the child of a plugin's library, if its first argument is [`ARGUMENT`], and never returns then.
///
/// Whoever embeds plugins that are libraries calls it first thing in `main`, while there is only one thread: the daemon starts
/// its own program anew for each such plugin.
///
/// ```
/// // fn main() {
/// sched_plugin_host::library::serve_if_asked();
/// // ... and what the program is for.
/// ```
pub fn serve_if_asked() {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == ARGUMENT) {
        let library = arguments.next().map(PathBuf::from);
        die_of_faults();
        exit(course::run(library.as_deref()));
    }
}

/// Has the signals of faults end this process. A Rust program has handlers for two of them that tell a stack that is too deep,
/// and let the first signal pass that somebody else sends.
fn die_of_faults() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: a valid signal, and the default action, which runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Ends the process now, without what libraries have registered for its end: that may hang, or crash.
fn exit(status: i32) -> ! {
    // SAFETY: _exit takes any number and has no precondition; all that we write goes out unbuffered.
    unsafe { libc::_exit(status) }
}
