//! What a push monitor is asked: the address for each moment of a run. Pure.
//!
//! The protocol is that of healthchecks.io, which many speak. Uptime Kuma and Cronitor have one address for everything, with
//! the moment in its query; they are told by what their addresses look like.

use reqwest::{Method, Url};
use scheduler_core::{Outcome, RunId, RunResult};
use sha2::{Digest as _, Sha256};

/// A moment in the life of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Its process has started.
    Start,
    /// It did what it should.
    Success,
    /// It ended with this exit code.
    Exit(i32),
    /// It ended badly in another way: too late, by a signal, or before it began.
    Fail,
    /// It ended badly, and another attempt is made: worth a line, and no alarm.
    Retried,
}

impl Moment {
    /// The end that `outcome` is, `followed` by another attempt or not. Who asked for a cancellation knows of it; the work isn't
    /// done all the same.
    pub(super) fn of(outcome: &Outcome, followed: bool) -> Self {
        match (outcome.result, outcome.exit_code) {
            _ if followed => Self::Retried,
            (RunResult::Succeeded, _) => Self::Success,
            // A program may say 0 and have failed for another reason; and only what a byte holds is an exit status.
            (RunResult::Failed, Some(code @ 1..=255)) => Self::Exit(code),
            _ => Self::Fail,
        }
    }
}

/// How a moment is told at `url`; `None` if whoever is there has no use for it.
pub(super) fn request(mut url: Url, moment: Moment, rid: &str) -> Option<(Method, Url)> {
    if url.path().contains("/api/push/") {
        let (status, message) = match moment {
            Moment::Start | Moment::Retried => return None,
            Moment::Success => ("up", "OK".to_owned()),
            Moment::Exit(code) => ("down", format!("exit code {code}")),
            Moment::Fail => ("down", "failed".to_owned()),
        };
        with_query(&mut url, &[("status", status), ("msg", &message)]);
        return Some((Method::GET, url));
    }
    if url.host_str().is_some_and(|host| host == "cronitor.link") {
        let code;
        let (state, status) = match moment {
            Moment::Retried => return None,
            Moment::Start => ("run", None),
            Moment::Success => ("complete", Some("0")),
            Moment::Exit(number) => {
                code = number.to_string();
                ("fail", Some(code.as_str()))
            }
            Moment::Fail => ("fail", None),
        };
        let all = [("state", state), ("series", rid)];
        let all: Vec<(&str, &str)> = all.into_iter().chain(status.map(|status| ("status_code", status))).collect();
        with_query(&mut url, &all);
        return Some((Method::GET, url));
    }
    let below = match moment {
        Moment::Success => None,
        Moment::Start => Some("start".to_owned()),
        Moment::Exit(code) => Some(code.to_string()),
        Moment::Fail => Some("fail".to_owned()),
        Moment::Retried => Some("log".to_owned()),
    };
    if let Some(below) = below {
        let path = format!("{}/{below}", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    with_query(&mut url, &[("rid", rid)]);
    Some((Method::POST, url))
}

/// Sets these in the query; what else is there stays as it is written.
fn with_query(url: &mut Url, set: &[(&str, &str)]) {
    let is_other = |pair: &&str| set.iter().all(|(name, _)| pair.split('=').next() != Some(*name));
    let written = url.query().unwrap_or_default().to_owned();
    let others: Vec<&str> = written.split('&').filter(|pair| !pair.is_empty()).filter(is_other).collect();
    url.set_query(Some(&others.join("&")).filter(|others| !others.is_empty()).map(String::as_str));
    url.query_pairs_mut().extend_pairs(set);
}

/// The id that the start and the end of a run have in common: a UUID made of the id of the run.
pub(super) fn rid(run: &RunId) -> String {
    let hash = Sha256::digest(format!("sched run {run}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    // Version 8, "made in a way of its own", and the variant of RFC 9562.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, moment: Moment, expected: Option<&str>) {
        let asked = request(url.parse().unwrap(), moment, "r-i-d").map(|(method, url)| format!("{method} {url}"));
        assert_eq!(asked.as_deref(), expected, "{url} {moment:?}");
    }

    #[test]
    fn the_protocol_of_healthchecks_keeps_what_is_written() {
        let url = "https://hc-ping.com/uuid";
        check(url, Moment::Start, Some("POST https://hc-ping.com/uuid/start?rid=r-i-d"));
        check(url, Moment::Success, Some("POST https://hc-ping.com/uuid?rid=r-i-d"));
        check(url, Moment::Exit(3), Some("POST https://hc-ping.com/uuid/3?rid=r-i-d"));
        check(url, Moment::Fail, Some("POST https://hc-ping.com/uuid/fail?rid=r-i-d"));
        check(url, Moment::Retried, Some("POST https://hc-ping.com/uuid/log?rid=r-i-d"));
        check("http://h/key/slug/?create=1", Moment::Start, Some("POST http://h/key/slug/start?create=1&rid=r-i-d"));
        check("http://h/key/slug/?a=%20b", Moment::Success, Some("POST http://h/key/slug/?a=%20b&rid=r-i-d"));
        check("http://h", Moment::Fail, Some("POST http://h/fail?rid=r-i-d"));
    }

    #[test]
    fn others_are_told_in_the_query() {
        let kuma = "http://kuma:3001/api/push/key?status=up&msg=OK&ping=";
        check(kuma, Moment::Start, None);
        check(kuma, Moment::Retried, None);
        check(kuma, Moment::Success, Some("GET http://kuma:3001/api/push/key?ping=&status=up&msg=OK"));
        check(kuma, Moment::Exit(3), Some("GET http://kuma:3001/api/push/key?ping=&status=down&msg=exit+code+3"));
        let cronitor = "https://cronitor.link/p/key/backup";
        check(cronitor, Moment::Start, Some("GET https://cronitor.link/p/key/backup?state=run&series=r-i-d"));
        check(cronitor, Moment::Retried, None);
        let done = "GET https://cronitor.link/p/key/backup?state=complete&series=r-i-d&status_code=0";
        check(cronitor, Moment::Success, Some(done));
        check(cronitor, Moment::Fail, Some("GET https://cronitor.link/p/key/backup?state=fail&series=r-i-d"));
    }

    #[test]
    fn an_outcome_is_a_success_an_exit_code_or_a_failure() {
        let check = |result: RunResult, code: Option<i32>, expected: Moment| {
            let mut outcome = Outcome::new(result);
            outcome.exit_code = code;
            assert_eq!(Moment::of(&outcome, false), expected, "{result:?} {code:?}");
            assert_eq!(Moment::of(&outcome, true), Moment::Retried, "{result:?} {code:?}");
        };
        check(RunResult::Succeeded, Some(0), Moment::Success);
        check(RunResult::Failed, Some(3), Moment::Exit(3));
        check(RunResult::Failed, Some(0), Moment::Fail);
        check(RunResult::Failed, None, Moment::Fail);
        for result in [RunResult::TimedOut, RunResult::Unknown, RunResult::Cancelled] {
            check(result, Some(1), Moment::Fail);
        }
    }

    #[test]
    fn the_id_of_a_run_is_a_uuid_and_its_own() {
        let (one, other) = (rid(&RunId::new("1m80n4457pp0yjz")), rid(&RunId::new("1m80n445x4wcmsb")));
        assert_eq!(one, rid(&RunId::new("1m80n4457pp0yjz")));
        assert_ne!(one, other);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(one[14..].starts_with('8') && "89ab".contains(&one[19..20]), "{one}");
    }
}
