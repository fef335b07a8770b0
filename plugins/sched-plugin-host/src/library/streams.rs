//! Where the protocol's lines come from and go to.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{io::fcntl_dupfd_cloexec, stdio};

/// Beyond those that everybody believes to know.
const FIRST_OF_OURS: i32 = 3;

/// Takes standard input and output for the protocol, and leaves the library an empty input, and the log as its output: a
/// `printf` must not break the protocol, and neither must a read from standard input, nor a child of the library.
pub(super) fn take() -> io::Result<(File, File)> {
    let requests: OwnedFd = fcntl_dupfd_cloexec(stdio::stdin(), FIRST_OF_OURS)?;
    let answers: OwnedFd = fcntl_dupfd_cloexec(stdio::stdout(), FIRST_OF_OURS)?;
    stdio::dup2_stdin(File::open("/dev/null")?.as_fd())?;
    stdio::dup2_stdout(stdio::stderr())?;
    Ok((requests.into(), answers.into()))
}
