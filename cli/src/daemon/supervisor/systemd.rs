//! What the service manager is told, if one asked to be: readiness, watchdog and a line for `systemctl status`.

use std::time::Duration;

use scheduler_core::liveness::{Heartbeat, Phase, Status};
use sd_notify::NotifyState;

use crate::env;

/// Talks to the service manager; to nobody where there is none.
#[derive(Debug)]
pub(super) struct Systemd {
    listens: bool,
    /// How often it wants to hear from us.
    watchdog: Option<Duration>,
    ready: bool,
    told: String,
    stopping: bool,
}

impl Systemd {
    /// As the environment says.
    pub(super) fn of_the_environment() -> Self {
        let listens = env::notify_socket().is_some();
        let watchdog = sd_notify::watchdog_enabled().filter(|_| listens);
        Self { listens, watchdog, ready: false, told: String::new(), stopping: false }
    }

    /// The longest time between two looks that keeps it content.
    pub(super) fn pause(&self) -> Option<Duration> {
        let starting = (self.listens && !self.ready).then_some(Duration::from_millis(100));
        starting.or(self.watchdog.map(|watchdog| watchdog / 3))
    }

    /// The daemon gets on: that is all it hears READY and WATCHDOG for.
    pub(super) fn well(&mut self, beat: &Heartbeat) {
        if !self.listens {
            return;
        }
        let mut states = Vec::new();
        let has_ticked = beat.cycle > 0 && beat.phase != Phase::Starting;
        if has_ticked && !std::mem::replace(&mut self.ready, true) {
            states.push(NotifyState::Ready);
        }
        if matches!(beat.phase, Phase::Draining | Phase::Stopped) && !std::mem::replace(&mut self.stopping, true) {
            states.push(NotifyState::Stopping);
        }
        if self.watchdog.is_some() {
            states.push(NotifyState::Watchdog);
        }
        let line = line(beat);
        if self.told != line {
            states.push(NotifyState::Status(&line));
        }
        tell(&states);
        self.told = line;
    }

    /// It doesn't: this line is all it hears.
    pub(super) fn unwell(&mut self, line: &str) {
        if self.listens && self.told != line {
            tell(&[NotifyState::Status(line)]);
            line.clone_into(&mut self.told);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if states.is_empty() {
        return;
    }
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}

/// What `systemctl status` shows.
fn line(beat: &Heartbeat) -> String {
    if let (Status::Error, Some(error)) = (beat.status, &beat.error) {
        return format!("failing since {:.0}: {}", error.since, error.message);
    }
    match beat.phase {
        Phase::Starting => return "starting".into(),
        Phase::Draining => return format!("stopping; {} runs are open", beat.running),
        Phase::Stopped => return "stopped".into(),
        Phase::Idle | Phase::Ticking => {}
        _ => return beat.phase.word().into(),
    }
    let next = beat.next_wakeup.map_or_else(|| "nothing is due".into(), |next| format!("next at {next:.0}"));
    let fallback = if beat.fallback_reason.is_some() { ", the fallback," } else { "" };
    format!("{}{fallback} fires; {} running, {} queued; {next}", beat.provider, beat.running, beat.queue)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use scheduler_core::liveness::Failure;

    use super::*;

    #[test]
    fn the_line_says_what_it_does_and_what_is_wrong() {
        let mut beat = Heartbeat::new("run", Timestamp::UNIX_EPOCH, Duration::from_mins(1));
        assert_eq!(line(&beat), "starting");
        beat.phase = Phase::Idle;
        assert_eq!(line(&beat), "builtin fires; 0 running, 0 queued; nothing is due");
        beat.next_wakeup = Some(Timestamp::UNIX_EPOCH);
        beat.fallback_reason = Some("gone".into());
        assert_eq!(line(&beat), "builtin, the fallback, fires; 0 running, 0 queued; next at 1970-01-01T00:00:00Z");
        beat.status = Status::Error;
        beat.error = Some(Failure { message: "no space left".into(), since: Timestamp::UNIX_EPOCH, count: 3 });
        assert_eq!(line(&beat), "failing since 1970-01-01T00:00:00Z: no space left");
    }
}
