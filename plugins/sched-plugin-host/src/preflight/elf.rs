//! What the file of a library says about it. Nothing is mapped or executed: a loader dies of a file that lies about its own
//! size, and runs constructors before it finds that a symbol is missing.

use std::{mem::offset_of, path::Path};

use object::{
    LittleEndian, elf,
    read::elf::{Dyn, ElfFile64, FileHeader, ProgramHeader, Sym},
};
use sched_plugin_abi::{ABI_MAJOR, ABI_MINOR, MAGIC, SYMBOL, SchedPlugin, flags};
use scheduler_core::Result;

use super::{CodeFile, refused, trust};

const LE: LittleEndian = LittleEndian;
const MACHINE: (elf::Machine, &str) =
    if cfg!(target_arch = "aarch64") { (elf::EM_AARCH64, "aarch64") } else { (elf::EM_X86_64, "x86-64") };

/// What is wrong with a library, and what to do.
type Wrong = (String, &'static str);

const BUILD: &str = "build it as a shared object: crate-type cdylib, or `cc -shared -fPIC`";
const AGAIN: &str = "copy or build it again";
const EXPORT: &str = "export it with `export_scheduler!`, or define the struct of sched_plugin.h";

/// The library at `path` from the folder `real`.
pub(super) fn library(real: &Path, path: &Path) -> Result<CodeFile> {
    let file = real.join(path);
    if path.is_absolute() {
        return Err(refused(format!("the library {} is given by an absolute path", path.display()))
            .hint("give its path from the plugin's folder"));
    }
    let bytes = trust::file(real, &file)?;
    check(&bytes).map_err(|(what, hint)| refused(format!("{} {what}", file.display())).hint(hint))?;
    Ok(CodeFile { file, bytes })
}

/// What is in the file of a library.
pub(super) fn check(bytes: &[u8]) -> Result<(), Wrong> {
    kind(bytes)?;
    let broken = |_: object::Error| ("is no whole ELF file".to_owned(), AGAIN);
    let file = ElfFile64::<LittleEndian>::parse(bytes).map_err(broken)?;
    let header = file.elf_header();
    let segments = header.program_headers(LE, bytes).map_err(broken)?;
    for segment in segments.iter().filter(|segment| segment.p_type(LE) == elf::PT_LOAD) {
        let end = segment.p_offset(LE).checked_add(segment.p_filesz(LE));
        if end.is_none_or(|end| end > bytes.len() as u64) {
            return Err((format!("is cut off: it has {} bytes and speaks of more", bytes.len()), AGAIN));
        }
    }
    let mut dynamic = None;
    for segment in segments {
        dynamic = dynamic.or(segment.dynamic(LE, bytes).map_err(broken)?);
    }
    let Some(dynamic) = dynamic else { return Err(("is not linked dynamically".into(), BUILD)) };
    let is_program =
        |entry: &elf::Dyn64<_>| entry.d_tag(LE) == elf::DT_FLAGS_1 && entry.d_val(LE) & elf::DF_1_PIE.0 != 0;
    if dynamic.iter().any(is_program) {
        return Err(("is a program, not a library".into(), BUILD));
    }
    head(segments, bytes, symbol(&file)?)
}

/// What the first bytes of a program tell. What the kernel doesn't know would be given to a shell, whatever it is.
pub(super) fn program(bytes: &[u8]) -> Result<(), Wrong> {
    match bytes {
        [] => Err(("is empty".into(), AGAIN)),
        [b'#', b'!', ..] => Ok(()),
        _ if bytes.starts_with(&elf::ELFMAG) => machine(bytes).map(drop),
        _ => Err((
            "is neither a program for this machine nor a script that begins with `#!`".into(),
            "name its interpreter in its first line, `#!/bin/sh`, or first in `command`",
        )),
    }
}

/// What the first bytes of a library tell.
fn kind(bytes: &[u8]) -> Result<(), Wrong> {
    if bytes.is_empty() {
        return Err(("is empty".into(), AGAIN));
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(("is not an ELF file".into(), BUILD));
    }
    match machine(bytes)? {
        elf::ET_DYN => Ok(()),
        elf::ET_REL => Err(("is an object file that was never linked".into(), BUILD)),
        elf::ET_EXEC => Err(("is a program, not a library".into(), BUILD)),
        elf::ET_CORE => Err(("is a core dump, not a library".into(), BUILD)),
        other => Err((format!("is an ELF file of the type {}, not a library", other.0), BUILD)),
    }
}

/// The type of an ELF file, if it is made for this machine, which has 64 bits and is little-endian.
fn machine(bytes: &[u8]) -> Result<elf::FileType, Wrong> {
    let word = |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let (Some(kind), Some(machine)) = (word(16), word(18)) else {
        return Err(("is cut off within its first bytes".into(), AGAIN));
    };
    let (kind, machine) = (elf::FileType(kind), elf::Machine(machine));
    let is_64_little = bytes[4] == elf::ELFCLASS64.0 && bytes[5] == elf::ELFDATA2LSB.0;
    if !is_64_little || machine != MACHINE.0 {
        let other = match machine {
            _ if machine == MACHINE.0 => "another size or order of bytes".to_owned(),
            elf::EM_X86_64 => "x86-64".into(),
            elf::EM_AARCH64 => "aarch64".into(),
            elf::EM_386 => "32-bit x86".into(),
            elf::EM_ARM => "32-bit ARM".into(),
            elf::EM_RISCV => "RISC-V".into(),
            other => format!("the machine type {}", other.0),
        };
        return Err((format!("is made for {other}, and this is {}", MACHINE.1), "build it for this machine"));
    }
    Ok(kind)
}

/// Where the plugin's table is once it is loaded, and how large.
#[derive(Clone, Copy)]
struct Table {
    address: u64,
    size: u64,
}

/// The data that the library exports under the name of the ABI.
fn symbol(file: &ElfFile64<'_, LittleEndian>) -> Result<Table, Wrong> {
    let name = SYMBOL.to_string_lossy();
    let symbols = file.elf_dynamic_symbol_table();
    let named = |symbol: &&elf::Sym64<_>| {
        symbols.symbol_name(LE, symbol).is_ok_and(|bytes| bytes == SYMBOL.to_bytes()) && !symbol.is_undefined(LE)
    };
    let Some(symbol) = symbols.iter().find(named) else {
        return Err((format!("exports no `{name}`"), EXPORT));
    };
    if matches!(symbol.st_visibility(), elf::STV_HIDDEN | elf::STV_INTERNAL) || symbol.is_local() {
        return Err((format!("has a `{name}` that is hidden"), EXPORT));
    }
    match symbol.st_type() {
        elf::STT_OBJECT => Ok(Table { address: symbol.st_value(LE), size: symbol.st_size(LE) }),
        elf::STT_FUNC | elf::STT_GNU_IFUNC => {
            Err((format!("exports `{name}` as a function, and it must be data"), EXPORT))
        }
        other => Err((format!("exports `{name}` as a symbol of the type {}, and it must be data", other.0), EXPORT)),
    }
}

/// The head of the table, as it is in the file. Its numbers are the same when it is loaded; its pointers aren't, since the
/// loader relocates them, and they are not read.
fn head(segments: &[elf::ProgramHeader64<LittleEndian>], bytes: &[u8], table: Table) -> Result<(), Wrong> {
    let name = SYMBOL.to_string_lossy();
    let Table { address, size } = table;
    let least = u64::from(SchedPlugin::SIZE_1_0);
    if size < least {
        return Err((format!("exports a `{name}` of {size} bytes, and it has at least {least}"), EXPORT));
    }
    let loaded = segments.iter().filter(|segment| segment.p_type(LE) == elf::PT_LOAD);
    let at = loaded.filter_map(|segment| {
        let within = address.checked_sub(segment.p_vaddr(LE))?;
        let whole = within.checked_add(size).is_some_and(|end| end <= segment.p_filesz(LE));
        whole.then(|| usize::try_from(segment.p_offset(LE) + within).ok())?
    });
    let Some(head) = at.into_iter().next().and_then(|at| bytes.get(at..at + least as usize)) else {
        return Err((format!("exports a `{name}` that is not in the file: it has no initial value"), EXPORT));
    };
    let u32_at = |at: usize| head[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let magic = head.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if magic != MAGIC {
        return Err((format!("exports a `{name}` that doesn't begin with the magic number"), EXPORT));
    }
    let major = u32_at(offset_of!(SchedPlugin, abi_major));
    if major != ABI_MAJOR {
        let what = format!("is made for version {major} of the plugin ABI, and this build of sched has {ABI_MAJOR}");
        return Err((what, "build it with the SDK of this version of sched"));
    }
    let minor = u32_at(offset_of!(SchedPlugin, min_host_minor));
    if minor > ABI_MINOR {
        let what = format!(
            "needs version {ABI_MAJOR}.{minor} of the plugin ABI, and this build of sched has {ABI_MAJOR}.{ABI_MINOR}"
        );
        return Err((what, "update sched"));
    }
    let struct_size = u64::from(u32_at(offset_of!(SchedPlugin, struct_size)));
    if struct_size < least {
        return Err((format!("says that its `{name}` has {struct_size} bytes, and it has at least {least}"), EXPORT));
    }
    if struct_size > size {
        let what = format!("says that its `{name}` has {struct_size} bytes, and exports {size}");
        return Err((what, EXPORT));
    }
    let unknown = u32_at(offset_of!(SchedPlugin, flags)) & flags::REQUIRED & !flags::EXTERNAL;
    if unknown != 0 {
        return Err((
            format!("needs something that this build of sched doesn't know (flags {unknown:#x})"),
            "update sched",
        ));
    }
    Ok(())
}
