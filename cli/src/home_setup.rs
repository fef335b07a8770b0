//! Making a home: its folder, config.yaml and an empty store. What is there already is left as it is.

use scheduler_core::{
    Error, Home,
    config::TEMPLATE,
    store::JsonStore,
    vfs::{RealFs, Vfs as _, atomic_write},
};

use crate::{context::Context, failure::Failure};

/// A home that is there now.
pub(crate) struct Made {
    pub(crate) home: Home,
    pub(crate) store: JsonStore,
    /// The files and folders that weren't there before.
    pub(crate) created: Vec<String>,
}

impl Made {
    /// Whether there was no such home before.
    pub(crate) fn is_new(&self) -> bool {
        self.created.contains(&self.home.path().display().to_string())
    }
}

/// Makes what isn't there yet, and opens the store.
///
/// # Errors
/// What could not be made, and why.
pub(crate) fn make(context: &Context) -> Result<Made, Failure> {
    make_with(context, || context.change(false))
}

/// The same for the daemon. `adopt` takes over the home of another machine.
///
/// # Errors
/// As those.
pub(crate) fn make_to_keep(context: &Context, adopt: bool) -> Result<Made, Failure> {
    make_with(context, || context.keep(adopt))
}

fn make_with(context: &Context, open: impl FnOnce() -> Result<JsonStore, Failure>) -> Result<Made, Failure> {
    let home = context.home()?;
    let wanted = [home.path().to_owned(), home.config_yaml(), home.jobs_json()];
    let missing: Vec<_> = wanted.into_iter().filter(|path| RealFs.stat(path).is_err()).collect();
    let store = open()?;
    if missing.contains(&home.config_yaml()) {
        let failed = |cause| Error::io(format!("cannot write {}", home.config_yaml().display()), cause);
        atomic_write(&RealFs, &home.config_yaml(), TEMPLATE.as_bytes(), None).map_err(failed)?;
    }
    let created = missing.iter().filter(|path| RealFs.stat(path).is_ok()).map(|path| path.display().to_string());
    Ok(Made { created: created.collect(), home, store })
}
