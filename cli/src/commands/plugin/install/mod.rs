//! `sched plugin install`: puts a plugin into the home, once it has passed gates 1 and 2. One that is there stays until the new
//! one is whole.
//!
//! - `pieces`: what of a plugin's folder is needed. `pin`: its plugin.yaml, as it is installed. `told`: what is said about it.

mod pieces;
mod pin;
mod told;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sched_plugin_host::{
    Cleared,
    manifest::{self, Manifest},
};
use scheduler_core::{Error, ErrorKind};
use serde_json::Value;

use self::{
    pieces::Piece,
    told::{How, Installed},
};
use super::{folder_in, folders, folders::Staging, is_there, refuse_taken};
use crate::{
    args::PluginInstallArgs,
    commands::Done,
    context::{Context, no_home},
    daemon::plugins,
    failure::Failure,
    output::Output,
};

/// A plugin.yaml that was installed, beside one whose `config` is another.
const OLD: &str = "plugin.yaml.old";

/// Refuses the folder that is installed, and a link to one that is linked; a copy may take the place of a link.
fn refuse_itself(args: &PluginInstallArgs, real: &Path, target: &Path) -> Result<(), Failure> {
    if target.canonicalize().ok().as_deref() != Some(real) || target.is_symlink() && !args.link {
        return Ok(());
    }
    let what = format!("{} is what is installed already, as {}", args.folder.display(), target.display());
    Err(Failure::new(ErrorKind::Exists, what).hint("a daemon that runs takes up a change in it with SIGHUP"))
}

/// What is installed under the name already.
struct Old {
    /// Its version; `?` where its plugin.yaml can't be read.
    version: String,
    /// Its plugin.yaml and what is set there, unless its folder is somebody else's.
    kept: Option<(String, Value)>,
    /// The plugin.yaml that was kept before.
    older: Option<String>,
}

impl Old {
    fn at(target: &Path) -> Self {
        let text = fs::read_to_string(target.join(manifest::FILE)).unwrap_or_default();
        let ours = !target.is_symlink();
        let older = ours.then(|| fs::read_to_string(target.join(OLD)).ok()).flatten();
        match Manifest::parse(manifest::FILE, text.as_bytes()) {
            Ok(manifest) => Self { version: manifest.version, kept: ours.then_some((text, manifest.config)), older },
            Err(_) => Self { version: "?".into(), kept: None, older },
        }
    }
}

/// A plugin as it was found.
struct Source<'a> {
    /// As it was typed.
    given: &'a Path,
    real: PathBuf,
    manifest: Manifest,
    text: String,
}

pub(super) fn run(args: &PluginInstallArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    if !home.path().exists() {
        return Err(no_home(&home));
    }
    let source = Source::read(&args.folder)?;
    let name = &source.manifest.name;
    refuse_taken(name)?;
    let plugins = folder_in(&home);
    let target = plugins.join(name);
    refuse_itself(args, &source.real, &target)?;
    let old = is_there(&target).then(|| Old::at(&target));
    if let Some(old) = old.as_ref().filter(|_| !args.force) {
        let what =
            format!("plugin `{name}` {} is installed already, and this is {}", old.version, source.manifest.version);
        return Err(Failure::new(ErrorKind::Exists, what).hint("`--force` replaces it"));
    }

    let staging = Staging::new(&plugins)?;
    let staged = staging.place("new", name)?;
    let how = if args.link {
        source.cleared(&source.real, context)?;
        folders::link(&source.real, &staged)?;
        How::Linked(source.real.clone())
    } else {
        source.copy(&staging, &staged, old.as_ref(), context)?
    };
    staging.publish(&staged, &target)?;
    drop(staging);
    let installed = Installed { manifest: &source.manifest, folder: target, how, old: old.map(|old| old.version) };
    told::tell(&installed, &home, context, out)
}

impl<'a> Source<'a> {
    /// Reads the plugin.yaml of the plugin in `given`.
    fn read(given: &'a Path) -> Result<Self, Failure> {
        let real =
            given.canonicalize().map_err(|cause| Error::io(format!("cannot find {}", given.display()), cause))?;
        let path = given.join(manifest::FILE);
        let bytes = fs::read(&path).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Failure::new(ErrorKind::NotFound, format!("{} has no {}", given.display(), manifest::FILE))
                    .hint("a plugin is a folder with a plugin.yaml; `sched plugin new` makes one")
            }
            _ => Error::io(format!("cannot read {}", path.display()), cause).into(),
        })?;
        let manifest = Manifest::parse(&path.display().to_string(), &bytes)?;
        // What has become a manifest is UTF-8.
        Ok(Self { given, real, manifest, text: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// Makes in `staged` what is to be installed.
    fn copy(&self, staging: &Staging, staged: &Path, old: Option<&Old>, context: &Context) -> Result<How, Failure> {
        let (text, manifest) = pin::with_library_on_top(&self.text, &self.manifest);
        let pieces = pieces::of(self.given, &self.real, &self.manifest.code, &manifest.code)?;
        pieces::copy(&pieces, staged)?;
        // A copy of the copy goes through the gates: a plugin that is started may leave files beside it.
        let tried = staging.place("tried", &self.manifest.name)?;
        let again: Vec<Piece> = pieces.iter().map(|piece| piece.taken_from(staged)).collect();
        pieces::copy(&again, &tried)?;
        folders::write(&tried.join(manifest::FILE), text.as_bytes(), false)?;
        let cleared = self.cleared(&tried, context)?;

        // Without code of its own, as of an interpreter's module, a plugin has nothing whose sum could be held to.
        let sha256 = pieces.iter().any(|piece| piece.named).then_some(cleared.sha256);
        let text = sha256.as_ref().map_or(Ok(text.clone()), |sha256| pin::with_sum(&text, &manifest, sha256))?;
        folders::write(&staged.join(manifest::FILE), text.as_bytes(), false)?;
        // What somebody has set there is not lost with it, and neither is what was kept before.
        let kept = old.and_then(|old| old.kept.as_ref()).filter(|(_, config)| *config != self.manifest.config);
        let older = old.and_then(|old| old.older.as_ref());
        if let Some(text) = kept.map(|(text, _)| text).or(older) {
            folders::write(&staged.join(OLD), text.as_bytes(), false)?;
        }
        folders::sync(staged)?;
        Ok(How::Copied { files: pieces.len() + 1, sha256, kept: kept.is_some() })
    }

    /// Gates 1 and 2, for what lies in `folder`.
    fn cleared(&self, folder: &Path, context: &Context) -> Result<Cleared, Failure> {
        let checked = plugins::of(&context.home()?, &context.config().config).check(folder);
        let passed = checked.and_then(|(cleared, ready)| ready.map(|_| cleared));
        passed.map_err(|error| {
            // People know it by where they have it, and the gates by where it really is.
            let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
            let said = |text: &str| text.replace(&real.display().to_string(), &self.given.display().to_string());
            let what = format!("plugin `{}` was not installed: {}", self.manifest.name, said(&error.to_string()));
            let failure = Failure::new(error.kind(), what);
            let failure = error.hint_text().map(said).into_iter().fold(failure, Failure::hint);
            failure.hint(format!("`sched plugin check {}` says how far it gets", self.given.display()))
        })
    }
}
