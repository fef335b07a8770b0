//! [`Schedule`]: which of the written forms a text has, and the questions that every form answers.
//!
//! Pure: no clock, no files. What a form means is in the file of that form.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    ScheduleError, calendar::Calendar, crontab, crontab::Nickname, describe, dst, engine::Engine, interval::Interval,
    matching, newest, once::Once, phrase, relative, text::Part,
};

/// When a job fires. Cheap to clone, and small until it is first asked for an instant.
///
/// ```
/// use jiff::{Timestamp, tz::TimeZone};
/// use scheduler_core::schedule::{ParseOptions, Schedule};
///
/// let schedule = Schedule::parse("30 2 * * 1-5", &ParseOptions::default())?;
/// let friday: Timestamp = "2026-11-20T12:00:00Z".parse()?;
/// let monday: Timestamp = "2026-11-23T02:30:00Z".parse()?;
/// assert_eq!(schedule.next_after(friday, &TimeZone::UTC), Some(monday));
/// assert_eq!(schedule.describe(Some("UTC")), "At 02:30, Monday to Friday, UTC");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    text: Box<str>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Calendar(Calendar, OnceLock<Box<Engine>>),
    Interval(Interval),
    Once(Once),
    Reboot,
    Manual,
}

/// What makes a schedule fire.
///
/// ```
/// use scheduler_core::schedule::{Kind, ParseOptions, Schedule};
/// assert_eq!(Schedule::parse("@every 5m", &ParseOptions::default())?.kind(), Kind::Interval);
/// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A crontab expression, a nickname or a phrase: the calendar and the clock of a time zone.
    Calendar,
    /// `every 5m`: real elapsed time from an anchor.
    Interval,
    /// A single instant.
    Once,
    /// `@reboot`: the daemon's first start after the machine's.
    Reboot,
    /// `@manually`: never the clock; only a hand or a provider.
    Manual,
}

/// What a text means beyond its letters. No form needs a zone to be understood: instants are asked for with one.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::schedule::ParseOptions;
/// let options = ParseOptions::default().with_anchor("2026-11-22T10:00:00Z".parse()?);
/// assert_eq!(options.anchor, "2026-11-22T10:00:00Z".parse::<Timestamp>()?);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParseOptions {
    /// The instant that intervals count from; the first fire of a new job is one period after it.
    pub anchor: Timestamp,
    /// What the slots `H` and `~` are made of: a job's id. Without one it is the text itself, and all jobs with that text
    /// share a slot.
    pub seed: Option<Box<str>>,
}

impl Default for ParseOptions {
    /// Intervals count from the epoch; no seed.
    fn default() -> Self {
        ParseOptions { anchor: Timestamp::UNIX_EPOCH, seed: None }
    }
}

impl ParseOptions {
    /// These options with another anchor.
    #[must_use]
    pub fn with_anchor(mut self, anchor: Timestamp) -> Self {
        self.anchor = anchor;
        self
    }

    /// These options with another seed. The same seed is the same slot, for ever.
    ///
    /// ```
    /// use scheduler_core::schedule::{ParseOptions, Schedule};
    /// let of_job = |id: &str| Schedule::parse("H H(1-5) * * *", &ParseOptions::default().with_seed(id));
    /// assert_eq!(of_job("backup")?.describe(None), "At 04:28, every day");
    /// assert_eq!(of_job("vacuum")?.describe(None), "At 02:01, every day");
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    #[must_use]
    pub fn with_seed(mut self, seed: impl Into<Box<str>>) -> Self {
        self.seed = Some(seed.into());
        self
    }
}

impl Schedule {
    /// Parses any of the written forms. Never reads the clock: the same text is the same schedule for ever.
    ///
    /// # Errors
    /// The text is not a schedule, or one that can never fire whatever the time. The relative form `in 30m` is refused
    /// too, with an error that [says so](ScheduleError::is_relative): make it absolute with [`Schedule::to_absolute`].
    ///
    /// ```
    /// use scheduler_core::schedule::{Kind, ParseOptions, Schedule};
    ///
    /// let parse = |text| Schedule::parse(text, &ParseOptions::default());
    /// assert_eq!(parse("*/10 * * * * *")?.kind(), Kind::Calendar);
    /// assert_eq!(parse("every weekday 18:00")?.kind(), Kind::Calendar);
    /// assert_eq!(parse("every 1h30m")?.kind(), Kind::Interval);
    /// assert_eq!(parse("2026-06-01 09:00")?.kind(), Kind::Once);
    /// assert!(parse("in 30m").unwrap_err().is_relative());
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    pub fn parse(text: &str, options: &ParseOptions) -> Result<Self, ScheduleError> {
        let form = Form::parse(Part::trimmed(text), options).map_err(|error| error.in_text(text))?;
        Ok(Schedule { inner: Arc::new(Inner { text: text.into(), form }) })
    }

