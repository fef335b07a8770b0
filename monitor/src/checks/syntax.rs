//! Does a file make sense? Shells look with `-n`, Python compiles it in memory, JSON and YAML are read here. Nothing of the
//! file is run.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use scheduler_core::{Error, config::checks};
use serde::{Deserialize as _, de::IgnoredAny};

use super::{
    Found,
    bounded::{self, Ended},
    within_files,
};

/// The largest file that is read here.
const MOST: u64 = 16 << 20;

/// What Python exits with for a file that doesn't compile: it alone says so, everything else is trouble of Python's own.
const DOES_NOT_COMPILE: i32 = 65;

/// Reads the file as bytes and compiles these, so that no `__pycache__` is made; Python 2 and 3 both understand it.
const COMPILE: &str = "\
import sys
try:
    compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec')
except (SyntaxError, ValueError, TypeError) as error:
    sys.stderr.write('line %s: %s' % (getattr(error, 'lineno', '?'), getattr(error, 'msg', error)))
    sys.exit(65)
";

/// Who understands a file.
///
/// ```
/// use sched_monitor::checks::syntax::Language;
/// assert_eq!(Language::of_program("/usr/bin/python3.12"), Some(Language::Python));
/// assert_eq!(Language::of_program("dash"), Some(Language::Shell));
/// assert_eq!(Language::of_program("perl"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// sh, bash and dash.
    Shell,
    /// Python.
    Python,
}

impl Language {
    /// What the interpreter called `program` understands, if that can be looked through.
    pub fn of_program(program: &str) -> Option<Self> {
        let name = program.rsplit('/').next().unwrap_or_default();
        let version = name.strip_prefix("python").unwrap_or("no");
        match name {
            "sh" | "bash" | "dash" => Some(Self::Shell),
            _ if version.chars().all(|c| c.is_ascii_digit() || c == '.') => Some(Self::Python),
            _ => None,
        }
    }
}

/// A script and who understands it.
///
/// ```
/// use sched_monitor::checks::syntax::{Language, Script};
/// let script = Script::new(Language::Shell, "/bin/sh", "/srv/backup.sh", "/usr/bin:/bin");
/// assert_eq!(script.file.display().to_string(), "/srv/backup.sh");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Script {
    /// Which language it is in.
    pub language: Language,
    /// The program that runs it.
    pub interpreter: OsString,
    /// The file.
    pub file: PathBuf,
    /// A line for a shell, instead of the file.
    pub line: Option<String>,
    /// Where the interpreter is looked for.
    pub path: OsString,
}

impl Script {
    /// `file`, in `language`, as `interpreter`, a path or a name in `path`, understands it.
    pub fn new(
        language: Language,
        interpreter: impl Into<OsString>,
        file: impl Into<PathBuf>,
        path: impl Into<OsString>,
    ) -> Self {
        Self { language, interpreter: interpreter.into(), file: file.into(), line: None, path: path.into() }
    }

    /// A line for `shell`.
    pub fn line(shell: impl Into<OsString>, line: impl Into<String>, path: impl Into<OsString>) -> Self {
        let line = Some(line.into());
        Self { line, ..Self::new(Language::Shell, shell, "its line for the shell", path) }
    }

    /// Lets the interpreter look through it, `within` this time.
    pub async fn look(&self, within: Duration) -> Found {
        let words: Vec<OsString> = match (self.language, &self.line) {
            (_, Some(line)) => vec![self.interpreter.clone(), "-n".into(), "-c".into(), line.into()],
            (Language::Shell, None) => vec![self.interpreter.clone(), "-n".into(), self.file.clone().into()],
            (Language::Python, None) => {
                // Neither the user's settings nor a folder full of modules has a say.
                let arguments = ["-E", "-s", "-S", "-B", "-W", "ignore", "-c", COMPILE].map(OsString::from);
                [self.interpreter.clone()].into_iter().chain(arguments).chain([self.file.clone().into()]).collect()
            }
        };
        let ended = bounded::run(&words, &self.path, within).await;
        judge(&self.file, &self.interpreter.to_string_lossy(), Some(self.language), &ended, within)
    }
}

