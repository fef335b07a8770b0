//! Command lines as they would be typed, and texts of people on one line.

use std::fmt::Write as _;

/// A word for the shell, in quotes if it needs them. No character of it moves the cursor.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if !word.contains(char::is_control) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = String::from("$'");
    for c in word.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\'' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// What people wrote, on one line: it must not move the cursor.
pub(crate) fn flat(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_when_the_shell_would_take_it_for_something_else() {
        for (word, expected) in [
            ("/b/db.sql", "/b/db.sql"),
            ("", "''"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("a\nb'\\\u{1b}[2J", r"$'a\nb\'\\\u001b[2J'"),
        ] {
            assert_eq!(quoted(word), expected, "{word:?}");
        }
    }
}
