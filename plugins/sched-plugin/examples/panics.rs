//! A plugin that panics wherever its configuration says, `{"in": "start"}`; the tests load it, and see what becomes of that.
//! Otherwise it ticks once a second.
#![forbid(unsafe_code)]

use std::{panic::panic_any, thread, time::Duration};

use sched_plugin::{BoxError, Config, Host, SchedulerPlugin, export_scheduler};

struct Panics {
    place: String,
}

/// Panics when it is dropped, and again.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

impl Panics {
    fn is_here(&self, place: &str) {
        assert!(self.place != place, "boom");
        if self.place == format!("{place}, with a bomb") {
            panic_any(Bomb);
        }
    }
}

impl SchedulerPlugin for Panics {
    fn from_config(config: Config) -> Result<Self, BoxError> {
        let place = config.get("in").and_then(|place| place.as_str()).unwrap_or_default();
        let plugin = Self { place: place.to_owned() };
        plugin.is_here("create");
        Ok(plugin)
    }

    fn is_available(&self) -> Result<(), sched_plugin::Unavailable> {
        self.is_here("is_available");
        Ok(())
    }

    fn start(&self, host: &Host) -> Result<(), BoxError> {
        self.is_here("start");
        if self.place == "a thread" {
            thread::spawn(|| panic!("boom"));
        }
        while !host.is_stopping() {
            host.tick()?;
            host.wait_for(Duration::from_secs(1));
        }
        Ok(())
    }
}

export_scheduler!("zoo", Panics);
