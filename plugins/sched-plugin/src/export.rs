//! The symbol that sched looks for in a library.

use std::ffi::CStr;

use sched_plugin_abi::{ABI_MAJOR, ABI_MINOR, MAGIC, SchedPlugin, flags};

use crate::{Hooks, Liveness, SchedulerPlugin, trampolines};

/// Makes a library of type `cdylib` a plugin of sched: `export_scheduler!("name", Type)`, once, where `Type` is a
/// [`SchedulerPlugin`] and the name is that of its folder and of its plugin.yaml. The version is the crate's.
///
/// ```
/// # use sched_plugin::{BoxError, Config, Host, SchedulerPlugin, export_scheduler};
/// # struct Once;
/// # impl SchedulerPlugin for Once {
/// #     fn from_config(_: Config) -> Result<Self, BoxError> { Ok(Self) }
/// #     fn start(&self, host: &Host) -> Result<(), BoxError> { Ok(host.tick()?) }
/// # }
/// export_scheduler!("once", Once);
/// # fn main() {}
/// ```
///
/// A crate that forbids unsafe code may use it. One that is built with `panic = "abort"` may not, since a panic would then end
/// the process instead of becoming an error:
///
/// ```text
/// error: a plugin of sched must be built with panic = "unwind"
/// ```
#[macro_export]
macro_rules! export_scheduler {
    ($name:literal, $plugin:ty $(,)?) => {
        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "a plugin of sched must be built with panic = \"unwind\": a panic has to become an error, not the end of the process"
        );

        const _: () = {
            #[used]
            #[unsafe(export_name = "sched_plugin_v1")]
            static SCHED_PLUGIN: $crate::private::SchedPlugin = $crate::private::table::<$plugin>(
                ::core::concat!($name, "\0"),
                ::core::concat!(::core::env!("CARGO_PKG_VERSION"), "\0"),
            );
        };
    };
}

/// The table for `T`. Both texts end with their only zero.
pub const fn table<T: SchedulerPlugin>(name: &'static str, version: &'static str) -> SchedPlugin {
    SchedPlugin {
        magic: MAGIC,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        struct_size: SchedPlugin::SIZE_1_0,
        min_host_minor: 0,
        flags: match T::LIVENESS {
            Liveness::Ticks => 0,
            Liveness::External => flags::EXTERNAL,
        },
        reserved: 0,
        name: c_str(name).as_ptr(),
        version: c_str(version).as_ptr(),
        build_info: c_str(concat!("sched-plugin ", env!("CARGO_PKG_VERSION"), " (Rust)\0")).as_ptr(),
        create: Some(trampolines::create::<T>),
        destroy: Some(trampolines::destroy::<T>),
        start: Some(trampolines::start::<T>),
        is_available: Some(trampolines::is_available::<T>),
        stop: Some(trampolines::stop::<T>),
        fire_due: if T::HOOKS.contains(Hooks::FIRE_DUE) { Some(trampolines::fire_due::<T>) } else { None },
        reconcile: if T::HOOKS.contains(Hooks::RECONCILE) { Some(trampolines::reconcile::<T>) } else { None },
        on_jobs_changed: if T::HOOKS.contains(Hooks::JOBS_CHANGED) {
            Some(trampolines::jobs_changed::<T>)
        } else {
            None
        },
    }
}

/// Evaluated while the plugin is compiled, so that a wrong name is an error there.
const fn c_str(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a plugin's name must not have a zero in it"),
    }
}
