//! The animals: what each one is made of, and the sentence that is said about it. In the sentences `%` is the plugin's folder.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::Path,
};

use super::keeper::{Made, Made::*, Want, Want::*};

/// One way to be bad.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) made: Made,
    /// What is done to the folder once everything is in it.
    pub(super) spoilt: fn(&Path),
    pub(super) want: Want,
}

const BUILD: &str = "build it as a shared object: crate-type cdylib, or `cc -shared -fPIC`";
const AGAIN: &str = "copy or build it again";
const EXPORT: &str = "export it with `export_scheduler!`, or define the struct of sched_plugin.h";
const LIBRARY: &str = "try it by hand, as docs/plugins.md says: `sched __plugin-host %/libzoo.so`";
const PROGRAM: &str = "try it by hand, as docs/plugins.md says: `cd % && sh bad.sh ";
const BY_NAME: &str = "try it by hand, as docs/plugins.md says: `cd % && ./bad.sh`";
const UPDATE: &str = "update sched";

/// All of them, the slow ones first: nobody waits for the last one alone then.
pub(super) fn all() -> Vec<Case> {
    let mut all = slow();
    all.extend(files());
    all.extend(owners());
    all.extend(getting_ready());
    all.extend(at_work());
    all
}

fn case(name: &'static str, made: Made, want: Want) -> Case {
    Case { name, made, spoilt: |_| (), want }
}

/// Those that use up a time limit.
fn slow() -> Vec<Case> {
    let late = "%/libzoo.so was not ready within 5s";
    let mut cases = vec![
        case("stop hangs", C(&["IN_STOP=HANG"]), Works(|_, _| ())),
        case("stop is ignored", Sh("ignores-stop"), Works(|_, _| ())),
    ];
    for (name, switch) in [
        ("constructor hangs", "IN_CONSTRUCTOR=HANG"),
        ("constructor prints without end", "IN_CONSTRUCTOR=SPAM_STDOUT"),
        ("constructor complains without end", "IN_CONSTRUCTOR=SPAM_STDERR"),
        ("create hangs", "IN_CREATE=HANG"),
        ("is_available hangs", "IN_IS_AVAILABLE=HANG"),
        ("constructor is stopped", "IN_CONSTRUCTOR=raise(SIGSTOP)"),
    ] {
        cases.push(case(name, COne(switch), Refused(late, LIBRARY)));
    }
    cases.push(case("program hangs", Sh("hangs"), RefusedProgram("%/bad.sh was not ready within 5s", PROGRAM)));
    cases.push(case("program is deaf", Sh("deaf"), RefusedProgram("%/bad.sh was not ready within 5s", PROGRAM)));
    cases
}

