//! The one error of this module: what is wrong, where, and what to write instead.

use std::{error::Error, fmt, ops::Range};

use super::Field;

/// Why a text is not a schedule.
///
/// `Display` is one lower-case line that names the field and the fix; [`caret`](Self::caret) shows the place.
///
/// ```
/// use scheduler_core::schedule::{Field, ParseOptions, Schedule};
///
/// let error = Schedule::parse("0 9-3 * * *", &ParseOptions::default()).unwrap_err();
/// assert_eq!(error.to_string(), "hour: range `9-3` runs backwards; write `9-23,0-3`");
/// assert_eq!(error.caret(), "0 9-3 * * *\n  ^^^");
/// assert_eq!(error.field(), Some(Field::Hour));
/// assert_eq!(error.hint(), Some("write `9-23,0-3`"));
/// assert_eq!((error.message(), error.span()), ("range `9-3` runs backwards", 2..5));
/// assert!(!error.is_relative());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleError {
    // Boxed because every function of the parser returns one by value.
    inner: Box<Inner>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    text: String,
    span: Range<usize>,
    field: Option<Field>,
    message: String,
    hint: Option<String>,
    relative: bool,
}

impl ScheduleError {
    /// The field of the crontab expression that is at fault, if one is.
    pub fn field(&self) -> Option<Field> {
        self.inner.field
    }

    /// The bytes of the text that are at fault.
    pub fn span(&self) -> Range<usize> {
        self.inner.span.clone()
    }

    /// What is wrong, without the field and without the fix.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// What to write instead.
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// Whether the text is a well-formed relative one-shot (`in 30m`), which only a command that may read the clock
    /// can turn into an instant; see [`Schedule::to_absolute`](super::Schedule::to_absolute).
    pub fn is_relative(&self) -> bool {
        self.inner.relative
    }

    /// Two lines: the text, and `^` under the place that is wrong.
    pub fn caret(&self) -> String {
        let Inner { text, span, .. } = &*self.inner;
        let flat: String = text.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect();
        // Tabs are kept so that the two lines stay aligned whatever the terminal makes of them.
        let pad: String = text[..span.start].chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let width = text[span.clone()].chars().count().max(1);
        format!("{flat}\n{pad}{}", "^".repeat(width))
    }

    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        let (message, text) = (message.into(), String::new());
        ScheduleError { inner: Box::new(Inner { text, span, field: None, message, hint: None, relative: false }) }
    }

    pub(super) fn with_field(mut self, field: Field) -> Self {
        self.inner.field = Some(field);
        self
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    pub(super) fn relative(mut self) -> Self {
        self.inner.relative = true;
        self
    }

    /// Completes the error with the text its span is about.
    pub(super) fn in_text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.inner.text);
        let end = self.inner.span.end.min(text.len());
        self.inner.span = self.inner.span.start.min(end)..end;
        self
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { field, message, hint, .. } = &*self.inner;
        if let Some(field) = field {
            write!(f, "{field}: ")?;
        }
        f.write_str(message)?;
        hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl Error for ScheduleError {}
