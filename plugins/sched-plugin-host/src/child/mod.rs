//! A plugin's process: started, made to introduce itself (gate 2), and ended with all that it started.
//!
//! - `spawn`: the system calls that start it. `process`: its end. `pipes`: reading and writing with a deadline.
//!   `introduction`: from `hello` to `ready`. `log`: what it writes to its standard error.
//!
//! Nothing here waits for a plugin without a bound.

mod introduction;
mod log;
mod pipes;
mod process;
mod spawn;

use std::{ffi::OsString, time::Instant};

use rustix::io::Errno;
use scheduler_core::{Error, ErrorKind, Result};

pub(crate) use introduction::Introduced;
pub(crate) use log::Meter;
pub(crate) use pipes::{Pipes, Silence};
pub(crate) use process::Process;

use crate::{preflight::Cleared, protocol::Hello};

/// A plugin that said `ready` and waits for `start`.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) process: Process,
    pub(crate) pipes: Pipes,
}

/// Starts what passed the preflight, and says hello. The plugin is ready, or it says why it can't work.
///
/// # Errors
/// What it did instead of answering, as a sentence with its file; of the kind `Foreign` if that counts against its code. It is
/// gone then.
pub(crate) fn introduce(
    plugin: &Cleared,
    environment: &[(OsString, OsString)],
    hello: &Hello,
) -> Result<(Child, Introduced)> {
    let until = Instant::now() + plugin.manifest.timeouts.ready;
    let spawned = spawn::start(&plugin.argv, &plugin.folder, spawn::clean(environment, &plugin.manifest.name))
        .map_err(|error| {
            let program = plugin.argv.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
            Error::io(format!("{program} could not be started"), error).hint(plugin.by_hand())
        })?;
    log::follow(&plugin.manifest.name, spawned.stderr);
    let failed = |error: Errno| Error::io("its pipes could not be set up", error.into());
    let mut process = spawned.process;
    let mut pipes = Pipes::new(spawned.stdin, spawned.stdout).map_err(failed)?;
    let introduced = introduction::listen(&plugin.manifest, &mut pipes, hello, until).map_err(|why| {
        let kind = if why.is_crash() { ErrorKind::Foreign } else { ErrorKind::Invalid };
        let what = plugin.told(&why.words(&mut process, "before it was ready"));
        Error::new(kind, what).hint(plugin.by_hand())
    })?;
    Ok((Child { process, pipes }, introduced))
}