/// What their files tell.
fn files() -> Vec<Case> {
    let spoilt = |name, spoilt, want| Case { name, made: C(&[]), spoilt, want };
    let program = |name, spoilt, want| Case { name, made: Program, spoilt, want };
    vec![
        case(
            "missing symbol",
            C(&["SYMBOL=something_else"]),
            Refused("%/libzoo.so exports no `sched_plugin_v1`", EXPORT),
        ),
        case(
            "function instead of data",
            C(&["FUNCTION"]),
            Refused("%/libzoo.so exports `sched_plugin_v1` as a function, and it must be data", EXPORT),
        ),
        case(
            "wrong magic",
            C(&["MAGIC=7"]),
            Refused("%/libzoo.so exports a `sched_plugin_v1` that doesn't begin with the magic number", EXPORT),
        ),
        case(
            "other ABI",
            C(&["MAJOR=2"]),
            Refused(
                "%/libzoo.so is made for version 2 of the plugin ABI, and this build of sched has 1",
                "build it with the SDK of this version of sched",
            ),
        ),
        case(
            "needs a newer host",
            C(&["NEEDS=3"]),
            Refused("%/libzoo.so needs version 1.3 of the plugin ABI, and this build of sched has 1.0", UPDATE),
        ),
        case(
            "short struct",
            C(&["SIZE=112"]),
            Refused("%/libzoo.so says that its `sched_plugin_v1` has 112 bytes, and it has at least 120", EXPORT),
        ),
        case(
            "symbol smaller than claimed",
            C(&["SIZE=136"]),
            Refused("%/libzoo.so says that its `sched_plugin_v1` has 136 bytes, and exports 120", EXPORT),
        ),
        case(
            "unknown required flag",
            C(&["FLAGS=0x10004"]),
            Refused("%/libzoo.so needs something that this build of sched doesn't know (flags 0x4)", UPDATE),
        ),
        spoilt("text file", |at| write(at, b"not a library\n"), Refused("%/libzoo.so is not an ELF file", BUILD)),
        spoilt("empty file", |at| write(at, b""), Refused("%/libzoo.so is empty", AGAIN)),
        spoilt("cut off early", |at| write(at, &read(at)[..500]), Refused("%/libzoo.so is no whole ELF file", AGAIN)),
        spoilt(
            "cut off late",
            |at| {
                let mut whole = read(at);
                // Its table of sections, which nobody needs to load it, is gone as well.
                whole[40..48].fill(0);
                whole[58..64].fill(0);
                write(at, &whole[..8192]);
            },
            Refused("%/libzoo.so is cut off: it has 8192 bytes and speaks of more", AGAIN),
        ),
        spoilt(
            "other architecture",
            |at| {
                let mut other = read(at);
                other[18] = 243;
                write(at, &other);
            },
            Refused(RISC_V, "build it for this machine"),
        ),
        case("executable", Executable, Refused("%/libzoo.so is a program, not a library", BUILD)),
        spoilt(
            "directory",
            |at| {
                fs::remove_file(at.join("libzoo.so")).expect("a file that goes");
                fs::create_dir(at.join("libzoo.so")).expect("a folder");
            },
            Refused("%/libzoo.so is not a regular file", "put a regular file there"),
        ),
        program("empty program", |at| executable(at, b""), Refused("%/bad.sh is empty", AGAIN)),
        program(
            "text as a program",
            |at| executable(at, b"echo hello\n"),
            Refused(
                "%/bad.sh is neither a program for this machine nor a script that begins with `#!`",
                "name its interpreter in its first line, `#!/bin/sh`, or first in `command`",
            ),
        ),
        program(
            "program of another architecture",
            |at| executable(at, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0"),
            Refused(RISC_V_PROGRAM, "build it for this machine"),
        ),
        program(
            "program that may not be executed",
            |_| (),
            Refused("%/bad.sh can't be executed", "`chmod +x %/bad.sh`, or name its interpreter first in `command`"),
        ),
        program(
            "program without its interpreter",
            |at| executable(at, b"#!/nowhere/python\n"),
            Refused("%/bad.sh could not be started: no such file or directory", BY_NAME),
        ),
        spoilt(
            "missing file",
            |at| fs::remove_file(at.join("libzoo.so")).expect("a file that goes"),
            Refused("%/libzoo.so is not there", "check the path"),
        ),
    ]
}

const RISC_V: &str = if cfg!(target_arch = "aarch64") {
    "%/libzoo.so is made for RISC-V, and this is aarch64"
} else {
    "%/libzoo.so is made for RISC-V, and this is x86-64"
};

const RISC_V_PROGRAM: &str = if cfg!(target_arch = "aarch64") {
    "%/bad.sh is made for RISC-V, and this is aarch64"
} else {
    "%/bad.sh is made for RISC-V, and this is x86-64"
};

/// What others could change, or have.
fn owners() -> Vec<Case> {
    let c = |name, spoilt, want| Case { name, made: C(&[]), spoilt, want };
    let sh = |name, spoilt, want| Case { name, made: Sh("exits"), spoilt, want };
    vec![
        c(
            "world-writable library",
            |at| mode(&at.join("libzoo.so"), 0o666),
            Refused(
                "%/libzoo.so can be written by everybody (mode 0666)",
                "if you trust what is in it: `chmod go-w %/libzoo.so`",
            ),
        ),
        sh(
            "world-writable program",
            |at| mode(&at.join("bad.sh"), 0o646),
            Refused(
                "%/bad.sh can be written by everybody (mode 0646)",
                "if you trust what is in it: `chmod go-w %/bad.sh`",
            ),
        ),
        sh(
            "world-writable folder",
            |at| mode(at, 0o777),
            Refused("% can be written by everybody (mode 0777)", "if you trust what is in it: `chmod go-w %`"),
        ),
        sh(
            "group-writable folder inside",
            |at| {
                fs::create_dir(at.join("deep")).expect("a folder");
                mode(&at.join("deep"), 0o775);
            },
            Refused(
                "%/deep can be written by its group (mode 0775)",
                "if you trust what is in it: `chmod go-w %/deep`",
            ),
        ),
        Case {
            name: "wrong owner",
            made: OfRoot,
            spoilt: |at| chown(at.join("libzoo.so"), Some(4711), None).expect("root may"),
            want: Refused(
                "%/libzoo.so is owned by the user 4711, not by 0, as whom sched runs, or by root",
                "if you trust what is in it: `chown 0 %/libzoo.so`",
            ),
        },
        c(
            "link out of the folder",
            |at| {
                let outside = at.join("../outside.so");
                fs::rename(at.join("libzoo.so"), &outside).expect("a file that moves");
                symlink("../outside.so", at.join("libzoo.so")).expect("a link");
            },
            Refused(
                "%/libzoo.so leads out of the plugin's folder, to %.outside",
                "put the file itself into the folder",
            ),
        ),
        c(
            "another sum",
            |at| pin(at, &"0".repeat(64)),
            Refused(
                "%/libzoo.so has the sha256 SUM, not 0000000000000000000000000000000000000000000000000000000000000000",
                "somebody changed it; if that is right, put the new sum into plugin.yaml",
            ),
        ),
        case(
            "swapped between check and use, and overwritten while it runs",
            C(&["IN_CONSTRUCTOR=SWAP"]),
            Works(|place, daemon| {
                let fired = place.effects("job").len();
                place.until_started("job", fired + 2);
                daemon.signal(rustix::process::Signal::HUP);
                let why = "/plugins/zoo/libzoo.so is not an ELF file";
                place.until_status("what lies there now is refused", |status| {
                    status["problems"][0]["what"].as_str().is_some_and(|what| what.contains(why))
                });
            }),
        ),
    ]
}

/// What shows when they are started.
fn getting_ready() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, switch, why) in [
        ("null create", "CREATE=0", "%/libzoo.so can't be started: its `create` is NULL, which must be there"),
        ("null destroy", "DESTROY=0", "%/libzoo.so can't be started: its `destroy` is NULL, which must be there"),
        ("null start", "START=0", "%/libzoo.so can't be started: its `start` is NULL, which must be there"),
        ("null name", "NAME=0", "%/libzoo.so can't be started: its `name` is NULL, which must be there"),
        (
            "another name",
            "NAME=\"zebra\"",
            "%/libzoo.so broke the protocol: it calls itself `zebra`, and plugin.yaml `zoo`",
        ),
        (
            "undefined symbol",
            "UNDEFINED",
            "%/libzoo.so can't be started: the loader says: undefined symbol: nowhere_to_be_found",
        ),
        (
            "constructor crashes",
            "IN_CONSTRUCTOR=CRASH",
            "%/libzoo.so was killed by signal 11 (SIGSEGV) before it was ready",
        ),
        ("constructor exits", "IN_CONSTRUCTOR=exit(0)", "%/libzoo.so exited with status 0 before it was ready"),
        ("create crashes", "IN_CREATE=abort()", "%/libzoo.so was killed by signal 6 (SIGABRT) before it was ready"),
        (
            "create answers garbage",
            "IN_CREATE=return 9",
            "%/libzoo.so can't be started: `create` answered with status 9, and only 0 is success",
        ),
        (
            "is_available crashes",
            "IN_IS_AVAILABLE=CRASH",
            "%/libzoo.so was killed by signal 11 (SIGSEGV) before it was ready",
        ),
        ("is_available exits", "IN_IS_AVAILABLE=exit(0)", "%/libzoo.so exited with status 0 before it was ready"),
        (
            "is_available answers garbage",
            "IN_IS_AVAILABLE=return 4242",
            "%/libzoo.so can't be started: `is_available` answered with status 4242, and only 0 is success",
        ),
        (
            "is_available answers another garbage",
            "IN_IS_AVAILABLE=return -4242",
            "%/libzoo.so can't be started: `is_available` answered with status -4242 and no message",
        ),
    ] {
        cases.push(case(name, COne(switch), Refused(why, LIBRARY)));
    }
    for (name, place, why) in [
        ("panic in create", "create", "%/libzoo.so can't be started: panicked in `create`: boom"),
        ("panic in is_available", "is_available", "%/libzoo.so can't be started: panicked in `is_available`: boom"),
        (
            "panic in the drop of a panic's payload",
            "create, with a bomb",
            "%/libzoo.so can't be started: panicked in `create`: a panic without a message",
        ),
    ] {
        cases.push(case(name, Rust(place), Refused(why, LIBRARY)));
    }
    for (name, word, why) in [
        ("program exits", "exits", "%/bad.sh exited with status 0 before it was ready"),
        ("program dies", "dies", "%/bad.sh was killed by signal 7 (SIGBUS) before it was ready"),
        ("program answers nonsense", "says-nonsense", "%/bad.sh broke the protocol: a line is not JSON: Hello, world!"),
        ("program answers bytes", "says-bytes", "%/bad.sh broke the protocol: a line is not UTF-8 (byte 0xe9)"),
        ("program says no", "says-no", "%/bad.sh can't be started: no bus"),
        (
            "program floods with one line",
            "one-endless-line",
            "%/bad.sh broke the protocol: a line is longer than 1 MiB",
        ),
        (
            "program floods with many lines",
            "many-lines",
            "%/bad.sh broke the protocol: 1000 lines of log before `ready`",
        ),
        ("program closes its output", "closes-stdout", "%/bad.sh closed its output before it was ready"),
        (
            "program guesses the nonce",
            "another-nonce",
            "%/bad.sh broke the protocol: its `ready` has another nonce than `hello`",
        ),
    ] {
        cases.push(case(name, Sh(word), RefusedProgram(why, PROGRAM)));
    }
    cases
}

