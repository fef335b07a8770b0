//! Diagnostics on stderr: what the libraries have to say beside a command's own answer.

use std::{fmt, sync::OnceLock};

use tracing::{Event, Level, Subscriber, level_filters::LevelFilter};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer, writer::BoxMakeWriter},
    registry::LookupSpan,
};

use crate::args::{Cli, Command, PluginCommand};

/// Lines that wait for somebody to read the ones before.
const WAITING: usize = 10_000;

static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// How many lines were lost so far, because whoever reads them was too slow.
pub(crate) fn lost() -> usize {
    LOST.get().map_or(0, ErrorCounter::dropped_lines)
}

/// What the daemon logs to: a reader that stops reading (a pipe that is full, a terminal that was stopped) costs lines, and
/// keeps nothing from its work.
fn patient() -> (NonBlocking, WorkerGuard) {
    let built =
        NonBlockingBuilder::default().buffered_lines_limit(WAITING).thread_name("log").finish(std::io::stderr());
    let _ = LOST.set(built.0.error_counter());
    built
}

/// Installs the subscriber; what is still to be written when the program ends is written by the end of the answer. A command that answers at once speaks up only when something is wrong, in the form of its own
/// errors; the daemon says what it does, and when.
pub(crate) fn install(cli: &Cli) -> Option<WorkerGuard> {
    let daemon = matches!(cli.command, Command::Run(_));
    // The examples show each fire as a line of its own.
    let talkative = matches!(&cli.command, Command::Run(args) if !args.example);
    let level = match &cli.command {
        // It makes trouble, to see what a plugin makes of it. The complaints about that are for whoever asks for them.
        Command::Plugin(PluginCommand::Check(_)) if cli.global.verbose == 0 => LevelFilter::OFF,
        _ => level(talkative, cli.global.verbose, cli.global.quiet),
    };
    let (writer, guard) = if daemon {
        let (writer, guard) = patient();
        (BoxMakeWriter::new(writer), Some(guard))
    } else {
        (BoxMakeWriter::new(std::io::stderr), None)
    };
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(writer).with_ansi(false);
    // A host that installed one of its own keeps it.
    let _ = if cli.command.logs_json() {
        subscriber.json().flatten_event(true).try_init()
    } else if daemon {
        subscriber.try_init()
    } else {
        subscriber.event_format(LikeErrors).try_init()
    };
    guard
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

/// `warning: what happened name=value`.
struct LikeErrors;

impl<S, N> FormatEvent<S, N> for LikeErrors
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        write!(to, "{level}: ")?;
        context.format_fields(to.by_ref(), event)?;
        writeln!(to)
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
