//! Is a file fresh? One of any kind: by the time in it if it is JSON and has one, else by when it was last changed.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{Error, config::checks::Beat, duration};
use serde_json::Value;

use super::Found;

/// The most that is read of a file.
const MOST: u64 = 1 << 20;

/// How far ahead a time may be: clocks of two machines differ.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// The members that hold the time of a beat, the likeliest first.
const TIMES: [&str; 12] = [
    "at",
    "time",
    "timestamp",
    "ts",
    "updated_at",
    "updated",
    "last_beat",
    "last_seen",
    "last_run",
    "heartbeat",
    "date",
    "now",
];

/// What was read of a file.
#[derive(Debug)]
struct Content {
    /// The beginning of it.
    bytes: Vec<u8>,
    changed: Timestamp,
}

pub(super) fn look(check: &Beat, now: Timestamp) -> Found {
    judge(check, read(&check.file), now)
}

fn judge(check: &Beat, content: io::Result<Content>, now: Timestamp) -> Found {
    let shown = check.file.display();
    let writer = "see whether what writes it runs";
    let content = match content {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Found::bad(format!("{shown} is missing"), writer);
        }
        Err(error) => {
            let why = Error::io(format!("cannot read {shown}"), error).to_string();
            return Found::unknown(why, "check who owns it");
        }
    };
    let is_json = check.file.extension().is_some_and(|suffix| suffix == "json");
    let at = match serde_json::from_slice::<Value>(&content.bytes) {
        Ok(value) => time_in(&value).unwrap_or(content.changed),
        Err(why) if is_json => return Found::bad(format!("{shown} is corrupt: {why}"), writer),
        Err(_) => content.changed,
    };
    let age = now.duration_since(at);
    if age < -AHEAD {
        let clock = "check the clock of the machine that it comes from";
        return Found::bad(format!("{shown} is from the future: it is dated {at}"), clock);
    }
    let whole = |age: Duration| duration::format(Duration::from_secs(age.as_secs()));
    let age = Duration::try_from(age).unwrap_or_default();
    if age > check.max_age {
        let most = whole(check.max_age);
        return Found::bad(format!("{shown} is stale: it is {} old, and may be {most}", whole(age)), writer);
    }
    Found::ok(format!("{} old", whole(age)))
}

/// The time in a JSON object: RFC 3339, or seconds, milliseconds or microseconds since 1970.
fn time_in(value: &Value) -> Option<Timestamp> {
    let members = value.as_object()?;
    TIMES.iter().find_map(|name| match members.get(*name)? {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => since_1970(number.as_f64()?),
        _ => None,
    })
}

fn since_1970(number: f64) -> Option<Timestamp> {
    // Before 2001 no heart beat: a small number is a count, or an uptime.
    let seconds = match number {
        1e9..1e11 => number,
        1e12..1e14 => number / 1e3,
        1e15..1e17 => number / 1e6,
        _ => return None,
    };
    SignedDuration::try_from_secs_f64(seconds).ok().and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok())
}

fn read(path: &Path) -> io::Result<Content> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        // To open a pipe is to wait for its writer.
        return Err(io::Error::other("not a regular file"));
    }
    let changed = Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(Content { bytes, changed })
}

#[cfg(test)]
mod tests {
    use super::{super::row::shown, *};

    #[test]
    fn a_file_is_as_old_as_the_time_in_it_or_its_last_change() {
        let now: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let check = |file: &str, bytes: &str, changed: i64, expected: &str| {
            let changed = now - SignedDuration::from_secs(changed);
            let content = Ok(Content { bytes: bytes.as_bytes().to_vec(), changed });
            let found = shown(&judge(&Beat::new("a", file), content, now));
            assert!(found.starts_with(expected), "{bytes}: {found}");
        };
        check("/a", "", 300, "ok 5m old");
        check("/a", "any text", 301, "bad /a is stale: it is 5m 1s old, and may be 5m [see whether");
        check("/a.json", r#"{"at": "2026-11-22T02:59:00Z"}"#, 9999, "ok 1m old");
        check("/a.json", r#"{"at": "2026-11-22T02:00:00Z"}"#, 0, "bad /a.json is stale: it is 1h old");
        check("/a", r#"{"ts": 1795316340}"#, 9999, "ok 1m old");
        check("/a", r#"{"ts": 1795316340000.0}"#, 9999, "ok 1m old");
        check("/a", r#"{"timestamp": "soon", "updated": 1795316340000000}"#, 9999, "ok 1m old");
        check("/a.json", r#"{"count": 7, "time": 12}"#, 10, "ok 10s old");
        check("/a.json", "[1, 2]", 10, "ok 10s old");
        check("/a.json", r#"{"at": "2026-"#, 10, "bad /a.json is corrupt: ");
        check("/a.json", "", 10, "bad /a.json is corrupt: ");
        check("/a", "", -90, "bad /a is from the future: it is dated 2026-11-22T03:01:30Z");
        check("/a", "", -30, "ok 0s old");
        let found = judge(&Beat::new("a", "/a"), Err(io::ErrorKind::NotFound.into()), now);
        assert_eq!(shown(&found), "bad /a is missing [see whether what writes it runs]");
        let found = judge(&Beat::new("a", "/a"), Err(io::ErrorKind::PermissionDenied.into()), now);
        assert!(shown(&found).starts_with("unknown can't know: cannot read /a: permission denied"));
    }

    #[test]
    fn a_pipe_is_never_opened() {
        assert!(read(Path::new("/dev/null")).unwrap_err().to_string().contains("not a regular file"));
    }
}
