//! `completions` and `man`.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use crate::support::Sandbox;

#[test]
fn every_shell_is_taught_the_commands() {
    let sandbox = Sandbox::new();
    for (shell, part) in [
        ("bash", "complete -F _sched"),
        ("zsh", "#compdef sched"),
        ("fish", "complete -c sched"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = sandbox.ok(&["completions", shell]);
        assert!(script.contains(part) && script.contains("follow") && script.contains("validate"), "{shell}");
        assert_eq!(sandbox.json(&["completions", shell])["script"], script);
    }
    sandbox.fails(&["completions", "csh"], 2, &["bash", "zsh", "fish"]);
    assert!(!sandbox.path().exists(), "no home is made for it");
}

#[test]
fn bash_takes_its_script() {
    let sandbox = Sandbox::new();
    let script = sandbox.ok(&["completions", "bash"]);
    let ask = "COMP_WORDS=(sched sho) COMP_CWORD=1; _sched sched sho sched; echo ${COMPREPLY[@]}";
    let Ok(bash) = Command::new("bash").args(["-c", &format!("{script}\n{ask}")]).output() else { return };
    assert_eq!(String::from_utf8_lossy(&bash.stdout), "show\n", "{}", String::from_utf8_lossy(&bash.stderr));
}

#[test]
fn manual_pages_are_printed_or_written() {
    let sandbox = Sandbox::new();
    let page = sandbox.ok(&["man"]);
    assert!(page.contains(".TH sched 1") && page.contains("Exit codes: 0 ok"), "{page}");
    let said = sandbox.ok(&["man", "--dir", "share/man1"]);
    let folder = sandbox.path().parent().unwrap().join("share/man1");
    let names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .inspect(|name| assert!(name.starts_with("sched") && name.ends_with(".1"), "{name}"))
        .collect();
    assert_eq!(said, format!("wrote {} pages to share/man1\n", names.len()));
    assert!(names.len() > 15 && names.contains(&"sched-show.1".to_owned()), "{names:?}");
    assert_eq!(fs::read_to_string(folder.join("sched.1")).unwrap(), page);
    let mode = fs::metadata(folder.join("sched.1")).unwrap().permissions().mode();
    assert_eq!(mode & 0o400, 0o400, "{mode:o}");
    fs::write(sandbox.path(), "").unwrap();
    sandbox.fails(&["man", "--dir", "home"], 1, &["cannot write home"]);
}
