//! Where in the text of a YAML file, `config.yaml` above all, a key or its value stands.
//!
//! Parsed YAML values carry no positions, but the parser's errors do. So the text is read once more along the path of
//! the key, and the reader refuses whatever it finds there: the refusal carries the place. This holds for block and
//! flow style, quotes and comments alike, because no second idea of YAML is involved. Only ever called to word a
//! message.

use std::{fmt, marker::PhantomData};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A place in a text.
///
/// ```
/// use scheduler_core::config::locate::Place;
/// assert_eq!(Place { line: 2, column: 11 }.to_string(), "line 2, column 11");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

/// Where the value at `path` begins.
///
/// ```
/// use scheduler_core::config::locate;
/// let place = locate::value("a: 1\nticker: {interval: soon}\n", &["ticker", "interval"]);
/// assert_eq!(place.unwrap().to_string(), "line 2, column 20");
/// ```
pub fn value(text: &str, path: &[&str]) -> Option<Place> {
    place_of_refusal(text, Walk { path, stop_at_key: false, leaf: Refuse })
}

/// Where the key at the end of `path` begins.
///
/// ```
/// use scheduler_core::config::locate;
/// assert_eq!(locate::key("a: 1\nticker: {interval: soon}\n", &["ticker"]).unwrap().line, 2);
/// ```
pub fn key(text: &str, path: &[&str]) -> Option<Place> {
    place_of_refusal(text, Walk { path, stop_at_key: true, leaf: Refuse })
}

/// The plain value at `path` as it was written: `1.10` is no number here, and keeps its zero.
pub(super) fn written(text: &str, path: &[&str]) -> Option<String> {
    let walk = Walk { path, stop_at_key: false, leaf: PhantomData::<String> };
    walk.deserialize(serde_yaml::Deserializer::from_str(text)).ok().flatten()
}

/// The place after `before`, the part of a text that was fine.
///
/// ```
/// use scheduler_core::config::locate::{self, Place};
/// assert_eq!(locate::after("a: 1\nb"), Place { line: 2, column: 2 });
/// ```
pub fn after(before: &str) -> Place {
    let last_line = before.rsplit('\n').next().unwrap_or_default();
    Place { line: before.split('\n').count(), column: last_line.chars().count() + 1 }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

fn place_of_refusal(text: &str, walk: Walk<'_, Refuse>) -> Option<Place> {
    let refusal = walk.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    refusal.location().map(|at| Place { line: at.line(), column: at.column() })
}

/// Goes down `path` and hands what is there to `leaf`; everything beside the path is skipped.
struct Walk<'p, L> {
    path: &'p [&'p str],
    stop_at_key: bool,
    leaf: L,
}

impl<'de, L: DeserializeSeed<'de>> DeserializeSeed<'de> for Walk<'_, L> {
    type Value = Option<L::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.path.is_empty() {
            return self.leaf.deserialize(deserializer).map(Some);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de, L: DeserializeSeed<'de>> Visitor<'de> for Walk<'_, L> {
    type Value = Option<L::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((name, rest)) = self.path.split_first() else { return Ok(None) };
        let mut leaf = Some(self.leaf);
        let mut found = None;
        let stop = self.stop_at_key && rest.is_empty();
        while let Some(is_it) = map.next_key_seed(KeyIs { name, stop })? {
            match leaf.take_if(|_| is_it) {
                Some(leaf) => {
                    found = map.next_value_seed(Walk { path: rest, stop_at_key: self.stop_at_key, leaf })?;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    /// An entry of a list is named by its number, from 0.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Some((name, rest)) = self.path.split_first() else { return Ok(None) };
        let mut leaf = Some(self.leaf);
        let mut index = 0_usize;
        loop {
            let is_it = name.parse() == Ok(index);
            index += 1;
            match leaf.take_if(|_| is_it) {
                Some(leaf) => {
                    let walk = Walk { path: rest, stop_at_key: self.stop_at_key, leaf };
                    return seq.next_element_seed(walk).map(Option::flatten);
                }
                None if seq.next_element::<IgnoredAny>()?.is_none() => return Ok(None),
                None => {}
            }
        }
    }
}

/// Whether a key is `name`; refused if it is and `stop` is set.
struct KeyIs<'p> {
    name: &'p str,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        match key == self.name {
            true if self.stop => Err(E::custom("here")),
            is_it => Ok(is_it),
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}

/// Takes nothing, so that the parser says where it stood.
struct Refuse;

impl<'de> DeserializeSeed<'de> for Refuse {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Refuse {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}
