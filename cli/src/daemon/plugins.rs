//! The plugins of a home, as this program finds and starts them.

use std::sync::Arc;

use sched_plugin_host::{Found, Grounds, Plugins, Strikes, library};
use scheduler_core::{Home, SystemClock, config::Config, vfs::RealFs};

use crate::env;

/// The plugins of `home`.
pub(crate) fn of(home: &Home, config: &Config) -> Plugins {
    let grounds = Grounds {
        cache: home.state().join("plugins"),
        // Not by its path: a daemon whose program was replaced since must not start another version of it.
        loader: vec!["/proc/self/exe".into(), library::ARGUMENT.into()],
        environment: env::all(),
    };
    Plugins::new(home, grounds, strikes(home), config.interval)
}

/// Which of them crashed.
pub(crate) fn strikes(home: &Home) -> Strikes {
    Strikes::new(Arc::new(RealFs), Arc::new(SystemClock), home)
}

/// All of them, with what would become of each.
pub(crate) fn look(home: &Home, config: &Config) -> Vec<Found> {
    let bundled = bundled();
    let names: Vec<&str> = bundled.iter().map(String::as_str).collect();
    of(home, config).look(&names)
}

/// The names of the providers that come along, but for the built-in one.
pub(crate) fn bundled() -> Vec<String> {
    sched_providers::bundled().iter().map(|factory| factory.name().to_owned()).collect()
}
