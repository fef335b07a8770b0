//! A piece of the user's text that remembers where it stood, so that an error can point at it.

use std::ops::Range;

use super::ScheduleError;

/// A slice of the text and the byte at which it starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Part<'a> {
    /// The whole text, without the blanks around it.
    pub(super) fn trimmed(text: &'a str) -> Self {
        let start = text.trim_start();
        Part { text: start.trim_end(), at: text.len() - start.len() }
    }

    /// The pieces between blanks.
    pub(super) fn words(self) -> Vec<Part<'a>> {
        self.pieces(char::is_whitespace).filter(|word| !word.text.is_empty()).collect()
    }

    /// The pieces between separators, empty ones included.
    pub(super) fn pieces(self, separator: impl Fn(char) -> bool + 'a) -> impl Iterator<Item = Part<'a>> {
        self.text.split(separator).map(move |piece| {
            let at = self.at + (piece.as_ptr() as usize - self.text.as_ptr() as usize);
            Part { text: piece, at }
        })
    }

    /// All from byte `from` of this part on, without leading blanks.
    pub(super) fn rest(self, from: usize) -> Part<'a> {
        let rest = self.text[from..].trim_start();
        Part { text: rest, at: self.at + self.text.len() - rest.len() }
    }

    /// This part split in two at the first `separator`.
    pub(super) fn split_once(self, separator: char) -> Option<(Part<'a>, Part<'a>)> {
        let (left, right) = self.text.split_once(separator)?;
        let at = self.at + left.len() + separator.len_utf8();
        Some((Part { text: left, at: self.at }, Part { text: right, at }))
    }

    pub(super) fn span(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// An error that points here.
    pub(super) fn error(self, message: impl Into<String>) -> ScheduleError {
        ScheduleError::new(self.span(), message)
    }
}