/// What the end of whoever looked means.
fn judge(file: &Path, who: &str, language: Option<Language>, ended: &Ended, within: Duration) -> Found {
    let shown = file.display();
    let correct = format!("correct it: {shown}");
    let again = format!("see what `{who}` does with it");
    match (ended, language) {
        (Ended::Exit(0, _), _) => Found::ok(format!("{shown} is fine by {who}")),
        (Ended::Exit(code, said), Some(Language::Python)) if *code != DOES_NOT_COMPILE => {
            Found::unknown(format!("{who} failed with exit code {code} at {shown}{}", line(said, last)), again)
        }
        (Ended::Exit(_, said), Some(_)) => {
            Found::bad(format!("{shown} has a syntax error{}", line(said, first)), correct)
        }
        (Ended::Exit(code, said), None) => {
            Found::bad(format!("{who} refuses {shown} with exit code {code}{}", line(said, last)), correct)
        }
        (Ended::Signal(signal), _) => Found::unknown(format!("{who} was ended by signal {signal} at {shown}"), again),
        (Ended::Late, _) => Found::unknown(format!("{who} took longer than {within:?} for {shown}"), again),
        (Ended::NotStarted(why), _) => {
            Found::unknown(format!("{who} can't be started for {shown}: {why}"), format!("install `{who}`"))
        }
    }
}

fn line(said: &str, which: fn(&str) -> Option<&str>) -> String {
    let Some(line) = which(said) else { return String::new() };
    let line: String = line.trim().chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!(": {line}")
}

fn first(said: &str) -> Option<&str> {
    said.lines().find(|line| !line.trim().is_empty())
}

fn last(said: &str) -> Option<&str> {
    said.lines().rev().find(|line| !line.trim().is_empty())
}

/// Makes a check of config.yaml.
pub(super) async fn look(check: &checks::Syntax) -> Found {
    let path = std::env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| "/usr/bin:/bin".into());
    let file = check.file.clone();
    let looked = within_files(move || readable(&file)).await;
    if looked.verdict.is_problem() {
        return looked;
    }
    if let Some(command) = &check.command {
        let words: Vec<OsString> = command.iter().map(Into::into).chain([check.file.clone().into()]).collect();
        let ended = bounded::run(&words, &path, check.timeout).await;
        return judge(&check.file, command.first().map_or("", String::as_str), None, &ended, check.timeout);
    }
    let script = |language, interpreter: &str| Script::new(language, interpreter, &check.file, &path);
    match check.file.extension().and_then(|suffix| suffix.to_str()) {
        Some("py") => script(Language::Python, "python3").look(check.timeout).await,
        Some(shell @ ("bash" | "dash")) => script(Language::Shell, shell).look(check.timeout).await,
        Some("sh") => {
            let interpreter = head(&check.file).and_then(|head| shebang(&head)).map(|(program, _)| program);
            let is_shell = |program: &String| Language::of_program(program) == Some(Language::Shell);
            let shell = interpreter.filter(is_shell).unwrap_or_else(|| "sh".into());
            script(Language::Shell, &shell).look(check.timeout).await
        }
        _ => {
            let file = check.file.clone();
            within_files(move || data(&file)).await
        }
    }
}

fn readable(file: &Path) -> Found {
    let shown = file.display();
    match fs::metadata(file).and_then(|metadata| File::open(file).map(|_| metadata.is_file())) {
        Ok(true) => Found::ok(""),
        Ok(false) => Found::bad(format!("{shown} is not a regular file"), "put the file there"),
        Err(error) => Found::bad(Error::io(format!("cannot read {shown}"), error).to_string(), "put the file there"),
    }
}

/// Reads JSON, or YAML of any number of documents.
fn data(file: &Path) -> Found {
    let shown = file.display();
    let mut bytes = Vec::new();
    match File::open(file).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)) {
        Err(error) => return Found::bad(Error::io(format!("cannot read {shown}"), error).to_string(), "put it there"),
        Ok(length) if length as u64 > MOST => {
            return Found::unknown(format!("{shown} is larger than 16 MiB"), "give a `command` that judges it");
        }
        Ok(_) => {}
    }
    let wrong = |why: String| Found::bad(format!("{shown} has a syntax error: {why}"), format!("correct it: {shown}"));
    if file.extension().is_some_and(|suffix| suffix == "json") {
        return match serde_json::from_slice::<IgnoredAny>(&bytes) {
            Ok(_) => Found::ok(format!("{shown} is JSON")),
            Err(why) => wrong(why.to_string()),
        };
    }
    for document in serde_yaml::Deserializer::from_slice(&bytes) {
        if let Err(why) = serde_yaml::Value::deserialize(document) {
            return wrong(why.to_string());
        }
    }
    Found::ok(format!("{shown} is YAML"))
}

