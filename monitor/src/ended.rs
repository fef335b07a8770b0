//! For tests of what ends the processes that it started.

use std::{fs, time::Duration};

use tokio::time::{Instant, sleep};

/// Waits until the process of `pid` is gone: it was killed, and the kernel takes a moment.
pub(crate) async fn until_gone(pid: &str) {
    let gone = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // Ended and not yet waited for by whoever has inherited it.
        stat.is_empty() || stat.contains(") Z ")
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while !gone() {
        assert!(Instant::now() < deadline, "process {pid} lives on");
        sleep(Duration::from_millis(5)).await;
    }
}
