//! Which file a job would execute: for whoever wants to look at it before it is due.

use std::{ffi::OsString, path::PathBuf};

use scheduler_core::{Job, Result, job::Command};

use crate::{RunnerConfig, environment::Environment, prepare::Prepared};

/// What a job would execute here, as far as can be said without starting anything.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Executable {
    /// The file.
    pub file: PathBuf,
    /// The words after it; those of a line for the shell are `-c` and the line.
    pub arguments: Vec<String>,
    /// The folder that it would start in.
    pub folder: PathBuf,
    /// The `PATH` that it would have.
    pub path: OsString,
}

impl Executable {
    /// One that is known already.
    pub fn new(
        file: impl Into<PathBuf>,
        arguments: Vec<String>,
        folder: impl Into<PathBuf>,
        path: impl Into<OsString>,
    ) -> Self {
        Self { file: file.into(), arguments, folder: folder.into(), path: path.into() }
    }
}

/// What `job` would execute.
///
/// # Errors
/// Why it could not be started.
pub(crate) fn executable(job: &Job, config: &RunnerConfig, environment: &Environment) -> Result<Executable> {
    let of_job = environment.of_job(job);
    let prepared = Prepared::new(job, &config.shell, &of_job)?;
    prepared.check()?;
    let arguments = match job.command() {
        Some(Command::Argv(argv)) => argv.iter().skip(1).map(ToString::to_string).collect(),
        Some(Command::Shell(line)) => vec!["-c".into(), line.to_string()],
        None => Vec::new(),
    };
    let file = prepared.folder.join(&prepared.file);
    Ok(Executable { file, arguments, folder: prepared.folder, path: of_job.path().to_owned() })
}
