//! Time zone names: the system's tzdata first, the bundled one second, and never a silent UTC.

use std::{error::Error, fmt, fs, path::Path, sync::LazyLock};

use jiff::tz::{self, TimeZone, TimeZoneDatabase};

use crate::nearest;

/// Finds a zone by its IANA name, in any case; `system` is the machine's own zone.
///
/// # Errors
/// The name is not known to the system's tzdata nor to the bundled one, or the machine's zone can't be found out.
///
/// ```
/// use scheduler_core::schedule::zone;
///
/// assert_eq!(zone::parse("Europe/Berlin")?.iana_name(), Some("Europe/Berlin"));
/// let error = zone::parse("Europe/Berlim").unwrap_err();
/// assert_eq!(error.to_string(), "`Europe/Berlim` is not a time zone; did you mean `Europe/Berlin`?");
/// # Ok::<(), zone::ZoneError>(())
/// ```
pub fn parse(name: &str) -> Result<TimeZone, ZoneError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(ZoneError::new("the time zone is empty", FORMS));
    }
    if name.eq_ignore_ascii_case("system") {
        return TimeZone::try_system()
            .map_err(|reason| ZoneError::new(format!("the system's time zone is unknown: {reason}"), FORMS));
    }
    if let Ok(zone) = tz::db().get(name).or_else(|_| BUNDLED.get(name)) {
        // jiff answers `Etc/Unknown` with a zone that behaves as UTC; a job in it would be in UTC by accident.
        if !zone.is_unknown() {
            return Ok(zone);
        }
    }
    let known: Vec<String> = tz::db().available().chain(BUNDLED.available()).map(|name| name.to_string()).collect();
    Err(ZoneError::new(format!("`{name}` is not a time zone"), suggestion(name, &known)))
}

/// The release of the tzdata in use, such as `2026a (system)`.
///
/// ```
/// assert!(!scheduler_core::schedule::zone::tzdata_release().is_empty());
/// ```
pub fn tzdata_release() -> String {
    release_in(Path::new(&std::env::var_os("TZDIR").unwrap_or_else(|| "/usr/share/zoneinfo".into())))
}

fn release_in(folder: &Path) -> String {
    // A folder is no evidence: one without zones is passed over, and those of this program hold.
    let is_zone = |file: &str| fs::read(folder.join(file)).is_ok_and(|zone| zone.starts_with(b"TZif"));
    if !["UTC", "Etc/UTC", "Europe/Berlin"].into_iter().any(is_zone) {
        return "bundled with this program".into();
    }
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let first_line = |text: String| text.lines().next().map(|line| line.trim_start_matches("# version ").to_owned());
    let release = read("tzdata.zi").or_else(|| read("+VERSION")).and_then(first_line);
    match release {
        Some(release) if release.len() < 20 => format!("{release} (system)"),
        _ => "unknown release (system)".into(),
    }
}

/// The same, asked of the disk once: a process computes with the rules it began with.
pub(crate) fn release() -> &'static str {
    static RELEASE: LazyLock<String> = LazyLock::new(tzdata_release);
    &RELEASE
}

/// Kept, because it remembers the zones it has read.
static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const FORMS: &str = "write a name such as `Europe/Berlin`, `UTC` or `system`";

/// The nearest names; a bare city is looked for at the end of the names as well.
fn suggestion(name: &str, known: &[String]) -> String {
    let city = name.rsplit('/').next().unwrap_or(name).replace(' ', "_");
    let same_city = |known: &&String| known.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city));
    let mut close: Vec<&str> = known.iter().filter(same_city).map(String::as_str).collect();
    if close.is_empty() {
        close = nearest(name, known.iter().map(String::as_str));
    }
    close.retain(|known| !known.starts_with("posix/") && !known.starts_with("right/"));
    close.dedup();
    match close.as_slice() {
        [] => FORMS.into(),
        [close, ..] => format!("did you mean `{close}`?"),
    }
}

/// Why a name is not a time zone; `Display` is one line with the nearest name.
///
/// ```
/// let error = scheduler_core::schedule::zone::parse("Berlin").unwrap_err();
/// assert_eq!(error.message(), "`Berlin` is not a time zone");
/// assert_eq!(error.hint(), "did you mean `Europe/Berlin`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    message: String,
    hint: String,
}

impl ZoneError {
    /// What is wrong, without the fix.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to write instead.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        ZoneError { message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.hint)
    }
}

impl Error for ZoneError {}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_zones_is_not_that_of_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let check = |release: &str| assert_eq!(release_in(folder.path()), release);
        assert_eq!(release_in(Path::new("/no/such")), "bundled with this program");
        check("bundled with this program");
        fs::write(folder.path().join("tzdata.zi"), "# version 2026a\n").unwrap();
        fs::write(folder.path().join("UTC"), "").unwrap();
        check("bundled with this program");
        fs::write(folder.path().join("UTC"), "TZif2").unwrap();
        check("2026a (system)");
        fs::remove_file(folder.path().join("tzdata.zi")).unwrap();
        check("unknown release (system)");
    }
}
