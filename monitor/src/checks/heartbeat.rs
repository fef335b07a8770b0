//! Is a file fresh? One of any kind: by the time in it if it is JSON and has one, else by when it was last changed.
//!
//! A member that is called like a time and is none is a problem: by its last change alone, a file that a writer that hangs
//! writes again and again would be fresh for ever.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, civil::DateTime};
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
        Ok(value) => match time_in(&value) {
            Ok(at) => at.unwrap_or(content.changed),
            Err(NoTime { member, why, known }) => {
                let what = format!("{shown}: `{member}` {why}");
                let hint =
                    "write it as `2026-11-22T15:30:00Z`, or as seconds since 1970; what is no time, call otherwise";
                return if known { Found::bad(what, hint) } else { Found::unknown(what, hint) };
            }
        },
        Err(why) if is_json => return Found::bad(format!("{shown} is corrupt: {why}"), writer),
        Err(_) => content.changed,
    };
    let age = now.duration_since(at);
    if age < -AHEAD {
        let clock = "check the clock of the machine that it comes from";
        return Found::bad(format!("{shown} is from the future: it is dated {at}"), clock);
    }
    let whole = |age: Duration| duration::coarse(Duration::from_secs(age.as_secs()));
    let age = Duration::try_from(age).unwrap_or_default();
    if age > check.max_age {
        let most = whole(check.max_age);
        return Found::bad(format!("{shown} is stale: it is {} old, and may be {most}", whole(age)), writer);
    }
    Found::ok(format!("{} old", whole(age)))
}

/// Why a member that is called like a time is none.
struct NoTime {
    member: &'static str,
    why: String,
    /// Whether it certainly is none.
    known: bool,
}

/// The time in a JSON object: that of the first member which holds one. `None` if none is called like one.
fn time_in(value: &Value) -> Result<Option<Timestamp>, NoTime> {
    let Some(members) = value.as_object() else { return Ok(None) };
    let mut wrong = None;
    for (member, value) in TIMES.iter().filter_map(|name| Some((*name, members.get(*name)?))) {
        match time(value) {
            Ok(at) => return Ok(Some(at)),
            Err((why, known)) => drop(wrong.get_or_insert(NoTime { member, why, known })),
        }
    }
    wrong.map_or(Ok(None), Err)
}

/// RFC 3339, also with a space in it, or a number since 1970; or why it is no time, and whether that is certain.
fn time(value: &Value) -> Result<Timestamp, (String, bool)> {
    let none = || (format!("is no time: {}", cut(&value.to_string())), true);
    let number = |number: Option<f64>| number.and_then(since_1970).ok_or_else(none);
    match value {
        Value::Number(since) => number(since.as_f64()),
        Value::String(text) => {
            let text = text.trim();
            // `2026-11-22 15:30:00 +0100`, as `date` and many logs have it.
            let joined = text.replacen(" +", "+", 1).replacen(" -", "-", 1);
            if let Ok(at) = joined.replacen(" UTC", "Z", 1).parse() {
                return Ok(at);
            }
            if text.parse::<DateTime>().is_ok() {
                let why = format!("is {text}, without a time zone, so how old it is can't be told");
                return Err((why, false));
            }
            number(text.parse().ok().filter(|_| text.starts_with(|c: char| c.is_ascii_digit())))
        }
        _ => Err(none()),
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, whichever isn't millennia away.
fn since_1970(number: f64) -> Option<Timestamp> {
    let seconds = match number {
        0.0..1e11 => number,
        1e11..1e14 => number / 1e3,
        1e14..1e17 => number / 1e6,
        1e17..1e20 => number / 1e9,
        _ => return None,
    };
    SignedDuration::try_from_secs_f64(seconds).ok().and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok())
}

/// What a stranger has written, as far as a line has room for it.
fn cut(text: &str) -> String {
    const ROOM: usize = 40;
    match text.char_indices().nth(ROOM) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
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
        check("/a", r#"{"ts": 1795316340000000000}"#, 9999, "ok 1m old");
        check("/a", r#"{"ts": "1795316340.5"}"#, 9999, "ok 59s old");
        for at in [
            "2026-11-22 02:59:00Z",
            "2026-11-22 03:59:00.25+01:00",
            "2026-11-22 03:59:00 +0100",
            " 2026-11-22 02:59:00 UTC",
        ] {
            check(
                "/a",
                &format!(r#"{{"at": "{at}"}}"#),
                9999,
                if at.contains('.') { "ok 59s old" } else { "ok 1m old" },
            );
        }
        let no_time = [
            (
                r#"{"at": "yesterday"}"#,
                r#"`at` is no time: "yesterday" [write it as `2026-11-22T15:30:00Z`, or as seconds"#,
            ),
            (r#"{"count": 7, "at": null, "time": "12:30"}"#, "`at` is no time: null ["),
            (r#"{"ts": -1}"#, "`ts` is no time: -1 ["),
            (r#"{"now": 1e300}"#, "`now` is no time: 1e+300 ["),
            (r#"{"last_run": {"at": 0}}"#, r#"`last_run` is no time: {"at":0} ["#),
            (r#"{"at": "inf"}"#, r#"`at` is no time: "inf" ["#),
        ];
        for (text, says) in no_time {
            check("/a", text, 0, &format!("bad /a: {says}"));
        }
        for text in ["2026-11-22 02:59:00", "2026-11-22T02:59:00.123456", "2026-11-22"] {
            let says = format!("unknown can't know: /a: `timestamp` is {text}, without a time zone, so how old it is");
            check("/a", &format!(r#"{{"timestamp": "{text}"}}"#), 0, &says);
        }
        // A clock that was never set.
        check("/a", r#"{"at": 0}"#, 0, "bad /a is stale: it is ");
        check("/a", r#"{"time": 12}"#, 0, "bad /a is stale: it is ");
        check("/a.json", r#"{"count": 7}"#, 10, "ok 10s old");
        check("/a.json", r#"{"meta": {"at": 0}}"#, 10, "ok 10s old");
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
