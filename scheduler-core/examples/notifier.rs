//! A notifier of your own: it is told when a job fails, and when it is well again. `cargo run --example notifier`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use scheduler_core::{
    Alert, AlertState, Engine, Job, JobRunner, JobStore as _, Notifier, Outcome, Result, RunContext, RunResult,
    provider::Ticker,
    store::{Edit, MemoryStore},
};
use serde_json::json;
use tokio::sync::mpsc;

/// Prints what it is told, and passes the state on. It may be slow, or fail: neither reaches a job.
struct Pager(mpsc::Sender<AlertState>);

#[async_trait]
impl Notifier for Pager {
    async fn notify(&self, alert: &Alert) -> Result<()> {
        // The key stays the same for as long as it is the same problem.
        match alert.state {
            AlertState::Open => println!("PAGE {}: {}", alert.key, alert.title),
            AlertState::Closed => println!("over {}: {}", alert.key, alert.title),
            AlertState::Passing => println!("by the way: {}", alert.title),
        }
        let _ = self.0.send(alert.state).await;
        Ok(())
    }
}

/// Fails at first, as a server does that is still starting.
struct Warmup(AtomicU32);

#[async_trait]
impl JobRunner for Warmup {
    fn validate(&self, _: &Job) -> Result<()> {
        Ok(())
    }

    async fn run(&self, _: RunContext) -> Outcome {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Outcome::failed("connection refused"),
            _ => Outcome::new(RunResult::Succeeded),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let store = Arc::new(MemoryStore::default());
    let job = json!({"id": "probe", "schedule": "every 1s", "payload": "http://localhost/health"});
    store.define(Edit::Add(vec![job])).await?;
    let (told, mut alerts) = mpsc::channel(8);
    let engine = Engine::builder(store, Arc::new(Warmup(AtomicU32::new(0)))).notifier(Arc::new(Pager(told))).build();
    let well_again = async { while alerts.recv().await != Some(AlertState::Closed) {} };
    engine.run_until(Ticker, well_again).await
}