/// What shows at work alone.
fn at_work() -> Vec<Case> {
    let returned = "%/libzoo.so: its `start` returned though nobody told it to stop";
    vec![
        case(
            "start crashes",
            C(&["IN_START=CRASH"]),
            Fails("%/libzoo.so was killed by signal 11 (SIGSEGV) while it was at work"),
        ),
        case("start exits", C(&["IN_START=exit(0)"]), Fails("%/libzoo.so exited with status 0 while it was at work")),
        case("start returns", C(&["IN_START=return 0"]), Fails(returned)),
        case(
            "start answers garbage",
            C(&["IN_START=return 3"]),
            Fails("%/libzoo.so: its `start` failed: `start` answered with status 3, and only 0 is success"),
        ),
        case("panic in start", Rust("start"), Fails("%/libzoo.so: its `start` failed: panicked in `start`: boom")),
        case(
            "panic in start, and in the drop of its payload",
            Rust("start, with a bomb"),
            Fails("%/libzoo.so: its `start` failed: panicked in `start`: a panic without a message"),
        ),
        case(
            "start logs and logs",
            C(&["IN_START=for (int n = 0; n < 3000; n++) host->log(host->ctx, 3, (sched_str){\"again\", 5})"]),
            Works(|_, daemon| {
                let lines = daemon.log().matches("again").count();
                assert!((1..1500).contains(&lines), "{lines} lines");
            }),
        ),
        case("panic in a thread", Rust("a thread"), Works(|_, daemon| daemon.until_logged("boom"))),
        case("program exits at work", Sh("later-exits"), Fails("%/bad.sh exited with status 0 while it was at work")),
        case(
            "program dies at work",
            Sh("later-dies"),
            Fails("%/bad.sh was killed by signal 11 (SIGSEGV) while it was at work"),
        ),
        case(
            "program says nonsense at work",
            Sh("later-says-nonsense"),
            Fails("%/bad.sh broke the protocol: a line is not JSON: Traceback:"),
        ),
        case(
            "program floods at work",
            Sh("later-one-endless-line"),
            Fails("%/bad.sh broke the protocol: a line is longer than 1 MiB"),
        ),
        case(
            "program closes its output at work",
            Sh("later-closes-stdout"),
            Fails("%/bad.sh closed its output while it was at work"),
        ),
        case(
            "program answers what nobody asked",
            Sh("later-answers-itself"),
            Fails("%/bad.sh broke the protocol: it answered a call that nobody made (id 77)"),
        ),
    ]
}

fn read(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("libzoo.so")).expect("a library")
}

fn write(folder: &Path, bytes: &[u8]) {
    fs::write(folder.join("libzoo.so"), bytes).expect("a file");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn pin(folder: &Path, sum: &str) {
    let path = folder.join("plugin.yaml");
    let text = fs::read_to_string(&path).expect("a plugin.yaml");
    fs::write(path, format!("{text}sha256: '{sum}'\n")).expect("a plugin.yaml");
}

fn executable(folder: &Path, bytes: &[u8]) {
    fs::write(folder.join("bad.sh"), bytes).expect("a file");
    mode(&folder.join("bad.sh"), 0o755);
}
