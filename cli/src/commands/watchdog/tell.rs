//! The rows that are problems, as alerts: one scope for all of them, so what isn't found any more closes.

use std::sync::Arc;

use sched_monitor::{Desk, OpenAlert, Shelf};
use scheduler_core::{
    Alert, Clock, Home,
    config::{Config, Watchdog, sinks::Sink},
    notify::AlertKind,
    vfs::Bounded,
};

use super::{own::Own, rows::Line};
use crate::{alerts, args::WatchdogArgs, failure::Failure};

/// The scope of the alerts of all watchdogs of a home.
const SCOPE: &str = "watchdog";

/// What the keys of alerts about failed jobs begin with; they are the daemon's.
const JOB: &str = "job-";

/// What the keys of alerts about heartbeats of jobs begin with.
const HEARTBEAT: &str = "heartbeat";

/// What there is to be told.
pub(super) struct Findings<'a> {
    pub(super) lines: &'a [Line],
    /// This home, which is what most of them are about.
    pub(super) own: &'a Own,
    /// Whether it is known which heartbeats are expected: while it isn't, what seems to be well may only be forgotten.
    pub(super) knows_heartbeats: bool,
}

/// Where a watchdog tells what it finds, kept from one evaluation to the next.
pub(super) struct Teller {
    disk: Bounded,
    desk: Option<Desk>,
    /// Whom the desk tells.
    settings: Option<(Vec<Sink>, Watchdog, Option<String>)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) opened: Vec<String>,
    pub(super) closed: Vec<String>,
    /// Problems that opened no alert because there were too many new ones.
    pub(super) held_back: usize,
    /// What would be sent, if nothing is.
    pub(super) messages: Vec<String>,
    /// Why nobody could be told.
    pub(super) error: Option<String>,
}

impl Teller {
    /// One whose files are on `disk`.
    pub(super) fn new(disk: Bounded) -> Self {
        Self { disk, desk: None, settings: None }
    }

    /// Opens, updates and closes alerts as `found` asks for it.
    pub(super) async fn tell(
        &mut self,
        home: &Home,
        clock: &Arc<dyn Clock>,
        config: &Config,
        found: &Findings<'_>,
        args: &WatchdogArgs,
    ) -> Told {
        let mut told = Told::default();
        let problems: Vec<&Line> = found.lines.iter().filter(|line| line.row.found.verdict.is_problem()).collect();
        // What can't be read keeps nobody from being told; that it can't is one of these.
        let shelved = Shelf::new(Arc::new(self.disk.clone()), home).read().unwrap_or_default();
        let open: Vec<&OpenAlert> = shelved.open().collect();
        let known = |key: &str| open.iter().find(|alert| alert.key == key);
        let mut current = Vec::new();
        for line in problems.iter().filter(|line| line.is_told) {
            match known(&line.key) {
                // The daemon has told it, and will tell when the job is well again.
                Some(alert) if line.key.starts_with(JOB) && alert.scope.as_deref() != Some(SCOPE) => continue,
                Some(_) => {}
                None if args.max_issues.is_some_and(|most| told.opened.len() >= most) => {
                    told.held_back += 1;
                    continue;
                }
                None => told.opened.push(line.key.clone()),
            }
            current.push(alert(line, clock, &config.watchdog));
        }
        // What somebody has acknowledged is no problem of `status` any more, and yet not over; nor is what can't be seen now.
        let (troubled, is_dark) = (found.own.troubled(), matches!(found.own, Own::Dark(_)));
        let lasts = |alert: &&&OpenAlert| {
            let is_acknowledged = alert.acknowledged.is_some() && troubled.contains(&alert.key);
            let is_uncertain = !found.knows_heartbeats && alert.key.starts_with(HEARTBEAT);
            alert.scope.as_deref() == Some(SCOPE) && (is_dark || is_acknowledged || is_uncertain)
        };
        for alert in open.iter().filter(lasts).filter(|alert| problems.iter().all(|line| line.key != alert.key)) {
            current.push(Alert::open(&alert.key, &alert.title, clock.now()).detail(&alert.detail).kind(alert.kind));
        }
        let asked = if args.dry_run {
            let desk = Desk::dry(Arc::new(self.disk.clone()), home, Arc::clone(clock), &alerts::settings(home, config));
            desk.preview(SCOPE, current).await.map(|messages| told.messages = messages)
        } else {
            let desk = self.desk(home, clock, config);
            desk.reconcile(SCOPE, current).await.map(|changes| {
                told.opened = changes.opened;
                told.closed = changes.closed;
            })
        };
        if let Err(error) = asked {
            // What was about to open has not.
            told.opened.clear();
            told.error = Some(error.to_string());
        }
        told
    }

    /// Closes all there is.
    ///
    /// # Errors
    /// They stay.
    pub(super) async fn close_all(
        &mut self,
        home: &Home,
        clock: &Arc<dyn Clock>,
        config: &Config,
    ) -> Result<(), Failure> {
        self.desk(home, clock, config).reconcile(SCOPE, Vec::new()).await?;
        Ok(())
    }

    /// Waits for the sinks as long as they may take: while nothing else runs, nobody else can.
    pub(super) async fn settle_patiently(&self) {
        if let Some(desk) = &self.desk {
            alerts::settle_patiently(desk).await;
        }
    }

    /// Waits for the sinks, for a while.
    pub(super) async fn settle(&self) {
        if let Some(desk) = &self.desk {
            desk.settle(alerts::PATIENCE).await;
        }
    }

    fn desk(&mut self, home: &Home, clock: &Arc<dyn Clock>, config: &Config) -> Desk {
        let settings = (config.notify.clone(), config.watchdog.clone(), config.agent.clone());
        let is_new = self.settings.as_ref() != Some(&settings);
        self.settings = Some(settings);
        match &self.desk {
            Some(desk) => {
                if is_new {
                    desk.change(&alerts::settings(home, config));
                }
                desk.clone()
            }
            None => {
                let fs = Arc::new(self.disk.clone());
                let desk = Desk::new(fs, home, Arc::clone(clock), &alerts::settings(home, config));
                self.desk.insert(desk).clone()
            }
        }
    }
}

fn alert(line: &Line, clock: &Arc<dyn Clock>, config: &Watchdog) -> Alert {
    let found = &line.row.found;
    // A job's own alert goes on to be one about its failure.
    let kind = if line.key.starts_with(JOB) { AlertKind::Failure } else { AlertKind::Problem };
    let alert = Alert::open(&line.key, &found.detail, clock.now()).kind(kind).severity(line.severity);
    let alert = found.hint.iter().fold(alert, |alert, hint| alert.detail(format!("hint: {hint}")));
    let alert = line.job.iter().cloned().fold(alert, Alert::about);
    alert.to(config.notify.clone())
}
