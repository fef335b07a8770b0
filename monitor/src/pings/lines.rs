//! What waits to be sent: a line for each job, so that a start comes before its end, and one job's monitor that is down keeps
//! no other waiting.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use parking_lot::Mutex;
use scheduler_core::{JobId, PingUrl, RunId};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use super::protocol::{Moment, rid};

/// How many pings of one job wait; of more the oldest are dropped, as the newest say how it stands.
const OF_ONE: usize = 16;

/// How many wait in all.
const OF_ALL: usize = 1024;

/// How old a start may be: told later, its monitor would measure nonsense.
const OLD_START: Duration = Duration::from_mins(5);

/// How old an end may be.
const OLD_END: Duration = Duration::from_hours(1);

/// One thing to be told.
#[derive(Debug)]
pub(super) struct Ping {
    pub(super) moment: Moment,
    pub(super) url: PingUrl,
    /// The run it is about.
    pub(super) run: RunId,
    /// The same for all that is told of one run.
    pub(super) rid: String,
    /// What goes along, once it is read.
    pub(super) body: Option<JoinHandle<String>>,
    since: Instant,
}

impl Ping {
    pub(super) fn new(moment: Moment, url: PingUrl, run: RunId, body: Option<JoinHandle<String>>) -> Self {
        Self { moment, url, rid: rid(&run), run, body, since: Instant::now() }
    }

    /// When it is too old to matter.
    pub(super) fn until(&self) -> Instant {
        self.since + if self.moment == Moment::Start { OLD_START } else { OLD_END }
    }
}

/// All lines.
#[derive(Debug)]
pub(super) struct Lines {
    all: Mutex<All>,
    /// How many pings wait or are on their way.
    waiting: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct All {
    /// A job has one for as long as its task is at work.
    lines: HashMap<JobId, Line>,
    full: bool,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Ping>,
    on_its_way: bool,
    /// The last run whose end came here, and whether another attempt was to follow: what is found out twice must not be told
    /// twice, and what turns out to be the last word must.
    ended: Option<(RunId, bool)>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { all: Mutex::default(), waiting: watch::Sender::new(0) }
    }
}

impl Lines {
    /// Puts a ping at the end of its job's line. Answers whether that line needs a task to be worked off.
    pub(super) fn push(&self, job: &JobId, ping: Ping) -> bool {
        let mut all = self.all.lock();
        let waiting: usize = all.lines.values().map(|line| line.waiting.len()).sum();
        if waiting >= OF_ALL {
            if !std::mem::replace(&mut all.full, true) {
                tracing::warn!("{OF_ALL} pings wait already; further ones are dropped until there is room again");
            }
            return false;
        }
        all.full = false;
        let is_new = !all.lines.contains_key(job);
        let line = all.lines.entry(job.clone()).or_default();
        if ping.moment != Moment::Start {
            let end = (ping.run.clone(), ping.moment == Moment::Retried);
            if line.ended.as_ref() == Some(&end) {
                return false;
            }
            line.ended = Some(end);
        }
        line.waiting.push_back(ping);
        if line.waiting.len() > OF_ONE {
            line.waiting.pop_front();
        }
        self.tell(&all);
        is_new
    }

    /// The next ping of `job`; `None` ends its line.
    pub(super) fn next(&self, job: &JobId) -> Option<Ping> {
        let mut all = self.all.lock();
        let line = all.lines.get_mut(job)?;
        let next = line.waiting.pop_front();
        line.on_its_way = next.is_some();
        if next.is_none() {
            all.lines.remove(job);
        }
        self.tell(&all);
        next
    }

    /// How many pings are yet to be delivered.
    pub(super) fn waiting(&self) -> usize {
        *self.waiting.borrow()
    }

    pub(super) async fn until_empty(&self) {
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting == 0).await;
    }

    fn tell(&self, all: &All) {
        let count = |line: &Line| line.waiting.len() + usize::from(line.on_its_way);
        self.waiting.send_replace(all.lines.values().map(count).sum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ping(moment: Moment, run: usize) -> Ping {
        let url = PingUrl::parse("http://127.0.0.1/").unwrap();
        Ping::new(moment, url, RunId::new(format!("{run}")), None)
    }

    #[test]
    fn a_line_keeps_its_order_and_the_newest() {
        let (lines, job) = (Lines::default(), "job".parse().unwrap());
        assert!(lines.push(&job, ping(Moment::Start, 0)), "it needs a task");
        assert!((1..=OF_ONE).all(|run| !lines.push(&job, ping(Moment::Start, run))), "which it has");
        assert_eq!(lines.waiting(), OF_ONE);
        let mut runs = Vec::new();
        while let Some(ping) = lines.next(&job) {
            runs.push(ping.run.to_string());
        }
        assert_eq!(runs, (1..=OF_ONE).map(|run| run.to_string()).collect::<Vec<_>>());
        assert_eq!(lines.waiting(), 0);
        assert!(lines.push(&job, ping(Moment::Start, 99)), "the next one needs a task again");
    }

    #[test]
    fn all_lines_together_are_bounded_and_an_end_is_told_once() {
        let lines = Lines::default();
        let push = |job: usize, ping: Ping| lines.push(&format!("job-{job}").parse().unwrap(), ping);
        assert!(push(0, ping(Moment::Retried, 7)));
        assert!(!push(0, ping(Moment::Fail, 7)), "the line has its task");
        assert_eq!(lines.waiting(), 2, "no other attempt came: that is news");
        assert!(!push(0, ping(Moment::Fail, 7)), "it was looked for twice");
        assert_eq!(lines.waiting(), 2);
        for job in 2..OF_ALL {
            assert!(push(job, ping(Moment::Success, 1)));
        }
        assert!(!push(OF_ALL, ping(Moment::Success, 1)));
        assert_eq!(lines.waiting(), OF_ALL);
    }
}
