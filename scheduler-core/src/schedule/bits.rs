//! Sets of small numbers as the bits of a `u64`. Pure arithmetic; knows nothing of what the numbers mean.

use std::{fmt::Write as _, iter};

/// The members of `bits`, ascending.
pub(super) fn members(mut bits: u64) -> impl Iterator<Item = u32> {
    iter::from_fn(move || {
        let lowest = (bits != 0).then(|| bits.trailing_zeros())?;
        bits &= bits - 1;
        Some(lowest)
    })
}

/// The members as runs of neighbours: `{1, 2, 3, 7}` is `[(1, 3), (7, 7)]`.
pub(super) fn runs(bits: u64) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for member in members(bits) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == member => *last = member,
            _ => runs.push((member, member)),
        }
    }
    runs
}

/// All of `low..=high`.
pub(super) const fn span(low: u32, high: u32) -> u64 {
    (u64::MAX >> (63 - (high - low))) << low
}

/// Whether `member` is in the set.
pub(super) const fn contains(bits: u64, member: u32) -> bool {
    bits >> member & 1 == 1
}

/// As a crontab list, `1-3,7`, each member moved up by `shift`; `*` when the set is all of `full`.
pub(super) fn list(bits: u64, full: u64, shift: u32) -> String {
    if bits == full {
        return "*".into();
    }
    let mut list = String::new();
    for (low, high) in runs(bits) {
        let comma = if list.is_empty() { "" } else { "," };
        // Writing to a string can't fail.
        let _ = write!(list, "{comma}{}", low + shift);
        if high > low {
            let _ = write!(list, "-{}", high + shift);
        }
    }
    list
}
