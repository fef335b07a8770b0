//! Texts that hold a password or a token. They are kept as they are written, read when they are used, and never shown.

use std::fmt;

use crate::{
    Error, ErrorKind, Result,
    vfs::{RealFs, Vfs as _},
};

/// What a text begins with that names a file.
const FILE: &str = "file:";

/// A text that nobody gets to see: it prints as `***`.
///
/// `${NAME}` inside it stands for a variable of the environment, and a text that begins with `file:` for the content of that
/// file, without the line break at its end. Both are read anew each time, so that a token can be changed under a daemon.
///
/// ```
/// use scheduler_core::config::Secret;
/// let url = Secret::new("smtps://ann:${SMTP_PASS}@mail.example.org");
/// assert_eq!(format!("{url} {url:?}"), "*** ***");
/// let revealed = url.reveal(|name| (name == "SMTP_PASS").then(|| "hunter2".into()))?;
/// assert_eq!(revealed, "smtps://ann:hunter2@mail.example.org");
/// assert_eq!(url.variables(), ["SMTP_PASS"]);
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// The secret that is written so.
    pub fn new(written: impl Into<String>) -> Self {
        Self(written.into())
    }

    /// What it stands for, `variable` being the environment.
    ///
    /// # Errors
    /// Which variable isn't set, or why its file can't be read.
    ///
    /// ```
    /// use scheduler_core::config::Secret;
    /// let error = Secret::new("${NOT_THERE}").reveal(|_| None).unwrap_err();
    /// assert_eq!(error.to_string(), "the variable `NOT_THERE` of the environment is not set");
    /// ```
    pub fn reveal(&self, variable: impl Fn(&str) -> Option<String>) -> Result<String> {
        self.revealed(variable, false)
    }

    /// The same as an address: what a variable holds stands for itself there, whatever it is made of. An address that is one
    /// variable, or the content of a file, is taken as it is.
    ///
    /// # Errors
    /// As [`reveal`](Self::reveal).
    ///
    /// ```
    /// use scheduler_core::config::Secret;
    /// let url = Secret::new("smtps://ann:${PASS}@mail.example.org");
    /// assert_eq!(url.reveal_url(|_| Some("a@b/c".into()))?, "smtps://ann:a%40b%2Fc@mail.example.org");
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn reveal_url(&self, variable: impl Fn(&str) -> Option<String>) -> Result<String> {
        let filled = self.parts().iter().filter(|part| !matches!(part, Part::Plain(""))).count();
        self.revealed(variable, filled > 1 && !self.0.starts_with(FILE))
    }

    fn revealed(&self, variable: impl Fn(&str) -> Option<String>, encoded: bool) -> Result<String> {
        let mut revealed = String::new();
        for part in self.parts() {
            match part {
                Part::Plain(text) => revealed.push_str(text),
                Part::Variable(name) => {
                    let missing = || {
                        let what = format!("the variable `{name}` of the environment is not set");
                        Error::new(ErrorKind::Invalid, what).hint("set it for the daemon as well, or use `file:PATH`")
                    };
                    let value = variable(name).ok_or_else(missing)?;
                    revealed.push_str(&if encoded { percent_encoded(&value) } else { value });
                }
            }
        }
        // Only what was written decides: a password may begin with anything.
        let Some(path) = self.0.strip_prefix(FILE).and(revealed.strip_prefix(FILE)) else { return Ok(revealed) };
        let bytes = RealFs.read(path.as_ref()).map_err(|error| Error::io(format!("cannot read {path}"), error))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::new(ErrorKind::Invalid, format!("{path} holds something else than text")))?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(Error::new(ErrorKind::Invalid, format!("{path} is empty"))),
            content => Ok(content.to_owned()),
        }
    }

    /// The variables of the environment that it names.
    pub fn variables(&self) -> Vec<&str> {
        let name = |part| if let Part::Variable(name) = part { Some(name) } else { None };
        self.parts().into_iter().filter_map(name).collect()
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let name = after.split_once('}').filter(|(name, _)| is_name(name));
            match name {
                Some((name, after)) => {
                    parts.extend([Part::Plain(before), Part::Variable(name)]);
                    rest = after;
                }
                None => {
                    parts.push(Part::Plain(&rest[..before.len() + 2]));
                    rest = after;
                }
            }
        }
        parts.push(Part::Plain(rest));
        parts
    }
}

enum Part<'a> {
    Plain(&'a str),
    Variable(&'a str),
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_what_its_variables_and_its_file_say() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            let open = RealFs.open(&path, crate::vfs::Open::CreateNew).expect("a file");
            open.write_all_at(content, 0).expect("its content");
            path.display().to_string()
        };
        let (token, empty, odd) = (file("token", b"t0k\r\n"), file("empty", b"\n"), file("odd", b"\xff"));
        let variable = |name: &str| match name {
            "A" => Some("alpha".to_owned()),
            "DIR" => Some(folder.path().display().to_string()),
            "TRAP" => Some("file:/etc/passwd".to_owned()),
            _ => None,
        };
        let check = |written: &str, expected: Result<&str, &str>| {
            let revealed = Secret::new(written).reveal(variable).map_err(|error| error.to_string());
            assert_eq!(revealed.as_deref().map_err(String::as_str), expected, "{written}");
        };
        check("plain", Ok("plain"));
        check("", Ok(""));
        check("x${A}y${A}", Ok("xalphayalpha"));
        check("$A ${ ${} ${A b} $${A}", Ok("$A ${ ${} ${A b} $alpha"));
        check("${B}", Err("the variable `B` of the environment is not set"));
        check(&format!("file:{token}"), Ok("t0k"));
        check("file:${DIR}/token", Ok("t0k"));
        check("${TRAP}", Ok("file:/etc/passwd"));
        check(&format!("file:{empty}"), Err(&format!("{empty} is empty")));
        check(&format!("file:{odd}"), Err(&format!("{odd} holds something else than text")));
        check("file:/nonexistent", Err("cannot read /nonexistent: no such file or directory"));
    }
}
