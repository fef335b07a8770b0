//! `sched man`: the manual page of the program, or one for each command, made of the help.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Command;
use clap_mangen::Man;
use scheduler_core::Error;
use serde_json::json;

use super::Done;
use crate::{
    args::{self, ManArgs},
    exit,
    failure::Failure,
    output::Output,
};

pub(crate) fn run(args: &ManArgs, out: &mut Output) -> Done {
    let mut pages = pages();
    let Some(folder) = &args.dir else {
        let (_, text) = pages.swap_remove(0);
        if out.wants_json() {
            out.json(json!({"page": text}))?;
        } else {
            out.raw(text.as_bytes())?;
        }
        return Ok(exit::OK);
    };
    let written = write(folder, &pages)?;
    if out.wants_json() {
        out.json(json!({"written": written.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()}))?;
    } else {
        out.line(format_args!("wrote {} pages to {}", written.len(), folder.display()))?;
    }
    Ok(exit::OK)
}

#[expect(
    clippy::disallowed_methods,
    reason = "pages are for everybody to read; what a `Vfs` makes is its owner's alone"
)]
fn write(folder: &Path, pages: &[(String, String)]) -> Result<Vec<PathBuf>, Failure> {
    let failed = |path: &Path, cause| Failure::from(Error::io(format!("cannot write {}", path.display()), cause));
    fs::create_dir_all(folder).map_err(|cause| failed(folder, cause))?;
    let write = |(name, text): &(String, String)| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|cause| failed(&path, cause)).map(|()| path)
    };
    pages.iter().map(write).collect()
}

/// The names of the pages and their texts, that of the program first.
fn pages() -> Vec<(String, String)> {
    let mut grammar = args::grammar();
    // Gives the options that every command has to each of them, and to each its full name.
    grammar.build();
    let commands = grammar.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    [&grammar].into_iter().chain(commands).map(page).collect()
}

fn page(command: &Command) -> (String, String) {
    let source = concat!("sched ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source).manual("sched");
    let mut roff = Vec::new();
    render(&man, command, &mut roff).expect("memory takes what is written to it");
    (man.get_filename(), String::from_utf8_lossy(&roff).into_owned())
}

fn render(man: &Man, command: &Command, roff: &mut Vec<u8>) -> std::io::Result<()> {
    man.render_title(roff)?;
    man.render_name_section(roff)?;
    man.render_synopsis_section(roff)?;
    man.render_description_section(roff)?;
    man.render_options_section(roff)?;
    if command.has_subcommands() {
        man.render_subcommands_section(roff)?;
    }
    if let Some(notes) = command.get_after_help() {
        roff.extend(as_it_is("NOTES", &notes.to_string()).bytes());
    }
    Ok(())
}

/// A section whose lines stay lines: examples that are filled like prose can't be read.
fn as_it_is(title: &str, text: &str) -> String {
    let mut roff = format!(".SH {title}\n.nf\n");
    for line in text.lines() {
        // A dot or a quote at the beginning would be an order.
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        roff.push_str(&format!("{guard}{}\n", line.replace('\\', "\\e").replace('-', "\\-")));
    }
    roff + ".fi\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_every_command_and_each_names_its_options() {
        let pages = pages();
        assert_eq!(pages.len(), 1 + args::grammar().get_subcommands().count());
        assert_eq!(pages[0].0, "sched.1");
        let (_, logs) = pages.iter().find(|(name, _)| name == "sched-logs.1").unwrap();
        for part in
            [".TH sched-logs 1", "\\-\\-follow", "\\-\\-home", ".SH NOTES\n.nf\n", "\n  sched logs backup \\-f\n"]
        {
            assert!(logs.contains(part), "`{part}`: {logs}");
        }
        assert!(pages[0].1.contains("sched\\-logs(1)"), "{}", pages[0].1);
    }

    #[test]
    fn no_line_of_a_note_is_an_order() {
        assert_eq!(as_it_is("NOTES", ".so x\n'a\\b"), ".SH NOTES\n.nf\n\\&.so x\n\\&'a\\eb\n.fi\n");
    }
}
