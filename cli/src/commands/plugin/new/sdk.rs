//! What a plugin in Rust is written with: the crates `sched-plugin` and `sched-plugin-abi`. This program carries their sources,
//! so that whoever has it can write plugins for it; a checkout or a repository serves as well.

use std::path::{self, Path, PathBuf};

use scheduler_core::{Error, ErrorKind};
use serde_json::json;

use super::File;
use crate::{
    args::{Lang, PluginNewArgs},
    failure::Failure,
};

/// Where the crate `sched-plugin` is.
pub(super) enum Sdk {
    /// In the plugin's folder, as this program carries it.
    Carried,
    /// In a folder of somebody's.
    At(PathBuf),
    /// In a git repository.
    Git(String),
}

const WORKSPACE: &str = include_str!("../../../../../Cargo.toml");
const ABOUT: &str = include_str!("../../../../templates/plugin/rust/vendor.md");
const LICENSES: [(&str, &str); 2] = [
    ("vendor/LICENSE-APACHE", include_str!("../../../../../LICENSE-APACHE")),
    ("vendor/LICENSE-MIT", include_str!("../../../../../LICENSE-MIT")),
];

/// The sources of a crate, with the paths that they get.
macro_rules! sources {
    ($of:literal: $($file:literal),+) => {
        [$((
            concat!("vendor/", $of, "/src/", $file),
            include_str!(concat!("../../../../../plugins/", $of, "/src/", $file)),
        )),+]
    };
}

const ABI: [(&str, &str); 5] =
    sources!("sched-plugin-abi": "host.rs", "lib.rs", "numbers.rs", "plugin.rs", "values.rs");
const PLUGIN: [(&str, &str); 11] = sources!("sched-plugin":
    "caught.rs", "config.rs", "export.rs", "host.rs", "job.rs", "lib.rs", "logging.rs", "outcome.rs", "plugin.rs", "testing.rs",
    "trampolines.rs");

/// What `sched-plugin` depends on, beside the ABI.
const NEEDED: [&str; 3] = ["log", "serde", "serde_json"];

impl Sdk {
    /// The one that was asked for.
    ///
    /// # Errors
    /// That it isn't there, or is of no use.
    pub(super) fn chosen(args: &PluginNewArgs) -> Result<Self, Failure> {
        let Some(wanted) = &args.sdk else { return Ok(Self::Carried) };
        if args.lang != Lang::Rust {
            return Err(Failure::usage("`--sdk` is for plugins in Rust").hint("take it away, or `--lang rust`"));
        }
        if wanted.contains("://") {
            return Ok(Self::Git(wanted.clone()));
        }
        let given = Path::new(wanted);
        let folders = [given.to_owned(), given.join("plugins/sched-plugin")];
        let found = folders.into_iter().find(|folder| is_sdk(folder)).ok_or_else(|| {
            Failure::new(ErrorKind::NotFound, format!("the crate `sched-plugin` is not in {wanted}"))
                .hint("name a checkout of sched, or a git repository as https://HOST/PATH or ssh://git@HOST/PATH")
        })?;
        let absolute = path::absolute(&found).and_then(|found| found.canonicalize());
        Ok(Self::At(absolute.map_err(|cause| Error::io(format!("cannot find {}", found.display()), cause))?))
    }

    /// What stands behind `sched-plugin` in a Cargo.toml.
    pub(super) fn dependency(&self) -> String {
        // A text of JSON is one of TOML.
        match self {
            Self::Carried => r#"path = "vendor/sched-plugin""#.into(),
            Self::At(folder) => format!("path = {}", json!(folder.display().to_string())),
            Self::Git(url) => format!("git = {}", json!(url)),
        }
    }

    /// What an author has to know about it.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Carried => format!(
                "The crate `sched-plugin` is in the folder `vendor`, as it comes with sched {}. What it needs in turn (`{}`) Cargo \
                 fetches with the first build; from then on `--offline` works as well.",
                env!("CARGO_PKG_VERSION"),
                NEEDED.join("`, `")
            ),
            Self::At(_) | Self::Git(_) => "Cargo.toml says where the crate `sched-plugin` is taken from.".into(),
        }
    }

    /// What of it goes into the plugin's folder.
    pub(super) fn files(&self) -> Vec<File> {
        if !matches!(self, Self::Carried) {
            return Vec::new();
        }
        let file = |path: &str, text: String| File { path: path.into(), text, executable: false };
        let sources = ABI.into_iter().chain(PLUGIN).chain(LICENSES).map(|(path, text)| file(path, text.to_owned()));
        let mut files: Vec<File> = sources.collect();
        let needed = NEEDED.iter().map(|name| format!("{name} = \"{}\"\n", of_the_workspace(name)));
        let needed =
            needed.chain(["sched-plugin-abi = { path = \"../sched-plugin-abi\" }\n".into()]).collect::<String>();
        files.push(file("vendor/sched-plugin/Cargo.toml", cargo_toml("sched-plugin", &needed)));
        files.push(file("vendor/sched-plugin-abi/Cargo.toml", cargo_toml("sched-plugin-abi", "")));
        files.push(file("vendor/README.md", ABOUT.replace("@VERSION@", env!("CARGO_PKG_VERSION"))));
        files
    }
}

fn is_sdk(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| line == r#"name = "sched-plugin""#)
}

fn cargo_toml(name: &str, needed: &str) -> String {
    let [edition, rust, license] = ["edition", "rust-version", "license"].map(of_the_workspace);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"{edition}\"\nrust-version = \"{rust}\"\n\
         license = \"{license}\"\npublish = false\n\n[dependencies]\n{needed}\n[lints.rust]\n\
         # Of lints that only sched's own build asks for.\nunfulfilled_lint_expectations = \"allow\"\n"
    )
}

/// What the Cargo.toml of sched itself has behind `key`: a version, for a dependency.
pub(super) fn of_the_workspace(key: &str) -> &'static str {
    let line = WORKSPACE.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    let value = line.and_then(|line| line.strip_prefix("{ version = ").or(Some(line))?.split('"').nth(1));
    value.unwrap_or_else(|| unreachable!("Cargo.toml has `{key}`"))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn every_source_of_the_crates_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
        let carried: BTreeSet<String> = Sdk::Carried.files().into_iter().map(|file| file.path).collect();
        for of in ["sched-plugin", "sched-plugin-abi"] {
            let below = format!("vendor/{of}/src/");
            let ours = carried.iter().filter_map(|path| path.strip_prefix(&below)).map(str::to_owned);
            let theirs = fs::read_dir(root.join(of).join("src")).unwrap();
            let theirs = theirs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            assert_eq!(ours.collect::<BTreeSet<_>>(), theirs.collect::<BTreeSet<_>>(), "{of}");
        }
    }

    #[test]
    fn what_the_sdk_needs_is_what_its_manifest_says() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/sched-plugin/Cargo.toml");
        let manifest = fs::read_to_string(manifest).unwrap();
        let (_, section) = manifest.split_once("[dependencies]\n").unwrap();
        let theirs = section
            .lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.strip_suffix(".workspace = true"));
        let ours: BTreeSet<&str> = NEEDED.into_iter().chain(["sched-plugin-abi"]).collect();
        assert_eq!(theirs.collect::<BTreeSet<_>>(), ours);
        for name in NEEDED {
            assert!(of_the_workspace(name).starts_with(|first: char| first.is_ascii_digit()), "{name}");
        }
    }
}
