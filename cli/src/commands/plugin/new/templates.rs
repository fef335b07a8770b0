//! What is in the folder of a new plugin, by language: files of `cli/templates/plugin`, with the plugin's name put in.

use std::borrow::Cow;

use super::{File, sdk::Sdk};
use crate::args::Lang;

/// The ABI for C, as this program knows it.
const HEADER: &str = include_str!("../../../../../plugins/sched-plugin-abi/include/sched_plugin.h");

/// A path, what stands there, and whether that can be executed.
type Template = (&'static str, &'static str, bool);

const RUST: [Template; 5] = [
    (".gitignore", include_str!("../../../../templates/plugin/rust/gitignore"), false),
    ("Cargo.toml", include_str!("../../../../templates/plugin/rust/Cargo.toml"), false),
    ("README.md", include_str!("../../../../templates/plugin/rust/README.md"), false),
    ("plugin.yaml", include_str!("../../../../templates/plugin/rust/plugin.yaml"), false),
    ("src/lib.rs", include_str!("../../../../templates/plugin/rust/lib.rs"), false),
];

const C: [Template; 6] = [
    (".gitignore", include_str!("../../../../templates/plugin/c/gitignore"), false),
    ("Makefile", include_str!("../../../../templates/plugin/c/Makefile"), false),
    ("README.md", include_str!("../../../../templates/plugin/c/README.md"), false),
    ("plugin.yaml", include_str!("../../../../templates/plugin/c/plugin.yaml"), false),
    ("provider.c", include_str!("../../../../templates/plugin/c/provider.c"), false),
    ("sched_plugin.h", HEADER, false),
];

// Not called as the plugin is: `queue.py` would be what its own `import queue` finds.
const PYTHON: [Template; 4] = [
    (".gitignore", include_str!("../../../../templates/plugin/python/gitignore"), false),
    ("README.md", include_str!("../../../../templates/plugin/python/README.md"), false),
    ("plugin.yaml", include_str!("../../../../templates/plugin/python/plugin.yaml"), false),
    ("provider.py", include_str!("../../../../templates/plugin/python/provider.py"), true),
];

/// All files of a plugin called `name`.
pub(super) fn files(name: &str, lang: Lang, sdk: &Sdk) -> Vec<File> {
    let templates: &[Template] = match lang {
        Lang::Rust => &RUST,
        Lang::C => &C,
        Lang::Python => &PYTHON,
    };
    let package = package(name);
    let library = package.replace('-', "_");
    let values = [
        ("name: @NAME@", format!("name: {}", in_yaml(name))),
        ("@NAME@", name.to_owned()),
        ("@PACKAGE@", package),
        ("@LIBRARY@", library),
        ("@SDK@", sdk.dependency()),
        ("@ABOUT_SDK@", sdk.words()),
        ("@VERSION@", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let filled = |text: &str| values.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value));
    let files =
        templates.iter().map(|&(path, text, executable)| File { path: path.into(), text: filled(text), executable });
    let carried = if lang == Lang::Rust { sdk.files() } else { Vec::new() };
    files.chain(carried).collect()
}

/// The name as YAML takes it for a text.
fn in_yaml(name: &str) -> Cow<'_, str> {
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&name);
    if is_word || name.starts_with(|first: char| first.is_ascii_digit()) {
        return format!("'{name}'").into();
    }
    name.into()
}

/// Names that a package can't have, or that would be two in one build.
const NOT_FOR_PACKAGES: [&str; 12] = [
    "alloc",
    "core",
    "itoa",
    "log",
    "memchr",
    "proc-macro",
    "sched-plugin",
    "sched-plugin-abi",
    "serde",
    "serde-json",
    "std",
    "test",
];

/// Words of the language.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The plugin's name as Cargo takes it for a package.
fn package(name: &str) -> String {
    let package = name.replace('.', "-");
    let alike = package.replace('_', "-");
    let is_taken = NOT_FOR_PACKAGES.contains(&alike.as_str()) || KEYWORDS.contains(&alike.as_str());
    if is_taken || package.starts_with(|first: char| first.is_ascii_digit()) {
        return format!("plugin-{package}");
    }
    package
}

#[cfg(test)]
mod tests {
    use sched_plugin_host::manifest::Manifest;

    use super::*;

    #[test]
    fn every_mark_is_filled_in_and_every_manifest_is_one() {
        for lang in [Lang::Rust, Lang::C, Lang::Python] {
            for name in ["bells", "3.bells", "7", "1e5", "null", "y"] {
                let files = files(name, lang, &Sdk::Carried);
                let marked = files.iter().find(|file| file.text.contains("@NAME@") || file.text.contains("@SDK@"));
                assert!(marked.is_none(), "{:?}", marked.map(|file| &file.path));
                let manifest = files.iter().find(|file| file.path == "plugin.yaml").unwrap();
                assert_eq!(Manifest::parse("plugin.yaml", manifest.text.as_bytes()).unwrap().name, name);
            }
        }
    }

    #[test]
    fn a_package_has_a_name_that_cargo_takes() {
        for (name, expected) in [
            ("bells", "bells"),
            ("a_b-c", "a_b-c"),
            ("ring.bells", "ring-bells"),
            ("7up", "plugin-7up"),
            ("yield", "plugin-yield"),
            ("sched_plugin", "plugin-sched_plugin"),
        ] {
            assert_eq!(package(name), expected);
        }
    }

    #[test]
    fn versions_are_those_of_this_workspace() {
        assert_eq!(super::super::sdk::of_the_workspace("edition"), "2024");
    }
}
