//! The newest match of a span, by galloping: a week of seconds is asked about in some forty questions, not walked.

/// The last firing in `from..=to`, in whole seconds. `next` is the first firing after a second.
pub(super) fn newest(from: i64, to: i64, next: impl Fn(i64) -> Option<i64>) -> Option<i64> {
    if from > to {
        return None;
    }
    let within = |after: i64| next(after).filter(|&found| found <= to);
    // `none_after` is a second with no firing after it, up to `to`. Back off until a firing comes into view.
    let mut none_after = to;
    let mut stride = 1;
    let mut found = loop {
        let probe = to.saturating_sub(stride).max(from - 1);
        if let Some(found) = within(probe) {
            break found;
        }
        if probe < from {
            return None;
        }
        none_after = probe;
        stride = stride.saturating_mul(2);
    };
    // Then halve the space between the newest firing known and the second known to have none after it.
    while let Some(later) = within(found) {
        found = later;
        let middle = found + (none_after - found) / 2;
        match within(middle) {
            Some(later) => found = later,
            None => none_after = middle,
        }
    }
    Some(found)
}
