//! The folder `alerts/`: a file for each alert, changed under a lock, since daemon, watchdog and commands are different
//! processes. `<key>.alert` is open, `<key>.closed` is over and waits for a sink to hear of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use scheduler_core::{
    Alert, AlertState, Error, ErrorKind, Home, JobId, Result, nearest,
    notify::job_key,
    store::Problem,
    vfs::{Lock, Open, Vfs, VfsFile, atomic_write},
};

use crate::{
    alert::{Acknowledged, OpenAlert, State, Told},
    spare::{Kept, Spare},
};

/// What an open alert's file ends with.
const OPEN: &str = ".alert";
/// What the file of one ends with that is over.
const CLOSED: &str = ".closed";

/// The alerts of a home, as their files have them.
///
/// Every change is read, decided and written under the lock, so that no process takes back what another one has done.
///
/// ```
/// use std::sync::Arc;
/// use jiff::Timestamp;
/// use scheduler_core::{Alert, Home, vfs::RealFs};
/// use sched_monitor::Shelf;
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let home = Home::new(folder.path());
/// let shelf = Shelf::new(Arc::new(RealFs), &home);
/// let failed = Alert::open("job-a", "job `a` failed", Timestamp::UNIX_EPOCH);
/// shelf.take(&failed)?;
/// shelf.take(&failed)?;
/// assert_eq!(shelf.read()?.alerts[0].headline(), "job `a` failed 2 times in a row");
/// shelf.take(&Alert::closed("job-a", "job `a` succeeded again", Timestamp::UNIX_EPOCH))?;
/// assert!(shelf.read()?.alerts.is_empty(), "nobody has heard of it, so nobody has to hear that it is over");
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Shelf {
    fs: Arc<dyn Vfs>,
    folder: PathBuf,
    /// Where that is kept which could not be written.
    spare: Option<Spare>,
    /// What could not be written there either, by its path; nothing where the file should be gone. A disk that is full is no reason not to
    /// tell of it.
    unwritten: Arc<Mutex<Unwritten>>,
    /// Nothing is written at all.
    dry: bool,
}

type Unwritten = BTreeMap<PathBuf, Option<OpenAlert>>;

/// What lies on a shelf.
///
/// ```
/// use sched_monitor::Shelved;
/// let Shelved { alerts, problems } = Shelved::default();
/// assert!(alerts.is_empty() && problems.is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Shelved {
    /// The alerts, in the order of their keys; those included that are over and of which a sink is yet to hear.
    pub alerts: Vec<OpenAlert>,
    /// The files that can't be read, each with why.
    pub problems: Vec<Problem>,
}

impl Shelved {
    /// Those that are open.
    pub fn open(&self) -> impl Iterator<Item = &OpenAlert> {
        self.alerts.iter().filter(|alert| alert.is_open())
    }
}

impl Shelf {
    /// The one of `home`.
    pub fn new(fs: Arc<dyn Vfs>, home: &Home) -> Self {
        Self { fs, folder: home.alerts(), spare: None, unwritten: Arc::default(), dry: false }
    }

    /// The same, where alerts are kept in a folder below `spare` while they can't be written: in the memory of the machine, so
    /// that the next process knows what was told.
    ///
    /// ```
    /// use std::{path::Path, sync::Arc};
    /// use scheduler_core::{Home, vfs::RealFs};
    /// use sched_monitor::Shelf;
    /// let shelf = Shelf::new(Arc::new(RealFs), &Home::new("/srv/sched")).or_in(Some(Path::new("/dev/shm")));
    /// ```
    #[must_use]
    pub fn or_in(self, spare: Option<&Path>) -> Self {
        let home = self.folder.parent().unwrap_or(&self.folder);
        let spare = spare.map(|root| Spare::new(Arc::clone(&self.fs), root, home));
        Self { spare, ..self }
    }

    /// The same as it is now, on which nothing is written.
    pub(crate) fn dry(&self) -> Self {
        let unwritten = Arc::new(Mutex::new(self.unwritten.lock().clone()));
        Self { unwritten, dry: true, ..self.clone() }
    }

