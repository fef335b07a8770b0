//! What a sink is owed: a pure function of an alert, the sink, and the time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scheduler_core::config::sinks::{Event, Sink};

use crate::alert::{OpenAlert, State, Told};

/// How long a sink is left alone after a failure, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(10), Duration::from_mins(15));

/// What passes is forgotten when it hasn't happened again for so long.
const PASSES_AFTER: Duration = Duration::from_hours(1);

/// What is over is forgotten after this, though a sink hasn't heard: it has been down for days, or isn't there any more.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(72);

/// No wait is longer than a day. What asks for more was written by a clock that has been set back since: it would keep a sink
/// from hearing anything until that clock's time comes.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// Which part of an alert's life a sink hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Moment {
    Opened,
    Updated,
    Closed,
    /// No alert at all: somebody tries the sink out.
    Test,
}

impl Moment {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Closed => "closed",
            Self::Test => "test",
        }
    }
}

/// What a sink is owed, and from when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) moment: Moment,
    pub(crate) due: Timestamp,
}

/// What `sink` is owed of `alert`, if anything. A sink that `keeps_open` something of its own, an issue say, has to hear of
/// every end.
///
/// Times in the future are those of a clock that was set back: what was due by it is due now.
pub(crate) fn owed(
    alert: &OpenAlert,
    sink: &Sink,
    keeps_open: bool,
    rate_limit: Duration,
    now: Timestamp,
) -> Option<Owed> {
    let nothing = Told::default();
    let told = alert.sinks.get(&sink.name).unwrap_or(&nothing);
    let addressed =
        alert.notify.as_ref().is_none_or(|names| names.contains(&sink.name)) && sink.hears(alert.kind.into());
    let owed = match (alert.state, told.opened) {
        (State::Open | State::Passing, None) if addressed => {
            Owed { moment: Moment::Opened, due: alert.since().min(now) }
        }
        (State::Open | State::Passing, Some(_)) => {
            let news = alert.acknowledged.is_none() && told.seen.is_none_or(|seen| alert.last_seen != seen);
            let told_at = told.at.unwrap_or(alert.last_seen);
            let due = if told_at > now { now } else { after(told_at, rate_limit) };
            Some(Owed { moment: Moment::Updated, due }).filter(|_| news && addressed)?
        }
        (State::Closed, Some(_)) if !told.closed => {
            let closed = alert.closed.as_ref()?;
            let wanted = if closed.passed { keeps_open } else { keeps_open || sink.hears(Event::Recovery) };
            Some(Owed { moment: Moment::Closed, due: closed.at.min(now) }).filter(|_| wanted)?
        }
        _ => return None,
    };
    let not_before = told.not_before.filter(|at| *at <= after(now, BACKOFF.1));
    let claimed_until = told.claimed_until.filter(|at| *at <= after(now, LONGEST_WAIT));
    let free = not_before.max(claimed_until);
    Some(Owed { due: free.map_or(owed.due, |free| owed.due.max(free)), ..owed })
}

/// Whether a sink that was told of `alert`, or may have been, will hear nothing more of it: it is over, and the sink is owed
/// nothing.
pub(crate) fn is_done(alert: &OpenAlert, sink: &Sink, owed: Option<Owed>, now: Timestamp) -> bool {
    let told = alert.sinks.get(&sink.name);
    let in_flight = told.and_then(|told| told.claimed_until).is_some_and(|until| until > now);
    !alert.is_open() && owed.is_none() && !in_flight && told.is_some_and(Told::holds_it_open)
}

/// Whether `alert` goes by itself now. One that is dated a day or more ahead, by a clock that was wrong, does.
pub(crate) fn has_passed(alert: &OpenAlert, rate_limit: Duration, now: Timestamp) -> bool {
    let (since, lasts) = match (alert.state, &alert.closed) {
        (State::Passing, _) => (alert.last_seen, rate_limit.max(PASSES_AFTER)),
        (State::Closed, Some(closed)) => (closed.at, FORGOTTEN_AFTER),
        _ => return false,
    };
    after(since, lasts) <= now || since >= after(now, LONGEST_WAIT)
}

/// How long a sink is left alone after so many failures in a row.
pub(crate) fn backoff(tries: u32) -> Duration {
    BACKOFF.0.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1).min(16))).min(BACKOFF.1)
}

