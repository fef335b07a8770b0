//! A line, read as a call or an answer, and written. Pure.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Code, Fault, MAX_LINE};

/// What one side may ask of the other: [`HostCall`](super::HostCall) or [`PluginCall`](super::PluginCall).
pub trait Call: Serialize + DeserializeOwned {
    /// The names of all calls.
    const NAMES: &'static [&'static str];
}

/// A line of the protocol; `C` is what the side that wrote it may ask.
///
/// ```
/// use sched_plugin_host::protocol::{Message, PluginCall};
/// let tick = Message::Call { id: Some(7), call: PluginCall::Tick };
/// assert_eq!(tick.to_line().unwrap(), "{\"id\":7,\"call\":\"tick\"}\n");
/// assert_eq!(Message::read(r#"{"call": "tick", "id": 7}"#), Ok(tick));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Message<C> {
    /// Something is asked.
    Call {
        /// What the answer will carry; without one there is none.
        id: Option<u64>,
        /// What.
        call: C,
    },
    /// What became of a call of the other side.
    Answer {
        /// The call's.
        id: u64,
        /// What was asked for, or why not.
        answer: Result<Value, Fault>,
    },
}

/// Why a line is no [`Message`].
///
/// ```
/// use sched_plugin_host::protocol::{Message, PluginCall, Unread};
/// let read = Message::<PluginCall>::read;
/// assert!(matches!(read(r#"{"id": 1, "call": "sing"}"#), Err(Unread::Call { id: Some(1), .. })));
/// assert!(matches!(read("Hello!"), Err(Unread::Garbage(_))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// A call that isn't known, or is but not like this. It is answered with the fault, if it has an id.
    Call {
        /// The call's.
        id: Option<u64>,
        /// What to answer.
        fault: Fault,
    },
    /// Nothing of this protocol, and why.
    Garbage(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { fault, .. } => fault.fmt(f),
            Self::Garbage(why) => f.write_str(why),
        }
    }
}

impl<C: Call> Message<C> {
    /// Reads a line.
    ///
    /// # Errors
    /// Why it is no message, and whether that is to be answered.
    pub fn read(line: &str) -> Result<Self, Unread> {
        let garbage = |why: String| Unread::Garbage(format!("{why}: {}", excerpt(line)));
        let mut members = match serde_json::from_str(line) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(garbage("a line is no JSON object".into())),
            Err(_) => return Err(garbage("a line is not JSON".into())),
        };
        let id = match members.remove("id") {
            None | Some(Value::Null) => None,
            Some(id) => Some(id.as_u64().ok_or_else(|| garbage("an id is not a whole number".into()))?),
        };
        if members.contains_key("call") {
            return Self::read_call(id, members);
        }
        let id = id.ok_or_else(|| garbage("a line is neither a call nor an answer".into()))?;
        if let Some(error) = members.remove("error") {
            let answer = serde_json::from_value(error).map(Err);
            return answer
                .map(|answer| Self::Answer { id, answer })
                .map_err(|_| garbage("an error is no object with `code` and `message`".into()));
        }
        match members.remove("ok") {
            Some(ok) => Ok(Self::Answer { id, answer: Ok(ok) }),
            None => Err(garbage("a line is neither a call nor an answer".into())),
        }
    }

    fn read_call(id: Option<u64>, members: Map<String, Value>) -> Result<Self, Unread> {
        let name = match &members["call"] {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        };
        if !C::NAMES.contains(&name.as_str()) {
            let fault = Fault::new(Code::Unknown, format!("there is no call `{}`", excerpt(&name)));
            return Err(Unread::Call { id, fault });
        }
        match serde_json::from_value(Value::Object(members)) {
            Ok(call) => Ok(Self::Call { id, call }),
            Err(why) => Err(Unread::Call { id, fault: Fault::new(Code::Invalid, format!("`{name}`: {why}")) }),
        }
    }

    /// The message as a line, with its end.
    ///
    /// # Errors
    /// That it is longer than [`MAX_LINE`].
    pub fn to_line(&self) -> Result<String, Fault> {
        let mut members = Map::new();
        match self {
            Self::Call { id, call } => {
                if let Some(id) = id {
                    members.insert("id".into(), (*id).into());
                }
                if let Ok(Value::Object(call)) = serde_json::to_value(call) {
                    members.extend(call);
                }
            }
            Self::Answer { id, answer } => {
                members.insert("id".into(), (*id).into());
                match answer {
                    Ok(value) => members.insert("ok".into(), value.clone()),
                    Err(fault) => members.insert("error".into(), serde_json::to_value(fault).unwrap_or_default()),
                };
            }
        }
        let mut line = Value::Object(members).to_string();
        line.push('\n');
        if line.len() > MAX_LINE {
            return Err(Fault::new(Code::Invalid, format!("a message of {} bytes, more than 1 MiB", line.len())));
        }
        Ok(line)
    }
}

fn excerpt(text: &str) -> String {
    brief(text, 60)
}

/// The beginning of a text, at most `longest` characters of it, fit for a message of one line.
pub(crate) fn brief(text: &str, longest: usize) -> String {
    let shown =
        |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() };
    let mut start: String = text.chars().take(longest).map(shown).collect();
    if text.chars().nth(longest).is_some() {
        start.push_str("...");
    }
    start
}
