//! An architecture in a configuration.

use serde::{Deserialize, Serialize};

/// An architecture in a configuration: its text, or the parts of its JSON as a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "String")]
pub struct ArchitectureText(pub String);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Table(serde_json::Map<String, serde_json::Value>),
}

impl From<Written> for ArchitectureText {
    fn from(written: Written) -> Self {
        Self(match written {
            Written::Text(text) => text,
            Written::Table(table) => serde_json::Value::Object(table).to_string(),
        })
    }
}

impl From<ArchitectureText> for String {
    fn from(text: ArchitectureText) -> Self {
        text.0
    }
}
