//! Panics end here: one that crossed into C would be undefined behaviour.

use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Does `work`; if it panics, answers the panic's message.
///
/// What `work` was in the middle of may be left in disorder. That is the plugin's own, and the host ends a plugin that
/// panics.
pub(crate) fn caught<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let message = message(&*payload);
        discard(payload);
        message
    })
}

/// The payload is the author's, and so is its drop, which may panic as well; and so may the drop of what that threw, so that
/// one is given up.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(another);
    }
}

pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(Self(self.0 + 1));
        }
    }

    #[test]
    fn every_kind_of_panic_is_caught() {
        assert_eq!(caught(|| 1), Ok(1));
        assert_eq!(caught(|| panic!("plain")), Err::<(), _>("plain".into()));
        assert_eq!(caught(|| panic!("with {}", 1)), Err::<(), _>("with 1".into()));
        assert_eq!(caught(|| panic_any(7)), Err::<(), _>("a panic without a message".into()));
        // Each drop of it throws another one.
        assert_eq!(caught(|| panic_any(Bomb(0))), Err::<(), _>("a panic without a message".into()));
    }
}
