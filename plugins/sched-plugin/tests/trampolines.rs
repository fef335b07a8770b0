//! The exported table, called as a host calls it: through C, and through nothing else.

use std::{
    ffi::{CStr, c_void},
    panic::panic_any,
    ptr,
    sync::atomic::{AtomicU32, Ordering},
};

use sched_plugin::{
    BoxError, Config, FireOutcome, Hooks, Host, HostError, Liveness, SchedulerPlugin, Unavailable, private::table,
    testing::TestHost,
};
use sched_plugin_abi::{ABI_MAJOR, MAGIC, SchedError, SchedHost, SchedPlugin, SchedStr, Status, flags, status};

/// Does what its configuration says.
struct Puppet {
    does: String,
}

static DROPPED: AtomicU32 = AtomicU32::new(0);

/// A panic whose payload's drop panics, and so on for ever.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

/// An error that can't even be told.
#[derive(Debug)]
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("unspeakable")
    }
}

impl std::error::Error for Unspeakable {}

/// An error with a reason below it.
#[derive(Debug)]
struct Because(BoxError);

impl std::fmt::Display for Because {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it failed")
    }
}

impl std::error::Error for Because {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

impl Puppet {
    fn act(&self, place: &str, host: Host) -> Result<(), BoxError> {
        match self.does.strip_prefix(place).map(str::trim) {
            Some("panics") => panic!("in {place}"),
            Some("throws a bomb") => panic_any(Bomb),
            Some("errs") => Err("no luck".into()),
            Some("errs unspeakably") => Err(Box::new(Unspeakable)),
            Some("ticks") => Err(Box::new(Because(host.tick().expect_err("refused").into()))),
            Some("lacks") => Err(Box::new(Because(Unavailable::new("no bus").into()))),
            _ => Ok(()),
        }
    }
}

impl SchedulerPlugin for Puppet {
    fn from_config(config: Config) -> Result<Self, BoxError> {
        let does = config.get("does").and_then(|does| does.as_str()).unwrap_or_default().to_owned();
        match does.as_str() {
            "create panics" => panic!("in create"),
            "create throws a bomb" => panic_any(Bomb),
            "create lacks" => Err(Unavailable::new("no bus").into()),
            _ => Ok(Self { does }),
        }
    }

    fn start(&self, host: &Host) -> Result<(), BoxError> {
        self.act("start", *host)
    }

    fn is_available(&self) -> Result<(), Unavailable> {
        if self.does == "is_available lacks" { Err(Unavailable::new("no bus")) } else { Ok(()) }
    }

    fn stop(&self, host: &Host) -> Result<(), BoxError> {
        self.act("stop", *host)
    }

    fn reconcile(&self, host: &Host) -> Result<(), BoxError> {
        self.act("reconcile", *host)
    }

    fn fire_due(&self, host: &Host, job: &str) -> Result<FireOutcome, BoxError> {
        self.act("fire_due", *host)?;
        Ok(host.fire_event(job, "asked")?)
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
        assert!(self.does != "destroy panics", "in destroy");
    }
}

static TABLE: SchedPlugin = table::<Puppet>("puppet\0", "1.2.3\0");

/// A plugin as its host holds it.
struct Held {
    this: *mut c_void,
}

impl Held {
    fn create(host: &SchedHost, config: &str) -> Result<Self, (Status, String)> {
        let (mut this, mut error) = (ptr::null_mut(), SchedError::EMPTY);
        let create = TABLE.create.expect("create");
        // SAFETY: a table of the SDK, called as the ABI says; the table of `TestHost` is never freed.
        let status = unsafe { create(host, SchedStr::new(config), &raw mut this, &raw mut error) };
        if status == 0 { Ok(Self { this }) } else { Err((status, error.text().to_owned())) }
    }

