//! What the operator has set for the plugin.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::BoxError;

/// The plugin's configuration: the `config` of its plugin.yaml, as a JSON object.
///
/// ```
/// use sched_plugin::Config;
///
/// let config: Config = r#"{"folder": "/srv/in", "every_seconds": 5}"#.parse()?;
/// assert_eq!(config.get("every_seconds").and_then(|value| value.as_u64()), Some(5));
/// assert!(config.get("depth").is_none());
/// # Ok::<(), sched_plugin::BoxError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config(Map<String, Value>);

impl Config {
    /// The value of one key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The whole of it as a type of your own. With serde's `deny_unknown_fields` the operator is told of a mistyped key.
    ///
    /// ```
    /// use sched_plugin::Config;
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Settings {
    ///     folder: String,
    /// }
    ///
    /// let config: Config = r#"{"folder": "/srv/in"}"#.parse()?;
    /// assert_eq!(config.read::<Settings>()?.folder, "/srv/in");
    ///
    /// let config: Config = r#"{"folders": "/srv/in"}"#.parse()?;
    /// assert!(config.read::<Settings>().is_err_and(|error| error.to_string().starts_with("config: unknown field `folders`")));
    /// # Ok::<(), sched_plugin::BoxError>(())
    /// ```
    ///
    /// # Errors
    /// Which key is missing, unknown, or of another type.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, BoxError> {
        serde_json::from_value(Value::Object(self.0)).map_err(|error| format!("config: {error}").into())
    }
}

impl std::str::FromStr for Config {
    type Err = BoxError;

    /// Reads a JSON object; an empty text and `null` are an empty one.
    fn from_str(json: &str) -> Result<Self, BoxError> {
        if json.trim().is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_str(json) {
            Ok(Value::Object(keys)) => Ok(Self(keys)),
            Ok(Value::Null) => Ok(Self::default()),
            Ok(_) => Err("config: not an object of keys and values".into()),
            Err(error) => Err(format!("config: {error}").into()),
        }
    }
}
