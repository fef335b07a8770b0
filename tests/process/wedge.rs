//! A mount that never answers, as that of a file server that is gone: whoever asks for what is there waits in the kernel, and
//! only a signal that kills ends the wait. These tests mount, so they need root; without it they say so and prove nothing.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use super::disk::skipped;

/// A dead mount on a file or a folder, for as long as this lives.
pub(super) struct DeadMount {
    path: PathBuf,
    /// What would answer, and doesn't. Closed, it makes an error of every wait.
    _server: File,
}

impl DeadMount {
    /// `None`, with the reason printed, where this isn't allowed.
    pub(super) fn over(path: &Path) -> Option<Self> {
        let mode = if path.is_dir() { "40000" } else { "100000" };
        let options = format!("fd=0,rootmode={mode},user_id=0,group_id=0,allow_other");
        let server = match File::options().read(true).write(true).open("/dev/fuse") {
            Ok(server) => server,
            Err(error) => return skipped(&format!("/dev/fuse: {error}")),
        };
        let path = fs::canonicalize(path).expect("something to mount on");
        let mut mount = Command::new("mount");
        mount.args(["--internal-only", "-t", "fuse", "-o", &options, "dead"]).arg(&path);
        let ran = mount.stdin(server.try_clone().expect("a second one")).output();
        match ran {
            Ok(ran) if ran.status.success() => {
                greet(&server);
                Some(Self { path, _server: server })
            }
            Ok(ran) => skipped(&String::from_utf8_lossy(&ran.stderr)),
            Err(error) => skipped(&error.to_string()),
        }
    }

    /// One on the file that the store reads before each change.
    pub(super) fn over_jobs(place: &super::bench::Place) -> Option<Self> {
        Self::over(&place.home().join("jobs.json"))
    }
}

/// Answers the kernel's first question, so that it asks several at once and a signal that kills ends the wait for any: it says
/// nothing but that the server can do that.
fn greet(mut server: &File) {
    const PARALLEL: u32 = 1 << 18;
    let mut question = vec![0; 1 << 17];
    let len = server.read(&mut question).expect("a question");
    assert_eq!((len > 16, question[4]), (true, 26), "it is how the kernel begins");
    let mut answer = Vec::new();
    // How long the answer is, no error, to which question; then the versions, the read-ahead, and what it can.
    answer.extend([80_u32, 0].map(u32::to_ne_bytes).concat());
    answer.extend(&question[8..16]);
    answer.extend([7, 31, 0, PARALLEL].map(u32::to_ne_bytes).concat());
    answer.resize(80, 0);
    server.write_all(&answer).expect("an answer");
}

impl Drop for DeadMount {
    fn drop(&mut self) {
        // Lazily: whoever waits in there is freed only when the server is closed.
        let _ = Command::new("umount").args(["--lazy", "--internal-only"]).arg(&self.path).status();
    }
}
