//! Diagnostics on stderr: what the libraries have to say beside a command's own answer.

use tracing::level_filters::LevelFilter;

use crate::args::{Cli, Command};

/// Installs the subscriber. A command that answers at once speaks up only when something is wrong; the daemon says what it does.
pub(crate) fn install(cli: &Cli) {
    let daemon = matches!(cli.command, Command::Run(_));
    // The examples show each fire as a line of its own.
    let talkative = matches!(&cli.command, Command::Run(args) if !args.example);
    let level = level(talkative, cli.global.verbose, cli.global.quiet);
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false);
    // A host that installed one of its own keeps it.
    let _ = if daemon { subscriber.try_init() } else { subscriber.without_time().with_target(false).try_init() };
}

fn level(daemon: bool, verbose: u8, quiet: bool) -> LevelFilter {
    match (u8::from(daemon) + verbose, quiet) {
        (_, true) => LevelFilter::ERROR,
        (0, _) => LevelFilter::WARN,
        (1, _) => LevelFilter::INFO,
        (2, _) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_speaks_one_level_louder() {
        let check = |daemon, verbose, quiet, expected| assert_eq!(level(daemon, verbose, quiet), expected);
        check(false, 0, false, LevelFilter::WARN);
        check(true, 0, false, LevelFilter::INFO);
        check(false, 1, false, LevelFilter::INFO);
        check(true, 9, false, LevelFilter::TRACE);
        check(true, 0, true, LevelFilter::ERROR);
    }
}