    /// Everything on it. Needs no lock: files are replaced as a whole.
    ///
    /// # Errors
    /// Why the folder can't be read. One that isn't there is empty.
    pub fn read(&self) -> Result<Shelved> {
        let spared = self.spare.iter().flat_map(Spare::names).collect::<Vec<_>>();
        let mut shelved = Shelved::default();
        let mut names = match self.fs.list(&self.folder) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let error = self.unusable(error);
                if self.unwritten.lock().is_empty() && spared.is_empty() {
                    return Err(error);
                }
                // What is in memory is told all the same.
                let hint = error.hint_text().unwrap_or_default();
                shelved.problems.push(Problem::new("alerts", error.to_string(), hint));
                Vec::new()
            }
        };
        names.extend(spared);
        let ours = names.iter().filter(|name| name.ends_with(OPEN) || name.ends_with(CLOSED));
        let mut paths: BTreeSet<PathBuf> = ours.map(|name| self.folder.join(name)).collect();
        paths.extend(self.unwritten.lock().keys().cloned());
        for path in paths {
            match self.load(&path) {
                Ok(Some(alert)) => shelved.alerts.push(alert),
                Ok(None) => {}
                Err(error) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let hint = "remove the file; a problem that lasts is reported anew";
                    shelved.problems.push(Problem::new(format!("alert-file-{name}"), error.to_string(), hint));
                }
            }
        }
        shelved.alerts.sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.is_open().cmp(&b.is_open())));
        Ok(shelved)
    }

    /// Why there is no folder to be read, and what to do about it.
    fn unusable(&self, error: io::Error) -> Error {
        let hint = match error.kind() {
            io::ErrorKind::NotADirectory => "a folder belongs there: move away what is in its place, and it is made",
            io::ErrorKind::PermissionDenied => "check who owns the folder, and who may read it",
            _ => "see whether the disk answers",
        };
        Error::io(format!("cannot read {}", self.folder.display()), error).hint(hint)
    }

    /// Takes in what happened: opens the alert, counts it, or closes it.
    ///
    /// # Errors
    /// Why it can't be written.
    pub fn take(&self, alert: &Alert) -> Result<()> {
        self.locked(|| self.apply(alert, true, None))
    }

    /// Takes in everything that is wrong in `scope` now: opens what is new, updates what lasts, and closes what isn't there any
    /// more, as `closing` says it.
    pub(crate) fn reconcile(
        &self,
        scope: &str,
        current: &[Alert],
        closing: &dyn Fn(&OpenAlert) -> Alert,
    ) -> Result<crate::Changes> {
        self.locked(|| {
            let shelved = match self.read() {
                Ok(shelved) => shelved,
                Err(error) if current.is_empty() => return Err(error),
                // What is wrong is told all the same, from memory.
                Err(error) => {
                    tracing::error!("{error}; what was open before is not known");
                    Shelved::default()
                }
            };
            let mut changes = crate::Changes::default();
            for alert in current {
                let known = shelved.open().any(|known| known.key == alert.key);
                self.apply(alert, false, Some(scope))?;
                if known { &mut changes.updated } else { &mut changes.opened }.push(alert.key.clone());
            }
            for gone in shelved.open().filter(|known| known.scope.as_deref() == Some(scope)) {
                if current.iter().all(|alert| alert.key != gone.key) {
                    self.apply(&closing(gone), false, Some(scope))?;
                    changes.closed.push(gone.key.clone());
                }
            }
            Ok(changes)
        })
    }

    /// Closes what is open about jobs that are gone.
    ///
    /// # Errors
    /// Why it can't be written.
    pub fn forget(&self, job: &JobId, at: Timestamp) -> Result<()> {
        let listed = self.fs.list(&self.folder).unwrap_or_default().into_iter();
        let mut names = listed.chain(self.spare.iter().flat_map(Spare::names));
        if !names.any(|name| name.contains(job.as_str())) {
            return Ok(());
        }
        self.locked(|| {
            let closing = format!("job `{job}` has been removed");
            for alert in
                self.read()?.open().filter(|alert| alert.job.as_ref() == Some(job) || alert.key == job_key(job))
            {
                self.apply(&Alert::closed(&alert.key, &closing, at), false, None)?;
            }
            Ok(())
        })
    }

    /// Takes note that somebody knows of the alert with this key, or of the one about the job with this name.
    ///
    /// # Errors
    /// `NotFound` if there is none, with the nearest; why it can't be written.
    pub fn acknowledge(&self, key: &str, at: Timestamp, by: Option<String>) -> Result<OpenAlert> {
        self.locked(|| {
            let shelved = self.read()?;
            let about = |alert: &&OpenAlert| alert.job.as_ref().is_some_and(|job| job.as_str() == key);
            let mut found = shelved.open().find(|alert| alert.key == key);
            found = found.or_else(|| shelved.open().find(|alert| alert.key == format!("job-{key}")));
            let Some(alert) = found.or_else(|| shelved.open().find(about)) else {
                let error = Error::new(ErrorKind::NotFound, format!("no open alert `{key}`"));
                let known: Vec<&str> = shelved.open().map(|alert| alert.key.as_str()).collect();
                return Err(match nearest(key, known).first() {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("`sched alerts` lists those that are open"),
                });
            };
            let alert = OpenAlert { acknowledged: Some(Acknowledged { at, by }), ..alert.clone() };
            self.save(&alert)?;
            match self.unwritten.lock().get(&self.path(&alert.key, OPEN)) {
                Some(_) => Err(Error::new(ErrorKind::ReadOnly, "the alert's file can't be written")),
                None => Ok(alert),
            }
        })
    }

    /// Changes the alerts in place. What `change` answers false for stays as it is.
    pub(crate) fn change<T>(&self, mut change: impl FnMut(&mut OpenAlert) -> Option<T>) -> Result<Vec<T>> {
        self.locked(|| {
            let mut answers = Vec::new();
            for mut alert in self.read()?.alerts {
                if let Some(answer) = change(&mut alert) {
                    self.save(&alert)?;
                    answers.push(answer);
                }
            }
            Ok(answers)
        })
    }

    /// Changes the alert with this key, whichever state it is in now.
    pub(crate) fn change_one(&self, key: &str, was_open: bool, change: impl FnOnce(&mut OpenAlert)) -> Result<()> {
        self.locked(|| {
            // What was open may have closed since, or closed and opened again.
            let (likely, other) = if was_open { (OPEN, CLOSED) } else { (CLOSED, OPEN) };
            let mut found = self.load(&self.path(key, likely))?;
            if found.is_none() {
                found = self.load(&self.path(key, other))?;
            }
            let Some(mut alert) = found else { return Ok(()) };
            change(&mut alert);
            self.save(&alert)
        })
    }

    fn apply(&self, alert: &Alert, anew: bool, scope: Option<&str>) -> Result<()> {
        let path = self.path(&alert.key, OPEN);
        // A file that can't be read must not keep the next news from being written.
        let (known, unread) = match self.load(&path) {
            Ok(known) => (known, None),
            Err(error) => (None, Some(error)),
        };
        let applied = self.apply_to(known, &path, alert, anew, scope);
        if let Some(error) = unread {
            let stays = applied.is_err() || self.unwritten.lock().contains_key(&path);
            tracing::warn!("{error}; {}", if stays { "it stays as it is" } else { "it was replaced" });
        }
        applied
    }

    fn apply_to(
        &self,
        known: Option<OpenAlert>,
        path: &Path,
        alert: &Alert,
        anew: bool,
        scope: Option<&str>,
    ) -> Result<()> {
        match (alert.state, known) {
            (AlertState::Closed, None) => {
                // It may be one that can't be read.
                self.remove(path);
                Ok(())
            }
            (AlertState::Closed, Some(mut known)) => {
                known.close(&alert.title, alert.at, false);
                self.save(&known)
            }
            (_, Some(mut known)) => {
                known.see(alert, anew);
                known.scope = scope.map(str::to_owned).or(known.scope);
                self.save(&known)
            }
            (_, None) => {
                let mut new = OpenAlert::new(alert);
                new.scope = scope.map(str::to_owned);
                // Whoever has not heard yet that it was over doesn't hear it any more, but that it goes on.
                if let Ok(Some(before)) = self.load(&self.path(&alert.key, CLOSED)) {
                    new.sinks = before.sinks;
                    new.sinks.retain(|_, told| told.holds_it_open());
                    for told in new.sinks.values_mut() {
                        told.seen = None;
                    }
                    self.remove(&self.path(&alert.key, CLOSED));
                }
                self.save(&new)
            }
        }
    }

    fn save(&self, alert: &OpenAlert) -> Result<()> {
        let (is, was) = if alert.is_open() { (OPEN, CLOSED) } else { (CLOSED, OPEN) };
        let nobody_waits = !alert.sinks.values().any(Told::holds_it_open);
        if alert.state == State::Closed && nobody_waits {
            self.remove(&self.path(&alert.key, CLOSED));
            self.remove(&self.path(&alert.key, OPEN));
            return Ok(());
        }
        let path = self.path(&alert.key, is);
        if self.dry {
            self.unwritten.lock().insert(self.path(&alert.key, was), None);
            self.unwritten.lock().insert(path, Some(alert.clone()));
            return Ok(());
        }
        let mut text =
            serde_json::to_vec_pretty(alert).map_err(|why| Error::new(ErrorKind::Invalid, why.to_string()))?;
        text.push(b'\n');
        let made = self.make_folder();
        let written = made.and_then(|()| atomic_write(&*self.fs, &path, &text, None).map_err(|why| failed(&path, why)));
        if let Err(error) = written {
            self.keep(&path, Some(alert), &error);
        } else {
            self.settled(&path);
        }
        if !alert.is_open() {
            self.remove(&self.path(&alert.key, was));
        }
        Ok(())
    }

    fn load(&self, path: &Path) -> Result<Option<OpenAlert>> {
        if let Some(unwritten) = self.unwritten.lock().get(path) {
            return Ok(unwritten.clone());
        }
        if let Some(spared) = self.spare.as_ref().and_then(|spare| spare.get(name_of(path)?)) {
            return Ok(match spared {
                Kept::Alert(alert) => Some(*alert),
                Kept::Gone => None,
            });
        }
        let bytes = match self.fs.read(path) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::io(format!("cannot read {}", path.display()), error)),
        };
        let broken = |why| Error::new(ErrorKind::Corrupt, format!("{} is no alert: {why}", path.display()));
        let alert: OpenAlert = serde_json::from_slice(&bytes).map_err(broken)?;
        // What is done with an alert is noted in the file of its key: of a copy, nothing would ever be noted.
        let belongs = self.path(&alert.key, if alert.is_open() { OPEN } else { CLOSED });
        if belongs == path {
            return Ok(Some(alert));
        }
        let (key, belongs) = (alert.key.escape_debug(), belongs.file_name().unwrap_or_default().display());
        let what = format!("{} isn't where it belongs: the file of the alert `{key}` is {belongs}", path.display());
        Err(Error::new(ErrorKind::Corrupt, what))
    }

    /// Takes the file away, or remembers that it should be gone.
    fn remove(&self, path: &Path) {
        if self.dry {
            self.unwritten.lock().insert(path.to_owned(), None);
            return;
        }
        match self.fs.remove(path) {
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                self.keep(path, None, &failed(path, error));
            }
            _ => self.settled(path),
        }
    }

    /// Keeps what can't be written because of `error`: where the next process finds it, else in this one.
    fn keep(&self, path: &Path, alert: Option<&OpenAlert>, error: &Error) {
        let spare = self.spare.as_ref().zip(name_of(path));
        let is_news = spare.is_none_or(|(spare, name)| spare.get(name).is_none());
        if let Some((spare, _)) = spare.filter(|(spare, name)| spare.put(name, alert)) {
            self.unwritten.lock().remove(path);
            if is_news {
                tracing::error!("{error}; until it can be, it is kept in {}", spare.folder().display());
            }
        } else if self.unwritten.lock().insert(path.to_owned(), alert.cloned()).is_none() {
            tracing::error!("{error}; it is kept in this process, and told from there");
        }
    }

    /// The file is as it should be.
    fn settled(&self, path: &Path) {
        self.unwritten.lock().remove(path);
        if let Some((spare, name)) = self.spare.as_ref().zip(name_of(path)) {
            spare.forget(name);
        }
    }

    /// Acts under the lock of the folder. Where there can be none, as on a disk that is read-only, nobody else writes either but
    /// to the spare folder, which has a lock of its own.
    fn locked<T>(&self, act: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.dry {
            return act();
        }
        let lock = self.lock().inspect_err(|error| tracing::debug!("{error}")).ok();
        let spare = self.spare.as_ref().filter(|_| lock.is_none());
        let spare_lock = spare.and_then(|spare| spare.lock().ok());
        let answer = act();
        if let Some(spare) = spare {
            spare.tidy();
        }
        drop((spare_lock, lock));
        answer
    }

    fn lock(&self) -> Result<Box<dyn VfsFile>> {
        let path = self.folder.join(".lock");
        let failed = |error| failed(&path, error);
        self.make_folder()?;
        let file = self.fs.open(&path, Open::Create).map_err(failed)?;
        file.lock(Lock::Exclusive).map_err(failed)?;
        Ok(file)
    }

    fn make_folder(&self) -> Result<()> {
        let made = self.fs.create_dir_all(&self.folder);
        made.map_err(|error| Error::io(format!("cannot make {}", self.folder.display()), error))
    }

    fn path(&self, key: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{}{ending}", file_name(key)))
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// A key as the name of a file: keys are made of names that others choose.
fn file_name(key: &str) -> String {
    const LONGEST: usize = 180;
    let mut name = String::new();
    for byte in key.bytes() {
        match byte {
            b'.' if name.is_empty() => name.push_str("%2e"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(byte.into()),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    if name.is_empty() {
        name.push('%');
    }
    if name.len() > LONGEST {
        // What is cut off still tells them apart.
        let hash = key
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        name.truncate(LONGEST);
        name.push_str(&format!("~{hash:016x}"));
    }
    name
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot change {}", path.display()), error)
}
