//! What the two sides pass to each other.

use core::{ffi::c_void, mem::offset_of};

/// Text that is lent for the length of a call: UTF-8, not ended by a zero. An empty one may have any pointer.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SchedStr {
    /// The first byte.
    pub ptr: *const u8,
    /// How many bytes there are.
    pub len: usize,
}

impl SchedStr {
    /// Lends `text`; it must outlive the call.
    ///
    /// ```
    /// let lent = sched_plugin_abi::SchedStr::new("backup");
    /// assert_eq!(lent.len, 6);
    /// ```
    pub const fn new(text: &str) -> Self {
        Self { ptr: text.as_ptr(), len: text.len() }
    }
}

/// Where a call puts what went wrong. The caller allocates it; a NULL in its place means that nobody wants to know.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SchedError {
    /// The size of this struct as the caller knows it.
    pub struct_size: u32,
    /// The same as the [`Status`](crate::Status) of the call.
    pub code: i32,
    /// UTF-8, ended by a zero.
    pub message: [u8; 504],
}

impl SchedError {
    /// An empty one, to be lent to a call.
    pub const EMPTY: Self = Self { struct_size: size_of::<Self>() as u32, code: 0, message: [0; 504] };

    /// Sets code and message. A message that is too long ends at a whole character.
    ///
    /// ```
    /// let mut error = sched_plugin_abi::SchedError::EMPTY;
    /// error.set(-1, "no such folder");
    /// assert_eq!(error.text(), "no such folder");
    /// ```
    pub fn set(&mut self, code: i32, message: &str) {
        self.code = code;
        let end = message.floor_char_boundary(self.message.len() - 1);
        let (text, rest) = self.message.split_at_mut(end);
        text.copy_from_slice(&message.as_bytes()[..end]);
        rest.fill(0);
    }

    /// The message up to its zero, and up to where it stops being UTF-8.
    pub fn text(&self) -> &str {
        let end = self.message.iter().position(|byte| *byte == 0).unwrap_or(self.message.len());
        let text = &self.message[..end];
        match core::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => core::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default(),
        }
    }
}

/// Where a call puts a long text, chunk by chunk.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SchedSink {
    /// Handed to `write`.
    pub ctx: *mut c_void,
    /// Takes the next chunk; the text is the caller's. A chunk may end within a character.
    pub write: Option<unsafe extern "C" fn(ctx: *mut c_void, chunk: SchedStr)>,
}

const _: () = {
    assert!(size_of::<SchedStr>() == 16 && offset_of!(SchedStr, len) == 8);
    assert!(size_of::<SchedSink>() == 16 && offset_of!(SchedSink, write) == 8);
    assert!(size_of::<SchedError>() == 512);
    assert!(offset_of!(SchedError, code) == 4 && offset_of!(SchedError, message) == 8);
};
