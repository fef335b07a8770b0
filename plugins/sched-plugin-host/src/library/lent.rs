//! Texts and errors that are lent over the border to C, and the end of panics at it.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    slice, str,
};

use sched_plugin_abi::{SchedError, SchedStr, Status, status};

use crate::protocol::{Code, Fault};

/// Reads a lent text.
///
/// # Safety
/// If its length isn't zero, `lent.ptr` is NULL or points to that many bytes, which live and don't change as long as the
/// answer is used.
pub(super) unsafe fn text<'l>(lent: SchedStr, what: &str) -> Result<&'l str, Fault> {
    if lent.len == 0 {
        return Ok("");
    }
    if lent.ptr.is_null() || lent.len > isize::MAX as usize {
        return Err(Fault::new(Code::Invalid, format!("{what} is not a text: {} bytes at {:p}", lent.len, lent.ptr)));
    }
    // SAFETY: the caller's promise, and neither NULL nor longer than any object.
    let bytes = unsafe { slice::from_raw_parts(lent.ptr, lent.len) };
    str::from_utf8(bytes).map_err(|_| Fault::new(Code::Invalid, format!("{what} is not UTF-8")))
}

/// Tells of a fault, in number and words, whoever wants to know; answers the number.
///
/// # Safety
/// `error` is NULL, or nobody else's, and has as many bytes as it says.
pub(super) unsafe fn tell(fault: &Fault, error: *mut SchedError) -> Status {
    let status = status_of(fault.code);
    // SAFETY: the caller's promise; its size comes first and is read alone, before all of it is touched.
    let is_whole = !error.is_null() && unsafe { error.cast::<u32>().read() } as usize >= size_of::<SchedError>();
    if is_whole {
        // SAFETY: the caller's promise, and it is as large as we know it.
        unsafe { &mut *error }.set(status, &fault.to_string());
    }
    status
}

/// Does `work`; a panic in it, which must not go on into C, becomes `otherwise`.
pub(super) fn guarded<R>(otherwise: R, work: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        // Of our own panics only messages are thrown; the drop of anything else might panic in its turn.
        mem::forget(payload);
        otherwise
    })
}

pub(super) fn status_of(code: Code) -> Status {
    match code {
        Code::Generic | Code::Unknown => status::ERROR,
        Code::Panic => status::PANIC,
        Code::Unavailable => status::UNAVAILABLE,
        Code::Invalid => status::INVALID,
        Code::NotFound => status::NOT_FOUND,
        Code::Stopping => status::STOPPING,
        Code::Revoked => status::REVOKED,
    }
}

pub(super) fn code_of(status: Status) -> Code {
    match status {
        status::PANIC => Code::Panic,
        status::UNAVAILABLE => Code::Unavailable,
        status::INVALID => Code::Invalid,
        status::NOT_FOUND => Code::NotFound,
        status::STOPPING => Code::Stopping,
        status::REVOKED => Code::Revoked,
        _ => Code::Generic,
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn what_is_no_text_is_said() {
        let read = |ptr, len| {
            // SAFETY: every pair below is NULL, empty, too long, or a static text.
            unsafe { text(SchedStr { ptr, len }, "a job id") }.map_err(|fault| fault.message)
        };
        assert_eq!(read("backup".as_ptr(), 6), Ok("backup"));
        assert_eq!(read(ptr::null(), 0), Ok(""));
        assert_eq!(read(ptr::null(), 3), Err("a job id is not a text: 3 bytes at 0x0".into()));
        assert!(read("x".as_ptr(), usize::MAX).is_err());
        assert_eq!(read([0xc3, 0x28].as_ptr(), 2), Err("a job id is not UTF-8".into()));
    }

    #[test]
    fn a_fault_survives_the_way_there_and_back() {
        for code in Code::ALL {
            let back = code_of(status_of(code));
            assert_eq!(back, if code == Code::Unknown { Code::Generic } else { code });
        }
    }

    #[test]
    fn an_error_that_is_shorter_than_ours_stays_as_it_is() {
        let fault = Fault::new(Code::NotFound, "no job `x`");
        let mut error = SchedError::EMPTY;
        // SAFETY: NULL, and errors of this function's own.
        assert_eq!(unsafe { [tell(&fault, ptr::null_mut()), tell(&fault, &raw mut error)] }, [-5, -5]);
        assert_eq!((error.code, error.text()), (-5, "no job `x`"));
        let mut short = SchedError { struct_size: 100, ..SchedError::EMPTY };
        // SAFETY: as above.
        assert_eq!(unsafe { tell(&fault, &raw mut short) }, -5);
        assert_eq!((short.code, short.text()), (0, ""));
    }

    #[test]
    fn a_panic_ends_here() {
        assert_eq!(guarded(-2, || 0), 0);
        assert_eq!(guarded(-2, || panic!("of ours")), -2);
    }
}
