#![expect(clippy::disallowed_methods, reason = "tests make the files that are looked at")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
};

use super::*;

const EXEC: &str = "name: bells\nversion: '1'\nkind: exec\ncommand: [./bells]\nprotocol: 1\n";
const DYLIB: &str = "name: bells\nversion: '1'\nkind: dylib\nlibrary: libbells.so\nabi: 1\n";

/// A folder of plugins with one in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new(manifest: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(place.folder()).unwrap();
        place.write("plugin.yaml", manifest.as_bytes());
        place.mode("", 0o755);
        place
    }

    fn exec() -> Self {
        let place = Self::new(EXEC);
        place.write("bells", b"#!/bin/sh\n");
        place.mode("bells", 0o755);
        place
    }

    /// A library that the C compiler makes of `source`.
    fn library(source: &str, options: &[&str]) -> Self {
        let place = Self::new(DYLIB);
        place.compile(source, options);
        place
    }

    fn compile(&self, source: &str, options: &[&str]) {
        let code = self.0.path().join("code.c");
        fs::write(&code, source).unwrap();
        let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../sched-plugin-abi/include");
        let library = self.folder().join("libbells.so");
        let options = if options.is_empty() { &["-shared", "-fPIC"] } else { options };
        let mut cc = Command::new("cc");
        let done = cc.args(options).arg("-I").arg(header).arg("-o").arg(&library).arg(&code).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        self.mode("libbells.so", 0o644);
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("plugins/bells")
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder().join(name), bytes).unwrap();
        self.mode(name, 0o644);
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.folder().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn preflight(&self) -> Result<Cleared> {
        let cache = self.0.path().join("cache");
        let grounds = Grounds { cache, loader: vec!["sched".into(), "__plugin-host".into()], environment: Vec::new() };
        preflight("bells", &self.folder(), &grounds)
    }

    /// That it is refused with this sentence, in which `%` is the plugin's folder.
    #[track_caller]
    fn refuses(&self, want: &str) {
        let folder = self.folder().canonicalize().unwrap();
        let error = self.preflight().expect_err(want);
        let got = format!("{error} [{}]", error.hint_text().unwrap_or("no hint"));
        assert_eq!(got, want.replace('%', &folder.display().to_string()));
    }
}

/// A table in C whose head is `magic, major, minor, size, min, flags`.
fn table(head: &str) -> String {
    format!(
        "#include \"sched_plugin.h\"\n\
         static sched_status create(const sched_host *h, sched_str c, void **s, sched_error *e) \
         {{ (void)h; (void)c; (void)s; (void)e; return 0; }}\n\
         static void destroy(void *s) {{ (void)s; }}\n\
         static sched_status start(void *s, sched_error *e) {{ (void)s; (void)e; return 0; }}\n\
         const sched_plugin sched_plugin_v1 = {{ {head}, 0, \"bells\", \"1\", \"\", create, destroy, start, 0, 0, 0, 0, 0 }};\n"
    )
}

fn good() -> String {
    table("SCHED_PLUGIN_MAGIC, 1, 0, sizeof(sched_plugin), 0, 0")
}

#[test]
fn a_program_is_started_in_place_and_named_by_its_sum() {
    let place = Place::exec();
    let cleared = place.preflight().unwrap();
    let folder = place.folder().canonicalize().unwrap();
    assert_eq!((cleared.argv, &cleared.folder), (vec![folder.join("bells").into_os_string()], &folder));
    assert_eq!(cleared.sha256, sum(b"#!/bin/sh\n"));

    place.write("plugin.yaml", format!("{EXEC}sha256: {}\n", cleared.sha256).as_bytes());
    assert!(place.preflight().is_ok());
}

#[test]
fn an_interpreter_is_found_and_its_script_is_the_code() {
    let place = Place::exec();
    place.write("plugin.yaml", EXEC.replace("[./bells]", "[sh, -u, bells, now]").as_bytes());
    place.mode("bells", 0o644);
    let cleared = place.preflight().unwrap();
    assert!(cleared.argv[0].to_string_lossy().ends_with("/sh"), "{:?}", cleared.argv);
    assert_eq!(
        (&cleared.argv[1..], cleared.sha256),
        (&["-u", "bells", "now"].map(OsString::from)[..], sum(b"#!/bin/sh\n"))
    );
}

