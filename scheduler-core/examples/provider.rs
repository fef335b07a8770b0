//! A provider of your own: it decides when a job fires, with nothing but `name` and `start`. Here a bell does, and no clock.
//! `cargo run --example provider`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use std::sync::Arc;

use async_trait::async_trait;
use scheduler_core::{
    Engine, Job, JobRunner, JobStore as _, Outcome, Result, RunContext, RunResult,
    provider::{CronScheduler, FireRequest, SchedulerContext},
    store::{Edit, MemoryStore},
};
use serde_json::json;
use tokio::sync::{Mutex, mpsc};

/// Fires the job that each ring names. What is a channel here may be a queue, a socket or a button.
struct Bell(Mutex<mpsc::Receiver<(&'static str, u32)>>);

#[async_trait]
impl CronScheduler for Bell {
    fn name(&self) -> &'static str {
        "bell"
    }

    async fn start(&self, cx: SchedulerContext) -> Result<()> {
        let mut rings = self.0.lock().await;
        loop {
            tokio::select! {
                () = cx.stopping().cancelled() => return Ok(()),
                Some((job, ring)) = rings.recv() => {
                    // The key names the ring: the same ring again fires nothing.
                    let outcome = cx.fire(&FireRequest::event(job.parse()?, format!("ring-{ring}"))).await?;
                    println!("ring {ring}, {job}: {}", outcome.to_string().split(" as ").next().unwrap_or_default());
                }
            }
        }
    }
}

/// Says the payload, and that it has.
struct Speaker(mpsc::Sender<()>);

#[async_trait]
impl JobRunner for Speaker {
    fn validate(&self, _: &Job) -> Result<()> {
        Ok(())
    }

    async fn run(&self, run: RunContext) -> Outcome {
        println!("{}", run.job.payload().and_then(|payload| payload.as_str()).unwrap_or("?"));
        let said = self.0.send(()).await.is_ok();
        Outcome::new(if said { RunResult::Succeeded } else { RunResult::Failed })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let store = Arc::new(MemoryStore::default());
    let door = |id: &str| json!({"id": id, "schedule": "@manually", "payload": format!("somebody is at the {id}")});
    store.define(Edit::Add(vec![door("front-door"), door("back-door")])).await?;
    let (said, mut sayings) = mpsc::channel(1);
    let (bell, rings) = mpsc::channel(1);
    let engine = Engine::builder(store, Arc::new(Speaker(said))).build();
    let visitors = async {
        for (job, ring) in [("front-door", 1), ("front-door", 1), ("back-door", 2)] {
            let _ = bell.send((job, ring)).await;
        }
        for _ in 0..2 {
            sayings.recv().await;
        }
    };
    engine.run_until(Bell(Mutex::new(rings)), visitors).await
}
