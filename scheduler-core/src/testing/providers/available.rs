//! `is_available`: a fast answer, and not from the network.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use super::{
    Not,
    life::{Checked, kept},
};
use crate::provider::{Availability, CronScheduler};

const LIMIT: Duration = Duration::from_millis(100);
/// One that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// The fastest of so many answers counts: a busy machine is nobody's fault.
const TIMES: usize = 3;

pub(super) async fn at_once(provider: Arc<dyn CronScheduler>) -> Checked {
    let mut fastest = PATIENCE;
    for _ in 0..TIMES {
        let (answer, took) = answered(&provider).await?;
        if let Availability::Unavailable(why) = answer {
            return Err(kept(format!("it is not available here: {why}")));
        }
        fastest = fastest.min(took);
    }
    if fastest > LIMIT {
        return Err(kept(format!("`is_available` took {fastest:.0?}, and has {LIMIT:?}")));
    }
    Ok(None)
}

async fn answered(provider: &Arc<dyn CronScheduler>) -> Result<(Availability, Duration), Not> {
    let (answer, answered) = oneshot::channel();
    let asked = Arc::clone(provider);
    let before = sockets::of_the_network();
    // A thread that nobody waits for: one of the runtime's would keep it from ending, if it hangs.
    let began = thread::Builder::new().name("is-available".into()).spawn(move || {
        let began = Instant::now();
        let available = asked.is_available();
        let _ = answer.send((available, began.elapsed()));
    });
    began.map_err(|error| kept(format!("a thread could not be started: {error}")))?;
    let watch = async {
        loop {
            if let Some(socket) = sockets::of_the_network().difference(&before).next() {
                return *socket;
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    let answer = tokio::select! {
        biased;
        answer = timeout(PATIENCE, answered) => answer,
        _ = watch => return Err(kept("`is_available` opens a socket to the network")),
    };
    if sockets::of_the_network().difference(&before).next().is_some() {
        return Err(kept("`is_available` opens a socket to the network"));
    }
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(kept("`is_available` panicked")),
        Err(_) => Err(kept(format!("`is_available` did not answer within {PATIENCE:?}"))),
    }
}

/// This process's sockets of the internet's protocols, as the kernel lists them. What is opened and closed within a moment goes
/// unseen; what waits for somebody's answer doesn't.
mod sockets {
    use std::{collections::BTreeSet, fs};

    pub(super) fn of_the_network() -> BTreeSet<u64> {
        let ours = ours();
        if ours.is_empty() {
            return ours;
        }
        let tables = ["tcp", "tcp6", "udp", "udp6"].map(|table| fs::read_to_string(format!("/proc/self/net/{table}")));
        let listed = tables.iter().flatten().flat_map(|table| table.lines().skip(1)).filter_map(inode);
        let mut listed: BTreeSet<u64> = listed.collect();
        listed.retain(|socket| ours.contains(socket));
        listed
    }

    /// Which sockets this process has open.
    fn ours() -> BTreeSet<u64> {
        let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        let targets = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
        let sockets = targets.filter_map(|target| {
            let number = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            number.parse().ok()
        });
        sockets.collect()
    }

    /// The tenth field of a line of the kernel's tables.
    fn inode(line: &str) -> Option<u64> {
        line.split_whitespace().nth(9)?.parse().ok()
    }
}
