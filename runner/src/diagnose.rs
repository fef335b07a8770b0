//! Why a child could not be started, in words, with the fix where one is known.
//!
//! The system's error says little: "no such file" may mean the program, its interpreter or the folder. So the files are
//! looked at again, after the fact, and only then. Reads only.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use scheduler_core::{Error, ErrorKind};

use crate::program::NotFound;

/// The error for a program that PATH doesn't have.
pub(crate) fn not_found(program: &str, path: &OsStr, why: &NotFound) -> Error {
    match why {
        NotFound::NotExecutable(file) => not_executable(Path::new(file)),
        NotFound::Nowhere => {
            let error = Error::new(
                ErrorKind::NotFound,
                format!("program not found: `{program}` (looked in {})", path.to_string_lossy()),
            );
            if program.contains(char::is_whitespace) {
                return error
                    .hint("a list is a program and its arguments, one each; write a line for the shell as text");
            }
            error
        }
    }
}

/// The error for a folder that a run can't start in; `None` if it can.
pub(crate) fn workdir(workdir: &Path) -> Option<Error> {
    let shown = workdir.display();
    let (kind, why) = match fs::metadata(workdir) {
        Ok(found) if !found.is_dir() => (ErrorKind::Invalid, "is not a folder".to_owned()),
        Ok(_) => {
            let refused = accessat(CWD, workdir, Access::EXEC_OK, AtFlags::EACCESS).err()?;
            let error = Error::io(format!("workdir `{shown}`"), refused.into());
            return Some(error.hint("the user that sched runs as must be allowed to enter it"));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (ErrorKind::NotFound, "does not exist".to_owned()),
        Err(error) => return Some(Error::io(format!("workdir `{shown}`"), error)),
    };
    Some(Error::new(kind, format!("workdir `{shown}` {why}")))
}

/// The error for a child that could not be started: `file` is what was to be executed, as seen from `folder`.
pub(crate) fn spawn_failed(error: io::Error, file: &Path, folder: &Path) -> Error {
    let shown = file.display();
    match error.raw_os_error() {
        Some(libc::E2BIG) => {
            let message = format!("arguments and environment of `{shown}` are too long (argument list too long)");
            return Error::new(ErrorKind::Invalid, message).hint("hand it long values in a file");
        }
        Some(libc::EAGAIN | libc::ENOMEM) => {
            return Error::io("the system has no room for another process", error)
                .hint("see `ulimit -u`, TasksMax of the service, and free memory");
        }
        _ => {}
    }
    if let Some(error) = workdir(folder) {
        return error;
    }
    let seen = folder.join(file);
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) if !seen.exists() => {
            Error::new(ErrorKind::NotFound, format!("program not found: `{shown}` (in {})", folder.display()))
        }
        Some(libc::ENOENT) => interpreter_missing(file, &first_bytes(&seen)),
        Some(libc::EACCES) if seen.is_dir() => {
            Error::new(ErrorKind::Invalid, format!("`{shown}` is a folder, not a program"))
        }
        Some(libc::EACCES) => not_executable(file),
        Some(libc::ENOEXEC) => not_a_program(file, &first_bytes(&seen)),
        Some(libc::ETXTBSY) => Error::io(format!("`{shown}` is open for writing"), error)
            .hint("put a new version in place by rename, not by writing into the old one"),
        _ => Error::io(format!("`{shown}` could not be started"), error),
    }
}

fn not_executable(file: &Path) -> Error {
    let shown = file.display();
    Error::new(ErrorKind::ReadOnly, format!("permission denied: `{shown}` is not executable for this user"))
        .hint(format!("chmod +x {shown}; if it is, look at the folders above it and for a noexec mount"))
}

fn not_a_program(file: &Path, head: &[u8]) -> Error {
    let shown = file.display();
    let (what, fix) = if head.is_empty() {
        ("is empty", "write the program".to_owned())
    } else if head.starts_with(b"\x7fELF") {
        ("is a program for another kind of machine", "install the build for this one".to_owned())
    } else if head.starts_with(b"#!") {
        ("has a #! line that names no program", "begin it with `#!/bin/sh`".to_owned())
    } else {
        ("has no #! line", format!("begin it with `#!/bin/sh`, or run `sh {shown}`"))
    };
    Error::new(ErrorKind::Invalid, format!("`{shown}` {what} (exec format error)")).hint(fix)
}

/// The error for a script whose interpreter isn't there: `seen` is the file, `file` what it is called. `None` for any
/// other program, and for one that may not be read.
pub(crate) fn interpreter(seen: &Path, file: &Path) -> Option<Error> {
    let head = first_bytes(seen);
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let interpreter = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    let is_there = !line.ends_with(b"\r") && Path::new(OsStr::from_bytes(interpreter)).exists();
    (!is_there).then(|| interpreter_missing(file, &head))
}

fn interpreter_missing(file: &Path, head: &[u8]) -> Error {
    let shown = file.display();
    let Some(line) = head.strip_prefix(b"#!") else {
        let message = format!("`{shown}` is there, but the loader or library it needs is not");
        return Error::new(ErrorKind::NotFound, message).hint(format!("see `ldd {shown}`; was it built elsewhere?"));
    };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    if line.ends_with('\r') {
        let message = format!("the #! line of `{shown}` ends in a carriage return");
        return Error::new(ErrorKind::Invalid, message)
            .hint(format!("it has DOS line ends: sed -i 's/\\r$//' {shown}"));
    }
    let interpreter = line.split_ascii_whitespace().next().unwrap_or_default();
    Error::new(ErrorKind::NotFound, format!("the interpreter of `{shown}` does not exist: `{interpreter}`"))
}

fn first_bytes(file: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    // A file that may be executed but not read is said to be what the error says, no more.
    let _ = File::open(file).and_then(|file| file.take(256).read_to_end(&mut head));
    head
}

/// The whole error as one line, for the record of a run.
pub(crate) fn in_a_line(error: &Error) -> String {
    match error.hint_text() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

/// A text that no system call takes.
pub(crate) fn holds_nul(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("{what} holds a NUL character"))
}

/// Whether `name` can name a variable.
pub(crate) fn check_variable(name: &OsStr) -> Result<(), Error> {
    if name.is_empty() || name.as_bytes().contains(&b'=') {
        let message = format!("`{}` can't be the name of a variable", name.to_string_lossy());
        return Err(Error::new(ErrorKind::Invalid, message).hint("it must not be empty or hold a `=`"));
    }
    Ok(())
}
