//! Sizes in bytes as people write them: `64KiB`, `1 MB`, `4096`.

/// Parses a size: a whole number with an optional unit (`B`, `kB`, `MB`, `GB`; `KiB`, `MiB`, `GiB`; `K`, `M`, `G` as the
/// binary ones).
///
/// # Errors
/// A lower-case fragment that says what is wrong.
///
/// ```
/// assert_eq!(scheduler_core::size::parse("1MiB"), Ok(1_048_576));
/// assert!(scheduler_core::size::parse("1 parsec").is_err());
/// ```
pub fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let wrong = || format!("`{text}` is not a size; write `64KiB`, `1MiB` or a number of bytes");
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let factor: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).ok_or_else(|| format!("`{text}` is more than this program can count"))
}

/// The size in the largest binary unit that leaves at least one: `1.5 MiB`.
///
/// ```
/// assert_eq!(scheduler_core::size::format(1_572_864), "1.5 MiB");
/// assert_eq!(scheduler_core::size::format(12), "12 B");
/// ```
pub fn format(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) if bytes.is_multiple_of(*size) => format!("{} {unit}", bytes / size),
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / *size as f64),
        None => format!("{bytes} B"),
    }
}
