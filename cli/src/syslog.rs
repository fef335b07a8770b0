//! The system's log, for what must be found by whoever doesn't read a script's stderr. Nobody waits for it, and where there is
//! none, nothing is lost that isn't on stderr too.

use std::{io, os::unix::net::UnixDatagram, path::Path};

use crate::words;

/// How bad it is, as the log counts: the smaller, the worse.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Severity {
    /// Somebody should see to it now.
    Alert = 1,
    /// Something failed.
    Error = 3,
}

/// Puts a line into the log.
pub(crate) fn tell(severity: Severity, text: &str) {
    // Without a log there is stderr, where all of it is said as well.
    let _ = send("/dev/log".as_ref(), severity, text);
}

fn send(socket: &Path, severity: Severity, text: &str) -> io::Result<()> {
    /// Messages of programs at work for a user.
    const USER: u8 = 1;
    let log = UnixDatagram::unbound()?;
    // A log that doesn't keep up must not hold up a job.
    log.set_nonblocking(true)?;
    let line = format!("<{}>sched[{}]: {}", USER * 8 + severity as u8, std::process::id(), words::flat(text));
    log.send_to(line.as_bytes(), socket).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_severity_and_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("log");
        assert!(send(&socket, Severity::Error, "nobody listens").is_err());
        let log = UnixDatagram::bind(&socket).unwrap();
        let received = |severity, text| {
            send(&socket, severity, text).unwrap();
            let mut buffer = [0; 256];
            let len = log.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..len]).into_owned()
        };
        let pid = std::process::id();
        assert_eq!(received(Severity::Alert, "P1 a\nb"), format!("<9>sched[{pid}]: P1 a b"));
        assert_eq!(received(Severity::Error, "x"), format!("<11>sched[{pid}]: x"));
    }
}
