//! A plugin.yaml as it is installed: the text of its author, comments and all, with the sum of the code, and with the library
//! beside it. What becomes of a key is verified by reading the text again, so a way of writing that isn't known here is
//! never taken for something else.

use std::path::PathBuf;

use sched_plugin_host::manifest::{self, Code, Manifest};
use scheduler_core::ErrorKind;
use serde_json::json;

use crate::failure::Failure;

/// The text with the sum that the code must have from now on.
///
/// # Errors
/// The text is written in a way that a line can't be added to.
pub(super) fn with_sum(text: &str, manifest: &Manifest, sha256: &str) -> Result<String, Failure> {
    let wanted = Manifest { sha256: Some(sha256.into()), ..manifest.clone() };
    let pinned = with_key(text, "sha256", &format!("'{sha256}'"));
    if means(&pinned, &wanted) {
        return Ok(pinned);
    }
    let what = format!("the sha256 of the plugin's code can't be noted in its {}", manifest::FILE);
    Err(Failure::new(ErrorKind::Invalid, what).hint("write its keys one a line, without braces around them"))
}

/// The text and what it means with the library beside it, in place of a folder that a build made. One that is written in a way
/// that can't be changed in a line, as a map of targets is, stays as it is, and so does its library's path.
pub(super) fn with_library_on_top(text: &str, manifest: &Manifest) -> (String, Manifest) {
    if let Code::Library(path) = &manifest.code
        && let Some(name) = path.file_name().and_then(|name| name.to_str())
    {
        let wanted = Manifest { code: Code::Library(PathBuf::from(name)), ..manifest.clone() };
        // A text of JSON is one of YAML.
        let moved = with_key(text, "library", &json!(name).to_string());
        if wanted != *manifest && means(&moved, &wanted) {
            return (moved, wanted);
        }
    }
    (text.to_owned(), manifest.clone())
}

/// Whether `text` reads as `wanted`.
fn means(text: &str, wanted: &Manifest) -> bool {
    Manifest::parse(manifest::FILE, text.as_bytes()).is_ok_and(|read| read == *wanted)
}

/// The text with the line of a key at its top level replaced, or added at its end.
fn with_key(text: &str, key: &str, value: &str) -> String {
    let is_it = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'));
    let new = format!("{key}: {value}");
    let mut lines: Vec<&str> = text.lines().collect();
    match lines.iter_mut().find(|line| is_it(line)) {
        Some(line) => *line = &new,
        None => lines.push(&new),
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name: bells\nversion: '1'\nkind: dylib\nabi: 1\n";
    const SUM: &str = "0f343b0931126a20f133d67c2b018a3b0f343b0931126a20f133d67c2b018a3b";

    fn read(text: &str) -> Manifest {
        Manifest::parse("plugin.yaml", text.as_bytes()).unwrap()
    }

    #[test]
    fn a_sum_is_added_or_replaced_and_comments_stay() {
        let check = |rest: &str, expected: Option<&str>| {
            let text = format!("{HEAD}{rest}");
            let pinned = with_sum(&text, &read(&text), SUM).ok();
            assert_eq!(pinned, expected.map(|expected| format!("{HEAD}{expected}")), "{rest}");
        };
        let line = format!("sha256: '{SUM}'\n");
        check("library: l.so # mine", Some(&format!("library: l.so # mine\n{line}")));
        check("library: l.so\nconfig:\n  sha256: x\n", Some(&format!("library: l.so\nconfig:\n  sha256: x\n{line}")));
        let old = format!("sha256 : {}\nlibrary: l.so\n", SUM.replace('0', "1"));
        check(&old, Some(&format!("{line}library: l.so\n")));
        check("library: l.so\nmin_sched: |\n  0.1\n", Some(&format!("library: l.so\nmin_sched: |\n  0.1\n{line}")));
        check("library: l.so\n...\n", None);
        let braces = "{name: bells, version: '1', kind: dylib, abi: 1, library: l.so}\n";
        assert!(with_sum(braces, &read(braces), SUM).is_err());
    }

    #[test]
    fn a_library_comes_to_lie_beside_its_manifest_or_stays_where_it_is() {
        let check = |rest: &str, expected: &str, path: &str| {
            let text = format!("{HEAD}{rest}");
            let (moved, manifest) = with_library_on_top(&text, &read(&text));
            assert_eq!(moved, format!("{HEAD}{expected}"), "{rest}");
            assert_eq!(manifest.code, Code::Library(path.into()), "{rest}");
        };
        check("library: target/release/l.so\n", "library: \"l.so\"\n", "l.so");
        check("library: ./l.so\n", "library: \"l.so\"\n", "l.so");
        check("library: l.so # mine\n", "library: l.so # mine\n", "l.so");
        let map = format!("library:\n  {}: build/l.so\n", manifest::TARGET);
        check(&map, &map, "build/l.so");
    }
}
