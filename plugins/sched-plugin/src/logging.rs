//! The `log` crate's records, and panics, go to the daemon's log.

use std::{panic, sync::Once};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::{Host, caught::message};

/// Leads both to `host`. Only the first call in a process does anything: it has one host.
pub(crate) fn lead_to(host: Host) {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        // A plugin that has set a logger of its own keeps it.
        if log::set_logger(Box::leak(Box::new(ToHost(host)))).is_ok() {
            // Libraries trace thousands of lines a second, and the daemon takes that for a flood. Who wants them asks for them.
            log::set_max_level(LevelFilter::Debug);
        }
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
            host.log(Level::Error, &format!("panicked{place}: {}", message(info.payload())));
        }));
    });
}

struct ToHost(Host);

impl Log for ToHost {
    /// The daemon knows which levels it wants.
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.log(record.level(), &record.args().to_string());
    }

    fn flush(&self) {}
}
