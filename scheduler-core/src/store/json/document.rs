//! The text of `jobs.json`: its entries with their places, and the text after an edit, in which everything that wasn't
//! edited stands as it stood.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// `jobs.json` as it is written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Document {
    /// Top-level members but `jobs`, word for word.
    others: Vec<(String, String)>,
    pub(super) entries: Vec<Entry>,
}

/// An entry of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    text: String,
    /// `null` if it is broken.
    pub(super) value: Value,
    /// Why its text has no value, though it has the form of one: a number beyond all bounds, say.
    pub(super) broken: Option<String>,
    pub(super) place: Place,
}

/// A place in the file, for people: line and column count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// 0 where the format doesn't tell: `column` is then the number of the entry.
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Why the file can't be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) place: Place,
    pub(super) why: String,
}

/// The format this build reads and writes.
const FORMAT: u64 = 1;

/// The members of the file and the entries in it, their insides unread.
pub(super) struct Layout<'t> {
    text: &'t str,
    others: Vec<(String, &'t RawValue)>,
    pub(super) entries: Vec<&'t RawValue>,
}

impl<'t> Layout<'t> {
    pub(super) fn read(bytes: &'t [u8]) -> Result<Self, Unreadable> {
        let text = text_of(bytes)?;
        let members: Members<'_> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        let at = |raw: &RawValue| place(&text.as_bytes()[..offset(text, raw.get())]);
        let (mut others, mut jobs) = (Vec::new(), None);
        for (name, raw) in members.0 {
            match name.as_str() {
                "jobs" => jobs = Some(raw),
                "format" => match serde_json::from_str::<u64>(raw.get()) {
                    Ok(format) if format <= FORMAT => others.push((name, raw)),
                    Ok(format) => {
                        let why = format!("its format is {format}; this build knows {FORMAT}: use a newer sched");
                        return Err(Unreadable { place: at(raw), why });
                    }
                    Err(_) => return Err(Unreadable { place: at(raw), why: "`format` must be the number 1".into() }),
                },
                _ => others.push((name, raw)),
            }
        }
        let Some(jobs) = jobs else {
            let why = "it has no list `jobs`".to_owned();
            return Err(Unreadable { place: Place { line: 1, column: 1 }, why });
        };
        let entries = serde_json::from_str(jobs.get())
            .map_err(|_| Unreadable { place: at(jobs), why: "`jobs` must be a list: [ {...}, ... ]".into() })?;
        Ok(Self { text, others, entries })
    }
}

impl Document {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let Layout { text, others, entries } = Layout::read(bytes)?;
        let mut places = Places { text, offset: 0, place: Place { line: 1, column: 1 } };
        let entry = |raw: &RawValue| {
            let place = places.of(offset(text, raw.get()));
            let (value, broken) = match serde_json::from_str(raw.get()) {
                Ok(value) => (value, None),
                Err(error) => (Value::Null, Some(words(&error))),
            };
            Entry { text: raw.get().to_owned(), value, broken, place }
        };
        let entries = entries.into_iter().map(entry).collect();
        let others = others.into_iter().map(|(name, raw)| (name, raw.get().to_owned())).collect();
        Ok(Self { others, entries })
    }

    /// A document whose only entry is all of `bytes`.
    pub(super) fn of_entry(bytes: &[u8]) -> Result<Self, Unreadable> {
        let text = text_of(bytes)?;
        let value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        let entry = Entry { text: text.to_owned(), value, broken: None, place: Place { line: 1, column: 1 } };
        Ok(Self { entries: vec![entry], ..Self::default() })
    }

    /// The same in YAML, whose parser doesn't tell where an entry stands: entries have numbers there.
    pub(super) fn parse_yaml(bytes: &[u8]) -> Result<Self, Unreadable> {
        let text = text_of(bytes)?;
        let root: Value = serde_yaml::from_str(text).map_err(|error| {
            let place = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let why = error.to_string().split(" at line ").next().unwrap_or_default().to_owned();
            Unreadable { place: Place { line: place.0, column: place.1 }, why }
        })?;
        // Its top is that of jobs.json, and so is what is wrong with it.
        let mut document = Self::parse(root.to_string().as_bytes())
            .map_err(|wrong| Unreadable { place: Place { line: 1, column: 1 }, ..wrong })?;
        for (index, entry) in document.entries.iter_mut().enumerate() {
            *entry = Entry { place: Place { line: 0, column: index + 1 }, ..Entry::new(entry.value.take()) };
        }
        Ok(document)
    }

    /// A document of these definitions, for a file that has been lost.
    pub(super) fn of(definitions: impl IntoIterator<Item = Value>) -> Self {
        Self { entries: definitions.into_iter().map(Entry::new).collect(), ..Self::default() }
    }

    /// The file's text.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("{\n");
        if !self.others.iter().any(|(name, _)| name == "format") {
            text.push_str(&format!("  \"format\": {FORMAT},\n"));
        }
        for (name, raw) in &self.others {
            text.push_str(&format!("  {}: {raw},\n", Value::from(name.as_str())));
        }
        text.push_str("  \"jobs\": [");
        for (index, entry) in self.entries.iter().enumerate() {
            text.push_str(if index == 0 { "\n    " } else { ",\n    " });
            text.push_str(&entry.text);
        }
        text.push_str(if self.entries.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
        text
    }
}