#[test]
fn a_library_is_copied_and_the_copy_is_used() {
    let place = Place::library(&good(), &[]);
    let cleared = place.preflight().unwrap();
    let copy = place.0.path().join("cache").join(format!("{}.so", cleared.sha256));
    assert_eq!(cleared.argv, [OsString::from("sched"), "__plugin-host".into(), copy.clone().into()]);
    let bytes = fs::read(place.folder().join("libbells.so")).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    assert_eq!(fs::metadata(copy.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);

    // A copy that isn't what its name says is made anew, under another inode: the old one may be loaded.
    fs::write(&copy, b"rot").unwrap();
    let loaded = fs::File::open(&copy).unwrap();
    assert!(place.preflight().is_ok());
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    assert_eq!(std::io::read_to_string(loaded).unwrap(), "rot");

    fs::set_permissions(copy.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    let error = place.preflight().unwrap_err();
    assert!(error.to_string().contains("is open to others"), "{error}");
}

#[test]
fn copies_that_nobody_asked_for_lately_go() {
    let place = Place::library(&good(), &[]);
    let cleared = place.preflight().unwrap();
    let copy = PathBuf::from(cleared.argv.last().unwrap());
    let age = |name: &str, minutes: u64| {
        let path = copy.with_file_name(name);
        fs::write(&path, b"a copy").unwrap();
        let at = fs::metadata(&copy).unwrap().modified().unwrap() - std::time::Duration::from_mins(minutes);
        fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        path
    };
    let (old, young, draft) = (age("5f3a.so", 61), age("5f3b.so", 59), age("5f3a.77.tmp", 61));
    cleared.prune();
    assert_eq!([&copy, &old, &young, &draft].map(|path| path.exists()), [true, false, true, false]);

    // Whoever asks for an old copy again has it for a while.
    let at = fs::metadata(&copy).unwrap().modified().unwrap();
    fs::File::options().write(true).open(&copy).unwrap().set_modified(at - std::time::Duration::from_hours(5)).unwrap();
    place.preflight().unwrap();
    assert!(fs::metadata(&copy).unwrap().modified().unwrap() >= at);
}

#[test]
fn a_stripped_library_and_one_in_c_plus_plus_order_of_sections_pass_too() {
    for options in
        [["-shared", "-fPIC", "-s"], ["-shared", "-fPIC", "-Wl,-z,relro,-z,now"], ["-shared", "-fPIC", "-O3"]]
    {
        Place::library(&good(), &options).preflight().unwrap();
    }
}

#[test]
fn what_others_can_change_is_refused() {
    let place = Place::exec();
    for (name, mode, who) in
        [("bells", 0o777, "everybody"), ("plugin.yaml", 0o664, "its group"), ("", 0o775, "its group")]
    {
        let before = fs::metadata(place.folder().join(name)).unwrap().permissions().mode();
        place.mode(name, mode);
        let path = if name.is_empty() { "%".to_owned() } else { format!("%/{name}") };
        let want = format!(
            "{path} can be written by {who} (mode {mode:04o}) [if you trust what is in it: `chmod go-w {path}`]"
        );
        place.refuses(&want);
        place.mode(name, before);
    }
    let above = place.0.path().join("plugins");
    fs::set_permissions(&above, fs::Permissions::from_mode(0o777)).unwrap();
    let error = place.preflight().unwrap_err();
    assert!(error.to_string().ends_with("/plugins can be written by everybody (mode 0777)"), "{error}");
    fs::set_permissions(&above, fs::Permissions::from_mode(0o755)).unwrap();

    // What a program would import counts as much as the program.
    fs::create_dir(place.folder().join("deep")).unwrap();
    place.mode("deep", 0o755);
    place.write("deep/helper.py", b"");
    place.mode("deep/helper.py", 0o666);
    assert!(
        place.preflight().unwrap_err().to_string().ends_with("/deep/helper.py can be written by everybody (mode 0666)")
    );
    place.mode("deep/helper.py", 0o644);
    place.preflight().unwrap();
}

#[test]
fn the_owner_is_us_or_root() {
    let check = |owner, mode, us, ok: bool| {
        assert_eq!(trust::owned_by("/x".as_ref(), owner, mode, us).is_ok(), ok, "{owner} {mode:o} {us}");
    };
    check(0, 0o755, 1000, true);
    check(1000, 0o700, 1000, true);
    check(1001, 0o700, 1000, false);
    check(1000, 0o700, 0, false);
    check(0, 0o775, 0, false);
    let error = trust::owned_by("/x".as_ref(), 1001, 0o755, 1000).unwrap_err();
    assert_eq!(error.to_string(), "/x is owned by the user 1001, not by 1000, as whom sched runs, or by root");
    assert_eq!(error.hint_text(), Some("if you trust what is in it: `chown 1000 /x`"));
}

#[test]
fn links_stay_inside() {
    let place = Place::exec();
    place.write("real", b"#!/bin/sh\n");
    place.mode("real", 0o755);
    fs::remove_file(place.folder().join("bells")).unwrap();
    symlink("real", place.folder().join("bells")).unwrap();
    place.preflight().unwrap();

    symlink("/etc/hostname", place.folder().join("host")).unwrap();
    let target = Path::new("/etc/hostname").canonicalize().unwrap();
    place.refuses(&format!(
        "%/host leads out of the plugin's folder, to {} [put the file itself into the folder]",
        target.display()
    ));
    fs::remove_file(place.folder().join("host")).unwrap();
    symlink("nowhere", place.folder().join("gone")).unwrap();
    place.refuses("%/gone is a link to something that is not there [check the path]");
    fs::remove_file(place.folder().join("gone")).unwrap();

    // A folder that is linked as a whole is checked at its target.
    let moved = place.0.path().join("elsewhere");
    fs::rename(place.folder(), &moved).unwrap();
    symlink(&moved, place.folder()).unwrap();
    place.preflight().unwrap();
    fs::set_permissions(&moved, fs::Permissions::from_mode(0o777)).unwrap();
    place.refuses("% can be written by everybody (mode 0777) [if you trust what is in it: `chmod go-w %`]");
}

#[test]
fn what_is_no_plugin_is_told() {
    let place = Place::exec();
    let with = |manifest: &str, want: &str| {
        place.write("plugin.yaml", manifest.as_bytes());
        place.refuses(want);
    };
    with(
        &EXEC.replace("bells\nv", "gongs\nv"),
        "%/plugin.yaml calls the plugin `gongs`, and its folder is `bells` [rename the folder to `gongs`]",
    );
    with(&EXEC.replace("./bells", "./gongs"), "%/gongs is not there [check the path]");
    with(
        &EXEC.replace("./bells", "gongs-that-nobody-has"),
        "there is no program `gongs-that-nobody-has`, neither in % nor on the PATH [write `./gongs-that-nobody-has` for a file of the plugin, or install `gongs-that-nobody-has`]",
    );
    with(&EXEC.replace("./bells", "../../bells"), "%/../../bells is not there [check the path]");
    let zeros = "0".repeat(64);
    let pinned = format!("{EXEC}sha256: '{zeros}'\n");
    with(
        &pinned,
        &format!(
            "%/bells has the sha256 {}, not {zeros} [somebody changed it; if that is right, put the new sum into plugin.yaml]",
            sum(b"#!/bin/sh\n")
        ),
    );
    with(
        &pinned.replace("./bells", "/bin/sh"),
        "%/plugin.yaml gives a sha256, and nothing that lies beside it is started [remove `sha256`, or start a program that lies in the folder]",
    );
    place.mode("bells", 0o644);
    with(EXEC, "%/bells can't be executed [`chmod +x %/bells`, or name its interpreter first in `command`]");
    fs::remove_file(place.folder().join("bells")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, place.folder().join("bells"), rustix::fs::Mode::from(0o755)).unwrap();
    with(&EXEC.replace("[./bells]", "[sh, bells]"), "%/bells is not a regular file [put a regular file there]");
}

#[test]
fn a_library_that_would_not_load_is_refused_by_its_file() {
    let check = |source: &str, options: &[&str], want: &str| {
        let place = Place::library(source, options);
        let error = place.preflight().expect_err(want);
        assert_eq!(
            error.to_string(),
            format!("{}/libbells.so {want}", place.folder().canonicalize().unwrap().display())
        );
        assert!(error.hint_text().is_some(), "{want}");
        assert!(!place.0.path().join("cache").exists(), "nothing that is refused is copied");
    };
    let head = |head: &str, want: &str| check(&table(head), &[], want);
    check("int other;", &[], "exports no `sched_plugin_v1`");
    check("extern int sched_plugin_v1; int f(void) { return sched_plugin_v1; }", &[], "exports no `sched_plugin_v1`");
    check("void sched_plugin_v1(void) {}", &[], "exports `sched_plugin_v1` as a function, and it must be data");
    check(
        "__thread int sched_plugin_v1;",
        &[],
        "exports `sched_plugin_v1` as a symbol of the type 6, and it must be data",
    );
    check("int sched_plugin_v1 = 1;", &[], "exports a `sched_plugin_v1` of 4 bytes, and it has at least 120");
    check(
        "char sched_plugin_v1[120];",
        &[],
        "exports a `sched_plugin_v1` that is not in the file: it has no initial value",
    );
    check(
        &format!("{}int main(void) {{ return 0; }}", good()),
        &["-fPIE", "-pie", "-rdynamic"],
        "is a program, not a library",
    );
    check(&good(), &["-c", "-fPIC"], "is an object file that was never linked");
    head("1, 1, 0, 120, 0, 0", "exports a `sched_plugin_v1` that doesn't begin with the magic number");
    head(
        "SCHED_PLUGIN_MAGIC, 2, 0, 120, 0, 0",
        "is made for version 2 of the plugin ABI, and this build of sched has 1",
    );
    head("SCHED_PLUGIN_MAGIC, 1, 9, 120, 9, 0", "needs version 1.9 of the plugin ABI, and this build of sched has 1.0");
    head(
        "SCHED_PLUGIN_MAGIC, 1, 0, 119, 0, 0",
        "says that its `sched_plugin_v1` has 119 bytes, and it has at least 120",
    );
    head("SCHED_PLUGIN_MAGIC, 1, 0, 128, 0, 0", "says that its `sched_plugin_v1` has 128 bytes, and exports 120");
    head(
        "SCHED_PLUGIN_MAGIC, 1, 0, 120, 0, 0x8003",
        "needs something that this build of sched doesn't know (flags 0x8002)",
    );
    Place::library(&table("SCHED_PLUGIN_MAGIC, 1, 9, 120, 0, 0x70001"), &[]).preflight().unwrap();
}

#[test]
fn a_library_that_is_cut_off_anywhere_is_refused_and_nothing_panics() {
    let place = Place::library(&good(), &[]);
    let whole = fs::read(place.folder().join("libbells.so")).unwrap();
    for length in 0..whole.len() {
        assert!(elf::check(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    for at in 0..whole.len() {
        for byte in [0xff, 0x00, 0x80, 0x7f] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            let _ = elf::check(&bytes);
        }
    }
    let with = |at: usize, byte: u8, want: &str| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        let Err((what, _)) = elf::check(&bytes) else { panic!("{want}") };
        assert_eq!(what, want);
    };
    with(0, b'M', "is not an ELF file");
    with(18, 243, "is made for RISC-V, and this is x86-64");
    with(4, 1, "is made for another size or order of bytes, and this is x86-64");
    with(16, 4, "is a core dump, not a library");
}
