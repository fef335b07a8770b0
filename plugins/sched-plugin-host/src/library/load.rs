//! A library is opened, and the head of what it exports is checked.

use std::{
    error::Error as _,
    ffi::{CStr, c_char},
    mem,
    path::Path,
    ptr,
};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use sched_plugin_abi::{ABI_MAJOR, ABI_MINOR, MAGIC, SYMBOL, SchedPlugin, flags};

/// What a library exports, as far as this host knows it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) table: SchedPlugin,
    pub(super) name: String,
    pub(super) version: String,
}

/// Opens the library at `path`, which stays open for as long as the process lives. What is wrong is answered as a sentence.
pub(super) fn load(path: &Path) -> Result<Loaded, String> {
    // SAFETY: the symbol is data of a library that stays loaded, and the ABI says what it begins with.
    unsafe { read(open(path)?) }
}

/// What it exports.
fn open(path: &Path) -> Result<*const u8, String> {
    if !path.is_absolute() {
        let shown = path.display();
        return Err(format!("`{shown}` is not an absolute path, and no search path is to decide what is loaded"));
    }
    // What is loaded is a copy, whose path means nothing to anybody; the daemon says whose copy.
    let reason = |error| reason(&error).replace(&format!("{}: ", path.display()), "");
    // Symbols that are missing are told now, instead of ending the process at some later call.
    // SAFETY: this runs the library's constructors, whatever they do. That is what this process is for: it is the plugin's
    // own, and nothing else is at stake in it.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| format!("the loader says: {}", reason(error)))?;
    // SAFETY: of the symbol only its address is taken.
    let exported = unsafe { library.get::<*const u8>(SYMBOL) }
        .map(|symbol| *symbol)
        .map_err(|error| format!("it exports no `sched_plugin_v1`; the loader says: {}", reason(error)))?;
    // Its threads and thread-local values may outlive any moment at which it could be unloaded.
    mem::forget(library);
    Ok(exported)
}

