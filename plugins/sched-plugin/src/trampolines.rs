//! From C to the trait: what stands in the exported table.
//!
//! Each function takes what C gives, calls the trait under a guard, and turns what comes back into a status and a message.

use std::{
    error::Error,
    ffi::c_void,
    iter, slice,
    str::{self, Utf8Error},
};

use sched_plugin_abi::{SchedError, SchedHost, SchedStr, Status, status};

use crate::{BoxError, Host, HostError, SchedulerPlugin, Unavailable, caught::caught, logging};

/// What `self` points to.
struct Instance<T> {
    plugin: T,
    host: Host,
}

pub(crate) unsafe extern "C" fn create<T: SchedulerPlugin>(
    host: *const SchedHost,
    config: SchedStr,
    this: *mut *mut c_void,
    error: *mut SchedError,
) -> Status {
    guard("create", error, || {
        // SAFETY: the ABI: the host's table lives as long as the process.
        let host = unsafe { Host::from_raw(host) }?;
        logging::lead_to(host);
        // SAFETY: the ABI: the text lives for this call.
        let config = unsafe { text(&config) }?.parse()?;
        let instance = Box::new(Instance { plugin: T::from_config(config)?, host });
        // SAFETY: the ABI: there is room for one pointer.
        unsafe { this.write(Box::into_raw(instance).cast()) };
        Ok(status::STARTED)
    })
}

pub(crate) unsafe extern "C" fn destroy<T: SchedulerPlugin>(this: *mut c_void) {
    // The panic hook has logged what there is to say, and there is nobody to answer to.
    // SAFETY: the ABI: `this` is what `create` made, and this is the last call with it.
    let _ = caught(|| drop(unsafe { Box::from_raw(this.cast::<Instance<T>>()) }));
}

pub(crate) unsafe extern "C" fn start<T: SchedulerPlugin>(this: *mut c_void, error: *mut SchedError) -> Status {
    // SAFETY: the ABI's promise to this function is that of `with`.
    unsafe { with::<T>("start", this, error, T::start) }
}

pub(crate) unsafe extern "C" fn is_available<T: SchedulerPlugin>(this: *mut c_void, error: *mut SchedError) -> Status {
    // SAFETY: as in `start`.
    unsafe { with::<T>("is_available", this, error, |plugin, _| Ok(plugin.is_available()?)) }
}

pub(crate) unsafe extern "C" fn stop<T: SchedulerPlugin>(this: *mut c_void, error: *mut SchedError) -> Status {
    // SAFETY: as in `start`.
    unsafe { with::<T>("stop", this, error, T::stop) }
}

pub(crate) unsafe extern "C" fn reconcile<T: SchedulerPlugin>(this: *mut c_void, error: *mut SchedError) -> Status {
    // SAFETY: as in `start`.
    unsafe { with::<T>("reconcile", this, error, T::reconcile) }
}

pub(crate) unsafe extern "C" fn jobs_changed<T: SchedulerPlugin>(this: *mut c_void, error: *mut SchedError) -> Status {
    // SAFETY: as in `start`.
    unsafe { with::<T>("on_jobs_changed", this, error, T::on_jobs_changed) }
}

pub(crate) unsafe extern "C" fn fire_due<T: SchedulerPlugin>(
    this: *mut c_void,
    job: SchedStr,
    error: *mut SchedError,
) -> Status {
    guard("fire_due", error, || {
        // SAFETY: the ABI: `this` is what `create` made and is not destroyed yet; it is only ever shared.
        let instance = unsafe { &*this.cast::<Instance<T>>() };
        // SAFETY: the ABI: the text lives for this call.
        let job = unsafe { text(&job) }?;
        Ok(instance.plugin.fire_due(&instance.host, job)?.status())
    })
}

/// # Safety
/// `this` is what `create` made for the same `T`, and not destroyed yet.
unsafe fn with<T: SchedulerPlugin>(
    name: &str,
    this: *mut c_void,
    error: *mut SchedError,
    call: impl FnOnce(&T, &Host) -> Result<(), BoxError>,
) -> Status {
    guard(name, error, || {
        // SAFETY: the caller's promise. Calls may come from several threads: `T` is `Sync`, and it is only ever shared.
        let instance = unsafe { &*this.cast::<Instance<T>>() };
        call(&instance.plugin, &instance.host).map(|()| status::STARTED)
    })
}

/// Does `work`, and tells of an error or a panic in numbers and words. Errors are an author's types: their texts and their
/// drops may panic as well, so they are dealt with inside.
fn guard(name: &str, error: *mut SchedError, work: impl FnOnce() -> Result<Status, BoxError>) -> Status {
    let done = caught(|| work().map_err(|failure| (status_of(&*failure), text_of(&*failure))));
    let (status, message) = match done {
        Ok(Ok(status)) => return status,
        Ok(Err(failure)) => failure,
        Err(panic) => (status::PANIC, format!("panicked in `{name}`: {panic}")),
    };
    // SAFETY: the ABI: `error` is NULL, or the caller's and nobody else's for this call, and says how large it is.
    if let Some(error) = unsafe { error.as_mut() }
        && error.struct_size as usize >= size_of::<SchedError>()
    {
        error.set(status, &message);
    }
    status
}

/// An error of the host, or that something is missing, keeps its number however it is wrapped.
fn status_of(failure: &(dyn Error + 'static)) -> Status {
    chain(failure)
        .find_map(|cause| {
            let of_host = cause.downcast_ref::<HostError>().map(HostError::status);
            of_host.or_else(|| cause.is::<Unavailable>().then_some(status::UNAVAILABLE))
        })
        .unwrap_or(status::ERROR)
}

fn text_of(failure: &(dyn Error + 'static)) -> String {
    chain(failure).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn chain<'e>(failure: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(failure), |cause| (*cause).source())
}

/// # Safety
/// As the ABI says: `len` bytes that live as long as the borrow.
unsafe fn text(lent: &SchedStr) -> Result<&str, Utf8Error> {
    if lent.len == 0 {
        return Ok("");
    }
    // SAFETY: the caller's promise; an empty one, which may have any pointer, is dealt with.
    str::from_utf8(unsafe { slice::from_raw_parts(lent.ptr, lent.len) })
}
