//! The one place that writes to stdout and stderr: text, tables, JSON, errors.
//!
//! Answers go to stdout, everything about the answer (errors, hints, warnings) to stderr. A reader that goes away ends the
//! command quietly.

use std::{
    fmt::Display,
    io::{self, BufWriter, IsTerminal as _, Stdout, Write},
};

use anstyle::{AnsiColor, Style};
use scheduler_core::Error;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::{
    args::{Color, Global},
    env, exit,
    failure::Failure,
    progress::Progress,
    table::{self, Cell, Tone},
};

/// What printing answers.
pub(crate) type Printed = Result<(), Failure>;

/// Where a command puts its answer.
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    color: Color,
    stdout: BufWriter<Stdout>,
}

impl Output {
    /// Where to print, as the command line says.
    pub(crate) fn new(options: &Global) -> Self {
        let &Global { json, quiet, color, .. } = options;
        Self { json, quiet, color, stdout: BufWriter::new(io::stdout()) }
    }

    /// Whether JSON is asked for.
    pub(crate) fn wants_json(&self) -> bool {
        self.json
    }

    /// One line.
    pub(crate) fn line(&mut self, text: impl Display) -> Printed {
        writeln!(self.stdout, "{text}").map_err(Failure::printing)
    }

    /// A line that begins with a word in its tone.
    pub(crate) fn toned(&mut self, word: &Cell, rest: impl Display) -> Printed {
        let style = match word.tone {
            Tone::Plain => Style::new(),
            Tone::Good => Style::new().fg_color(Some(AnsiColor::Green.into())).bold(),
            Tone::Attention => Style::new().fg_color(Some(AnsiColor::Yellow.into())).bold(),
            Tone::Bad => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
            Tone::Faint => Style::new().dimmed(),
        };
        let word = if colored(self.color, &io::stdout()) {
            format!("{style}{}{style:#}", word.text)
        } else {
            word.text.clone()
        };
        self.line(format_args!("{word}  {rest}"))
    }

    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Printed {
        self.stdout.write_all(bytes).map_err(Failure::printing)
    }

    /// The answer as a JSON object, marked with the version of its shape.
    pub(crate) fn json(&mut self, answer: impl Serialize) -> Printed {
        let marked = Marked { schema: SCHEMA, answer };
        serde_json::to_writer_pretty(&mut self.stdout, &marked).map_err(|error| Failure::printing(error.into()))?;
        self.line("")
    }

    /// A table, as wide as the terminal if this is one.
    pub(crate) fn table(&mut self, headers: &[&str], rows: Vec<Vec<Cell>>) -> Printed {
        let lines = table::lines(headers, rows, Self::width(), colored(self.color, &io::stdout()));
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// Makes sure that it has been read, or was not to be.
    pub(crate) fn flush(&mut self) -> Printed {
        self.stdout.flush().map_err(Failure::printing)
    }

    /// Something that the reader should know beside the answer.
    pub(crate) fn warn(&mut self, what: impl Display, hint: Option<&str>) {
        if self.quiet {
            return;
        }
        let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into())).bold();
        let mut text = format!("{} {what}\n", styled(self.color, "warning:", yellow));
        text.extend(hint.map(|hint| format!("hint: {hint}\n")));
        self.beside(&text);
    }

    /// How far a command is that goes on for `length`, for whoever waits for it.
    pub(crate) fn progress(&self, length: u64) -> Progress {
        Progress::new(length, self.quiet)
    }

    /// How wide the terminal is, if this is one.
    pub(crate) fn width() -> Option<u16> {
        terminal_size::terminal_size_of(io::stdout()).map(|(terminal_size::Width(width), _)| width)
    }

    /// Whether somebody is there to be asked.
    pub(crate) fn can_ask(&self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks, and answers the first letter of what is typed, in lower case; `None` if that is nothing.
    pub(crate) fn ask(&mut self, question: &str) -> Result<Option<char>, Failure> {
        self.beside(question);
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(|cause| Error::io("cannot read the answer", cause))?;
        Ok(line.trim().chars().next().map(|letter| letter.to_ascii_lowercase()))
    }

    /// A line about the answer, beside it.
    pub(crate) fn aside(&mut self, what: impl Display) {
        if !self.quiet {
            self.beside(&format!("{what}\n"));
        }
    }

    /// Prints why the command failed, and answers the exit code.
    pub(crate) fn fail(&mut self, failure: &Failure) -> u8 {
        if !failure.is_silent() {
            let text = if self.json { failure_json(failure) } else { failure_text(failure, self.color) };
            self.beside(&text);
        }
        failure.exit
    }

    /// Writes to stderr, after everything that came before it on stdout. There is nobody to tell if that fails.
    fn beside(&mut self, text: &str) {
        let _ = self.stdout.flush();
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// Prints what clap has to say about a command line that it didn't take: help, version or a mistake.
pub(crate) fn print_refusal(refusal: &clap::Error) -> u8 {
    let is_mistake = refusal.use_stderr();
    let as_json = std::env::args_os().take_while(|word| word != "--").any(|word| word == "--json");
    if !(is_mistake && as_json) {
        let _ = refusal.print();
        return if is_mistake { exit::USAGE } else { exit::OK };
    }
    let text = refusal.render().to_string();
    let mut lines = text.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    let failure = Failure::usage(first.trim_start_matches("error: "));
    let hints = lines.filter_map(|line| line.strip_prefix("tip: "));
    let failure = hints.fold(failure, Failure::hint);
    let _ = io::stderr().write_all(failure_json(&failure).as_bytes());
    failure.exit
}

/// The version of the shape of everything that is printed as JSON.
const SCHEMA: u32 = 1;

/// An answer with that version, as one object.
#[derive(Serialize)]
struct Marked<T> {
    schema: u32,
    #[serde(flatten)]
    answer: T,
}

/// A list that is made while it is printed: of a million, no two exist at once.
pub(crate) struct Each<'t, T, F>(pub(crate) &'t [T], pub(crate) F);

impl<'t, T, R: Serialize, F: Fn(&'t T) -> R> Serialize for Each<'t, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

fn failure_text(failure: &Failure, color: Color) -> String {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let mut text = format!("{} {}\n", styled(color, "error:", red), failure.message);
    text.extend(failure.shown.iter().flat_map(|shown| shown.lines()).map(|line| format!("  {line}\n")));
    text.extend(failure.hints.iter().map(|hint| format!("hint: {hint}\n")));
    text
}

fn failure_json(failure: &Failure) -> String {
    let hint = (!failure.hints.is_empty()).then(|| failure.hints.join("; "));
    let error = json!({ "kind": failure.kind, "message": failure.message, "hint": hint });
    format!("{}\n", json!({ "schema": SCHEMA, "error": error }))
}

/// `text` in `style`, if stderr shows colours.
fn styled(color: Color, text: &str, style: Style) -> String {
    if colored(color, &io::stderr()) { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

fn colored(color: Color, stream: &impl anstream::stream::RawStream) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if env::no_color() => false,
        // A terminal, and one that can.
        Color::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
    }
}
