//! Slots: Jenkins' `H` and the `~` ranges of cronie and OpenBSD, where a job's own place within a range is wanted and it
//! doesn't matter which.
//!
//! The place is a hash of the seed (the job's id) and of the field: the same job keeps it for ever, and a fleet spreads
//! evenly, where a random choice would move with every restart. A job's share of its `jitter` is made in the same way. Several such items in one field are equally far into their
//! ranges, so that `H(0-29),H(30-59)` is every half hour.

use std::time::Duration;

use super::{Field, ScheduleError, item, item::Steps, text::Part};

/// Parses `item` if it is written like that.
pub(super) fn parse(field: Field, item: Part<'_>, seed: &str) -> Option<Result<Steps, ScheduleError>> {
    let is_slot = |letter: char| {
        let rest = item.text.strip_prefix(letter);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '(']))
    };
    let parsed = if item.text.contains('~') {
        tilde(field, item).map(|range| (range, None))
    } else if is_slot('H') {
        slot(field, item)
    } else if is_slot('h') {
        Err(item
            .error(format!("`{}`: the letter is a capital", item.text))
            .with_hint(format!("write `H{}`", &item.text[1..])))
    } else {
        return None;
    };
    Some(parsed.and_then(|((low, high), step)| {
        if field == Field::Year {
            let error = item.error(format!("`{}`: years are not spread", item.text));
            return Err(error.with_hint("write the year, or `*`"));
        }
        let hash = hash(seed, place(field));
        let within = |count: u32| (hash % u64::from(count)) as u32;
        let count = high - low + 1;
        Ok(match step {
            None => {
                let only = low + within(count);
                Steps { low: only, high: only, step: 1 }
            }
            Some(step) => Steps { low: low + within(step.min(count)), high, step },
        })
    }))
}

/// Whether an item of this field, which is valid, is written like that. Names have an `H` only within.
pub(super) fn is_in(field: Part<'_>) -> bool {
    field.pieces(|c| c == ',').any(|item| item.text.starts_with('H') || item.text.contains('~'))
}

/// What an end that isn't given is. Days that only some months have are left out: nobody who leaves the day open wants a job
/// that skips February.
fn last(field: Field, low: u32) -> u32 {
    match field {
        Field::DayOfMonth if low <= 28 => 28,
        field => field.last(),
    }
}

type Range = (u32, u32);

/// `H`, `H/15`, `H(0-29)`, `H(0-29)/10`.
fn slot(field: Field, item: Part<'_>) -> Result<(Range, Option<u32>), ScheduleError> {
    let (base, step) = match item.split_once('/') {
        Some((base, step)) => (base, Some(step)),
        None => (item, None),
    };
    let range = match base.text.strip_prefix("H(") {
        None => (field.min(), last(field, field.min())),
        Some(rest) => {
            let Some(inside) = rest.strip_suffix(')') else {
                let bare = rest.split(')').next().unwrap_or_default();
                let hint = if bare.is_empty() { example(field) } else { format!("write `H({bare})`") };
                return Err(item.error(format!("`{}` does not end with its `)`", base.text)).with_hint(hint));
            };
            bracket(field, base, Part { text: inside, at: base.at + 2 })?
        }
    };
    Ok((range, step.map(|step| item::step_number(item, base, step)).transpose()?))
}

fn bracket(field: Field, base: Part<'_>, inside: Part<'_>) -> Result<Range, ScheduleError> {
    let ends = inside.split_once('-').filter(|(low, high)| !low.text.is_empty() && !high.text.is_empty());
    let Some((low, high)) = ends else {
        return Err(base.error(format!("`{}` needs a range", base.text)).with_hint(example(field)));
    };
    ordered(field, inside, low, high, |low, high| format!("H({low}-{high})"))
}

/// `a~b`, `a~`, `~b`, `~`.
fn tilde(field: Field, item: Part<'_>) -> Result<Range, ScheduleError> {
    if let Some((range, step)) = item.text.split_once('/') {
        let (low, high) = range.split_once('~').unwrap_or_default();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let base = if digits(low) && digits(high) { format!("H({low}-{high})") } else { "H".into() };
        let step = if digits(step) && step.bytes().any(|byte| byte != b'0') { step } else { "2" };
        let error = item.error(format!("`{}`: a `~` range is one value and takes no step", item.text));
        return Err(error.with_hint(format!("write `{base}/{step}`")));
    }
    let (low, high) = item.split_once('~').unwrap_or((item, item));
    if high.text.contains('~') {
        let hint = format!("write `{}~{}`", low.text, high.text.rsplit('~').next().unwrap_or_default());
        return Err(item.error(format!("range `{}` has more than two ends", item.text)).with_hint(hint));
    }
    match (low.text.is_empty(), high.text.is_empty()) {
        (false, false) => ordered(field, item, low, high, |low, high| format!("{low}~{high}")),
        (false, true) => item::value(field, low).map(|low| (low, last(field, low).max(low))),
        (true, false) => item::value(field, high).map(|high| (field.min(), high.min(field.last()))),
        (true, true) => Ok((field.min(), last(field, field.min()))),
    }
}

fn ordered(
    field: Field,
    range: Part<'_>,
    low: Part<'_>,
    high: Part<'_>,
    write: impl Fn(&str, &str) -> String,
) -> Result<Range, ScheduleError> {
    let (from, mut to) = (item::value(field, low)?, item::value(field, high)?);
    if field == Field::Weekday && to == 0 && from > 0 && high.text.eq_ignore_ascii_case("sun") {
        to = 7;
    }
    if from > to {
        let error = range.error(format!("range `{}` runs backwards", range.text));
        return Err(error.with_hint(format!("write `{}`", write(high.text, low.text))));
    }
    // Sunday has two spellings, and no double share of the jobs.
    if field == Field::Weekday && from == 0 {
        to = to.min(field.last());
    }
    Ok((from, to))
}

fn example(field: Field) -> String {
    format!("write `H`, or a range such as `H({}-{})`", field.min(), last(field, field.min()) / 2)
}

/// The part of `whole` by which the owner of `seed` is late on purpose: from nothing up to, but not including, all of it,
/// in whole milliseconds.
pub(crate) fn share(seed: &str, whole: Duration) -> Duration {
    // The high half of the product spreads a hash evenly over any range, where a remainder would favour its beginning.
    let millis = (u128::from(hash(seed, JITTER)) * whole.as_millis()) >> 64;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// What the hash of a share is made of beside the seed, as fields are for slots: a job whose `H` is early need not start early.
const JITTER: u8 = 7;

fn place(field: Field) -> u8 {
    match field {
        Field::Second => 0,
        Field::Minute => 1,
        Field::Hour => 2,
        Field::DayOfMonth => 3,
        Field::Month => 4,
        Field::Weekday => 5,
        Field::Year => 6,
    }
}

/// FNV-1a of the seed and the place, mixed as SplitMix64 does it so that every bit depends on every other. It must never
/// change: jobs would lose their slots.
fn hash(seed: &str, place: u8) -> u64 {
    let bytes = seed.bytes().chain([0, place]);
    let mut hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
