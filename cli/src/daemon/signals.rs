//! SIGTERM and Ctrl-C: the first lets open runs end, the second stops them. SIGHUP reloads, where there is something to
//! reload.

use std::sync::Arc;

use scheduler_core::{Engine, Error};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

use crate::failure::Failure;

/// Installs the handlers; they work from here on, on a task of their own. `reload` is told of SIGHUP.
///
/// # Errors
/// The system gives none.
pub(crate) fn install(engine: Engine, reload: Option<Arc<Notify>>) -> Result<(), Failure> {
    let failed = |error| Error::io("cannot listen for signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
                _ = hangup.recv() => {
                    // Its terminal may be gone, and nobody should lose their cron by closing a window.
                    match &reload {
                        Some(reload) => reload.notify_one(),
                        None => tracing::warn!("SIGHUP: nothing is reloaded; this ends by itself"),
                    }
                    continue;
                }
            };
            if engine.is_stopping() {
                tracing::warn!("{name} again: the open runs are stopped");
                engine.cancel_all();
            } else {
                let runs = engine.open_runs();
                match runs {
                    0 => tracing::warn!("{name}: stopping"),
                    _ => tracing::warn!(
                        "{name}: stopping once the open runs ({runs}) have ended; again to stop them too"
                    ),
                }
                engine.stop();
            }
        }
    });
    Ok(())
}
