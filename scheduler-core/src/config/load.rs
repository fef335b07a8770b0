//! Reading `config.yaml` without ever failing: the file, else the last one that was good, else the defaults.

use std::{io, path::Path};

use serde_yaml::Value;

use super::{
    Config, keys,
    locate::{self, Place},
    values,
};
use crate::{
    Error, Home,
    store::Problem,
    vfs::{Vfs, atomic_write},
};

/// More than this is no configuration but a mistake, and reading it could take the memory jobs need.
const MAX_LEN: u64 = 1 << 20;

/// A configuration, where it is from, and what is wrong with the file.
///
/// ```
/// use scheduler_core::config::{Config, Loaded};
/// let loaded = Loaded::default();
/// assert_eq!(loaded.config, Config::default());
/// assert!(loaded.problems.is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What holds.
    pub config: Config,
    /// What an operator has to put right. Keys that mean nothing are remarks; everything else is no remark.
    pub problems: Vec<Problem>,
    /// Whether the file could be read as a whole (or isn't there, which is fine).
    pub readable: bool,
    /// Why it couldn't, with the place.
    pub unreadable: Option<String>,
    /// Where `config` is from.
    pub source: Source,
}

/// Where a configuration is from.
///
/// ```
/// use scheduler_core::{Home, config::{self, Source}, vfs::RealFs};
/// # let folder = tempfile::tempdir()?;
/// # let home = Home::new(folder.path());
/// std::fs::write(home.config_yaml(), "max_parallel: 8\n")?;
/// let loaded = config::load(&RealFs, &home, false);
/// assert_eq!((loaded.config.max_parallel, loaded.source), (8, Source::File));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// `config.yaml`.
    File,
    /// `state/config.last-good.yaml`, because `config.yaml` can't be read.
    LastGood,
    /// There is no file, or none that can be read.
    Defaults,
}

impl Loaded {
    /// Whether it is known which heartbeats are expected, and where: the file can be read, and so can all of its entries
    /// about them.
    ///
    /// ```
    /// use scheduler_core::{Home, config, vfs::RealFs};
    /// # let folder = tempfile::tempdir()?;
    /// # let home = Home::new(folder.path());
    /// std::fs::write(home.config_yaml(), "heartbeats: [{name: a, every: 1h}, {name: b, every: 1x}]\n")?;
    /// let loaded = config::load(&RealFs, &home, false);
    /// assert_eq!((loaded.config.heartbeats.len(), loaded.knows_heartbeats()), (1, false));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn knows_heartbeats(&self) -> bool {
        let is_about_them = |problem: &Problem| !problem.remark && problem.key.starts_with("config-heartbeats");
        self.readable && !self.problems.iter().any(is_about_them)
    }
}

impl Default for Loaded {
    /// What holds where there is no file.
    fn default() -> Self {
        Self {
            config: Config::default(),
            problems: Vec::new(),
            readable: true,
            unreadable: None,
            source: Source::Defaults,
        }
    }
}

/// Reads the configuration of `home`.
///
/// With `keep_last_good`, a file without problems is copied to `state/config.last-good.yaml`; only who holds the
/// daemon's lock may ask for that. Whatever goes wrong with the copy is logged and changes nothing.
///
/// # Behavior
/// - Never fails. A file that can't be read as a whole leaves the last good one in force, but never its provider: when
///   in doubt the built-in ticker fires.
///
/// ```
/// use scheduler_core::{Home, config, vfs::RealFs};
/// let loaded = config::load(&RealFs, &Home::new("/nonexistent"), false);
/// assert!(loaded.readable);
/// assert_eq!(loaded.source, config::Source::Defaults);
/// ```
pub fn load(fs: &dyn Vfs, home: &Home, keep_last_good: bool) -> Loaded {
    let path = home.config_yaml();
    let mut loaded = match read(fs, home, &path) {
        Ok(None) => Loaded::default(),
        Ok(Some((bytes, config, problems))) => {
            if keep_last_good && problems.iter().all(|problem| problem.remark) {
                keep(fs, &home.last_good_config(), &bytes);
            }
            Loaded { config, problems, readable: true, unreadable: None, source: Source::File }
        }
        Err(broken) => fall_back(fs, home, &path, &broken),
    };
    if let Err(why) = loaded.config.zone_name() {
        let hint = "set `timezone` in config.yaml to a name such as `Europe/Berlin`";
        loaded.problems.push(Problem::new("system-timezone", format!("{why}; schedules are read in UTC"), hint));
    }
    loaded
}

/// Why a file can't be read as a whole.
struct Broken {
    place: Option<Place>,
    why: String,
    hint: &'static str,
}

impl Broken {
    fn new(place: Option<Place>, why: impl Into<String>) -> Self {
        Self { place, why: why.into(), hint: "correct the file, then run `sched validate`" }
    }
}

