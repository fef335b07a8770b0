//! What a command works in: its home, the clock, and the store of that home.

use std::{
    fs, io, path,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use scheduler_core::{
    Clock, Error, ErrorKind, Home, JobStore, SystemClock,
    config::{self, Config, Loaded},
    job::JobDefaults,
    store::{
        JobView, JsonStore, JsonStoreOptions,
        json::{Repair, Retention},
    },
    vfs::RealFs,
};

use crate::{env, failure::Failure};

/// Where a command works. Cheap to make: nothing is looked up before it is asked for, so that `next --expr` needs no home.
#[derive(Debug)]
pub(crate) struct Context {
    home_option: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    loaded: OnceLock<Loaded>,
}

impl Context {
    /// The surroundings of this process; `--home` comes first.
    pub(crate) fn new(home_option: Option<PathBuf>) -> Self {
        Self { home_option, clock: Arc::new(SystemClock), loaded: OnceLock::new() }
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock of this process.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The home's configuration, read once; the defaults where there is no saying where the home is.
    pub(crate) fn config(&self) -> &Loaded {
        self.loaded
            .get_or_init(|| self.home().map_or_else(|_| Loaded::default(), |home| config::load(&RealFs, &home, false)))
    }

    /// What holds for jobs that don't say otherwise.
    pub(crate) fn job_defaults(&self) -> JobDefaults {
        self.config().config.job_defaults()
    }

    /// The home: `--home`, else `$SCHED_HOME`, else `~/.sched`; made absolute.
    ///
    /// # Errors
    /// There is no saying where it is.
    pub(crate) fn home(&self) -> Result<Home, Failure> {
        let given = self.home_option.clone().filter(|home| !home.as_os_str().is_empty());
        let home = given.or_else(env::sched_home).or_else(|| env::home().map(|home| home.join(".sched")));
        let home = home.ok_or_else(|| {
            Failure::new(ErrorKind::NotFound, "there is no saying where the home is: HOME is not set")
                .hint("give --home DIR, or set SCHED_HOME")
        })?;
        let absolute = path::absolute(&home);
        absolute.map(Home::new).map_err(|cause| Error::io(format!("cannot find {}", home.display()), cause).into())
    }

    /// Whether somebody said where the home is.
    pub(crate) fn names_a_home(&self) -> bool {
        self.home_option.as_ref().is_some_and(|home| !home.as_os_str().is_empty()) || env::sched_home().is_some()
    }

    /// The store, to look: makes nothing, needs no right to write.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(crate) fn look(&self) -> Result<JsonStore, Failure> {
        Ok(JsonStore::open(&self.options(false)?.to_look())?)
    }

    /// The same of a home that must be there: of one that isn't, nothing good can be said.
    ///
    /// # Errors
    /// Why it can't be read, or that there is none.
    pub(crate) fn look_existing(&self) -> Result<JsonStore, Failure> {
        self.existing()?;
        self.look()
    }

    /// The store, to change; made if it isn't there. `adopt` takes over that of another machine.
    ///
    /// # Errors
    /// Why it can't be opened or made.
    pub(crate) fn change(&self, adopt: bool) -> Result<JsonStore, Failure> {
        // Most commands are over before a compaction would be.
        Ok(JsonStore::open(&self.options(adopt)?.with_compaction(None))?)
    }

    /// The same for whoever keeps the home, the daemon and `tick`: it compacts too.
    ///
    /// # Errors
    /// As those.
    pub(crate) fn keep(&self, adopt: bool) -> Result<JsonStore, Failure> {
        Ok(JsonStore::open(&self.options(adopt)?.with_retention(retention(&self.config().config)))?)
    }

    /// The store, to change what is in it already: a home is not made just to find nothing in it.
    ///
    /// # Errors
    /// Why it can't be opened, or that there is none.
    pub(crate) fn change_existing(&self) -> Result<JsonStore, Failure> {
        self.existing()?;
        self.change(false)
    }

    fn existing(&self) -> Result<(), Failure> {
        let home = self.home()?;
        match home.path().try_exists() {
            Ok(false) => Err(no_home(&home)),
            _ => Ok(()),
        }
    }

    /// The store, to make it whole again; `None` if there is nothing to repair.
    ///
    /// # Errors
    /// Why it can't be done now.
    pub(crate) fn repair(&self) -> Result<Option<Repair>, Failure> {
        Ok(Repair::begin(&self.options(false)?)?)
    }

    fn options(&self, adopt: bool) -> Result<JsonStoreOptions, Failure> {
        let home = self.home()?;
        if home.path().is_file() {
            return Err(no_folder(&home));
        }
        let options = JsonStoreOptions::new(home, Arc::clone(&self.clock));
        Ok(options.with_defaults(self.job_defaults()).on_machine(machine_id(), adopt || env::sched_adopt()))
    }
}

/// How much of the history `config` keeps.
pub(crate) fn retention(config: &Config) -> Retention {
    Retention { keep_days: config.history.keep_days, max_bytes: config.history.max_bytes }
}

/// The refusal to work in a home that isn't there.
pub(crate) fn no_home(home: &Home) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("there is no home at {}", home.path().display()))
        .hint("`sched init` makes one; `--home DIR` or SCHED_HOME name another")
}

fn no_folder(home: &Home) -> Failure {
    Failure::new(ErrorKind::Invalid, format!("{} is a file, not a folder", home.path().display()))
        .hint("`--home` and SCHED_HOME name the folder that jobs.json is in")
}

/// Why nothing in `home` can be read, if it is because of the folder itself.
pub(crate) fn barred(home: &Home) -> Option<Failure> {
    if home.path().is_file() {
        return Some(no_folder(home));
    }
    match fs::symlink_metadata(home.manifest()) {
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
            let why = Error::io(format!("cannot look into {}", home.path().display()), cause).to_string();
            Some(Failure::new(ErrorKind::Io, why).hint("ask as the user that owns the home, or as root"))
        }
        _ => None,
    }
}

/// The jobs of `store`, by id.
///
/// # Errors
/// Why they can't be read.
pub(crate) async fn jobs(store: &impl JobStore) -> Result<Vec<JobView>, Failure> {
    let mut views = store.jobs().await?;
    views.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(views)
}

/// This machine's id, if it has one: a home that was made on another is not run by accident.
pub(crate) fn machine_id() -> Option<String> {
    let id = fs::read_to_string("/etc/machine-id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use scheduler_core::schedule::zone;

    use super::*;

    #[test]
    fn a_relative_home_is_made_absolute() {
        let home = Context::new(Some("here".into())).home().unwrap();
        assert_eq!(home.path(), std::env::current_dir().unwrap().join("here"));
    }

    #[test]
    fn the_default_zone_has_a_name() {
        assert!(zone::parse(&Context::new(Some("/nowhere".into())).job_defaults().zone).is_ok());
    }
}
