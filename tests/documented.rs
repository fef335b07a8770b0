//! Every public item of `scheduler-core` has an example that runs.
//!
//! A type, a trait, a function and a constant has one of its own; a method at least a call in an example of its file. What
//! is `pub` is public: the lint `unreachable_pub` sees to that, and `missing_docs` to the words.

use std::{fs, path::Path};

#[test]
fn every_public_item_of_the_core_has_an_example() {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    collect(&root.join("scheduler-core/src"), &mut files);
    let items: Vec<Item> = files.iter().flat_map(|(path, text)| items(path, text)).collect();
    assert!(items.len() > 250, "only {} items found", items.len());
    let missing: Vec<&str> = items.iter().filter(|item| !item.has_example).map(|item| item.place.as_str()).collect();
    assert!(missing.is_empty(), "without an example:\n{}", missing.join("\n"));
}

#[test]
fn a_missing_example_is_found() {
    let missing = |text: &str| {
        let items = items("x.rs", text).into_iter();
        items.filter(|item| !item.has_example).map(|item| item.place).collect::<Vec<_>>()
    };
    assert_eq!(missing("/// A.\n#[derive(Debug)]\npub struct A;\n"), ["x.rs:3: A"]);
    assert_eq!(missing("/// A.\n///\n/// ```\n/// a();\n/// ```\n#[must_use]\npub fn a() {}\n"), [""; 0]);
    let method =
        |example: &str| format!("/// A.\n///\n/// ```\n/// {example}\n/// ```\npub trait A {{\n    fn b(&self);\n}}\n");
    assert_eq!(missing(&method("a.b()")), [""; 0]);
    assert_eq!(missing(&method("a.bb()")), ["x.rs:7: b"]);
    assert_eq!(missing("pub(crate) fn a() {}\nfn b() {}\n"), [""; 0]);
    assert_eq!(missing("impl A {\n    pub async fn b(&self) {}\n}\n"), ["x.rs:2: b"]);
}

struct Item {
    /// File, line and name.
    place: String,
    has_example: bool,
}

/// The public items of a file.
fn items(path: &str, text: &str) -> Vec<Item> {
    let shipped = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let examples = examples(shipped);
    let (mut items, mut doc, mut in_trait) = (Vec::new(), String::new(), false);
    for (line, number) in shipped.lines().zip(1..) {
        let code = line.trim_start();
        if code.starts_with("///") {
            doc.push_str(code);
            continue;
        }
        if code.starts_with("#[") {
            continue;
        }
        in_trait = in_trait && line != "}" || line.starts_with("pub trait ");
        let top = code.len() == line.len();
        if let Some(name) = name(code, in_trait && !top) {
            let has_example = doc.contains("```") || !top && uses(&examples, name);
            items.push(Item { place: format!("{path}:{number}: {name}"), has_example });
        }
        doc.clear();
    }
    items
}

/// The name of what a line defines, if that is public, as the methods of a public trait are.
fn name(code: &str, of_trait: bool) -> Option<&str> {
    let words = code.strip_prefix("pub ").or(Some(code).filter(|_| of_trait))?.split_whitespace();
    let mut words = words.skip_while(|word| ["async", "unsafe"].contains(word)).peekable();
    let kinds = ["fn", "struct", "enum", "trait", "type", "const", "static", "union"];
    words.next().filter(|word| kinds.contains(word))?;
    // A `const fn` is a function.
    words.next_if_eq(&"fn");
    let name = words.next()?;
    // What a macro makes has its documentation where the macro is called.
    name.split(['(', '<', ':', ';', '{', '=']).next().filter(|name| !name.is_empty() && !name.starts_with('$'))
}

/// The code of all examples in the documentation of a file.
fn examples(text: &str) -> String {
    let mut inside = false;
    let mut examples = String::new();
    for line in text.lines().map(str::trim_start) {
        match line.strip_prefix("///").or(line.strip_prefix("//!")) {
            Some(doc) if doc.trim_start().starts_with("```") => inside = !inside,
            Some(doc) if inside => examples.extend([doc, "\n"]),
            Some(_) => {}
            None => inside = false,
        }
    }
    examples
}

/// Whether the method `name` is called somewhere in `examples`, or the constant of that name used.
fn uses(examples: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_constant = name.chars().all(|c| c.is_uppercase() || c == '_');
    examples.match_indices(name).any(|(at, _)| {
        let after = &examples[at + name.len()..];
        !examples[..at].ends_with(is_word) && (after.starts_with('(') || is_constant && !after.starts_with(is_word))
    })
}

fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !is_test {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            files.push((path.display().to_string(), fs::read_to_string(&path).expect("a source")));
        }
    }
}
