//! Fires made visible: a runner around the real one that says how each run ended, and what it printed first.

use std::{io::Write as _, sync::Arc, time::Instant};

use async_trait::async_trait;
use scheduler_core::{
    Job, JobRunner, Orphan, Outcome, ProcessRef, Result, RunContext,
    vfs::{RealFs, Vfs as _},
};

/// The real runner, out loud.
pub(crate) struct OutLoud<R>(pub(crate) Arc<R>);

#[async_trait]
impl<R: JobRunner> JobRunner for OutLoud<R> {
    fn validate(&self, job: &Job) -> Result<()> {
        self.0.validate(job)
    }

    async fn run(&self, run: RunContext) -> Outcome {
        let (job, owed_at, began) = (run.job.id.clone(), run.scheduled_at, Instant::now());
        let outcome = self.0.run(run).await;
        let took = began.elapsed().as_millis();
        let mut line = format!("{owed_at}  {job:<8} {} in {took} ms", outcome.result.word());
        if let Some(code) = outcome.exit_code.filter(|code| *code != 0) {
            line.push_str(&format!(", exit code {code}"));
        }
        if let Some(said) = last_line(&outcome) {
            line.push_str(&format!("  | {said}"));
        }
        // One write, so that two runs that end together don't share a line. Nobody reading is no reason to stop.
        let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
        outcome
    }

    fn find_orphan(&self, orphan: &Orphan) -> Option<ProcessRef> {
        self.0.find_orphan(orphan)
    }

    async fn adopt(&self, orphan: Orphan, run: RunContext) -> Outcome {
        self.0.adopt(orphan, run).await
    }
}

fn last_line(outcome: &Outcome) -> Option<String> {
    let bytes = RealFs.read(&outcome.output.as_ref()?.path).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.lines().rfind(|line| !line.trim().is_empty()).map(str::to_owned)
}