    fn call(&self, call: Option<unsafe extern "C" fn(*mut c_void, *mut SchedError) -> Status>) -> (Status, String) {
        let mut error = SchedError::EMPTY;
        // SAFETY: `this` was made by `create` of the same table.
        let status = unsafe { call.expect("a call")(self.this, &raw mut error) };
        (status, error.text().to_owned())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: `this` was made by `create` of the same table, and isn't used after this.
        unsafe { TABLE.destroy.expect("destroy")(self.this) };
    }
}

fn puppet(does: &str) -> (TestHost, Result<Held, (Status, String)>) {
    let host = TestHost::default();
    let held = Held::create(host.table(), &format!("{{\"does\": \"{does}\"}}"));
    (host, held)
}

#[track_caller]
fn check(does: &str, expected: (Status, &str)) {
    let (host, held) = puppet(does);
    host.refuse("tick", status::STOPPING, "the daemon is stopping");
    let told = match held {
        Err(told) => told,
        Ok(held) => {
            let call = match does.split(' ').next().expect("a word") {
                "start" => TABLE.start,
                "is_available" => TABLE.is_available,
                "stop" => TABLE.stop,
                "reconcile" => TABLE.reconcile,
                other => panic!("no call {other}"),
            };
            held.call(call)
        }
    };
    assert_eq!((told.0, told.1.as_str()), expected, "{does}");
}

#[test]
fn errors_and_panics_become_numbers_and_words() {
    check("start well", (0, ""));
    check("start errs", (status::ERROR, "no luck"));
    check("start panics", (status::PANIC, "panicked in `start`: in start"));
    check("start throws a bomb", (status::PANIC, "panicked in `start`: a panic without a message"));
    check("start errs unspeakably", (status::PANIC, "panicked in `start`: unspeakable"));
    check("start ticks", (status::STOPPING, "it failed: the daemon is stopping"));
    check("start lacks", (status::UNAVAILABLE, "it failed: no bus"));
    check("create panics", (status::PANIC, "panicked in `create`: in create"));
    check("create throws a bomb", (status::PANIC, "panicked in `create`: a panic without a message"));
    check("create lacks", (status::UNAVAILABLE, "no bus"));
    check("is_available lacks", (status::UNAVAILABLE, "no bus"));
    check("stop panics", (status::PANIC, "panicked in `stop`: in stop"));
    check("stop throws a bomb", (status::PANIC, "panicked in `stop`: a panic without a message"));
    check("reconcile errs", (status::ERROR, "no luck"));
}

#[test]
fn a_config_that_is_none_is_an_error() {
    let host = TestHost::default();
    for (config, message) in [("[]", "config: not an object of keys and values"), ("{", "config: EOF while parsing")] {
        let (status, told) = Held::create(host.table(), config).err().expect("refused");
        assert!(status == status::ERROR && told.starts_with(message), "{config}: {told}");
    }
    assert!(Held::create(host.table(), "").is_ok(), "an empty text has any pointer");
}

#[test]
fn a_host_of_another_version_is_refused_before_it_is_asked_anything() {
    let host = TestHost::default();
    let breaches: [fn(&mut SchedHost); 2] = [|table| table.struct_size = 96, |table| table.abi_major = 2];
    for breach in breaches {
        let mut other = *host.table();
        breach(&mut other);
        let (status, told) = Held::create(Box::leak(Box::new(other)), "{}").err().expect("refused");
        assert!(status == status::INVALID && told.contains("this plugin needs 1"), "{told}");
    }
    // A later minor version has a longer table.
    let mut longer = *host.table();
    (longer.struct_size, longer.abi_minor) = (160, 7);
    assert!(Held::create(Box::leak(Box::new(longer)), "{}").is_ok());
}

#[test]
fn a_fire_is_handed_on_with_its_outcome() {
    let (host, held) = puppet("well");
    host.answer("fire_event backup asked", FireOutcome::Queued);
    let (held, fire_due) = (held.expect("made"), TABLE.fire_due.expect("fire_due"));
    let mut error = SchedError::EMPTY;
    // SAFETY: `this` was made by `create` of the same table, and the text is static.
    let told = unsafe { fire_due(held.this, SchedStr::new("backup"), &raw mut error) };
    assert_eq!(told, status::QUEUED);
    let broken = SchedStr { ptr: [0xffu8, 0xfe].as_ptr(), len: 2 };
    // SAFETY: as above.
    let told = unsafe { fire_due(held.this, broken, ptr::null_mut()) };
    assert_eq!(told, status::ERROR, "an id that isn't UTF-8, and nobody who wants to know why");
    assert_eq!(host.calls(), ["fire_event backup asked"]);
}

#[test]
fn an_error_too_small_to_hold_ours_is_left_alone() {
    let (_host, held) = puppet("start errs");
    let mut error = SchedError { struct_size: 8, ..SchedError::EMPTY };
    // SAFETY: `this` was made by `create` of the same table.
    let status = unsafe { TABLE.start.expect("start")(held.expect("made").this, &raw mut error) };
    assert_eq!((status, error.code, error.text()), (status::ERROR, 0, ""));
}

#[test]
fn a_panic_in_the_drop_stays_inside() {
    let before = DROPPED.load(Ordering::Relaxed);
    drop(puppet("destroy panics").1);
    assert!(DROPPED.load(Ordering::Relaxed) > before);
}

#[test]
fn the_head_says_who_it_is_and_which_hooks_there_are() {
    assert_eq!((TABLE.magic, TABLE.abi_major, TABLE.struct_size, TABLE.flags), (MAGIC, ABI_MAJOR, 120, 0));
    // SAFETY: the SDK's strings are constant and end with a zero.
    let texts = unsafe { [TABLE.name, TABLE.version].map(|text| CStr::from_ptr(text)) };
    assert_eq!(texts, [c"puppet", c"1.2.3"]);
    assert!(TABLE.on_jobs_changed.is_some(), "a default is called too, unless the plugin says otherwise");

    let timer = table::<Timer>("timer\0", "0\0");
    assert_eq!(timer.flags, flags::EXTERNAL);
    assert!(timer.reconcile.is_some() && timer.fire_due.is_none() && timer.on_jobs_changed.is_none());
}

struct Timer;

impl SchedulerPlugin for Timer {
    const LIVENESS: Liveness = Liveness::External;
    const HOOKS: Hooks = Hooks::RECONCILE;

    fn from_config(_: Config) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn start(&self, host: &Host) -> Result<(), BoxError> {
        self.reconcile(host)
    }

    fn reconcile(&self, host: &Host) -> Result<(), BoxError> {
        host.jobs().map(drop).map_err(|error: HostError| error.into())
    }
}
