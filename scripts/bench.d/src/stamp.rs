//! The job that every contender runs: `stamp FILE` appends one line, the wall clock in nanoseconds as its first act.

use std::{env, fs::OpenOptions, io::Write as _, process::exit, time::SystemTime};

fn main() {
    let now = SystemTime::now();
    let Some(file) = env::args_os().nth(1) else { exit(2) };
    let Ok(since_epoch) = now.duration_since(SystemTime::UNIX_EPOCH) else { exit(3) };
    let line = format!("{}\n", since_epoch.as_nanos());
    // One write to a file that is open for appending: lines of many processes don't mix.
    let written =
        OpenOptions::new().append(true).create(true).open(file).and_then(|mut file| file.write_all(line.as_bytes()));
    if written.is_err() {
        exit(4);
    }
}
