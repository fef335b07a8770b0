//! What of a job can be looked through before it is due: its script, the script that it hands to an interpreter, its line for
//! the shell. Reads only, and runs nothing.

use std::{
    env::split_paths,
    ffi::OsString,
    path::{Path, PathBuf},
};

use sched_monitor::checks::syntax::{Language, Script, head, shebang};
use sched_runner::Executable;

use crate::programs;

/// What keeps a job from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

impl Obstacle {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }
}

/// Words that a shell knows without a program.
const BUILTINS: [&str; 53] = [
    ":", ".", "[", "alias", "bg", "break", "builtin", "case", "cd", "command", "continue", "declare", "dirs", "disown",
    "do", "echo", "enable", "eval", "exec", "exit", "export", "false", "fg", "for", "function", "getopts", "hash",
    "if", "jobs", "kill", "let", "local", "printf", "pushd", "pwd", "read", "return", "select", "set", "shift",
    "shopt", "source", "test", "time", "times", "trap", "true", "type", "ulimit", "umask", "until", "wait", "while",
];

/// Interpreters whose scripts must be there, though nothing here can look through them.
const OTHERS: [&str; 5] = ["perl", "ruby", "node", "php", "lua"];

/// The scripts of `executable`, which itself can be started.
///
/// # Errors
/// A file that it needs isn't there.
pub(super) fn of(executable: &Executable) -> Result<Vec<Script>, Obstacle> {
    let Executable { file, arguments, folder, path, .. } = executable;
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let language = Language::of_program(name);
    // An interpreter may be a script itself, one that chooses a version; what it is to run is what counts.
    let interprets = language.is_some() || OTHERS.contains(&name);
    if !interprets && let Some((program, by_path)) = head(file).as_deref().and_then(shebang) {
        let folders: Vec<PathBuf> = split_paths(path).collect();
        if by_path && let Err(why) = programs::look_up(&program, &folders, Some(folder)) {
            return Err(Obstacle::new(format!("the interpreter of {}: {why}", file.display())));
        }
        let language = Language::of_program(&program);
        return Ok(language.map(|language| Script::new(language, program, file, path)).into_iter().collect());
    }
    if language == Some(Language::Shell)
        && let [option, line, ..] = arguments.as_slice()
        && option == "-c"
    {
        let mut scripts = vec![Script::line(file, line, path)];
        if let Some(inner) = plain_words(line).map(|words| resolved(&words, folder, path)).transpose()?.flatten() {
            scripts.extend(of(&inner)?);
        }
        return Ok(scripts);
    }
    if !interprets {
        return Ok(Vec::new());
    }
    let Some(script) = script_among(arguments, language == Some(Language::Shell)) else { return Ok(Vec::new()) };
    let script = folder.join(script);
    if !script.is_file() {
        let what = if script.exists() { "is not a file" } else { "does not exist" };
        return Err(Obstacle::new(format!("`{name}` is to run {}, which {what}", script.display())));
    }
    Ok(language.map(|language| Script::new(language, file, script, path)).into_iter().collect())
}

/// The first argument that is no option. What is behind options that bring their own code, or read it, is no script. In a
/// shell `-e` means to end at the first error, elsewhere that code follows.
fn script_among(arguments: &[String], shell: bool) -> Option<&str> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-" | "-s" => return None,
            "-c" | "-m" | "-e" | "-E" | "-r" | "-p" if !shell => return None,
            "--" => return arguments.next().map(String::as_str),
            // Options that take the next word.
            "-o" | "-O" => drop(arguments.next()),
            "-W" | "-X" | "-I" | "-d" if !shell => drop(arguments.next()),
            option if option.starts_with(['-', '+']) => {
                // `-lc`, `-ec`: a line comes with it.
                let brings = if shell { option.contains('c') } else { option.ends_with(['c', 'e']) };
                if brings && !option.starts_with("--") {
                    return None;
                }
            }
            script => return Some(script),
        }
    }
    None
}

