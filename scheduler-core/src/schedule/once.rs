//! One-shots: `2026-06-01T09:00:00Z`, `2026-06-01 09:00` (in the job's zone), `2026-06-01T09:00[Europe/Berlin]`.

use jiff::{
    Timestamp, Zoned,
    civil::{Date, DateTime},
    fmt::temporal::Pieces,
    tz::TimeZone,
};

use super::{ScheduleError, text::Part, zone};

/// When a one-shot fires.
#[derive(Clone, Debug)]
pub(super) enum Once {
    /// At this instant, whatever the zone.
    Instant(Timestamp),
    /// When clocks show this: in the zone that the text names, or else in the job's.
    Civil(DateTime, Option<TimeZone>),
}

impl Once {
    /// Whether `text` begins like a date, and so can be nothing but a one-shot.
    pub(super) fn looks_like_one(text: &str) -> bool {
        let bytes = text.as_bytes();
        let parted = |separator| bytes[4] == separator && bytes[5..].contains(&separator);
        bytes.len() > 5 && bytes[..4].iter().all(u8::is_ascii_digit) && (parted(b'-') || parted(b'/'))
    }

    pub(super) fn parse(text: Part<'_>) -> Result<Self, ScheduleError> {
        const FORMS: &str = "write `2026-06-01 09:00`, `2026-06-01T09:00:00Z` or `2026-06-01T09:00[Europe/Berlin]`";
        let wrong = || text.error(format!("`{}` is not a date and time", text.text)).with_hint(FORMS);
        if let Ok(date) = text.text.parse::<Date>()
            && !text.text.contains(':')
        {
            return Err(text.error("a one-shot needs a time of day").with_hint(format!("write `{date} 09:00`")));
        }
        let (local, own) = match bracketed(text) {
            Some((local, name)) => {
                let named = |error: zone::ZoneError| name.error(error.message()).with_hint(error.hint());
                (local, Some(zone::parse(name.text).map_err(named)?))
            }
            None => (text, None),
        };
        // A civil time would take an offset and forget it, so whether there is one is asked first.
        if Pieces::parse(local.text).map_err(|_| wrong())?.offset().is_none() {
            return local.text.parse().map(|civil| Once::Civil(civil, own)).map_err(|_| wrong());
        }
        let instant: Timestamp = local.text.parse().map_err(|_| wrong())?;
        match own {
            Some(own) => agreed(text, local, instant, &own),
            None => Ok(Once::Instant(instant)),
        }
    }

    /// The instant, for a job in `zone`. A time inside a gap moves forward by the length of the gap, and of an
    /// ambiguous one the first counts.
    pub(super) fn instant(&self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Once::Instant(instant) => Some(*instant),
            Once::Civil(civil, own) => own.as_ref().unwrap_or(zone).to_ambiguous_timestamp(*civil).compatible().ok(),
        }
    }
}

/// The text before `[zone]`, and the name of the zone.
fn bracketed(text: Part<'_>) -> Option<(Part<'_>, Part<'_>)> {
    let (before, name) = text.split_once('[')?;
    let name = Part { text: name.text.strip_suffix(']')?, at: name.at };
    Some((Part { text: before.text.trim_end(), at: before.at }, name))
}

/// A date with an offset and a zone: the instant, if the two agree.
fn agreed(text: Part<'_>, local: Part<'_>, instant: Timestamp, zone: &TimeZone) -> Result<Once, ScheduleError> {
    if text.text.parse::<Zoned>().is_ok_and(|zoned| zoned.timestamp() == instant) {
        return Ok(Once::Instant(instant));
    }
    let name = zone.iana_name().unwrap_or("that zone");
    let there = zone.to_datetime(instant);
    let error = local.error(format!("the offset is not the one {name} has at that time"));
    Err(error.with_hint(format!("leave it out, or write `{there}[{name}]`")))
}
