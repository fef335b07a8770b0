//! The file of a beat: its form, its size, and that nothing else is taken for one.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::{
    liveness::heartbeat::{self, FILE_LEN},
    vfs::RealFs,
};

fn check_garbage(content: &[u8], why: &str) {
    match Heartbeat::decode(content) {
        Err(Unreadable::Garbage(found)) => assert!(found.contains(why), "{found}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_is_one_object_with_its_checksum_last_in_a_file_of_one_size() {
    let beat = beat(&live(), 3);
    let file = beat.encode();
    assert_eq!((file.len(), file.last()), (FILE_LEN, Some(&b'\n')));
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&file).unwrap();
    assert_eq!(object.keys().next_back().unwrap(), "crc32");
    let text = String::from_utf8(file).unwrap();
    let (sealed, seal) = text.split_once(",\"crc32\"").unwrap();
    assert_eq!(seal.trim_end(), format!(":\"{:08x}\"}}", crc32fast::hash(sealed.as_bytes())));
    assert_eq!(object["phase"], "idle");
    assert_eq!(object["status"], "ok");
    assert_eq!(object["interval_s"], 60.0);
}

#[test]
fn fields_of_a_newer_build_are_passed_over() {
    let text = String::from_utf8(beat(&live(), 3).encode()).unwrap();
    let (sealed, _) = text.split_once(",\"crc32\"").unwrap();
    let newer = format!("{sealed},\"tomorrow\":[1]");
    let file = format!("{newer},\"crc32\":\"{:08x}\"}}\n", crc32fast::hash(newer.as_bytes()));
    assert_eq!(Heartbeat::decode(file.as_bytes()), Ok(beat(&live(), 3)));
}

#[test]
fn nothing_else_is_taken_for_a_beat() {
    let good = beat(&live(), 3).encode();
    let mut next = beat(&live(), 2);
    next.cycle += 1;
    let torn = [&next.encode()[..300], &good[300..]].concat();
    check_garbage(&torn, "checksum is wrong");
    check_garbage(&good[..200], "no checksum");
    check_garbage(b"{}", "no checksum");
    check_garbage(b"{\"a\":1,\"crc32\":\"00000000\"}", "checksum is wrong");
    check_garbage(b"{\"a\":1,\"crc32\":\"+0000000\"}", "checksum is wrong");
    check_garbage(b"{\"a\":1,\"crc32\":\"", "checksum is wrong");
    check_garbage(&[0xff; 4096], "no checksum");
    let sealed = |text: &str| format!("{text},\"crc32\":\"{:08x}\"}}", crc32fast::hash(text.as_bytes()));
    check_garbage(sealed("{\"a\":1").as_bytes(), "missing field");
    let newer = String::from_utf8(good.clone()).unwrap();
    let newer = newer.split_once(",\"crc32\"").unwrap().0.replacen("\"format\":1", "\"format\":2", 1);
    check_garbage(sealed(&newer).as_bytes(), "format 2");
    for empty in [&b""[..], b" \n", &[0; 4096]] {
        assert_eq!(Heartbeat::decode(empty), Err(Unreadable::Empty));
    }
    for at in 0..good.iter().rposition(|byte| *byte == b'}').unwrap() {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        assert!(Heartbeat::decode(&flipped).is_err(), "byte {at}");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("beat");
    assert_eq!(heartbeat::read(&RealFs, &path), Err(Unreadable::Missing));
    fs::write(&path, "").unwrap();
    assert_eq!(heartbeat::read(&RealFs, &path), Err(Unreadable::Empty));
    fs::write(&path, "words").unwrap();
    assert!(matches!(heartbeat::read(&RealFs, &path), Err(Unreadable::Garbage(_))));
    fs::write(&path, beat(&live(), 1).encode()).unwrap();
    assert_eq!(heartbeat::read(&RealFs, &path), Ok(beat(&live(), 1)));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(heartbeat::read(&RealFs, &path), Err(Unreadable::Failed(_))));
    fs::remove_dir(&path).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR).unwrap();
    assert_eq!(heartbeat::read(&RealFs, &path), Err(Unreadable::Garbage("it is a pipe".into())));
}

proptest! {
    /// Whatever the texts and numbers are, the file has its size and reads back.
    #[test]
    fn it_always_fits(
        text in "\\PC{0,40}|[\\x00-\\x1f\"\\\\]{0,3000}|.{0,3000}",
        n in any::<u64>(),
        seconds in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
    ) {
        let at = Timestamp::from_second(seconds).unwrap();
        let some = || Some(text.clone());
        let beat = Heartbeat {
            agent: text.clone(),
            boot_id: text.clone(),
            provider: text.clone(),
            machine_id: some(),
            fallback_reason: some(),
            last_action: some(),
            error: Some(Failure { message: text.clone(), since: at, count: n }),
            previous_at: Some(at),
            previous_boottime_ns: Some(n),
            last_success_at: Some(at),
            next_wakeup: Some(at),
            cycle: n,
            queue: n,
            running: n,
            boottime_ns: n,
            monotonic_ns: n,
            progress_monotonic_ns: n,
            provider_monotonic_ns: Some(n),
            pid_ns: Some(n),
            proc_start: n,
            ..Heartbeat::new(text.clone(), at, Duration::from_secs(n >> 32))
        };
        let file = beat.encode();
        prop_assert_eq!(file.len(), FILE_LEN);
        let read = Heartbeat::decode(&file).unwrap();
        prop_assert_eq!(read.cycle, n);
        if text.len() < 10 {
            prop_assert_eq!(read, beat);
        }
    }
}