/// `at` and `by` later.
pub(crate) fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use scheduler_core::{Alert, config::sinks::Via, notify::AlertKind};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).expect("an instant")
    }

    fn sink() -> Sink {
        Sink::new("ops", Via::Command { command: vec!["page".into()], timeout: HOUR })
    }

    /// An alert that began at minute 0.
    fn alert() -> OpenAlert {
        OpenAlert::new(&Alert::open("job-a", "job `a` failed", at(0)).kind(AlertKind::Failure))
    }

    fn told(alert: &mut OpenAlert, minute: i64) -> &mut Told {
        let told = Told { opened: Some(at(0)), at: Some(at(minute)), seen: Some(alert.last_seen), ..Told::default() };
        alert.sinks.insert("ops".into(), told);
        alert.sinks.get_mut("ops").expect("just put there")
    }

    #[test]
    fn a_sink_is_owed_the_opening_once_updates_now_and_then_and_the_end_if_it_knew() {
        let check = |what: &str, expected: Option<(Moment, i64)>, change: fn(&mut OpenAlert)| {
            let mut alert = alert();
            change(&mut alert);
            let expected = expected.map(|(moment, minute)| Owed { moment, due: at(minute) });
            assert_eq!(owed(&alert, &sink(), false, HOUR, at(100)), expected, "{what}");
        };
        check("new", Some((Moment::Opened, 0)), |_| {});
        check("new, and tried before", Some((Moment::Opened, 7)), |alert| {
            alert.sinks.insert("ops".into(), Told { not_before: Some(at(7)), ..Told::default() });
        });
        check("new, and another process is at it", Some((Moment::Opened, 9)), |alert| {
            let told = Told { not_before: Some(at(7)), claimed_until: Some(at(9)), ..Told::default() };
            alert.sinks.insert("ops".into(), told);
        });
        check("not for this sink", None, |alert| alert.notify = Some(vec!["others".into()]));
        check("for this sink", Some((Moment::Opened, 0)), |alert| alert.notify = Some(vec!["ops".into()]));
        check("nothing that it hears of", None, |alert| alert.kind = AlertKind::Skipped);
        check("told, and nothing new", None, |alert| {
            told(alert, 1);
        });
        check("told, and seen again", Some((Moment::Updated, 61)), |alert| {
            told(alert, 1);
            alert.last_seen = at(5);
        });
        check("told, seen again, acknowledged", None, |alert| {
            told(alert, 1);
            alert.last_seen = at(5);
            alert.acknowledged = Some(crate::Acknowledged { at: at(6), by: None });
        });
        check("told, and over", Some((Moment::Closed, 9)), |alert| {
            told(alert, 1);
            alert.close("well again", at(9), false);
        });
        check("told, and it has passed", None, |alert| {
            told(alert, 1);
            alert.close("it has passed", at(9), true);
        });
        check("told, over, and told that", None, |alert| {
            told(alert, 1).closed = true;
            alert.close("well again", at(9), false);
        });
        check("never told, and over", None, |alert| alert.close("well again", at(9), false));
    }

    #[test]
    fn a_sink_that_keeps_something_open_hears_of_every_end() {
        let mut deaf = sink();
        deaf.on.remove(&Event::Recovery);
        let mut alert = alert();
        told(&mut alert, 1);
        alert.close("it has passed", at(9), true);
        assert_eq!(owed(&alert, &deaf, true, HOUR, at(10)), Some(Owed { moment: Moment::Closed, due: at(9) }));
        assert_eq!(owed(&alert, &deaf, false, HOUR, at(10)), None);
        assert!(is_done(&alert, &deaf, None, at(10)), "it hears nothing more");
        assert!(!is_done(&alert, &deaf, owed(&alert, &deaf, true, HOUR, at(10)), at(10)));
    }

    #[test]
    fn what_a_clock_wrote_that_was_set_back_since_makes_nobody_wait() {
        let now = at(-60);
        let check = |what: &str, expected: Option<(Moment, i64)>, change: fn(&mut OpenAlert)| {
            let mut alert = alert();
            change(&mut alert);
            let expected = expected.map(|(moment, minute)| Owed { moment, due: at(minute) });
            assert_eq!(owed(&alert, &sink(), false, HOUR, now), expected, "{what}");
        };
        check("new", Some((Moment::Opened, -60)), |_| {});
        check("tried before", Some((Moment::Opened, -60)), |alert| {
            alert.sinks.insert("ops".into(), Told { not_before: Some(at(1)), ..Told::default() });
        });
        check("tried a moment ago", Some((Moment::Opened, -50)), |alert| {
            alert.sinks.insert("ops".into(), Told { not_before: Some(at(-50)), ..Told::default() });
        });
        check("told in another century, and seen again", Some((Moment::Updated, -60)), |alert| {
            told(alert, 50_000_000);
            alert.last_seen = at(-61);
        });
        check("claimed in another century, over", Some((Moment::Closed, -60)), |alert| {
            told(alert, 1).claimed_until = Some(at(50_000_000));
            alert.close("well again", at(9), false);
        });
        check("told, and nothing new", None, |alert| {
            told(alert, 1);
        });
    }

    #[test]
    fn what_passes_goes_by_itself_and_what_is_over_is_not_kept_for_ever() {
        let check = |alert: &OpenAlert, rate_limit: Duration, minute: i64| {
            assert!(!has_passed(alert, rate_limit, at(minute - 1)), "before minute {minute}");
            assert!(has_passed(alert, rate_limit, at(minute)), "at minute {minute}");
        };
        let mut alert = alert();
        assert!(!has_passed(&alert, HOUR, at(1_000_000)), "an open one stays");
        alert.state = State::Passing;
        check(&alert, Duration::ZERO, 60);
        check(&alert, HOUR * 6, 360);
        assert!(!has_passed(&alert, HOUR, at(-60)), "the clock was set back by an hour");
        assert!(has_passed(&alert, HOUR, at(-50_000_000)), "it was never right");
        alert.close("it has passed", at(9), true);
        check(&alert, HOUR, 9 + 72 * 60);
    }

    #[test]
    fn tries_come_ever_more_rarely_and_never_stop() {
        let waits: Vec<u64> = [1, 2, 3, 7, 8, 1000].map(|tries| backoff(tries).as_secs()).into();
        assert_eq!(waits, [10, 20, 40, 640, 900, 900]);
    }
}
