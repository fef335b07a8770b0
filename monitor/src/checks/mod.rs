//! What a watchdog looks at beside its scheduler: servers, processes, files that must be fresh, files that must make sense.
//!
//! - [`look`] makes every check that config.yaml asks for, all at once, each within a time of its own.
//! - `row` is what a check answers. `tcp`, `process`, `heartbeat` and [`syntax`] are the kinds: in each, what looks is apart
//!   from what judges.
//! - `bounded` runs a program that judges a file.
//!
//! **Invariant:** a check that hangs or breaks is a row of its own, and no other row waits for it.

mod bounded;
mod heartbeat;
mod process;
mod row;
pub mod syntax;
mod tcp;

use std::{future::Future, sync::Arc, time::Duration};

use scheduler_core::{Clock, config::checks::Checks};
use tokio::task::JoinSet;

pub use row::{Found, Row, Verdict};

/// How long a look at files may take: one on a dead mount never ends.
const FILES: Duration = Duration::from_secs(10);

/// Makes all of `checks`, and answers their rows in the order of the file.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{SystemClock, config::checks::{Checks, Tcp}};
/// use sched_monitor::checks::{self, Verdict};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut asked = Checks::default();
/// asked.tcp.push(Tcp::new("nobody", "127.0.0.1:1"));
/// let rows = checks::look(&asked, &(Arc::new(SystemClock) as _)).await;
/// assert_eq!((rows[0].name.as_str(), rows[0].found.verdict), ("nobody", Verdict::Bad));
/// # }
/// ```
pub async fn look(checks: &Checks, clock: &Arc<dyn Clock>) -> Vec<Row> {
    let mut looks = Looks { clock: Arc::clone(clock), tasks: JoinSet::new(), names: Vec::new() };
    for check in checks.tcp.clone() {
        looks.add("tcp", check.name.clone(), async move { tcp::look(&check).await });
    }
    for check in checks.process.clone() {
        looks.add_blocking("process", check.name.clone(), move |_| process::look(&check));
    }
    for check in checks.heartbeat.clone() {
        looks.add_blocking("heartbeat", check.name.clone(), move |clock| heartbeat::look(&check, clock.now()));
    }
    for check in checks.syntax.clone() {
        looks.add("syntax", check.name.clone(), async move { syntax::look(&check).await });
    }
    looks.rows().await
}

/// Checks that are being made.
struct Looks {
    clock: Arc<dyn Clock>,
    tasks: JoinSet<(usize, Row)>,
    names: Vec<(&'static str, String)>,
}

impl Looks {
    fn add(&mut self, kind: &'static str, name: String, look: impl Future<Output = Found> + Send + 'static) {
        let (index, clock) = (self.names.len(), Arc::clone(&self.clock));
        self.names.push((kind, name.clone()));
        self.tasks.spawn(async move {
            let began = clock.monotonic();
            let found = look.await;
            (index, Row { name, kind, found, took: clock.monotonic().saturating_sub(began) })
        });
    }

    fn add_blocking(
        &mut self,
        kind: &'static str,
        name: String,
        look: impl FnOnce(&dyn Clock) -> Found + Send + 'static,
    ) {
        let clock = Arc::clone(&self.clock);
        self.add(kind, name, within_files(move || look(&*clock)));
    }

    async fn rows(mut self) -> Vec<Row> {
        let mut rows: Vec<Option<Row>> = self.names.iter().map(|_| None).collect();
        while let Some(done) = self.tasks.join_next().await {
            if let Ok((index, row)) = done {
                rows[index] = Some(row);
            }
        }
        let broken = |(kind, name): (&'static str, String)| {
            let found = Found::unknown("the check itself broke off", "report it, with the log of the watchdog");
            Row { name, kind, found, took: Duration::ZERO }
        };
        rows.into_iter().zip(self.names).map(|(row, name)| row.unwrap_or_else(|| broken(name))).collect()
    }
}

/// Looks at files on a thread that may be left behind.
async fn within_files(look: impl FnOnce() -> Found + Send + 'static) -> Found {
    match tokio::time::timeout(FILES, tokio::task::spawn_blocking(look)).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Found::unknown("the check itself broke off", "report it, with the log of the watchdog"),
        Err(_) => Found::unknown(
            format!("its files did not answer within {} s", FILES.as_secs()),
            "see whether their disk is there: a dead mount answers never",
        ),
    }
}
