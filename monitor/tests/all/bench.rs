//! A desk on a home of its own, under a clock set by hand.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sched_monitor::{Desk, OpenAlert, Settings, Shelf};
use scheduler_core::{
    Alert, Clock as _, Home, Notifier as _,
    config::{Config, sinks::Sink},
    notify::AlertKind,
    testing::ManualClock,
    vfs::RealFs,
};

/// Long enough for anything that happens on this machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Bench {
    pub(crate) desk: Desk,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) home: Home,
    folder: Arc<tempfile::TempDir>,
}

impl Bench {
    pub(crate) fn new(sinks: Vec<Sink>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::at(Arc::new(folder), Arc::new(ManualClock::at("2026-03-02T10:00:00Z")), sinks)
    }

    fn at(folder: Arc<tempfile::TempDir>, clock: Arc<ManualClock>, sinks: Vec<Sink>) -> Self {
        let home = Home::new(folder.path());
        let desk = Desk::new(Arc::new(RealFs), &home, Arc::clone(&clock) as _, &settings(sinks));
        Self { desk, clock, home, folder }
    }

    /// Another process on the same home.
    pub(crate) fn another(&self, sinks: Vec<Sink>) -> Self {
        Self::at(Arc::clone(&self.folder), Arc::clone(&self.clock), sinks)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn later(&self, minutes: i64) {
        self.clock.advance(Duration::from_secs(u64::try_from(minutes).expect("forwards") * 60));
    }

    /// A job fails, now.
    pub(crate) async fn fails(&self, job: &str) {
        self.tell(&failed(job, self.now())).await;
    }

    /// And is well again.
    pub(crate) async fn recovers(&self, job: &str) {
        let title = format!("job `{job}` succeeded again");
        self.tell(&Alert::closed(format!("job-{job}"), title, self.now())).await;
    }

    pub(crate) async fn tell(&self, alert: &Alert) {
        self.desk.notify(alert).await.expect("a place in the queue");
        self.desk.settle(PATIENCE).await;
    }

    pub(crate) fn shelf(&self) -> Shelf {
        Shelf::new(Arc::new(RealFs), &self.home)
    }

    pub(crate) fn alerts(&self) -> Vec<OpenAlert> {
        let shelved = self.shelf().read().expect("alerts");
        assert!(shelved.problems.is_empty(), "{:?}", shelved.problems);
        shelved.alerts
    }

    /// The names of the files, the lock left out.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.home.alerts()).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name != ".lock").collect();
        names.sort();
        names
    }
}

pub(crate) fn settings(sinks: Vec<Sink>) -> Settings {
    let mut config = Config::default();
    config.notify = sinks;
    let mut settings =
        Settings::of(&config, "db-1", |name| (name == "TOKEN").then(|| super::tracker::TOKEN.to_owned()));
    settings.node = "home-1".into();
    settings
}

/// The alert of a job that failed at `at`.
pub(crate) fn failed(job: &str, at: Timestamp) -> Alert {
    let alert = Alert::open(format!("job-{job}"), format!("job `{job}` failed"), at).kind(AlertKind::Failure);
    alert.about(job.parse().expect("an id")).detail("exit code 3")
}

/// `minutes` after ten o'clock.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    let ten: Timestamp = "2026-03-02T10:00:00Z".parse().expect("an instant");
    ten + SignedDuration::from_mins(minutes)
}
