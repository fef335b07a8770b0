//! Arguments of the commands that make files for the shell and for `man`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sched completions bash > ~/.local/share/bash-completion/completions/sched
  sched completions zsh > ~/.zfunc/_sched
  sched completions fish > ~/.config/fish/completions/sched.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sched man | man -l -\n  sched man --dir ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder instead
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}
