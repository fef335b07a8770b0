//! What a command works in: its home, the clock, and the store of that home.

use std::{fs, path, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use scheduler_core::{
    Clock, Error, ErrorKind, Home, JobStore, SystemClock,
    job::JobDefaults,
    schedule::zone,
    store::{JobView, JsonStore, JsonStoreOptions},
};

use crate::{env, failure::Failure};

/// Where a command works. Cheap to make: nothing is looked up before it is asked for, so that `next --expr` needs no home.
#[derive(Debug)]
pub(crate) struct Context {
    home_option: Option<PathBuf>,
    clock: Arc<dyn Clock>,
}

impl Context {
    /// The surroundings of this process; `--home` comes first.
    pub(crate) fn new(home_option: Option<PathBuf>) -> Self {
        Self { home_option, clock: Arc::new(SystemClock) }
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
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

    /// The store, to look: makes nothing, needs no right to write.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(crate) fn look(&self) -> Result<JsonStore, Failure> {
        Ok(JsonStore::open(&self.options(false)?.to_look())?)
    }

    /// The store, to change; made if it isn't there. `adopt` takes over that of another machine.
    ///
    /// # Errors
    /// Why it can't be opened or made.
    pub(crate) fn change(&self, adopt: bool) -> Result<JsonStore, Failure> {
        Ok(JsonStore::open(&self.options(adopt)?)?)
    }

    /// The store, to change what is in it already: a home is not made just to find nothing in it.
    ///
    /// # Errors
    /// Why it can't be opened, or that there is none.
    pub(crate) fn change_existing(&self) -> Result<JsonStore, Failure> {
        let home = self.home()?;
        match home.path().try_exists() {
            Ok(false) => Err(no_home(&home)),
            _ => self.change(false),
        }
    }

    fn options(&self, adopt: bool) -> Result<JsonStoreOptions, Failure> {
        let home = self.home()?;
        if home.path().is_file() {
            return Err(Failure::new(ErrorKind::Invalid, format!("{} is a file, not a folder", home.path().display()))
                .hint("`--home` and SCHED_HOME name the folder that jobs.json is in"));
        }
        let options = JsonStoreOptions::new(home, Arc::clone(&self.clock));
        Ok(options.with_defaults(job_defaults()).on_machine(machine_id(), adopt || env::sched_adopt()))
    }
}

/// The refusal to work in a home that isn't there.
pub(crate) fn no_home(home: &Home) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("there is no home at {}", home.path().display()))
        .hint("`sched init` makes one; `--home DIR` or SCHED_HOME name another")
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

/// What holds for jobs that don't say otherwise. Without a configuration that is the machine's time zone.
pub(crate) fn job_defaults() -> JobDefaults {
    let mut defaults = JobDefaults::default();
    match zone::parse("system").map(|zone| zone.iana_name().map(str::to_owned)) {
        Ok(Some(name)) => defaults.zone = name,
        // Without that file and without TZ, the machine's zone *is* UTC, for every program on it.
        Err(_) if !path::Path::new("/etc/localtime").exists() => {}
        unknown => tracing::warn!(?unknown, "the machine's time zone has no name that could be found; jobs are in UTC"),
    }
    defaults
}

/// This machine's id, if it has one: a home that was made on another is not run by accident.
fn machine_id() -> Option<String> {
    let id = fs::read_to_string("/etc/machine-id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_home_is_made_absolute() {
        let home = Context::new(Some("here".into())).home().unwrap();
        assert_eq!(home.path(), std::env::current_dir().unwrap().join("here"));
    }

    #[test]
    fn the_default_zone_has_a_name() {
        assert!(zone::parse(&job_defaults().zone).is_ok());
    }
}
