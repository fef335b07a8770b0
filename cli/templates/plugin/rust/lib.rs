//! A provider for sched: looks for due jobs at a fixed interval, and fires them.
#![forbid(unsafe_code)]

use std::time::Duration;

use sched_plugin::{BoxError, Config, Hooks, Host, SchedulerPlugin, export_scheduler, log};

/// What plugin.yaml has under `config`.
struct Provider {
    every: Duration,
}

impl SchedulerPlugin for Provider {
    // What the host does by itself, when jobs change for example, is right here. Write `Hooks::ALL`
    // and the function of a hook to do it your way.
    const HOOKS: Hooks = Hooks::NONE;

    // Called once, before anything else. An error says what is wrong with the configuration: the
    // built-in ticker does the work then, and `sched status` shows the text.
    fn from_config(config: Config) -> Result<Self, BoxError> {
        let seconds = config.get("every_seconds").and_then(|value| value.as_u64());
        match seconds {
            Some(seconds @ 1..=3600) => Ok(Self {
                every: Duration::from_secs(seconds),
            }),
            _ => Err("config: `every_seconds` is not a number from 1 to 3600".into()),
        }
    }

    // Works until the daemon stops. To return early is a failure, and so is to be silent: `wait_for`
    // beats by itself, and who waits elsewhere calls `host.beat()`.
    fn start(&self, host: &Host) -> Result<(), BoxError> {
        // Lines like this one are in the daemon's log.
        log::info!("looking for due jobs every {} s", self.every.as_secs());
        while !host.is_stopping() {
            // Fires all that is due. For one job there is `fire_due`, and for something that happened
            // outside, whatever the schedule says, `fire_event`. No occurrence fires twice.
            // An error is no reason to end: on a disk that is full now, what was due still is in a moment.
            if let Err(error) = host.tick() {
                log::warn!("{error}");
            }
            // To fire at the instant, wait until `host.next_wakeup()` in its place.
            host.wait_for(self.every);
        }
        Ok(())
    }
}

// The name is that of the folder and of plugin.yaml.
export_scheduler!("@NAME@", Provider);

#[cfg(test)]
mod tests {
    use sched_plugin::testing::TestHost;

    use super::*;

    #[test]
    fn it_ticks_until_the_daemon_stops() {
        let config = r#"{"every_seconds": 5}"#.parse().expect("JSON");
        let provider = Provider::from_config(config).expect("a provider");
        // Takes notes of what it is asked; no wait takes any time.
        let host = TestHost::default();
        host.stop_after_waits(3);
        provider.start(&host.host()).expect("its end");
        let ticks = host.calls().iter().filter(|call| *call == "tick").count();
        assert_eq!(ticks, 3);
    }

    #[test]
    fn a_wrong_interval_is_refused() {
        for config in ["{}", r#"{"every_seconds": 0}"#, r#"{"every_seconds": "5"}"#] {
            assert!(Provider::from_config(config.parse().expect("JSON")).is_err());
        }
    }
}
