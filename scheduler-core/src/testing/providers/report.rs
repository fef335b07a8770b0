//! What the suite found out: a row for each check.

use std::{fmt, time::Duration};

/// What became of a check.
///
/// ```
/// use scheduler_core::testing::Mark;
/// assert_eq!(Mark::NotApplicable.word(), "n/a");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The provider does what it should.
    Passed,
    /// It doesn't.
    Failed,
    /// There was nothing to look at; the row says why.
    NotApplicable,
}

impl Mark {
    /// The same as a word: `passed`, `failed`, `n/a`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotApplicable => "n/a",
        }
    }
}

/// One check.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::testing::{Mark, Row};
/// let (took, why) = (Duration::from_millis(3), Some("it panicked".to_owned()));
/// let row = Row { check: "stops when it is told", mark: Mark::Failed, took, why };
/// assert_eq!(row.to_string(), "failed  stops when it is told: it panicked");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What the provider should do, in words that stay the same.
    pub check: &'static str,
    /// Whether it does.
    pub mark: Mark,
    /// How long it took to find out.
    pub took: Duration,
    /// Why it failed or doesn't apply; how far a check went that passed, if not all the way.
    pub why: Option<String>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<6}  {}", self.mark.word(), self.check)?;
        self.why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

/// All checks, in the order in which they were made.
///
/// ```
/// use scheduler_core::testing::Report;
/// let nothing = Report { provider: "bells".into(), rows: Vec::new() };
/// assert!(!nothing.passed() && nothing.failed().next().is_none(), "what was not looked at has not passed");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The provider's name.
    pub provider: String,
    /// A row for each check.
    pub rows: Vec<Row>,
}

impl Report {
    /// Whether something passed and nothing failed.
    pub fn passed(&self) -> bool {
        self.failed().next().is_none() && self.count(Mark::Passed) > 0
    }

    /// What failed.
    pub fn failed(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.mark == Mark::Failed)
    }

    /// How many rows have this mark.
    ///
    /// ```
    /// use scheduler_core::testing::{Mark, Report};
    /// assert_eq!(Report { provider: "bells".into(), rows: Vec::new() }.count(Mark::Failed), 0);
    /// ```
    pub fn count(&self, mark: Mark) -> usize {
        self.rows.iter().filter(|row| row.mark == mark).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider `{}`:", self.provider)?;
        self.rows.iter().try_for_each(|row| write!(f, "\n  {row}"))
    }
}
