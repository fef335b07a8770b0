//! Rows about the disk: which file system, how much room, and whether a sync is one.

use std::time::Duration;

use scheduler_core::size;

use super::row::Row;
use crate::daemon::filesystem;

/// The disk that the home is on.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    /// The magic number of statfs(2).
    pub(super) magic: Option<i64>,
    pub(super) room: Option<Room>,
    /// How long it took to make a few kilobytes durable, or why that failed; `None` where there is no place to try.
    pub(super) sync: Option<Result<Duration, String>>,
}

/// What is left, for somebody who isn't root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) bytes: u64,
    pub(super) inodes: u64,
    /// All inodes; 0 where the file system makes them as needed.
    pub(super) all_inodes: u64,
    pub(super) read_only: bool,
}

/// Magic numbers of file systems that are local, with their names.
const LOCAL: [(i64, &str); 6] = [
    (0xef53, "ext2/3/4"),
    (0x5846_5342, "XFS"),
    (0x9123_683e, "Btrfs"),
    (0x2fc1_2fc1, "ZFS"),
    (0xf2f5_2010, "F2FS"),
    (0xca45_1a4e, "bcachefs"),
];

/// Those that don't outlive the machine's next start.
const FLEETING: [(i64, &str); 2] = [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs")];

/// The upper layer of a container.
const OVERLAY: i64 = 0x794c_7630;

/// Below the first the journal may fail at any moment, below the second soon.
const NO_ROOM: u64 = 16 << 20;
const LITTLE_ROOM: u64 = 256 << 20;
const NO_INODES: u64 = 64;
const FEW_INODES: u64 = 2000;

/// No disk answers faster, and a claim waits for one sync or two.
const TOO_FAST: Duration = Duration::from_micros(5);
const SLOW: Duration = Duration::from_millis(100);

pub(super) fn rows(disk: &Disk) -> Vec<Row> {
    vec![file_system(disk), space(disk), inodes(disk), sync(disk)]
}

fn file_system(disk: &Disk) -> Row {
    const CHECK: &str = "file system";
    let Some(magic) = disk.magic else { return Row::unknown(CHECK, "the system doesn't say") };
    let name = |known: &[(i64, &'static str)]| known.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name);
    if let Some(name) = filesystem::remote(magic) {
        let detail = format!("{name}: locks and syncs can't be trusted there, and nothing is promised");
        return Row::bad(CHECK, detail, "put the home on a local disk");
    }
    if let Some(name) = name(&FLEETING) {
        let detail = format!("{name}: the home is gone when the machine is started anew");
        return Row::warn(CHECK, detail, "put the home on a disk");
    }
    if magic == OVERLAY {
        let detail = "overlay: the home is gone with its container";
        return Row::warn(CHECK, detail, "put the home on a volume");
    }
    match name(&LOCAL) {
        Some(name) => Row::ok(CHECK, format!("{name}, local")),
        None => Row::info(CHECK, format!("of a kind that sched doesn't know (0x{magic:x}); taken for a local one")),
    }
}

fn space(disk: &Disk) -> Row {
    const CHECK: &str = "free space";
    const FIX: &str = "make room; old output is in `runs`, bounded by `history` in config.yaml";
    let Some(room) = disk.room else { return Row::unknown(CHECK, "the system doesn't say") };
    let detail = size::format(room.bytes);
    if room.read_only {
        return Row::bad(CHECK, "the file system is mounted read-only", "mount it writable, and see why it was not");
    }
    match room.bytes {
        ..NO_ROOM => Row::bad(CHECK, format!("{detail}: no job starts once the journal can't be written"), FIX),
        NO_ROOM..LITTLE_ROOM => Row::warn(CHECK, detail, FIX),
        _ => Row::ok(CHECK, detail),
    }
}

fn inodes(disk: &Disk) -> Row {
    const CHECK: &str = "free inodes";
    const FIX: &str = "remove files: `df -i` shows how many there are";
    match disk.room {
        None => Row::unknown(CHECK, "the system doesn't say"),
        Some(Room { all_inodes: 0, .. }) => Row::ok(CHECK, "made as needed"),
        Some(Room { inodes, .. }) => match inodes {
            ..NO_INODES => Row::bad(CHECK, format!("{inodes}: no output file can be made without one"), FIX),
            NO_INODES..FEW_INODES => Row::warn(CHECK, inodes.to_string(), FIX),
            _ => Row::ok(CHECK, inodes.to_string()),
        },
    }
}

fn sync(disk: &Disk) -> Row {
    const CHECK: &str = "fsync";
    match &disk.sync {
        None => Row::unknown(CHECK, "there is no `state` folder to try it in"),
        Some(Err(why)) => Row::bad(CHECK, why, "nothing can be claimed without: see who may write there, and the disk"),
        Some(Ok(took)) => {
            let detail = length(*took);
            if *took < TOO_FAST {
                let detail = format!("{detail}: too fast to be true, so a power cut may lose what was claimed");
                return Row::warn(CHECK, detail, "see whether the disk, or who lends it, ignores flushes");
            }
            if *took > SLOW {
                let detail = format!("{detail}: every start of a job waits that long");
                return Row::warn(CHECK, detail, "put the home on a faster disk, or see what keeps this one busy");
            }
            Row::ok(CHECK, detail)
        }
    }
}

/// To a tenth of the unit.
fn length(took: Duration) -> String {
    let micros = took.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.1} µs") } else { format!("{:.1} ms", micros / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::{super::row::shown, *};

    #[track_caller]
    fn check(check: fn(&Disk) -> Row, change: impl FnOnce(&mut Disk), expected: &str) {
        let room = Room { bytes: 1 << 40, inodes: 1 << 20, all_inodes: 1 << 21, read_only: false };
        let mut disk = Disk { magic: Some(0xef53), room: Some(room), sync: Some(Ok(Duration::from_millis(2))) };
        change(&mut disk);
        let row = shown(&check(&disk));
        assert!(row.starts_with(expected), "{row}\nis not\n{expected}");
        // Whatever is wrong has a fix.
        assert_eq!(row.ends_with(']'), row.starts_with("bad") || row.starts_with("warn"), "{row}");
    }

    #[test]
    fn which_file_system() {
        check(file_system, |_| {}, "ok file system: ext2/3/4, local");
        check(file_system, |d| d.magic = Some(0x6969), "bad file system: NFS: locks and syncs can't be trusted");
        check(file_system, |d| d.magic = Some(0x6573_5546), "bad file system: FUSE");
        check(file_system, |d| d.magic = Some(0x0102_1994), "warn file system: tmpfs: the home is gone");
        check(file_system, |d| d.magic = Some(OVERLAY), "warn file system: overlay");
        check(file_system, |d| d.magic = Some(0x1234), "info file system: of a kind that sched doesn't know (0x1234)");
        check(file_system, |d| d.magic = None, "unknown file system: can't know");
    }

    #[test]
    fn how_much_room() {
        let room = |bytes: u64, inodes: u64| Some(Room { bytes, inodes, all_inodes: 1 << 21, read_only: false });
        check(space, |_| {}, "ok free space: 1024 GiB");
        check(space, |d| d.room = room(100 << 20, 0), "warn free space: 100 MiB");
        check(space, |d| d.room = room(1 << 20, 0), "bad free space: 1 MiB: no job starts");
        check(
            space,
            |d| d.room.as_mut().unwrap().read_only = true,
            "bad free space: the file system is mounted read-only",
        );
        check(space, |d| d.room = None, "unknown free space");
        check(inodes, |_| {}, "ok free inodes: 1048576");
        check(inodes, |d| d.room = room(0, 1000), "warn free inodes: 1000");
        check(inodes, |d| d.room = room(0, 3), "bad free inodes: 3: no output file");
        check(inodes, |d| d.room.as_mut().unwrap().all_inodes = 0, "ok free inodes: made as needed");
        check(inodes, |d| d.room = None, "unknown free inodes");
    }

    #[test]
    fn whether_a_sync_is_one() {
        check(sync, |_| {}, "ok fsync: 2.0 ms");
        check(sync, |d| d.sync = Some(Ok(Duration::from_micros(2))), "warn fsync: 2.0 µs: too fast to be true");
        check(sync, |d| d.sync = Some(Ok(Duration::from_millis(250))), "warn fsync: 250.0 ms: every start");
        check(sync, |d| d.sync = Some(Err("cannot write /h/x: no space left".into())), "bad fsync: cannot write /h/x");
        check(sync, |d| d.sync = None, "unknown fsync: can't know: there is no `state` folder");
    }
}
