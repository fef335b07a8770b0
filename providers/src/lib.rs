//! Trigger providers that come with sched, a file each. The built-in ticker is not among them: it lives in `scheduler-core`,
//! where it can't be taken away.
//!
//! A provider decides *when* and nothing else: it never runs a job and never touches the store.
#![forbid(unsafe_code)]

mod none;

use std::sync::Arc;

use scheduler_core::{
    Result,
    provider::{CronScheduler, ProviderFactory},
};

pub use none::Standby;

/// Everything this crate offers to `scheduler_core::provider::resolve`.
///
/// ```
/// let sources = sched_providers::bundled();
/// let resolved = scheduler_core::provider::resolve("none", &sources);
/// assert_eq!(resolved.provider.name(), "none");
/// ```
pub fn bundled() -> Vec<Arc<dyn ProviderFactory>> {
    vec![Arc::new(Bundled { name: "none", build: || Ok(Arc::new(Standby)) })]
}

/// A provider that is made by a function.
struct Bundled {
    name: &'static str,
    build: fn() -> Result<Arc<dyn CronScheduler>>,
}

impl ProviderFactory for Bundled {
    fn name(&self) -> &str {
        self.name
    }

    fn build(&self) -> Result<Arc<dyn CronScheduler>> {
        (self.build)()
    }
}
