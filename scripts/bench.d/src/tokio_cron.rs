//! tokio-cron-scheduler with so many jobs: `tokio_cron COUNT SCHEDULE READY PROGRAM ARG...`. Makes the file READY when its
//! scheduler has started, and ends on SIGTERM.

use std::{env, fs};

use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

#[tokio::main]
async fn main() -> Result<(), JobSchedulerError> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [count, schedule, ready, command @ ..] = words.as_slice() else {
        panic!("tokio_cron COUNT SCHEDULE READY PROGRAM ARG...");
    };
    let count: usize = count.parse().expect("COUNT is a number");
    let scheduler = JobScheduler::new().await?;
    for _ in 0..count {
        let command = command.to_vec();
        let job = Job::new_async(schedule.as_str(), move |_, _| {
            let command = command.clone();
            Box::pin(async move {
                let mut child = Command::new(&command[0]).args(&command[1..]).spawn().expect("the program starts");
                child.wait().await.expect("a child can be waited for");
            })
        })?;
        scheduler.add(job).await?;
    }
    scheduler.start().await?;
    let mut term = signal(SignalKind::terminate()).expect("SIGTERM can be waited for");
    fs::write(ready, "").expect("the sign of being ready can be given");
    term.recv().await;
    Ok(())
}