impl Entry {
    /// One that is written here.
    pub(super) fn new(value: Value) -> Self {
        let text = serde_json::to_string_pretty(&value).expect("a JSON value is JSON").replace('\n', "\n    ");
        Self { text, value, broken: None, place: Place { line: 0, column: 0 } }
    }

    /// Where `field` stands, or the entry itself if it isn't in it.
    pub(super) fn place_of(&self, field: Option<&str>) -> Place {
        if self.place.line == 0 {
            return self.place;
        }
        let member = field.map(|field| field.split('.').next().unwrap_or(field));
        let offset = member.and_then(|member| self.text.find(&format!("{member:?}"))).unwrap_or(0);
        let inside = place(&self.text.as_bytes()[..offset]);
        match inside.line {
            1 => Place { line: self.place.line, column: self.place.column + inside.column - 1 },
            line => Place { line: self.place.line + line - 1, column: inside.column },
        }
    }
}

impl Place {
    /// The place without its column.
    pub(super) fn row(&self) -> String {
        match self.line {
            0 => self.to_string(),
            line => format!("line {line}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "entry {}", self.column),
            line => write!(f, "line {line}, column {}", self.column),
        }
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| Unreadable {
        place: place(&bytes[..error.valid_up_to()]),
        why: format!("byte 0x{:02x} is not UTF-8", bytes[error.valid_up_to()]),
    })?;
    if text.trim().is_empty() {
        return Err(Unreadable { place: Place { line: 1, column: 1 }, why: "it is empty".into() });
    }
    Ok(text)
}

fn wrong(error: &serde_json::Error) -> Unreadable {
    let place = Place { line: error.line().max(1), column: error.column().max(1) };
    Unreadable { place, why: words(error) }
}

/// serde_json's words without their own "at line 3 column 9": the caller says where.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Where `part`, a slice of `text`, begins in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

/// Places at growing offsets, each counted from the one before: counted from the beginning of the file, those of ten thousand
/// entries take half a minute, which is all the patience that a caller has.
struct Places<'t> {
    text: &'t str,
    offset: usize,
    place: Place,
}

impl Places<'_> {
    fn of(&mut self, offset: usize) -> Place {
        for c in self.text[self.offset..offset].chars() {
            self.place = match c {
                '\n' => Place { line: self.place.line + 1, column: 1 },
                _ => Place { column: self.place.column + 1, ..self.place },
            };
        }
        self.offset = offset;
        self.place
    }
}

fn place(before: &[u8]) -> Place {
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    Place { line: before.split(|byte| *byte == b'\n').count(), column }
}

/// An object's members in order, their values unread.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object such as {\"format\": 1, \"jobs\": [...]}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect).map(Members)
    }
}

#[cfg(test)]
mod tests;
