//! A scheduler inside a program of your own: a fire is a call of `Greeter`. `cargo run --example embed`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use std::sync::Arc;

use async_trait::async_trait;
use scheduler_core::{Engine, Error, ErrorKind, Job, JobRunner, JobStore as _, Outcome, Result, RunContext, RunResult};
use scheduler_core::{provider::Ticker, store::Edit, store::MemoryStore};
use tokio::{signal::ctrl_c, sync::Semaphore};

struct Greeter(Arc<Semaphore>);

fn whom(job: &Job) -> Result<&str> {
    let whom = job.payload().and_then(|payload| payload["greet"].as_str());
    whom.ok_or_else(|| Error::new(ErrorKind::Invalid, "its payload has no `greet`"))
}

#[async_trait]
impl JobRunner for Greeter {
    fn validate(&self, job: &Job) -> Result<()> {
        whom(job).map(drop)
    }

    async fn run(&self, run: RunContext) -> Outcome {
        println!("hello {} at {}", whom(&run.job).unwrap_or("nobody"), run.scheduled_at);
        self.0.add_permits(1);
        Outcome::new(RunResult::Succeeded)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let store = Arc::new(MemoryStore::default());
    let job = serde_json::json!({"id": "greet", "schedule": "every 1s", "payload": {"greet": "world"}});
    store.define(Edit::Add(vec![job])).await?;
    let greeted = Arc::new(Semaphore::new(0));
    let engine = Engine::builder(store, Arc::new(Greeter(Arc::clone(&greeted)))).build();
    let thrice_or_ctrl_c = async { tokio::select!(_ = greeted.acquire_many(3) => {}, _ = ctrl_c() => {}) };
    engine.run_until(Ticker, thrice_or_ctrl_c).await
}
