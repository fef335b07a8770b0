//! Tables for people: no borders, as wide as the terminal.

use comfy_table::{Attribute, Cell as TableCell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// What a cell says beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Attention,
    Bad,
    Faint,
}

/// The lines of a table, within `width` if there is one; else each row is one line, however long.
pub(crate) fn lines(headers: &[&str], rows: Vec<Vec<Cell>>, width: Option<u16>, colored: bool) -> Vec<String> {
    let kept_whole = width.map(|width| kept_whole(headers, &rows, width)).unwrap_or_default();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if colored {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.set_header(headers.iter().map(|header| TableCell::new(header).add_attribute(Attribute::Bold)));
    table.add_rows(rows.into_iter().map(|row| row.into_iter().map(Cell::into_table)));
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    for (column, width) in table.column_iter_mut().zip(kept_whole) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Blanks between columns.
const GAP: u16 = 2;

/// The least that a column is left with, blanks included, for the sake of those before it.
const LEAST: u16 = 9;

/// The widths that keep the words of the first columns whole, for as many columns as leave something for the others: an
/// instant that is broken over three lines can't be read.
fn kept_whole(headers: &[&str], rows: &[Vec<Cell>], width: u16) -> Vec<u16> {
    let mut left = width;
    let mut kept = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        let texts = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.text.as_str()).chain([*header]);
        let longest = texts.flat_map(str::split_whitespace).map(|word| word.chars().count()).max().unwrap_or(0);
        let needed = u16::try_from(longest).unwrap_or(u16::MAX).saturating_add(GAP);
        let others = LEAST * (headers.len() - index - 1) as u16;
        if left < needed.saturating_add(others) {
            break;
        }
        left -= needed;
        kept.push(needed);
    }
    kept
}

impl Cell {
    /// A cell in this tone.
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    fn into_table(self) -> TableCell {
        // What jobs are called and what they said must not move the cursor.
        let text: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let cell = TableCell::new(text);
        match self.tone {
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::DarkGreen),
            Tone::Attention => cell.fg(Color::DarkYellow),
            Tone::Bad => cell.fg(Color::DarkRed),
            Tone::Faint => cell.add_attribute(Attribute::Dim),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Cell>> {
        vec![vec![
            "a\u{1b}[2J".into(),
            "2026-11-22T10:00:00+01:00 (in 3 h)".into(),
            Cell::new("one two three", Tone::Bad),
        ]]
    }

    #[test]
    fn without_a_terminal_each_row_is_a_line() {
        let lines = lines(&["ID", "NEXT", "STATE"], rows(), None, false);
        assert_eq!(
            lines,
            [
                "ID     NEXT                                STATE",
                "a [2J  2026-11-22T10:00:00+01:00 (in 3 h)  one two three"
            ]
        );
    }

    #[test]
    fn on_a_narrow_terminal_instants_stay_whole() {
        let lines = lines(&["ID", "NEXT", "STATE"], rows(), Some(50), false);
        assert!(lines.iter().any(|line| line.contains("2026-11-22T10:00:00+01:00")), "{lines:#?}");
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= 50), "{lines:#?}");
    }

    #[test]
    fn colours_are_there_when_they_are_wanted() {
        let is_colored = |colored| lines(&["ID", "NEXT", "STATE"], rows(), None, colored).concat().contains("\u{1b}[");
        assert!(is_colored(true) && !is_colored(false));
    }
}
