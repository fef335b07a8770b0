//! A job's command, made ready for the system call that starts it: which file, which words, which variables, where.
//!
//! Reads the file system, changes nothing: `validate` gets this far with a job that is only being looked at.

use std::{
    ffi::{CString, OsStr, OsString},
    io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use scheduler_core::{
    Error, ErrorKind, Job, Result,
    job::{Command, Work},
};

use crate::{diagnose, environment::ChildEnvironment, program};

/// A child, all but started.
pub(crate) struct Prepared {
    pub(crate) argv: Vec<CString>,
    pub(crate) environment: Vec<CString>,
    /// What is executed, as seen from `folder`.
    pub(crate) program: CString,
    pub(crate) workdir: CString,
    /// The same two, for messages.
    pub(crate) file: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Prepared {
    /// # Errors
    /// What in the job can't be handed to the system, or that PATH has no such program.
    pub(crate) fn new(job: &Job, shell: &str, environment: &ChildEnvironment) -> Result<Self> {
        let argv: Vec<&str> = match &job.work {
            Work::Command(Command::Argv(argv)) => argv.iter().map(String::as_str).collect(),
            Work::Command(Command::Shell(line)) => vec![shell, "-c", line],
            Work::Payload(_) => return Err(not_a_command()),
        };
        let empty = || Error::new(ErrorKind::Invalid, "the command is empty").hint("give a program and its arguments");
        let name = *argv.first().filter(|name| !name.is_empty()).ok_or_else(empty)?;
        let folder = folder(job.workdir.as_deref(), environment);
        let path = environment.path();
        let file = program::find(name.as_ref(), path, &folder).map_err(|why| {
            // PATH may have entries that are meant from the folder.
            diagnose::workdir(&folder).unwrap_or_else(|| diagnose::not_found(name, path, &why))
        })?;
        Ok(Self {
            argv: argv.iter().map(|word| c_string("the command", (*word).into())).collect::<Result<_>>()?,
            environment: environment.entries().map(variable).collect::<Result<_>>()?,
            program: c_string("the program", file.clone())?,
            workdir: c_string("the workdir", folder.clone().into())?,
            file: file.into(),
            folder,
        })
    }

    /// Whether folder and program are there and may be used, as far as can be said without starting anything.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(error) = diagnose::workdir(&self.folder) {
            return Err(error);
        }
        let seen = self.folder.join(&self.file);
        let checked = match accessat(CWD, &seen, Access::EXEC_OK, AtFlags::EACCESS) {
            Ok(()) if seen.is_dir() => Err(io::Error::from_raw_os_error(libc::EACCES)),
            checked => checked.map_err(io::Error::from),
        };
        checked.map_err(|error| diagnose::spawn_failed(error, &self.file, &self.folder))?;
        diagnose::interpreter(&seen, &self.file).map_or(Ok(()), Err)
    }
}

fn not_a_command() -> Error {
    Error::new(ErrorKind::Invalid, "it has a `payload`, and this runner runs commands")
        .hint("give it a `command`; a `payload` is for a program that embeds scheduler-core")
}

/// Where the child starts: the job's folder, else the user's home, else `/`. A relative one is meant from the home.
fn folder(workdir: Option<&Path>, environment: &ChildEnvironment) -> PathBuf {
    let home = environment.home();
    match workdir {
        Some(workdir) => home.join(workdir),
        None if home.is_dir() => home.to_owned(),
        None => "/".into(),
    }
}

fn variable((name, entry): (&OsStr, OsString)) -> Result<CString> {
    diagnose::check_variable(name)?;
    c_string(&format!("the variable `{}`", name.to_string_lossy()), entry)
}

fn c_string(what: &str, text: OsString) -> Result<CString> {
    CString::new(text.into_vec()).map_err(|_| diagnose::holds_nul(what))
}
