//! A child that outlives whoever starts it takes nothing of theirs along: what a caller left open, such as the lock of
//! `flock` around a line of a crontab, would stay held for as long as that child lives.

use std::{io, os::unix::process::CommandExt as _, process::Command};

/// Makes `command` start a child that has its standard descriptors and no other.
pub fn detached(command: &mut Command) -> &mut Command {
    // SAFETY: `close_others` makes nothing but system calls that are safe between fork and exec, and allocates nothing.
    unsafe { command.pre_exec(close_others) }
}

/// Marks all descriptors but the first three to be closed by the exec. They stay open until then: by one of them the
/// parent hears of an exec that failed.
fn close_others() -> io::Result<()> {
    const FIRST: libc::c_int = 3;
    // SAFETY: the call takes numbers only, and an unknown one is answered with an error.
    let done = unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 {
        return Ok(());
    }
    // A kernel that doesn't know it, or a container that doesn't allow it: one by one.
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live local, which the call fills in; the others take numbers only.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == -1 {
            return Err(io::Error::last_os_error());
        }
        let most = libc::c_int::try_from(limit.rlim_cur).unwrap_or(libc::c_int::MAX);
        for descriptor in FIRST..most {
            // Most of them aren't open, which is just as well.
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use rustix::io::FdFlags;

    use super::*;

    #[test]
    fn the_child_has_nothing_of_ours() {
        let (ours, _other) = io::pipe().unwrap();
        rustix::io::fcntl_setfd(&ours, FdFlags::empty()).unwrap();
        let shown = |command: &mut Command| {
            let child = command.args(["-c", "ls -l /proc/$$/fd"]).stdin(Stdio::null()).output().unwrap();
            String::from_utf8(child.stdout).unwrap().matches("pipe:").count()
        };
        // Its output and its errors are pipes as well.
        assert!(shown(&mut Command::new("sh")) > 2, "the pipe is there");
        assert_eq!(shown(detached(&mut Command::new("sh"))), 2);
        // What can't be started is still an error.
        assert!(detached(&mut Command::new("/no/such")).spawn().is_err());
    }
}
