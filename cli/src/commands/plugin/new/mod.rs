//! `sched plugin new`: a folder that builds, passes the gates, and fires. Its author changes it from there.
//!
//! - `templates`: what is in the folder, by language. `sdk`: what a plugin in Rust is written with, which this program carries.

mod sdk;
mod templates;

use std::{
    fs, io,
    path::{self, Path, PathBuf},
};

use scheduler_core::{Error, ErrorKind, JobId};
use serde_json::json;

use self::sdk::Sdk;
use super::{folders, refuse_taken};
use crate::{
    args::{Lang, PluginNewArgs},
    commands::Done,
    exit,
    failure::Failure,
    output::Output,
    words::quoted,
};

/// A file to be.
struct File {
    path: String,
    text: String,
    executable: bool,
}

pub(super) fn run(args: &PluginNewArgs, out: &mut Output) -> Done {
    let name = &args.name;
    check_name(name)?;
    let sdk = Sdk::chosen(args)?;
    let shown = args.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    let folder =
        path::absolute(&shown).map_err(|cause| Error::io(format!("cannot find {}", shown.display()), cause))?;
    if folder.file_name().is_none_or(|last| last != name.as_str()) {
        let what = format!(
            "the folder of the plugin `{name}` can't be {}: it has to be called as the plugin is",
            shown.display()
        );
        let there = quoted(&shown.join(name).display().to_string());
        return Err(Failure::new(ErrorKind::Invalid, what).hint(format!("`--dir {there}`")));
    }
    refuse_used(&folder)?;

    let files = templates::files(name, args.lang, &sdk);
    for File { path, text, executable } in &files {
        folders::write(&folder.join(path), text.as_bytes(), *executable)?;
    }
    if out.wants_json() {
        let files: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        out.json(
            json!({ "created": name, "folder": folder.display().to_string(), "lang": word(args.lang), "files": files }),
        )?;
        return Ok(exit::OK);
    }
    let at = quoted(&shown.display().to_string());
    out.line(format_args!("made the plugin `{name}` in {at}, {}", kind(args.lang)))?;
    out.line("next:")?;
    let enter = format!("cd {at}");
    let build = match args.lang {
        Lang::Rust => Some("cargo build --release"),
        Lang::C => Some("make"),
        Lang::Python => None,
    };
    for line in [Some(enter.as_str()), build, Some("sched plugin check ."), Some("sched plugin install .")] {
        line.map_or(Ok(()), |line| out.line(format_args!("  {line}")))?;
    }
    Ok(exit::OK)
}

fn check_name(name: &str) -> Result<(), Failure> {
    if name.parse::<JobId>().is_err() {
        let hint = format!(
            "a name is a-z, 0-9, `.`, `_` or `-`, begins with a letter or a digit, and is at most 63 long: `{}`",
            JobId::from_name(name)
        );
        return Err(Failure::new(ErrorKind::Invalid, format!("`{name}` can't be a plugin's name")).hint(hint));
    }
    refuse_taken(name)
}

/// Nothing that is there is written over.
fn refuse_used(folder: &Path) -> Result<(), Failure> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(cause) => return Err(Error::io(format!("cannot look into {}", folder.display()), cause).into()),
    };
    if is_empty {
        return Ok(());
    }
    Err(Failure::new(ErrorKind::Exists, format!("{} is not empty; nothing was written", folder.display()))
        .hint("`--dir DIR` names another folder"))
}

const fn word(lang: Lang) -> &'static str {
    match lang {
        Lang::Rust => "rust",
        Lang::C => "c",
        Lang::Python => "python",
    }
}

const fn kind(lang: Lang) -> &'static str {
    match lang {
        Lang::Rust => "a library in Rust",
        Lang::C => "a library in C",
        Lang::Python => "a program in Python",
    }
}
