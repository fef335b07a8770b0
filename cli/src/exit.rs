//! The exit codes, the same for every command.

use scheduler_core::ErrorKind;

/// All is well.
pub const OK: u8 = 0;
/// It failed, or the job that was waited for did.
pub const ERROR: u8 = 1;
/// The command line makes no sense.
pub const USAGE: u8 = 2;
/// Jobs fire, but something needs attention; or the doctor found something bad.
pub const ATTENTION: u8 = 3;
/// Jobs don't fire.
pub const NOT_FIRING: u8 = 4;
/// Whether jobs fire can't be known.
pub const UNKNOWN: u8 = 5;
/// The daemon did not get on, or its lock was taken away, and it ended itself, to be started again.
pub const ABORTED: u8 = 70;
/// Somebody else holds the lock; the same command may succeed later.
pub const BUSY: u8 = 75;

/// The code for an error of this kind.
///
/// ```
/// use scheduler_core::ErrorKind;
/// assert_eq!(sched_cli::exit::code_of(ErrorKind::Busy), sched_cli::exit::BUSY);
/// assert_eq!(sched_cli::exit::code_of(ErrorKind::NotFound), sched_cli::exit::ERROR);
/// ```
pub fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Busy | ErrorKind::Unanswered => BUSY,
        _ => ERROR,
    }
}