/// The first bytes of a file, if it may be read.
pub fn head(file: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let is_file = fs::metadata(file).is_ok_and(|metadata| metadata.is_file());
    is_file.then(|| File::open(file).ok()?.take(256).read_to_end(&mut head).ok()).flatten()?;
    Some(head)
}

/// The program that a `#!` line names, and whether it is looked for in PATH, by way of `env`.
///
/// ```
/// use sched_monitor::checks::syntax::shebang;
/// assert_eq!(shebang(b"#!/bin/sh -e\n"), Some(("/bin/sh".into(), false)));
/// assert_eq!(shebang(b"#! /usr/bin/env -S python3 -u\n"), Some(("python3".into(), true)));
/// assert_eq!(shebang(b"\x7fELF"), None);
/// ```
pub fn shebang(head: &[u8]) -> Option<(String, bool)> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let program = words.next()?;
    if !program.ends_with("/env") {
        return Some((program.to_owned(), false));
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(|word| (word.to_owned(), true))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]
mod tests {
    use super::{super::row::shown, *};

    #[tokio::test]
    async fn files_are_judged_by_what_they_are_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let look = async |name: &str, content: &str| {
            let file = folder.path().join(name);
            fs::write(&file, content).unwrap();
            shown(&look(&checks::Syntax::new("a", &file)).await).replace(&file.display().to_string(), name)
        };
        let check = async |name: &str, content: &str, expected: &str| {
            let found = look(name, content).await;
            assert!(found.starts_with(expected), "{name}: {content}: {found}");
        };
        check("a.sh", "if true; then echo; fi\n", "ok a.sh is fine by sh").await;
        check("a.sh", "#!/bin/bash\na=(1 2)\n", "ok a.sh is fine by /bin/bash").await;
        check("a.sh", "if true; then\n", "bad a.sh has a syntax error: ").await;
        check("a.bash", "[[ a ]] && (\n", "bad a.bash has a syntax error: ").await;
        check("a.json", "{}", "ok a.json is JSON").await;
        check("a.json", "{", "bad a.json has a syntax error: EOF").await;
        check("a.yaml", "a: 1\n---\nb: [2]\n", "ok a.yaml is YAML").await;
        check("a.yml", "a: [1\n", "bad a.yml has a syntax error: ").await;
        let found = look("a.py", "import nothing_like_it\nprint(1\n").await;
        if !found.contains("can't be started") {
            assert!(found.starts_with("bad a.py has a syntax error: line 2"), "{found}");
            check("a.py", "import nothing_like_it\nimport sys; sys.exit(3)\n", "ok a.py is fine by python3").await;
        }
        assert!(!folder.path().join("__pycache__").exists());
        let missing = super::look(&checks::Syntax::new("a", folder.path().join("b.py"))).await;
        assert!(shown(&missing).contains("no such file"), "{missing:?}");
    }

    #[tokio::test]
    async fn a_command_judges_what_it_knows_and_one_that_hangs_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        fs::write(&file, "").unwrap();
        let check = async |line: &str, expected: &str| {
            let mut asked = checks::Syntax::new("a", &file);
            asked.command = Some(["sh", "-c", line].map(str::to_owned).to_vec());
            asked.timeout = Duration::from_secs(if expected.contains("longer") { 1 } else { 10 });
            let found = shown(&look(&asked).await);
            assert!(found.starts_with(expected), "{found}");
        };
        check("test -f \"$0\"", "ok ").await;
        check("echo no such word >&2; exit 4", "bad sh refuses ").await;
        check("kill -9 $$", "unknown can't know: sh was ended by signal 9").await;
        let pid = folder.path().join("pid");
        check(&format!("sleep 600 & echo $! > {}; wait", pid.display()), "unknown can't know: sh took longer").await;
        crate::ended::until_gone(&fs::read_to_string(pid).unwrap()).await;
    }
}
