//! One ping on its way. Every way it can go wrong is said once, until it goes well again.

use std::{collections::HashSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use reqwest::{Method, Url};
use scheduler_core::{Error, ErrorKind, JobId, PingUrl, Result};
use tokio::time::{Instant, sleep_until};

use super::{
    PingSettings,
    hosts::{Hosts, backoff},
    lines::Ping,
    protocol::{Moment, request},
};
use crate::{
    http::{Answer, Http, public, refused, url},
    scrub::credentials,
};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends.
#[derive(Debug, Default)]
pub(super) struct Sender {
    http: Http,
    hosts: Hosts,
    /// Which jobs' pings are refused, their starts and their ends apart.
    refused: Mutex<HashSet<(JobId, bool)>>,
}

/// What became of a try.
enum Tried {
    Delivered,
    /// The server will not have it, now or later.
    Refused(Error),
    /// It may the next time.
    Busy(Error),
    /// It didn't answer.
    Silent,
}

impl Sender {
    /// Delivers one ping, or gives it up: refused, or too old.
    pub(super) async fn deliver(&self, job: &JobId, mut ping: Ping, settings: &PingSettings) {
        let body = match ping.body.take() {
            Some(body) => body.await.unwrap_or_default(),
            None => String::new(),
        };
        let mut failures = 0;
        while Instant::now() < ping.until() {
            match self.attempt(&ping, &body, settings).await {
                Tried::Delivered => return self.well(job, ping.moment),
                Tried::Refused(why) => return self.unwell(job, ping.moment, &why, "it is not tried again"),
                Tried::Busy(why) => {
                    failures += 1;
                    self.unwell(job, ping.moment, &why, "it is tried again, ever more rarely");
                    sleep_until((Instant::now() + backoff(failures)).min(ping.until())).await;
                }
                Tried::Silent => {}
            }
        }
        tracing::debug!(%job, run = %ping.run, "a ping was dropped: it has become too old to matter");
    }

    async fn attempt(&self, ping: &Ping, body: &str, settings: &PingSettings) -> Tried {
        let (written, address) = match revealed(&ping.url, settings).await {
            Ok(revealed) => revealed,
            Err(why) => return Tried::Refused(why),
        };
        let host = self.hosts.at(&host_of(&address));
        if let Some(not_before) = host.not_before() {
            sleep_until(not_before.min(ping.until())).await;
        }
        let Ok(_slot) = host.slots.acquire().await else { return Tried::Silent };
        // Those before us in the queue may have found out meanwhile.
        if host.not_before().is_some() {
            return Tried::Silent;
        }
        let Some((method, url)) = request(address, ping.moment, &ping.rid) else { return Tried::Delivered };
        let (place, secrets) = (public(&url), secrets(&written, &url));
        match self.http.tell((method.clone(), url), body.to_owned(), PATIENCE, &secrets).await {
            Ok(answer) => {
                host.answered();
                judged(&method, &place, &answer, &secrets)
            }
            Err(why) => {
                host.silent(&why);
                Tried::Silent
            }
        }
    }

    /// Says once that the daemon fires. A GET without a body is what every push monitor takes.
    pub(super) async fn life(&self, url: &PingUrl, settings: &PingSettings) -> Result<()> {
        let (written, address) = revealed(url, settings).await?;
        let (place, secrets) = (public(&address), secrets(&written, &address));
        let answer = self.http.tell((Method::GET, address), String::new(), PATIENCE, &secrets).await?;
        if answer.is_success() { Ok(()) } else { Err(refused(&Method::GET, &place, &answer, &secrets)) }
    }

    fn well(&self, job: &JobId, moment: Moment) {
        if self.refused.lock().remove(&(job.clone(), moment == Moment::Start)) {
            tracing::info!(%job, "its pings are taken again");
        }
    }

    fn unwell(&self, job: &JobId, moment: Moment, why: &Error, what_now: &str) {
        if self.refused.lock().insert((job.clone(), moment == Moment::Start)) {
            tracing::warn!(%job, hint = why.hint_text(), "its ping was not taken: {why}; {what_now}");
        }
    }
}

fn judged(method: &Method, place: &str, answer: &Answer, secrets: &[String]) -> Tried {
    match answer.status {
        200..=299 => Tried::Delivered,
        408 | 425 | 429 | 500.. => Tried::Busy(refused(method, place, answer, secrets)),
        _ => Tried::Refused(refused(method, place, answer, secrets)),
    }
}

/// The address as it is written out, and parsed. May read a file.
async fn revealed(ping_url: &PingUrl, settings: &PingSettings) -> Result<(String, Url)> {
    let (secret, environment) = (ping_url.secret().clone(), Arc::clone(&settings.environment));
    let reveal = move || {
        let written = secret.reveal_url(|name| environment(name))?;
        let wrong = |why| Error::new(ErrorKind::Invalid, format!("its `ping_url` is no address: {why}"));
        PingUrl::show(&written).map_err(wrong)?;
        let parsed = url(&written)?;
        Ok((written, parsed))
    };
    let gone = |why| Error::new(ErrorKind::Foreign, format!("reading an address broke off: {why}"));
    tokio::task::spawn_blocking(reveal).await.map_err(gone)?
}

/// Whose address it is.
fn host_of(address: &Url) -> String {
    let mut host = address.clone();
    host.set_path("/");
    host.set_query(None);
    public(&host)
}

/// What must not be repeated in a message: the address, and all its parts that say something.
fn secrets(written: &str, url: &Url) -> Vec<String> {
    let parts =
        url.path_segments().into_iter().flatten().chain(url.query().into_iter().flat_map(|q| q.split(['&', '='])));
    let telling = parts.filter(|part| part.len() >= 8).map(str::to_owned);
    let whole = [written.to_owned(), url.to_string(), url.path().to_owned()];
    whole.into_iter().chain(telling).chain(credentials(url)).collect()
}
