//! Whether what a job runs is there: looked up as the runner will, run never.

use std::{
    env::split_paths,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use scheduler_core::{Job, job::Command};

use crate::env;

/// What is in the way of running `job` here, as far as looking can tell; each with the field of its entry.
///
/// A line for the shell is the shell's to understand. Without a `PATH` of its own, a job will have the daemon's, which is
/// taken to be this process's.
pub(crate) fn obstacles(job: &Job) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(workdir) = &job.workdir
        && !workdir.is_dir()
    {
        let what = if workdir.exists() { "is not a folder" } else { "does not exist" };
        found.push(("workdir", format!("workdir {} {what}", workdir.display())));
    }
    if let Some(Command::Argv(argv)) = job.command() {
        let path = job.env.get("PATH").map(Into::into).or_else(env::path).unwrap_or_default();
        let folders: Vec<PathBuf> = split_paths(&path).collect();
        found.extend(look_up(&argv[0], &folders, job.workdir.as_deref()).err().map(|why| ("command", why)));
    }
    found
}

/// Whether `program` is in a folder of this process's `PATH`.
pub(crate) fn is_there(program: &str) -> bool {
    let folders: Vec<PathBuf> = split_paths(&env::path().unwrap_or_default()).collect();
    look_up(program, &folders, None).is_ok()
}

/// Looks for `program` in `folders`; one that names a folder itself is taken from `workdir`.
pub(crate) fn look_up(program: &str, folders: &[PathBuf], workdir: Option<&Path>) -> Result<(), String> {
    if program.contains('/') {
        let base = workdir.map(Path::to_owned).or_else(env::home).unwrap_or_default();
        let path = base.join(program);
        return match fs::metadata(&path) {
            Err(error) => Err(format!("program {}: {}", path.display(), plain(&error))),
            Ok(metadata) if metadata.is_dir() => Err(format!("program {} is a folder", path.display())),
            Ok(metadata) if !is_executable(&metadata) => {
                Err(format!("program {} is not executable: chmod +x {0}", path.display()))
            }
            Ok(_) => Ok(()),
        };
    }
    let is_there = |folder: &PathBuf| {
        fs::metadata(folder.join(program)).is_ok_and(|metadata| metadata.is_file() && is_executable(&metadata))
    };
    let found = folders.iter().any(is_there);
    found.then_some(()).ok_or_else(|| format!("program `{program}` is in no folder of PATH"))
}

fn is_executable(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

fn plain(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file",
        std::io::ErrorKind::PermissionDenied => "may not be looked at",
        _ => "can't be looked at",
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_or_named() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        put("yes", 0o755);
        put("no", 0o644);
        let folders = [folder.path().to_owned()];
        let check = |program: &str, expected: &str| match look_up(program, &folders, Some(folder.path())) {
            Ok(()) => assert_eq!(expected, "", "{program}"),
            Err(why) => assert!(!expected.is_empty() && why.contains(expected), "{program}: {why}"),
        };
        check("yes", "");
        check("./yes", "");
        check("no", "in no folder of PATH");
        check("./no", "not executable");
        check("./none", "no such file");
        check("/", "is a folder");
    }
}
