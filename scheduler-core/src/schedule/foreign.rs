//! Syntax of another scheduler that people paste into a crontab field: Quartz' `? L W #`.

use super::{Field, ScheduleError, text::Part};

/// Refuses `item` if it is written in Quartz' language, and says what crontab has instead.
pub(super) fn refuse(field: Field, item: Part<'_>) -> Result<(), ScheduleError> {
    let upper = item.text.to_ascii_uppercase();
    match quartz(field, &upper) {
        Some(hint) => Err(item.error(format!("`{}` is Quartz syntax, not crontab", item.text)).with_hint(hint)),
        None => Ok(()),
    }
}

/// What to write instead of Quartz' special characters; `None` if there are none.
fn quartz(field: Field, upper: &str) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let day = |text: &str| digits(text) || Field::Weekday.names().iter().any(|name| name.eq_ignore_ascii_case(text));
    if upper.contains('?') {
        return Some("write `*`".into());
    }
    if let Some((weekday, _)) = upper.split_once('#') {
        let weekday = if day(weekday) { weekday } else { "5" };
        return Some(format!("write `{weekday}` and let the command check which week of the month it is"));
    }
    if upper == "L" || upper == "LW" || upper.starts_with("L-") {
        return Some(match field {
            Field::Weekday => "write `6` for saturday".into(),
            Field::DayOfMonth => "write `28-31` and let the command check that tomorrow is the 1st".into(),
            _ => format!("write `{}`", field.last()),
        });
    }
    if let Some(weekday) = upper.strip_suffix('L').filter(|text| day(text)) {
        return Some(format!("write `{weekday}` and let the command check which week of the month it is"));
    }
    let nearest_workday = upper.strip_suffix('W').filter(|text| text.is_empty() || digits(text))?;
    Some(if nearest_workday.is_empty() { "write `*`".into() } else { format!("write `{nearest_workday}`") })
}
