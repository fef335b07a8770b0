//! What the command of a plugin starts: a program in its folder, in place, or one of the system's that runs a file in its
//! folder.

use std::{
    ffi::{OsStr, OsString},
    path::{Component, Path, PathBuf},
};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use scheduler_core::Result;

use super::{CodeFile, elf, refused, trust};

/// The first word of the command that is a file in the folder `real`.
pub(super) fn code(real: &Path, words: &[String]) -> Result<Option<CodeFile>> {
    for word in words {
        let file = here(real, word);
        // A pipe or a device in the place of a file is for `trust` to refuse.
        if Path::new(word).is_relative() && file.exists() && !file.is_dir() {
            let bytes = trust::file(real, &file)?;
            return Ok(Some(CodeFile { file, bytes }));
        }
    }
    Ok(None)
}

/// The command as it is executed: its program by its whole path.
pub(super) fn argv(real: &Path, words: &[String], path: &OsStr) -> Result<Vec<OsString>> {
    let (name, rest) = words.split_first().ok_or_else(|| refused("the command is empty"))?;
    let program = find(real, name, path)?;
    if accessat(CWD, &program, Access::EXEC_OK, AtFlags::EACCESS).is_err() {
        return Err(refused(format!("{} can't be executed", program.display()))
            .hint(format!("`chmod +x {}`, or name its interpreter first in `command`", program.display())));
    }
    if program.starts_with(real) {
        // Found above, in the folder, and so not a pipe.
        let head = trust::file(real, &program)?;
        elf::program(&head).map_err(|(what, hint)| refused(format!("{} {what}", program.display())).hint(hint))?;
    }
    Ok([program.into_os_string()].into_iter().chain(rest.iter().map(OsString::from)).collect())
}

/// The path of `word` in the folder `real`, without a `./` in the midst of it.
fn here(real: &Path, word: &str) -> PathBuf {
    let steps = Path::new(word).components().filter(|step| *step != Component::CurDir);
    real.join(steps.collect::<PathBuf>())
}

fn find(real: &Path, name: &str, path: &OsStr) -> Result<PathBuf> {
    let given = Path::new(name);
    if given.is_absolute() {
        trust::outside(given)?;
        return Ok(given.to_owned());
    }
    let here = here(real, name);
    if name.contains('/') || here.is_file() {
        // Its owner and mode were looked at with the rest of the folder.
        return trust::inside(real, &here);
    }
    let found = std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(given));
    let found =
        found.into_iter().find(|file| file.is_file() && accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS).is_ok());
    let Some(found) = found else {
        let what = format!("there is no program `{name}`, neither in {} nor on the PATH", real.display());
        return Err(refused(what).hint(format!("write `./{name}` for a file of the plugin, or install `{name}`")));
    };
    trust::outside(&found)?;
    Ok(found)
}
