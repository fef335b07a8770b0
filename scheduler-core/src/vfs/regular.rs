//! Opens files and makes folders, and says what else it is that lies in their place: whoever opens a pipe to read waits for its
//! writer, a device may have no end, and no part of sched may wait for ever for a file of its own.
#![expect(clippy::disallowed_methods, reason = "this is part of the module that the ban on raw file access points to")]

use std::{
    fmt,
    fs::{self, DirBuilder, File, FileType, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::{fs::OFlags, io::Errno};

use super::owner;
use crate::size;

/// The most that is read into memory at once. No file of ours that is read as a whole comes near.
const MOST: u64 = 256 << 20;

/// Opens what is at `path`, if it is a file.
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // A pipe is opened at once with this flag, and a file doesn't care.
    let opened = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::IsADirectory => InTheWay::of_file("a folder").into(),
        // A socket can't be opened at all.
        _ if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => not_a_file(path).unwrap_or(error),
        _ => error,
    })?;
    match other_kind(file.metadata()?.file_type()) {
        None => Ok(file),
        Some(kind) => Err(InTheWay::of_file(kind).into()),
    }
}

/// All that is in the file at `path`.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(OpenOptions::new().read(true), path)?;
    let too_large = || {
        let why = format!("it is larger than {}, and sched reads no more into memory", size::format(MOST));
        io::Error::new(io::ErrorKind::FileTooLarge, why)
    };
    let len = file.metadata()?.len();
    if len > MOST {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or_default());
    // It may grow while it is read.
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST { Err(too_large()) } else { Ok(bytes) }
}

/// Makes the folder at `path`, and those above it.
pub(super) fn make_folders(path: &Path) -> io::Result<()> {
    let make = || DirBuilder::new().mode(0o700).create(path);
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    let made = match (make(), above) {
        (Err(error), Some(above)) if error.kind() == io::ErrorKind::NotFound => {
            make_folders(above)?;
            make()
        }
        (made, _) => made,
    };
    match made {
        Ok(()) => owner::inherit(open_folder(path)?, path),
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(why_no_folder(path, error)),
    }
}

fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Why there can be no folder at `path`: the system says no more than that something is there.
fn why_no_folder(path: &Path, error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::AlreadyExists {
        let above = path.parent().filter(|_| is_in_the_way(&error));
        return above.and_then(|above| make_folders(above).err()).unwrap_or(error);
    }
    match fs::metadata(path) {
        Ok(metadata) => InTheWay::of_folder(other_kind(metadata.file_type()).unwrap_or("a file")).into(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => InTheWay::of_folder("a link to what is not there").into(),
        // A link that leads in a circle, say.
        Err(why) => why,
    }
}

/// Why there is nothing to be listed at `path`: what it is, if it is no folder.
pub(super) fn why_not_listed(path: &Path, error: io::Error) -> io::Error {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => {
            InTheWay::of_folder(other_kind(metadata.file_type()).unwrap_or("a file")).into()
        }
        _ => error,
    }
}

fn not_a_file(path: &Path) -> Option<io::Error> {
    let kind = other_kind(fs::metadata(path).ok()?.file_type())?;
    Some(InTheWay::of_file(kind).into())
}

/// What it is, if it isn't a file.
fn other_kind(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_file() => None,
        _ if kind.is_dir() => Some("a folder"),
        _ if kind.is_fifo() => Some("a named pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ => Some("a device"),
    }
}

/// Something else lies where a file or a folder should.
#[derive(Debug)]
struct InTheWay {
    /// Of what lies there, where it isn't what the caller speaks of.
    name: Option<String>,
    is: &'static str,
    wanted: &'static str,
}

impl InTheWay {
    fn of_file(is: &'static str) -> Self {
        Self { name: None, is, wanted: "a file" }
    }

    fn of_folder(is: &'static str) -> Self {
        Self { name: None, is, wanted: "a folder" }
    }
}

impl fmt::Display for InTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}")?,
            None => write!(f, "it")?,
        }
        write!(f, " is {}, not {}", self.is, self.wanted)
    }
}

impl std::error::Error for InTheWay {}

impl From<InTheWay> for io::Error {
    fn from(why: InTheWay) -> Self {
        let kind = match why.is {
            "a folder" => io::ErrorKind::IsADirectory,
            _ if why.wanted == "a folder" => io::ErrorKind::NotADirectory,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, why)
    }
}

/// Whether it is for a person to take away what lies in the place of a file or folder.
pub(crate) fn is_in_the_way(error: &io::Error) -> bool {
    let why = error.get_ref().and_then(|why| why.downcast_ref::<InTheWay>());
    why.is_some()
        || matches!(error.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// The same error where the caller speaks of another file than the one at `path`.
pub(super) fn named(error: io::Error, path: &Path) -> io::Error {
    let name = path.file_name().unwrap_or_default().display().to_string();
    match error.downcast::<InTheWay>() {
        Ok(why) => InTheWay { name: Some(name), ..why }.into(),
        Err(error) => error,
    }
}