fn fall_back(fs: &dyn Vfs, home: &Home, path: &Path, broken: &Broken) -> Loaded {
    let (mut config, mut problems, source, instead) = match read(fs, home, &home.last_good_config()) {
        Ok(Some((_, config, problems))) => {
            (config, problems, Source::LastGood, "the last good configuration is in force")
        }
        _ => (Config::default(), Vec::new(), Source::Defaults, "the defaults are in force"),
    };
    let provider = std::mem::take(&mut config.provider);
    let provider = match provider.as_str() {
        "" => String::new(),
        lost => format!("; a daemon that starts now fires by the built-in ticker, not the provider `{lost}` it names"),
    };
    let place = broken.place.map_or_else(String::new, |place| format!("{place}: "));
    let why = format!("{}: {place}{}", path.display(), broken.why);
    let what = format!("{why}; {instead}{provider}");
    problems.insert(0, Problem::new("config", what, broken.hint));
    Loaded { config, problems, readable: false, unreadable: Some(why), source }
}

type Content = (Vec<u8>, Config, Vec<Problem>);

/// The file at `path`; `None` if there is none.
fn read(fs: &dyn Vfs, home: &Home, path: &Path) -> Result<Option<Content>, Broken> {
    let Some(bytes) = bytes(fs, home, path)? else { return Ok(None) };
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = std::str::from_utf8(text).map_err(|error| {
        let (fine, rest) = text.split_at(error.valid_up_to());
        let place = locate::after(&String::from_utf8_lossy(fine));
        Broken::new(Some(place), format!("byte 0x{:02x} is not UTF-8", rest[0]))
    })?;
    let root = match parse(text)? {
        Value::Mapping(root) => root,
        Value::Null => serde_yaml::Mapping::new(),
        other => {
            let place = locate::value(text, &[]);
            return Err(Broken::new(place, format!("expected keys with values, found {}", values::kind(&other))));
        }
    };
    let (config, problems) = keys::read(&path.display().to_string(), text, &root);
    Ok(Some((bytes, config, problems)))
}

fn bytes(fs: &dyn Vfs, home: &Home, path: &Path) -> Result<Option<Vec<u8>>, Broken> {
    const KIND: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    const FOLDER: u32 = 0o040_000;
    let failed = |error: io::Error| Broken {
        hint: "check who owns the file and that it can be read",
        ..Broken::new(None, Error::io("cannot be read", error).to_string())
    };
    let stat = match fs.stat(path) {
        Ok(stat) => stat,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A name without a file is a link that leads nowhere: somebody meant there to be a configuration.
            let name = path.file_name().unwrap_or_default();
            let named = fs.list(home.path()).is_ok_and(|names| names.iter().any(|entry| name == entry.as_str()));
            return if named { Err(Broken::new(None, "it is a link to a file that is not there")) } else { Ok(None) };
        }
        Err(error) => return Err(failed(error)),
    };
    match stat.mode & KIND {
        // A file system that doesn't tell kinds apart (a test's) reports none.
        REGULAR | 0 => {}
        FOLDER => return Err(Broken::new(None, "it is a folder, not a file")),
        // Reading a pipe would wait for a writer for ever, and with it the daemon.
        _ => return Err(Broken::new(None, "it is not a regular file")),
    }
    if stat.len > MAX_LEN {
        return Err(Broken::new(None, format!("it is larger than {}", crate::size::format(MAX_LEN))));
    }
    fs.read(path).map(Some).map_err(failed)
}

fn parse(text: &str) -> Result<Value, Broken> {
    serde_yaml::from_str(text).or_else(|error| {
        // Nothing but comments is an empty document to people and none at all to the parser.
        let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if text.lines().all(blank) {
            return Ok(Value::Null);
        }
        let place = error.location().map(|at| Place { line: at.line(), column: at.column() });
        let mut why = error.to_string();
        if let Some(place) = place {
            why = why.replacen(&format!(" at line {} column {}", place.line, place.column), "", 1);
        }
        let line = place.and_then(|place| text.lines().nth(place.line - 1)).unwrap_or_default();
        let indent = &line[..line.len() - line.trim_start().len()];
        let broken = Broken::new(place, why);
        if !indent.contains('\t') {
            return Err(broken);
        }
        Err(Broken { hint: "YAML takes no tabs at the beginning of a line; use spaces", ..broken })
    })
}

fn keep(fs: &dyn Vfs, path: &Path, bytes: &[u8]) {
    if fs.read(path).is_ok_and(|kept| kept == bytes) {
        return;
    }
    if let Err(error) = atomic_write(fs, path, bytes, None) {
        tracing::debug!(path = %path.display(), %error, "the last good configuration could not be kept");
    }
}
