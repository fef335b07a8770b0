//! `state/daemon.lock`: held for life by the daemon of a home, with the name of its process in it.

use std::{io, path::PathBuf, thread, time::Duration};

use sched_runner::proc;
use scheduler_core::{
    Error, ErrorKind, Home, ProcessRef,
    vfs::{Lock, Open, RealFs, Vfs as _, VfsFile},
};

use crate::failure::Failure;

/// The lock, held as long as this lives.
#[derive(Debug)]
pub(crate) struct DaemonLock {
    file: Box<dyn VfsFile>,
    path: PathBuf,
}

impl DaemonLock {
    /// Whether it keeps others away: one whose file was removed or moved is held by us and free for everybody.
    pub(crate) fn is_in_place(&self) -> bool {
        match (RealFs.stat(&self.path), self.file.stat()) {
            (Ok(there), Ok(ours)) => there.inode == ours.inode,
            (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
            // It can't be known.
            (_, Err(_)) => true,
        }
    }
}

/// What a look at the lock tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether somebody holds it.
    pub(crate) held: bool,
    /// Who wrote its name into it last.
    pub(crate) holder: Option<ProcessRef>,
    /// Why nothing could be seen.
    pub(crate) unreadable: Option<String>,
}

/// Who only looks holds the lock for a moment; a daemon that starts just then tries again for a second.
const ATTEMPTS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(50);

/// Takes the lock for this process.
///
/// # Errors
/// Another daemon has it (with its pid), or the file can't be made.
pub(crate) fn take(home: &Home) -> Result<DaemonLock, Failure> {
    let path = home.daemon_lock();
    let failed = |error| Error::io(format!("cannot take {}", path.display()), error);
    let file = RealFs.open(&path, Open::Create).map_err(failed)?;
    until_free(&*file, home)?;
    let mut name = serde_json::to_vec(&proc::myself()).expect("a process reference is JSON");
    name.push(b'\n');
    file.set_len(0).and_then(|()| file.write_all_at(&name, 0)).map_err(failed)?;
    Ok(DaemonLock { file, path })
}

/// Keeps daemons away, without being one. `None` where none has ever been.
///
/// # Errors
/// A daemon has the lock (with its pid), or the file can't be opened.
pub(crate) fn hold(home: &Home) -> Result<Option<DaemonLock>, Failure> {
    let path = home.daemon_lock();
    let file = match RealFs.open(&path, Open::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(format!("cannot open {}", path.display()), error).into()),
    };
    until_free(&*file, home)?;
    Ok(Some(DaemonLock { file, path }))
}

/// Takes the lock on `file` as soon as nobody but a looker holds it.
fn until_free(file: &dyn VfsFile, home: &Home) -> Result<(), Failure> {
    let failed = |error| Error::io(format!("cannot take {}", home.daemon_lock().display()), error);
    for attempt in 0.. {
        if file.try_lock(Lock::Exclusive).map_err(failed)? {
            break;
        }
        if attempt == ATTEMPTS {
            let who = read_holder(file).map_or_else(|| "another process".to_owned(), |who| format!("pid {}", who.pid));
            let what = format!("a daemon already runs on {} ({who})", home.path().display());
            return Err(
                Failure::new(ErrorKind::Busy, what).hint("see it with `sched status`; stop it first to start another")
            );
        }
        thread::sleep(BETWEEN);
    }
    Ok(())
}

/// Looks who has the lock.
pub(crate) fn look(home: &Home) -> Look {
    let file = match RealFs.open(&home.daemon_lock(), Open::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Look { held: false, holder: None, unreadable: None };
        }
        Err(error) => {
            let why = Error::io(format!("cannot read {}", home.daemon_lock().display()), error).to_string();
            return Look { held: false, holder: None, unreadable: Some(why) };
        }
    };
    let holder = read_holder(&*file);
    match file.try_lock(Lock::Shared) {
        Ok(free) => Look { held: !free, holder, unreadable: None },
        Err(error) => {
            let why = Error::io(format!("cannot examine {}", home.daemon_lock().display()), error).to_string();
            Look { held: false, holder, unreadable: Some(why) }
        }
    }
}

fn read_holder(file: &dyn VfsFile) -> Option<ProcessRef> {
    let mut buffer = [0; 512];
    let read = file.read_at(&mut buffer, 0).ok()?;
    serde_json::from_slice(&buffer[..read]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_with_the_pid_of_the_first_and_a_look_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        RealFs.create_dir_all(&home.state()).unwrap();
        assert!(!look(&home).held);
        let first = take(&home).unwrap();
        let seen = look(&home);
        assert!(seen.held);
        assert_eq!(seen.holder, Some(proc::myself()));
        let refusal = take(&home).unwrap_err();
        assert!(refusal.message.contains(&format!("pid {}", std::process::id())), "{}", refusal.message);
        drop(first);
        assert!(!look(&home).held);
        take(&home).unwrap();
    }
}
