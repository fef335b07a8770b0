//! Which file a program's name means: what `execvp` would do, but with the child's own PATH and folder.
//!
//! Reads only. Whether the file can really be executed is for the kernel to say.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::Path,
};

use rustix::fs::{Access, AtFlags, CWD, accessat};

/// Why a name means no program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// No folder of PATH has it.
    Nowhere,
    /// Only files were found that this user may not execute; the first of them.
    NotExecutable(OsString),
}

/// The path to execute for `program`, as seen from `workdir`, where the child will be by then.
pub(crate) fn find(program: &OsStr, path: &OsStr, workdir: &Path) -> Result<OsString, NotFound> {
    if program.as_bytes().contains(&b'/') {
        return Ok(program.to_owned());
    }
    let mut refused = None;
    for folder in path.as_bytes().split(|byte| *byte == b':') {
        // An empty entry of PATH is the current folder; "./" keeps its programs from being looked up once more.
        let folder = if folder.is_empty() { b"." } else { folder };
        let candidate = OsString::from_vec([folder, b"/", program.as_bytes()].concat());
        let file = workdir.join(&candidate);
        if !file.is_file() {
            continue;
        }
        if accessat(CWD, &file, Access::EXEC_OK, AtFlags::EACCESS).is_ok() {
            return Ok(candidate);
        }
        refused.get_or_insert(candidate);
    }
    Err(refused.map_or(NotFound::Nowhere, NotFound::NotExecutable))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn looks_where_execvp_would() {
        let dir = tempfile::tempdir().unwrap();
        for (name, mode) in [("a/tool", 0o644), ("b/tool", 0o755), ("a/plain", 0o644), ("here", 0o755)] {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(dir.path().join("a/folder")).unwrap();
        let check = |program: &str, path: &str, expected: Result<&str, NotFound>| {
            let found = find(program.as_ref(), path.as_ref(), dir.path());
            assert_eq!(found, expected.map(OsString::from), "{program} in {path}");
        };
        check("tool", "a:b", Ok("b/tool"));
        check("tool", "nowhere:b:a", Ok("b/tool"));
        check("tool", "a", Err(NotFound::NotExecutable("a/tool".into())));
        check("tool", "", Err(NotFound::Nowhere));
        check("here", "", Ok("./here"));
        check("here", "a::b", Ok("./here"));
        check("folder", "a", Err(NotFound::Nowhere));
        check("sub/tool", "a", Ok("sub/tool"));
        check("/no/such", "a", Ok("/no/such"));
        check("sh", "/usr/bin:/bin", Ok("/usr/bin/sh"));
    }
}
