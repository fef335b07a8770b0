//! The C header and the crate say the same: the system's compilers take the header as C11 and as C++17, and every offset,
//! size and number that the compiled program prints is that of Rust.

use std::{fs, path::Path, process::Command};

use sched_plugin_abi::{
    ABI_MAJOR, ABI_MINOR, MAGIC, SchedError, SchedHost, SchedPlugin, SchedSink, SchedStr, flags, level, status, wake,
};

const HEADER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include/sched_plugin.h");

/// A fact, as C writes it and as Rust knows it.
type Fact = (String, i128);

/// Offset and size of every field, and the size of the whole.
macro_rules! layout {
    ($facts:ident, $rust:ty, $c:literal, $($field:ident),+) => {
        $facts.push((format!("sizeof({})", $c), size_of::<$rust>() as i128));
        $(
            $facts.push((format!("offsetof({}, {})", $c, stringify!($field)), std::mem::offset_of!($rust, $field) as i128));
            $facts.push((format!("sizeof((({} *)0)->{})", $c, stringify!($field)), size_of_field(|all: &$rust| &all.$field) as i128));
        )+
    };
}

macro_rules! numbers {
    ($facts:ident, $($c:literal = $rust:expr),+ $(,)?) => { $($facts.push(($c.to_owned(), i128::from($rust)));)+ };
}

#[test]
fn the_header_says_what_the_crate_says() {
    for (compiler, standard, language) in [("cc", "-std=c11", "c"), ("c++", "-std=c++17", "c++")] {
        if compiler == "c++" && Command::new(compiler).arg("--version").output().is_err() {
            println!("no C++ compiler here: the header is not tried as C++");
            continue;
        }
        let facts = facts();
        let printed = print_facts(compiler, standard, language, HEADER, &facts).expect("the header compiles");
        let expected: Vec<String> = facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(printed.lines().collect::<Vec<_>>(), expected, "{language}");
    }
}

#[test]
fn a_header_with_another_layout_does_not_compile() {
    let header = fs::read_to_string(HEADER).expect("the header");
    let breaches = [
        ("abi_major, abi_minor, struct_size,", "struct_size, abi_major, abi_minor,"),
        ("void *ctx;\n  void (*log)", "void (*log)"),
        ("char message[504]", "char message[500]"),
    ];
    for (right, wrong) in breaches {
        assert!(header.contains(right), "{right}");
        let folder = tempfile::tempdir().expect("a folder");
        let breach = folder.path().join("breach.h");
        write(&breach, &header.replace(right, wrong));
        let told = print_facts("cc", "-std=c11", "c", breach.to_str().expect("UTF-8"), &[]).expect_err(wrong);
        assert!(told.contains("static assertion failed"), "{told}");
    }
}

fn facts() -> Vec<Fact> {
    let mut facts = Vec::new();
    layout!(facts, SchedStr, "sched_str", ptr, len);
    layout!(facts, SchedError, "sched_error", struct_size, code, message);
    layout!(facts, SchedSink, "sched_sink", ctx, write);
    layout!(facts, SchedHost, "sched_host", struct_size, abi_major, abi_minor, reserved, ctx, log, list_jobs);
    layout!(facts, SchedHost, "sched_host", fire_due, fire_at, fire_event, tick, beat, next_wakeup);
    layout!(facts, SchedHost, "sched_host", is_stopping, wait_until);
    layout!(facts, SchedPlugin, "sched_plugin", magic, abi_major, abi_minor, struct_size, min_host_minor, flags);
    layout!(facts, SchedPlugin, "sched_plugin", reserved, name, version, build_info, create, destroy, start);
    layout!(facts, SchedPlugin, "sched_plugin", is_available, stop, fire_due, reconcile, on_jobs_changed);
    numbers!(
        facts,
        "SCHED_PLUGIN_MAGIC" = MAGIC,
        "SCHED_ABI_MAJOR" = ABI_MAJOR,
        "SCHED_ABI_MINOR" = ABI_MINOR,
        "SCHED_FLAG_EXTERNAL" = flags::EXTERNAL,
        "SCHED_FLAGS_REQUIRED" = flags::REQUIRED,
        "SCHED_STARTED" = status::STARTED,
        "SCHED_QUEUED" = status::QUEUED,
        "SCHED_NOT_DUE" = status::NOT_DUE,
        "SCHED_LOST" = status::LOST,
        "SCHED_PAUSED" = status::PAUSED,
        "SCHED_SKIPPED" = status::SKIPPED,
        "SCHED_DRAINING" = status::DRAINING,
        "SCHED_E_GENERIC" = status::ERROR,
        "SCHED_E_PANIC" = status::PANIC,
        "SCHED_E_UNAVAILABLE" = status::UNAVAILABLE,
        "SCHED_E_INVALID" = status::INVALID,
        "SCHED_E_NOT_FOUND" = status::NOT_FOUND,
        "SCHED_E_STOPPING" = status::STOPPING,
        "SCHED_E_REVOKED" = status::REVOKED,
        "SCHED_LOG_ERROR" = level::ERROR,
        "SCHED_LOG_WARN" = level::WARN,
        "SCHED_LOG_INFO" = level::INFO,
        "SCHED_LOG_DEBUG" = level::DEBUG,
        "SCHED_LOG_TRACE" = level::TRACE,
        "SCHED_WAKE_STOPPING" = wake::STOPPING,
        "SCHED_WAKE_JOBS_CHANGED" = wake::JOBS_CHANGED,
    );
    facts
}

/// Compiles a program that prints the facts, with every warning an error, and answers what it printed; else what the
/// compiler said.
fn print_facts(compiler: &str, standard: &str, language: &str, header: &str, facts: &[Fact]) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, program) = (folder.path().join("facts.c"), folder.path().join("facts"));
    let mut text = format!("#include \"{header}\"\n#include <stdio.h>\nint main(void) {{\n");
    for (name, _) in facts {
        text.push_str(&format!("  printf(\"{name} %lld\\n\", (long long)({name}));\n"));
    }
    text.push_str("  return 0;\n}\n");
    write(&source, &text);
    let compiled = Command::new(compiler)
        .args([standard, "-Wall", "-Wextra", "-Werror", "-x", language])
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .output()
        .expect("a compiler");
    if !compiled.status.success() {
        return Err(String::from_utf8_lossy(&compiled.stderr).into_owned());
    }
    let printed = Command::new(&program).output().expect("the program");
    Ok(String::from_utf8(printed.stdout).expect("UTF-8"))
}

fn size_of_field<T, F>(_: impl Fn(&T) -> &F) -> usize {
    size_of::<F>()
}

#[expect(clippy::disallowed_methods, reason = "a source for the compiler, in a folder that is thrown away")]
fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a source");
}