/// The words of a line that means to every shell just what it says.
fn plain_words(line: &str) -> Option<Vec<&str>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=- \t".contains(c);
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let first = words.first()?;
    (line.chars().all(plain) && !first.contains('=') && !BUILTINS.contains(first)).then_some(words)
}

/// What these words would execute; `None` for what only the shell can tell.
fn resolved(words: &[&str], folder: &Path, path: &OsString) -> Result<Option<Executable>, Obstacle> {
    let Some((program, arguments)) = words.split_first() else { return Ok(None) };
    let folders: Vec<PathBuf> = split_paths(path).collect();
    programs::look_up(program, &folders, Some(folder)).map_err(Obstacle::new)?;
    let is_there = |file: &PathBuf| file.is_file();
    let file = if program.contains('/') {
        folder.join(program)
    } else {
        folders.iter().map(|folder| folder.join(program)).find(is_there).unwrap_or_default()
    };
    let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
    Ok(Some(Executable::new(file, arguments, folder, path)))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn what_a_job_needs_is_found_or_missed_before_it_is_due() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [("a.sh", "#!/bin/sh\n"), ("a.py", "#!/usr/bin/env pythonnn\n"), ("plain", "text"), ("p.pl", "")]
        {
            fs::write(folder.path().join(name), text).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let check = |program: &str, arguments: &[&str], expected: &str| {
            let file = folder.path().join(program);
            let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
            let found = of(&Executable::new(file, arguments, folder.path(), "/usr/bin:/bin"));
            let shown = match found {
                Ok(scripts) => {
                    let shown = |script: &Script| match &script.line {
                        Some(line) => format!("line {line}"),
                        None => script.file.strip_prefix(folder.path()).unwrap_or(&script.file).display().to_string(),
                    };
                    scripts.iter().map(shown).collect::<Vec<_>>().join(", ")
                }
                Err(Obstacle { what, .. }) => format!("! {what}").replace(&format!("{}/", folder.path().display()), ""),
            };
            assert_eq!(shown, expected, "{program}");
        };
        check("a.sh", &[], "a.sh");
        check("a.py", &[], "! the interpreter of a.py: program `pythonnn` is in no folder of PATH");
        check("plain", &["x"], "");
        check("/bin/sh", &["-e", "a.sh", "b"], "a.sh");
        check("/bin/sh", &["-eu", "-o", "pipefail", "a.sh"], "a.sh");
        check("/bin/sh", &["gone.sh"], "! `sh` is to run gone.sh, which does not exist");
        check("/bin/sh", &["-s", "gone.sh"], "");
        check("/bin/sh", &["-lc", "gone.sh"], "");
        check("/bin/sh", &["-c", "./a.sh now"], "line ./a.sh now, a.sh");
        check("/bin/sh", &["-c", "sh gone.sh"], "! `sh` is to run gone.sh, which does not exist");
        check("/bin/sh", &["-c", "./gone.sh"], "! program ./gone.sh: no such file");
        check("/bin/sh", &["-c", "no-such-program-x"], "! program `no-such-program-x` is in no folder of PATH");
        check("/bin/sh", &["-c", "echo hello"], "line echo hello");
        check("/bin/sh", &["-c", "./gone.sh || true"], "line ./gone.sh || true");
        check("/bin/sh", &["-c", "A=1 ./gone.sh"], "line A=1 ./gone.sh");
        check("perl", &["-w", "p.pl"], "");
        check("perl", &["gone.pl"], "! `perl` is to run gone.pl, which does not exist");
        check("python3", &["-W", "ignore", "-u", "gone.py"], "! `python3` is to run gone.py, which does not exist");
        check("python3", &["-Werror", "gone.py"], "! `python3` is to run gone.py, which does not exist");
        check("python3", &["-m", "http.server"], "");
    }
}
