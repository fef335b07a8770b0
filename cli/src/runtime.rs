//! The async runtime a command runs on.

use std::future::Future;

use scheduler_core::Error;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// A runtime: for `multi` with a thread for each core, else on the calling thread alone, which costs microseconds and is all
/// that a command needs that looks something up or changes it.
///
/// # Errors
/// The system gives no threads or descriptors.
pub(crate) fn runtime(multi: bool) -> Result<Runtime, Failure> {
    let mut builder = if multi { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build().map_err(|cause| Error::io("cannot start the runtime", cause).into())
}

/// Runs `command` to its end on the calling thread. What it gave up on, a read from a dead disk, is left behind.
///
/// # Errors
/// The command's own, or that there is no runtime.
pub(crate) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime(false)?;
    let done = runtime.block_on(command);
    runtime.shutdown_background();
    done
}
