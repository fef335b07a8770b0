//! What a sink is owed and was told, in the files of the alerts. A claim is written before the delivery, so that two processes
//! don't tell the same; it runs out, so that one that died doesn't keep the other from it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{Result, config::sinks::Sink};

use crate::{
    alert::{OpenAlert, Told},
    rules::{Moment, Owed, after, backoff, is_done, owed},
    shelf::Shelf,
};

/// What a claim lasts longer than a delivery may take.
const MARGIN: Duration = Duration::from_secs(30);

/// What has to be known of a sink to keep its books.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) sink: Sink,
    /// The most that it opens within a `rate_limit`, if it keeps what it opens.
    pub(super) most: Option<usize>,
    /// How long a delivery may take.
    pub(super) patience: Duration,
}

/// What there is to deliver.
pub(super) enum Claim {
    /// This, by us.
    Won(Box<OpenAlert>, Moment),
    /// Nothing before then.
    Nothing(Option<Timestamp>),
}

impl Ledger {
    /// What is due, the oldest first.
    pub(super) fn due<'a>(
        &self,
        alerts: &'a [OpenAlert],
        rate_limit: Duration,
        now: Timestamp,
    ) -> Vec<(&'a OpenAlert, Moment)> {
        let mut places = self.places(alerts, rate_limit, now);
        let owed = alerts.iter().filter_map(|alert| Some((alert, self.owed(alert, rate_limit, now)?)));
        let mut due: Vec<_> = owed.filter(|(_, owed)| owed.due <= now).collect();
        due.sort_by_key(|(_, owed)| owed.due);
        due.retain(|(_, owed)| {
            let opens = owed.moment == Moment::Opened;
            let fits = !opens || places > 0;
            places -= usize::from(opens && fits);
            fits
        });
        due.into_iter().map(|(alert, owed)| (alert, owed.moment)).collect()
    }

    /// Claims the oldest message that is due.
    pub(super) fn claim(&self, shelf: &Shelf, rate_limit: Duration, now: Timestamp) -> Result<Claim> {
        let name = &self.sink.name;
        let alerts = shelf.read()?.alerts;
        let wanted = self.due(&alerts, rate_limit, now).first().map(|(alert, moment)| (alert.key.clone(), *moment));
        let of = |alert: &OpenAlert| self.owed(alert, rate_limit, now);
        let settled = |alert: &OpenAlert| is_done(alert, &self.sink, of(alert), now);
        if wanted.is_none() && !alerts.iter().any(settled) {
            let next = alerts.iter().filter_map(of).map(|owed| owed.due).filter(|due| *due > now).min();
            return Ok(Claim::Nothing(next));
        }
        // Looked at once more under the lock: another process may have been faster.
        let claimed = shelf.change(|alert| {
            let owed = of(alert);
            let told = alert.sinks.get(name);
            if is_done(alert, &self.sink, owed, now) {
                let told = Told { closed: true, claimed_until: None, ..told.cloned().unwrap_or_default() };
                alert.sinks.insert(name.clone(), told);
                return Some(None);
            }
            let owed = owed.filter(|owed| owed.due <= now)?;
            if wanted.as_ref() != Some(&(alert.key.clone(), owed.moment)) {
                return None;
            }
            alert.sinks.entry(name.clone()).or_default().claimed_until = Some(after(now, self.patience + MARGIN));
            Some(Some((alert.clone(), owed.moment)))
        })?;
        let claimed = claimed.into_iter().flatten().next();
        Ok(claimed.map_or(Claim::Nothing(Some(now).filter(|_| wanted.is_some())), |(alert, moment)| {
            Claim::Won(Box::new(alert), moment)
        }))
    }

    /// Notes how it went.
    pub(super) fn note(
        &self,
        shelf: &Shelf,
        alert: &OpenAlert,
        moment: Moment,
        answer: Result<Option<String>>,
        now: Timestamp,
    ) -> Result<()> {
        shelf.change_one(&alert.key, alert.is_open(), |current| {
            let reopened = moment == Moment::Closed && current.is_open();
            let told = current.sinks.entry(self.sink.name.clone()).or_default();
            told.claimed_until = None;
            match answer {
                // It knows that it was over, and not that it has begun anew.
                Ok(_) if reopened => *told = Told::default(),
                Ok(thread) => {
                    let opened = told.opened.or(Some(now));
                    let thread = thread.or_else(|| told.thread.take());
                    let closed = moment == Moment::Closed;
                    *told =
                        Told { opened, at: Some(now), seen: Some(alert.last_seen), closed, thread, ..Told::default() };
                }
                Err(error) => {
                    told.tries = told.tries.saturating_add(1);
                    told.error = Some(error.to_string());
                    told.hint = error.hint_text().map(str::to_owned);
                    told.not_before = Some(after(now, backoff(told.tries)));
                }
            }
        })
    }

    fn owed(&self, alert: &OpenAlert, rate_limit: Duration, now: Timestamp) -> Option<Owed> {
        owed(alert, &self.sink, self.most.is_some(), rate_limit, now)
    }

    /// How many it may open now. What a clock opened that was set back since counts if that was within the limit, too: the
    /// window is one to both sides, or its places would be taken until that clock's time comes.
    fn places(&self, alerts: &[OpenAlert], rate_limit: Duration, now: Timestamp) -> usize {
        let Some(most) = self.most else { return usize::MAX };
        let window = SignedDuration::try_from(rate_limit).unwrap_or(SignedDuration::MAX);
        let told = alerts.iter().filter_map(|alert| alert.sinks.get(&self.sink.name)?.opened);
        most.saturating_sub(told.filter(|opened| now.duration_since(*opened).abs() < window).count())
    }
}