/// What the loader says lies below what libloading says.
fn reason(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// # Safety
/// `exported` points to at least the size of a head in version 1.0, to as many bytes as that says, and to what lives for
/// ever.
unsafe fn read(exported: *const u8) -> Result<Loaded, String> {
    // SAFETY: the caller's promise: every version begins with these 32 bytes.
    let head = unsafe { exported.cast::<Head>().read_unaligned() };
    check(&head)?;
    // SAFETY: the caller's promise, and the size has just been checked.
    let table: SchedPlugin = unsafe { copy(exported, head.struct_size) };
    let missing = [
        ("create", table.create.is_none()),
        ("destroy", table.destroy.is_none()),
        ("start", table.start.is_none()),
        ("name", table.name.is_null()),
        ("version", table.version.is_null()),
    ];
    if let Some((field, _)) = missing.into_iter().find(|(_, is_missing)| *is_missing) {
        return Err(format!("its `{field}` is NULL, which must be there"));
    }
    // SAFETY: they aren't NULL, and the ABI says that they end with a zero and live as long as the library.
    let (name, version) = unsafe { (text(table.name, "name")?, text(table.version, "version")?) };
    Ok(Loaded { table, name, version })
}

/// What every version of a plugin's table begins with.
#[repr(C)]
#[derive(Clone, Copy)]
struct Head {
    magic: u64,
    abi_major: u32,
    abi_minor: u32,
    struct_size: u32,
    min_host_minor: u32,
    flags: u32,
    reserved: u32,
}

const _: () = assert!(size_of::<Head>() == mem::offset_of!(SchedPlugin, name));

/// Whether this host can work with it.
fn check(head: &Head) -> Result<(), String> {
    let &Head { magic, abi_major, struct_size, min_host_minor, flags, .. } = head;
    let unknown = flags & flags::REQUIRED & !flags::EXTERNAL;
    if magic != MAGIC {
        Err(format!("its `sched_plugin_v1` begins with {magic:#018x} and not with the magic number of a plugin"))
    } else if abi_major != ABI_MAJOR {
        Err(format!("it is built for version {abi_major} of the ABI, and this is version {ABI_MAJOR}"))
    } else if min_host_minor > ABI_MINOR {
        Err(format!("it needs version 1.{min_host_minor} of the ABI or later, and this is 1.{ABI_MINOR}: update sched"))
    } else if struct_size < SchedPlugin::SIZE_1_0 {
        Err(format!(
            "its table says that it has {struct_size} bytes, and every table has {} or more",
            SchedPlugin::SIZE_1_0
        ))
    } else if unknown != 0 {
        Err(format!(
            "it sets flags that this version doesn't know ({unknown:#x}), and they must be known: update sched"
        ))
    } else {
        Ok(())
    }
}

/// A table of functions that the ABI has in several lengths.
///
/// # Safety
/// All zeros must be a value of it.
unsafe trait Table: Copy {}

// SAFETY: numbers, pointers, and functions of which each may be none, which is NULL.
unsafe impl Table for SchedPlugin {}

/// Copies the table at `exported`, which has `size` bytes. What it has beyond ours is of a later version and not asked for;
/// what ours has beyond it stays zero: no such function.
///
/// # Safety
/// There are `size` bytes at `exported`, and as far as `T` goes they are one.
unsafe fn copy<T: Table>(exported: *const u8, size: u32) -> T {
    let mut table = mem::MaybeUninit::<T>::zeroed();
    let size = size_of::<T>().min(size as usize);
    // SAFETY: neither side is shorter than `size`, and the new one overlaps with nothing.
    unsafe { ptr::copy_nonoverlapping(exported, table.as_mut_ptr().cast(), size) };
    // SAFETY: all zeros are a value, by the trait, and what was copied over them is one, by the caller's promise.
    unsafe { table.assume_init() }
}

/// # Safety
/// `text` ends with a zero.
unsafe fn text(text: *const c_char, what: &str) -> Result<String, String> {
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(str::to_owned).map_err(|_| format!("its `{what}` is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use std::{ffi::c_void, ptr::null_mut};

    use sched_plugin_abi::{SchedError, SchedHost, SchedStr, Status};

    use super::*;
    use crate::library::{
        link::Link,
        plugin::Plugin,
        table::{Daemon, table},
        wait::Wait,
    };

    unsafe extern "C" fn create(_: *const SchedHost, _: SchedStr, _: *mut *mut c_void, _: *mut SchedError) -> Status {
        0
    }

    unsafe extern "C" fn start(_: *mut c_void, _: *mut SchedError) -> Status {
        7
    }

    unsafe extern "C" fn destroy(_: *mut c_void) {}

    const SOUND: SchedPlugin = SchedPlugin {
        magic: MAGIC,
        abi_major: 1,
        abi_minor: 0,
        struct_size: 120,
        min_host_minor: 0,
        flags: 0,
        reserved: 0,
        name: c"bells".as_ptr(),
        version: c"1.2.3".as_ptr(),
        build_info: ptr::null(),
        create: Some(create),
        destroy: Some(destroy),
        start: Some(start),
        is_available: None,
        stop: None,
        fire_due: None,
        reconcile: None,
        on_jobs_changed: Some(start),
    };

    /// A table as a later version may have it: one function more.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Later {
        known: SchedPlugin,
        on_sunrise: Option<unsafe extern "C" fn(*mut c_void, *mut SchedError) -> Status>,
    }

    // SAFETY: as for what it begins with.
    unsafe impl Table for Later {}

    fn read_of(table: &SchedPlugin) -> Result<Loaded, String> {
        // SAFETY: a whole table, and what it points to is static.
        unsafe { read(ptr::from_ref(table).cast()) }
    }

    #[test]
    fn a_sound_table_is_taken() {
        let loaded = read_of(&SOUND).expect("sound");
        assert_eq!((loaded.name.as_str(), loaded.version.as_str()), ("bells", "1.2.3"));
        assert!(loaded.table.on_jobs_changed.is_some() && loaded.table.stop.is_none());
        // Hints, and minor versions of which it needs nothing.
        assert!(read_of(&SchedPlugin { flags: 0xABCD_0001, abi_minor: 9, ..SOUND }).is_ok());
    }

    #[test]
    fn every_refusal_says_what_is_wrong() {
        let table: &[(SchedPlugin, &str)] = &[
            (SchedPlugin { magic: 1, ..SOUND }, "begins with 0x0000000000000001"),
            (SchedPlugin { abi_major: 2, ..SOUND }, "built for version 2 of the ABI, and this is version 1"),
            (SchedPlugin { min_host_minor: 3, ..SOUND }, "needs version 1.3 of the ABI or later, and this is 1.0"),
            (SchedPlugin { struct_size: 119, ..SOUND }, "says that it has 119 bytes"),
            (SchedPlugin { flags: 0x13, ..SOUND }, "flags that this version doesn't know (0x12)"),
            (SchedPlugin { create: None, ..SOUND }, "its `create` is NULL"),
            (SchedPlugin { destroy: None, ..SOUND }, "its `destroy` is NULL"),
            (SchedPlugin { start: None, ..SOUND }, "its `start` is NULL"),
            (SchedPlugin { name: ptr::null(), ..SOUND }, "its `name` is NULL"),
            (SchedPlugin { version: c"\xff".as_ptr(), ..SOUND }, "its `version` is not UTF-8"),
        ];
        for (plugin, expected) in table {
            let why = read_of(plugin).expect_err(expected);
            assert!(why.contains(expected), "{why}\nlacks: {expected}");
        }
    }

    #[test]
    fn tables_of_other_lengths_fit() {
        // A plugin of version 1.0, and a host that knows a function more.
        // SAFETY: 120 bytes of a sound table.
        let ours: Later = unsafe { copy(ptr::from_ref(&SOUND).cast(), 120) };
        assert!(ours.on_sunrise.is_none() && ours.known.on_jobs_changed.is_some());
        // A plugin of a later version, and a host of version 1.0.
        let known = SchedPlugin { struct_size: size_of::<Later>() as u32, ..SOUND };
        let theirs = Later { known, on_sunrise: Some(start) };
        assert_eq!(read_of(&theirs.known).expect("sound").name, "bells");
        // SAFETY: a sound table and its own length.
        let whole: Later = unsafe { copy(ptr::from_ref(&theirs).cast(), known.struct_size) };
        // SAFETY: the function takes anything.
        assert_eq!(whole.on_sunrise.map(|call| unsafe { call(null_mut(), null_mut()) }), Some(7));
    }

    /// The host's table as a later version may have it.
    #[repr(C)]
    struct LaterHost {
        known: SchedHost,
        sunrise: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
    }

    #[test]
    fn a_library_of_version_1_0_works_with_a_host_of_a_later_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let library = folder.path().join("libprobe.so");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut cc = std::process::Command::new("cc");
        cc.args(["-shared", "-fPIC", "-I"]).arg(sources.join("../sched-plugin-abi/include"));
        let built = cc.arg(sources.join("tests/library/probe.c")).arg("-o").arg(&library).status();
        assert!(built.expect("a C compiler").success());
        let exported = open(&library).expect("a plugin");

        // SAFETY: a real library's table, of as many bytes as it says.
        let (size, read) = unsafe {
            let size = exported.cast::<Head>().read_unaligned().struct_size;
            (size, copy::<Later>(exported, size))
        };
        assert_eq!(size, SchedPlugin::SIZE_1_0);
        assert!(read.on_sunrise.is_none() && read.known.on_jobs_changed.is_some());
        let plugin = read_of(&read.known).expect("sound");

        let link = Link::new(tempfile::tempfile().expect("a file"));
        let wait = Wait::new(std::time::Duration::from_mins(1));
        let daemon = Box::leak(Box::new(Daemon { link, wait }));
        let ours = table(daemon);
        let size = size_of::<LaterHost>() as u32;
        // SAFETY: a table is numbers, pointers and functions, all of which may be shared.
        let known = SchedHost { struct_size: size, abi_minor: 1, ..unsafe { ptr::from_ref(ours).read() } };
        let host: &'static LaterHost = Box::leak(Box::new(LaterHost { known, sunrise: None }));
        assert!(host.sunrise.is_none(), "which the plugin never looks at");
        let plugin = Plugin::create(plugin, &host.known, r#"{"does": "return"}"#).expect("made");
        assert_eq!(plugin.start(), Ok(()));
    }

    #[test]
    fn what_cannot_be_opened_is_said() {
        let why = load(Path::new("libbells.so")).expect_err("relative");
        assert!(why.starts_with("`libbells.so` is not an absolute path"), "{why}");
        let why = load(Path::new("/nowhere/libbells.so")).expect_err("missing");
        assert!(why.starts_with("the loader says: cannot open shared object file"), "{why}");
        // A library, but no plugin.
        let maps = std::fs::read_to_string("/proc/self/maps").expect("maps");
        let libc = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(|path| path.contains("/libc"));
        let why = load(Path::new(libc.expect("the C library"))).expect_err("no plugin");
        assert!(why.contains("exports no `sched_plugin_v1`"), "{why}");
    }
}
