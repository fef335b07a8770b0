//! What may lie where a file or a folder should, and what is said of it.
#![expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustix::fs::{CWD, Mode, mkfifoat};

use super::{Bounded, Lock, Open, RealFs, Vfs, atomic_write};
use crate::Error;

fn pipe(path: &Path) {
    mkfifoat(CWD, path, Mode::from_raw_mode(0o600)).unwrap();
}

/// In words and with its hint, as a command shows it.
fn told<T: std::fmt::Debug>(answer: std::io::Result<T>) -> (String, Option<String>) {
    let error = Error::io("cannot use it", answer.unwrap_err());
    (error.to_string(), error.hint_text().map(str::to_owned))
}

const AWAY: &str = "it isn't what sched put there: move it away";

#[test]
fn what_is_no_file_is_refused_at_once_however_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    pipe(&path("pipe"));
    let _socket = UnixListener::bind(path("socket")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    symlink("/dev/zero", path("device")).unwrap();
    symlink("circle", path("circle")).unwrap();
    let check = |name: &str, expected: &str| {
        let path = path(name);
        let expected = (format!("cannot use it: {expected}"), Some(AWAY.to_owned()));
        assert_eq!(told(RealFs.read(&path)), expected, "read {name}");
        for how in [Open::Read, Open::ReadWrite, Open::Create] {
            assert_eq!(told(RealFs.open(&path, how)), expected, "{how:?} {name}");
        }
    };
    check("pipe", "it is a named pipe, not a file");
    check("socket", "it is a socket, not a file");
    check("folder", "it is a folder, not a file");
    check("device", "it is a device, not a file");
    check("circle", "too many levels of symbolic links");
    assert_eq!(told(RealFs.list(&path("pipe"))).1.as_deref(), Some(AWAY));
    assert_eq!(told(RealFs.sync_dir(&path("pipe"))).1.as_deref(), Some(AWAY));
}

#[test]
fn what_is_no_folder_is_called_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    pipe(&path("pipe"));
    fs::write(path("file"), "").unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    symlink("circle", path("circle")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    symlink("folder", path("link")).unwrap();
    let check = |name: &str, expected: &str| {
        for wanted in [path(name), path(name).join("deeper")] {
            let (what, hint) = told(RealFs.create_dir_all(&wanted));
            assert_eq!(
                (what.as_str(), hint.as_deref()),
                (&*format!("cannot use it: {expected}"), Some(AWAY)),
                "{name}"
            );
        }
    };
    check("pipe", "it is a named pipe, not a folder");
    check("file", "it is a file, not a folder");
    check("dangling", "it is a link to what is not there, not a folder");
    check("circle", "too many levels of symbolic links");
    RealFs.create_dir_all(&path("link")).unwrap();
    RealFs.create_dir_all(&path("link").join("deeper")).unwrap();
}

#[test]
fn a_file_is_not_read_into_memory_beyond_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let file = RealFs.open(&path, Open::Create).unwrap();
    file.set_len((256 << 20) + 1).unwrap();
    let (what, _) = told(RealFs.read(&path));
    assert_eq!(what, "cannot use it: it is larger than 256 MiB, and sched reads no more into memory");
    assert_eq!(RealFs.stat(&path).unwrap().len, (256 << 20) + 1);
    file.set_len(3).unwrap();
    assert_eq!(RealFs.read(&path).unwrap(), [0; 3]);
}

#[test]
fn a_pipe_in_the_place_of_a_temporary_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.json");
    pipe(&folder.path().join("jobs.json.tmp"));
    let (what, hint) = told(atomic_write(&RealFs, &path, b"{}", None));
    assert_eq!(
        (what.as_str(), hint.as_deref()),
        ("cannot use it: jobs.json.tmp is a named pipe, not a file", Some(AWAY))
    );
    // It is taken away with what could not be written, so the next one succeeds.
    atomic_write(&RealFs, &path, b"{}", None).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"{}");
}

#[test]
fn what_does_not_come_back_is_given_up_and_so_is_all_after_it_until_it_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let held = RealFs.open(&path, Open::Create).unwrap();
    held.lock(Lock::Exclusive).unwrap();
    let bounded = Bounded::new(Arc::new(RealFs), Duration::from_secs(2));
    let waiting = bounded.open(&path, Open::ReadWrite).unwrap();
    waiting.write_all_at(b"it answers", 0).unwrap();
    let silence = "cannot use it: the disk has not answered for 2s";
    assert_eq!(told(waiting.lock(Lock::Exclusive)).0, silence);
    assert!(bounded.has_given_up() && bounded.clone().has_given_up());
    assert_eq!(told(bounded.read(&path)).0, silence, "though it could be read");
    assert_eq!(told(waiting.stat()).0, silence);
    bounded.try_again();
    assert_eq!(bounded.read(&path).unwrap(), b"it answers");
    let mut buffer = [0; 20];
    assert_eq!((waiting.read_at(&mut buffer, 3).unwrap(), &buffer[..7]), (7, &b"answers"[..]));
}