    /// The first instant strictly after `instant` at which a job in `zone` fires; `None` if there is none, up to the
    /// end of the year 9999. Pure, and strictly increasing in `instant`.
    ///
    /// Calendar instants are whole seconds.
    ///
    /// ```
    /// use jiff::{Timestamp, tz::TimeZone};
    /// use scheduler_core::schedule::{ParseOptions, Schedule, zone};
    ///
    /// // 02:30 doesn't exist in Berlin on this day; the job runs once, when the clocks have moved on.
    /// let schedule = Schedule::parse("30 2 * * *", &ParseOptions::default())?;
    /// let before: Timestamp = "2026-03-29T00:00:00Z".parse()?;
    /// assert_eq!(schedule.next_after(before, &zone::parse("Europe/Berlin")?), Some("2026-03-29T01:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_after(&self, instant: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match &self.inner.form {
            Form::Calendar(calendar, engine) => {
                Timestamp::from_second(next_second(calendar, engine, floor(instant), zone)?).ok()
            }
            Form::Interval(interval) => interval.next_after(instant),
            Form::Once(once) => once.instant(zone).filter(|&at| at > instant),
            Form::Reboot | Form::Manual => None,
        }
    }

    /// The newest instant in `from..=to`, both ends included; found in a number of steps that grows with the logarithm
    /// of the span.
    ///
    /// ```
    /// use jiff::{Timestamp, tz::TimeZone};
    /// use scheduler_core::schedule::{ParseOptions, Schedule};
    ///
    /// let schedule = Schedule::parse("* * * * * *", &ParseOptions::default())?;
    /// let (from, to): (Timestamp, Timestamp) = ("2026-11-01T00:00:00Z".parse()?, "2026-11-08T00:00:00.5Z".parse()?);
    /// assert_eq!(schedule.newest(from, to, &TimeZone::UTC), Some("2026-11-08T00:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn newest(&self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match &self.inner.form {
            Form::Calendar(calendar, engine) => {
                let (first, last) = (ceiling(from), floor(to));
                let newest = newest::newest(first, last, |after| next_second(calendar, engine, after, zone))?;
                Timestamp::from_second(newest).ok()
            }
            Form::Interval(interval) => interval.last_at(to).filter(|&at| at >= from),
            Form::Once(once) => once.instant(zone).filter(|&at| from <= at && at <= to),
            Form::Reboot | Form::Manual => None,
        }
    }

    /// The gap between the next two instants after `at`; `None` if there are fewer than two.
    ///
    /// ```
    /// use std::time::Duration;
    /// use jiff::{Timestamp, tz::TimeZone};
    /// use scheduler_core::schedule::{ParseOptions, Schedule};
    ///
    /// let hourly = Schedule::parse("@hourly", &ParseOptions::default())?;
    /// assert_eq!(hourly.period_hint(Timestamp::UNIX_EPOCH, &TimeZone::UTC), Some(Duration::from_secs(3600)));
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    pub fn period_hint(&self, at: Timestamp, zone: &TimeZone) -> Option<Duration> {
        if let Form::Interval(interval) = &self.inner.form {
            return Some(interval.period);
        }
        let first = self.next_after(at, zone)?;
        let second = self.next_after(first, zone)?;
        Duration::try_from(second.duration_since(first)).ok()
    }

    /// What makes it fire.
    ///
    /// ```
    /// use scheduler_core::schedule::{Kind, ParseOptions, Schedule};
    /// assert_eq!(Schedule::parse("@reboot", &ParseOptions::default())?.kind(), Kind::Reboot);
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    pub fn kind(&self) -> Kind {
        match &self.inner.form {
            Form::Calendar(..) => Kind::Calendar,
            Form::Interval(_) => Kind::Interval,
            Form::Once(_) => Kind::Once,
            Form::Reboot => Kind::Reboot,
            Form::Manual => Kind::Manual,
        }
    }

    /// The schedule in plain English, from what it means and not from how it is written. `zone` is named at the end
    /// where it matters: for calendars, and for one-shots on the job's clock.
    ///
    /// ```
    /// use scheduler_core::schedule::{ParseOptions, Schedule};
    /// let schedule = Schedule::parse("0 8,20 * * *", &ParseOptions::default())?;
    /// assert_eq!(schedule.describe(None), "At 08:00 and 20:00, every day");
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    pub fn describe(&self, zone: Option<&str>) -> String {
        let in_zone = |text: String| zone.map_or(text.clone(), |zone| format!("{text}, {zone}"));
        match &self.inner.form {
            Form::Calendar(calendar, _) => in_zone(describe::calendar(calendar)),
            Form::Interval(interval) => describe::interval(interval),
            Form::Once(Once::Instant(instant)) => format!("Once, at {instant}"),
            Form::Once(Once::Civil(civil, None)) => in_zone(describe::once(*civil)),
            Form::Once(Once::Civil(civil, Some(own))) => {
                format!("{}, {}", describe::once(*civil), own.iana_name().unwrap_or("a zone of its own"))
            }
            Form::Reboot => "Once after each boot of the machine".into(),
            Form::Manual => "Never by the clock; only by hand or by a provider".into(),
        }
    }

    /// Whether it has a slot in it (`H` or `~`), which depends on the [seed](ParseOptions::seed).
    ///
    /// ```
    /// use scheduler_core::schedule::{ParseOptions, Schedule};
    /// assert!(Schedule::parse("0~29 4 * * *", &ParseOptions::default())?.is_spread());
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    pub fn is_spread(&self) -> bool {
        matches!(&self.inner.form, Form::Calendar(calendar, _) if calendar.spread)
    }

    /// Whether it runs through minutes or hours (`*` in one of the two): such a one leaves out what clocks are set forwards over,
    /// and takes what they show twice twice. One of fixed times makes up for it, and takes the first.
    ///
    /// ```
    /// use scheduler_core::schedule::{ParseOptions, Schedule};
    /// let is_wildcard = |text| Schedule::parse(text, &ParseOptions::default()).map(|schedule| schedule.is_wildcard());
    /// assert!(is_wildcard("*/15 2 * * *")? && !is_wildcard("0,15,30,45 2 * * *")?);
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    pub fn is_wildcard(&self) -> bool {
        matches!(&self.inner.form, Form::Calendar(calendar, _) if calendar.wildcard)
    }

    /// The text as it was given.
    ///
    /// ```
    /// use scheduler_core::schedule::{ParseOptions, Schedule};
    /// assert_eq!(Schedule::parse("@daily", &ParseOptions::default())?.text(), "@daily");
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// One text for all spellings of the same schedule, to hash or to compare; of an interval it holds the anchor as
    /// well. It is not a schedule itself, and it stays the same from release to release.
    ///
    /// ```
    /// use scheduler_core::schedule::{ParseOptions, Schedule};
    /// let parse = |text| Schedule::parse(text, &ParseOptions::default());
    /// assert_eq!(parse("@daily")?.canonical(), parse("every day at midnight")?.canonical());
    /// # Ok::<(), scheduler_core::schedule::ScheduleError>(())
    /// ```
    pub fn canonical(&self) -> String {
        match &self.inner.form {
            Form::Calendar(calendar, _) => calendar.canonical(),
            Form::Interval(Interval { anchor, period }) => format!("every {}ns from {anchor}", period.as_nanos()),
            Form::Once(Once::Instant(instant)) => format!("once {instant}"),
            Form::Once(Once::Civil(civil, None)) => format!("once {civil}"),
            Form::Once(Once::Civil(civil, Some(own))) => {
                format!("once {civil}[{}]", own.iana_name().unwrap_or_default())
            }
            Form::Reboot => "reboot".into(),
            Form::Manual => "manually".into(),
        }
    }

    /// What to store for `text`, written by somebody for whom it is `now`: `in 30m` becomes an RFC 3339 instant, and
    /// every other form stays as it is, blanks at the ends aside.
    ///
    /// # Errors
    /// All those of [`Schedule::parse`], and a one-shot that has passed or that falls into a gap of its zone; the hint
    /// names the two nearest times that are good.
    ///
    /// ```
    /// use jiff::{Timestamp, tz::TimeZone};
    /// use scheduler_core::schedule::Schedule;
    ///
    /// let now: Timestamp = "2026-11-22T10:00:00Z".parse()?;
    /// assert_eq!(Schedule::to_absolute("in 30m", now, &TimeZone::UTC)?, "2026-11-22T10:30:00Z");
    /// assert_eq!(Schedule::to_absolute(" @daily ", now, &TimeZone::UTC)?, "@daily");
    /// assert!(Schedule::to_absolute("2026-06-01 09:00", now, &TimeZone::UTC).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_absolute(text: &str, now: Timestamp, zone: &TimeZone) -> Result<String, ScheduleError> {
        let part = Part::trimmed(text);
        let absolute = match relative::parse(part) {
            Some(wait) => wait.and_then(|wait| relative::absolute(part, wait, now, zone)),
            None => Form::parse(part, &ParseOptions::default().with_anchor(now)).and_then(|form| match form {
                Form::Once(once) => relative::check(part, &once, now, zone).map(|()| part.text.to_owned()),
                _ => Ok(part.text.to_owned()),
            }),
        };
        absolute.map_err(|error| error.in_text(text))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Form {
    fn parse(text: Part<'_>, options: &ParseOptions) -> Result<Self, ScheduleError> {
        let anchor = options.anchor;
        let calendar = |calendar| Form::Calendar(calendar, OnceLock::new());
        let Some(first) = text.words().first().copied() else {
            return Err(text.error("the schedule is empty").with_hint("write `0 9 * * *`, `every 5m` or `@daily`"));
        };
        let rest = text.rest(first.text.len());
        if first.text == "@every" {
            return Interval::parse(rest, anchor).map(Form::Interval);
        }
        if first.text.starts_with('@') {
            return crontab::nickname(text).map(|nickname| match nickname {
                Nickname::Calendar(found) => calendar(found),
                Nickname::Reboot => Form::Reboot,
                Nickname::Manually => Form::Manual,
            });
        }
        if first.text.eq_ignore_ascii_case("every") {
            let number = rest.text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
            if number && !phrase::is_time(rest) {
                return Interval::parse(rest, anchor).map(Form::Interval);
            }
            return phrase::parse(rest).map(calendar);
        }
        if let Some(wait) = relative::parse(text) {
            return Err(wait.map_or_else(|error| error, |_| relative::refusal(text)));
        }
        if Once::looks_like_one(text.text) {
            return Once::parse(text).map(Form::Once);
        }
        let seed = options.seed.as_deref().unwrap_or(text.text);
        crontab::parse(text, seed).map(calendar).map_err(|error| better(error, text, first, anchor))
    }
}

