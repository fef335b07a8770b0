//! What a library exports.

use core::{
    ffi::{c_char, c_void},
    mem::offset_of,
};

use crate::{SchedError, SchedHost, SchedStr, Status};

/// A plugin's table: 120 bytes in version 1.0. `create`, `destroy` and `start` must be there; of the others a NULL means the
/// host's default.
///
/// The host calls `create` once and hands what it wrote to `self` to all the others. `stop` may run beside `start`; the
/// hooks (`fire_due`, `reconcile`, `on_jobs_changed`) run beside `start` too, one at a time.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SchedPlugin {
    /// [`MAGIC`](crate::MAGIC).
    pub magic: u64,
    /// [`ABI_MAJOR`](crate::ABI_MAJOR) that the library was built with.
    pub abi_major: u32,
    /// [`ABI_MINOR`](crate::ABI_MINOR) that the library was built with.
    pub abi_minor: u32,
    /// The size of this struct as the library knows it.
    pub struct_size: u32,
    /// The least minor version of a host that the library can do with.
    pub min_host_minor: u32,
    /// See [`flags`](crate::flags).
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
    /// UTF-8, ended by a zero; the same as in plugin.yaml.
    pub name: *const c_char,
    /// UTF-8, ended by a zero.
    pub version: *const c_char,
    /// Whatever helps whoever looks into a fault; UTF-8, ended by a zero, or NULL.
    pub build_info: *const c_char,
    /// Makes the plugin of its configuration.
    pub create: Option<
        unsafe extern "C" fn(
            host: *const SchedHost,
            config_json: SchedStr,
            this: *mut *mut c_void,
            error: *mut SchedError,
        ) -> Status,
    >,
    /// Frees what `create` made.
    pub destroy: Option<unsafe extern "C" fn(this: *mut c_void)>,
    /// Works until the host is stopping; with [`flags::EXTERNAL`](crate::flags::EXTERNAL) it arms something and returns.
    pub start: Option<unsafe extern "C" fn(this: *mut c_void, error: *mut SchedError) -> Status>,
    /// Says before `start` whether this machine has what the plugin needs. It never touches the network.
    pub is_available: Option<unsafe extern "C" fn(this: *mut c_void, error: *mut SchedError) -> Status>,
    /// Undoes what `start` armed.
    pub stop: Option<unsafe extern "C" fn(this: *mut c_void, error: *mut SchedError) -> Status>,
    /// Is asked to fire a job that is due.
    pub fire_due: Option<unsafe extern "C" fn(this: *mut c_void, job_id: SchedStr, error: *mut SchedError) -> Status>,
    /// Makes what is armed outside agree with the jobs.
    pub reconcile: Option<unsafe extern "C" fn(this: *mut c_void, error: *mut SchedError) -> Status>,
    /// Is told that jobs have changed.
    pub on_jobs_changed: Option<unsafe extern "C" fn(this: *mut c_void, error: *mut SchedError) -> Status>,
}

impl SchedPlugin {
    /// The size in version 1.0; a plugin with less is refused.
    pub const SIZE_1_0: u32 = 120;
}

// SAFETY: a library's table is constant data; the strings it points to live as long as the library, which is never unloaded.
unsafe impl Sync for SchedPlugin {}
// SAFETY: as above.
unsafe impl Send for SchedPlugin {}

const _: () = {
    assert!(size_of::<SchedPlugin>() == SchedPlugin::SIZE_1_0 as usize);
    assert!(offset_of!(SchedPlugin, abi_major) == 8 && offset_of!(SchedPlugin, abi_minor) == 12);
    assert!(offset_of!(SchedPlugin, struct_size) == 16 && offset_of!(SchedPlugin, min_host_minor) == 20);
    assert!(offset_of!(SchedPlugin, flags) == 24 && offset_of!(SchedPlugin, name) == 32);
    assert!(offset_of!(SchedPlugin, version) == 40 && offset_of!(SchedPlugin, build_info) == 48);
    assert!(offset_of!(SchedPlugin, create) == 56 && offset_of!(SchedPlugin, destroy) == 64);
    assert!(offset_of!(SchedPlugin, start) == 72 && offset_of!(SchedPlugin, is_available) == 80);
    assert!(offset_of!(SchedPlugin, stop) == 88 && offset_of!(SchedPlugin, fire_due) == 96);
    assert!(offset_of!(SchedPlugin, reconcile) == 104 && offset_of!(SchedPlugin, on_jobs_changed) == 112);
};
