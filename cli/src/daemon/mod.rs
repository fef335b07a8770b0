//! What `run`, `tick` and `fire` share: the engine of a home, the lock of its daemon, and the signals that end it.
//!
//! | file | job |
//! |---|---|
//! | `machinery` | store, runner, provider and engine, put together as config.yaml says |
//! | `lock` | `state/daemon.lock`: at most one daemon, and who it is |
//! | `signals` | SIGTERM and Ctrl-C drain, a second one cancels, SIGHUP reloads |
//! | `reload` | config.yaml brought into force while the daemon runs |
//! | `reports` | the morning report goes out by itself, each at most once |
//! | `account` | whether everything that was owed is on record, looked at now and then |
//! | `supervisor` | notices from outside the runtime when the daemon doesn't get on, and ends it |
//! | `guard` | tells when the watchdog comes no more, and ends a daemon whose lock was taken away |
//! | `filesystem` | refuses homes on file systems whose locks can't be trusted |
//! | `plugins` | the plugins in the home |
//! | `init` | the first process of a container, when that is us |
//! | `show` | fires made visible, for `run --example` |

pub(crate) mod account;
pub(crate) mod filesystem;
pub(crate) mod guard;
pub(crate) mod init;
pub(crate) mod lock;
pub(crate) mod machinery;
pub(crate) mod plugins;
pub(crate) mod reload;
pub(crate) mod reports;
pub(crate) mod show;
pub(crate) mod signals;
pub(crate) mod supervisor;
