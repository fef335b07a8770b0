//! What goes along with the end of a run: the tail of its output, and why it ended, in words.

use std::{fs::File, io::Read as _, io::Seek as _, io::SeekFrom, path::Path};

use scheduler_core::Outcome;

/// The last `most` bytes of what a run printed, as text, and the reason for its end where no exit code says it. Reads a file.
pub(super) fn body(outcome: &Outcome, most: u64) -> String {
    if most == 0 {
        return String::new();
    }
    let reason = outcome.message.as_deref().or(outcome.signal.map(|_| "")).map(|message| {
        let words = if message.is_empty() { outcome.reason().unwrap_or_default() } else { message.to_owned() };
        format!("sched: {words}\n")
    });
    let reason = reason.unwrap_or_default();
    let room = usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(reason.len());
    // A log that has been pruned already is no reason to say nothing.
    let output = outcome.output.as_ref().and_then(|output| tail(&output.path, room).ok()).unwrap_or_default();
    let gap = if output.is_empty() || output.ends_with('\n') || reason.is_empty() { "" } else { "\n" };
    let whole = format!("{output}{gap}{reason}");
    // Whatever is cut is cut at the front: the end says why.
    let begin = whole.ceil_char_boundary(whole.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX)));
    whole[begin..].to_owned()
}

/// The last bytes of a file, from the beginning of a character on.
fn tail(path: &Path, most: usize) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    // A character that was cut in two is left out; what never was one is replaced.
    let cut = if length > most { bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count() } else { 0 };
    Ok(String::from_utf8_lossy(&bytes[cut..]).into_owned())
}

#[cfg(test)]
mod tests {
    use scheduler_core::{Output, RunResult};

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes the file that the code under test finds")]
    fn the_end_of_it_is_kept_as_text_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let check = |printed: &[u8], message: Option<&str>, most: u64, expected: &str| {
            std::fs::write(&path, printed).unwrap();
            let mut outcome = Outcome::new(RunResult::Failed);
            outcome.message = message.map(str::to_owned);
            outcome.output = Some(Output { path: path.clone(), written: 0, kept: 0 });
            let body = body(&outcome, most);
            assert!(body.len() as u64 <= most, "{body:?}");
            assert_eq!(body, expected);
        };
        check(b"one\ntwo\n", None, 100, "one\ntwo\n");
        check(b"one\ntwo\n", None, 4, "two\n");
        check("äöü".as_bytes(), None, 5, "öü");
        check(b"\xff\xfeab", None, 100, "\u{fffd}\u{fffd}ab");
        check(b"\xff\xff\xff\xff\xff", None, 4, "\u{fffd}");
        check(b"one", Some("gone"), 100, "one\nsched: gone\n");
        check(b"one", Some("gone"), 14, "e\nsched: gone\n");
        check(b"one", Some("gone"), 0, "");
        check(b"", Some("gone"), 100, "sched: gone\n");
        let mut killed = Outcome::new(RunResult::Failed);
        killed.signal = Some(9);
        assert_eq!(body(&killed, 100), "sched: signal 9\n", "without a file, too");
    }
}
