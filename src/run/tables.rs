//! Tables of a configuration: one over another, and what one has that another has not.

use crate::names::nearest;
use toml::{Table, Value};

/// The value at a key with dots.
pub(super) fn get<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((group, rest)) => get(table.get(group)?.as_table()?, rest),
    }
}

/// Takes out the value at a key with dots.
pub(super) fn remove(table: &mut Table, key: &str) {
    match key.split_once('.') {
        None => _ = table.remove(key),
        Some((group, rest)) => {
            if let Some(inner) = table.get_mut(group).and_then(Value::as_table_mut) {
                remove(inner, rest);
            }
        }
    }
}

/// The keys with dots of all that a table sets.
pub(super) fn keys(table: &Table) -> Vec<String> {
    crate::settings::Settings::from(table.clone()).keys()
}

/// Puts one table over another. A group of another kind takes the place of the whole.
pub(super) fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(into)), Value::Table(from)) => {
                if from.get("kind").is_some_and(|kind| into.get("kind") != Some(kind)) {
                    *into = from;
                } else {
                    merge(into, from);
                }
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// The first key that a table has and `known` has not, with the known one most like it. What a group of a kind has is not
/// looked at: it depends on the kind; nor is what a group has that is empty, whose keys are names of the user's choice.
///
/// # Errors
/// The key of a value that stands where a group should.
pub(super) fn unknown(given: &Table, known: &Table, prefix: &str) -> Result<Option<(String, String)>, String> {
    for (key, value) in given {
        let full = format!("{prefix}{key}");
        let found = match (known.get(key), value) {
            (Some(Value::Table(inner)), Value::Table(_)) if inner.contains_key("kind") || inner.is_empty() => None,
            (Some(Value::Table(inner)), Value::Table(value)) => unknown(value, inner, &format!("{full}."))?,
            (Some(Value::Table(_)), _) => return Err(full),
            (Some(_), _) => None,
            (None, _) => {
                let nearest = nearest(key, known.keys().map(String::as_str));
                Some((full, format!("{prefix}{nearest}")))
            }
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
