//! `none`: standby. Nothing fires by the clock, on purpose, and `sched status` says so; what is fired by hand still runs.

use async_trait::async_trait;
use scheduler_core::{
    Result,
    provider::{CronScheduler, Liveness, SchedulerContext},
};

/// Never fires.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standby;

#[async_trait]
impl CronScheduler for Standby {
    fn name(&self) -> &'static str {
        "none"
    }

    async fn start(&self, _: SchedulerContext) -> Result<()> {
        Ok(())
    }

    fn liveness(&self) -> Liveness {
        Liveness::External
    }
}
