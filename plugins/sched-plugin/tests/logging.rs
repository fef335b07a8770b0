//! What a plugin logs, and where it panics, is in the daemon's log. A process has one logger and one panic hook, so this is
//! the only test in its own.

use sched_plugin::{BoxError, Config, Host, SchedulerPlugin, log, private::table, testing::TestHost};
use sched_plugin_abi::{SchedError, SchedStr, status};

struct Talker;

impl SchedulerPlugin for Talker {
    fn from_config(_: Config) -> Result<Self, BoxError> {
        log::info!("made of {}", "nothing");
        Ok(Self)
    }

    fn start(&self, _: &Host) -> Result<(), BoxError> {
        log::trace!("not wanted, unless the plugin says so");
        log::debug!("about to");
        panic!("lost the thread");
    }
}

#[test]
fn records_and_panics_go_to_the_host() {
    let host = TestHost::default();
    let table = table::<Talker>("talker\0", "1\0");
    let (mut this, mut error) = (std::ptr::null_mut(), SchedError::EMPTY);
    // SAFETY: a table of the SDK, called as the ABI says; the table of `TestHost` is never freed.
    let status = unsafe {
        let made = table.create.expect("create")(host.table(), SchedStr::new("{}"), &raw mut this, &raw mut error);
        assert_eq!(made, 0);
        table.start.expect("start")(this, &raw mut error)
    };
    assert_eq!((status, error.text()), (status::PANIC, "panicked in `start`: lost the thread"));
    let calls = host.calls();
    assert_eq!(calls[..2], ["log info made of nothing", "log debug about to"]);
    assert!(calls[2].starts_with("log error panicked at plugins/sched-plugin/tests/logging.rs:"), "{calls:?}");
    assert!(calls[2].ends_with(": lost the thread") && calls.len() == 3, "{calls:?}");
    // SAFETY: made by `create` of the same table, and not used after this.
    unsafe { table.destroy.expect("destroy")(this) };
}