/// A better hint than a crontab's for a text that is perhaps not meant to be one.
fn better(error: ScheduleError, text: Part<'_>, first: Part<'_>, anchor: Timestamp) -> ScheduleError {
    if first.text.starts_with("TZ=") || first.text.starts_with("CRON_TZ=") {
        return first.error("the time zone is not part of the schedule").with_hint("set it as the job's time zone");
    }
    if error.field().is_some() {
        return error;
    }
    let nickname = format!("@{}", text.text.to_ascii_lowercase());
    if crontab::nickname(Part { text: &nickname, at: text.at }).is_ok() {
        return error.with_hint(format!("did you mean `{nickname}`?"));
    }
    match phrase::with_every(text, anchor) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn next_second(calendar: &Calendar, engine: &OnceLock<Box<Engine>>, after: i64, zone: &TimeZone) -> Option<i64> {
    dst::next(after, zone, calendar.wildcard, |local| match &calendar.years {
        None => matching::next(calendar, local),
        Some(years) => engine.get_or_init(|| Box::new(Engine::new(calendar))).next(years, local),
    })
}

/// The whole second at or before an instant. Jiff counts the fraction towards zero, here it counts forwards.
fn floor(instant: Timestamp) -> i64 {
    instant.as_second() - i64::from(instant.subsec_nanosecond() < 0)
}

/// The whole second at or after an instant.
fn ceiling(instant: Timestamp) -> i64 {
    instant.as_second() + i64::from(instant.subsec_nanosecond() > 0)
}
