//! A job, as a plugin sees it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::HostError;

/// A job: what a plugin needs to know to arm it, and no more.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use sched_plugin::testing::TestHost;
///
/// let host = TestHost::default();
/// host.set_jobs(r#"[{"id": "backup", "next_at": 1000, "due_at": 3000, "paused": false}]"#);
/// let jobs = host.host().jobs()?;
/// assert_eq!((jobs[0].id.as_str(), jobs[0].due_at), ("backup", Some(UNIX_EPOCH + Duration::from_secs(3))));
/// # Ok::<(), sched_plugin::HostError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// What the host calls it.
    pub id: String,
    /// Its next instant; none while it owes none.
    pub next_at: Option<SystemTime>,
    /// When that is to start: then, or later by its jitter. What to arm.
    pub due_at: Option<SystemTime>,
    /// Whether it is paused.
    pub paused: bool,
}

/// Reads the host's list. Members that aren't known are ignored: the list grows.
pub(crate) fn read_list(json: &[u8]) -> Result<Vec<Job>, HostError> {
    let not_a_list = |why: String| HostError::new(-1, format!("the host's list of jobs can't be read: {why}"));
    let list: Vec<Value> = serde_json::from_slice(json).map_err(|error| not_a_list(error.to_string()))?;
    list.iter().map(|job| read(job).ok_or_else(|| not_a_list(format!("{job} has no id")))).collect()
}

fn read(job: &Value) -> Option<Job> {
    let next_at = instant(job, "next_at");
    Some(Job {
        id: job["id"].as_str()?.to_owned(),
        next_at,
        due_at: instant(job, "due_at").or(next_at),
        paused: job["paused"].as_bool().unwrap_or_default(),
    })
}

fn instant(job: &Value, key: &str) -> Option<SystemTime> {
    job[key].as_i64().map(from_unix_ms)
}

/// The host's instants are milliseconds since 1970.
pub(crate) fn from_unix_ms(ms: i64) -> SystemTime {
    let distance = Duration::from_millis(ms.unsigned_abs());
    let instant = if ms < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    // 292 million years fit in what every platform of the ABI has.
    instant.unwrap_or(UNIX_EPOCH)
}

/// As above; what lies between two milliseconds is the later one, since a job must not fire early.
pub(crate) fn to_unix_ms(instant: SystemTime) -> i64 {
    let whole = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    match instant.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after).saturating_add(i64::from(after.subsec_nanos() % 1_000_000 != 0)),
        Err(before) => -whole(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_the_way_and_never_become_earlier() {
        for ms in [0, 1, 999, 1_767_225_600_123, -1, -1500, i64::MIN + 1] {
            assert_eq!(to_unix_ms(from_unix_ms(ms)), ms);
        }
        assert_eq!(to_unix_ms(UNIX_EPOCH + Duration::from_nanos(1_000_001)), 2);
        assert_eq!(to_unix_ms(UNIX_EPOCH - Duration::from_nanos(1_000_001)), -1);
    }

    #[test]
    fn a_list_may_have_more_than_we_know_but_not_less() {
        let jobs = read_list(br#"[{"id": "a", "next_at": 5, "colour": "red"}]"#).expect("a list");
        assert_eq!(
            (jobs[0].next_at, jobs[0].due_at, jobs[0].paused),
            (Some(from_unix_ms(5)), Some(from_unix_ms(5)), false)
        );
        for wrong in ["", "{}", "[{}]", "[{\"id\": 1}]"] {
            assert!(read_list(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
