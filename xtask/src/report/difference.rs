// SPDX-License-Identifier: GPL-2.0-or-later
//! What a boot changed: two dumps, before and after, held against each other. Pure.

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What became of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new, and is this.
    Made(String),
    /// It was this, and is gone.
    Gone(String),
    /// It was the one and is the other.
    Changed(String, String),
}

/// A key with the changes of its values; a key without any has itself been made or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its path.
    pub path: String,
    /// Whether the key itself is new or gone; neither if only its values changed.
    pub is: Option<Made>,
    /// Its values by name.
    pub values: Vec<(String, Change)>,
}

/// Whether something came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It came.
    Came,
    /// It went.
    Went,
}

/// The registry's changes, and how many values are as they were.
pub fn registry(before: &Json, after: &Json) -> (Vec<Key>, usize) {
    let (before, after) = (keys(before), keys(after));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut same = 0;
    let mut changed = Vec::new();
    for path in paths {
        let (old, new) = (before.get(path), after.get(path));
        let none = BTreeMap::new();
        let (values, alike) = compare(old.unwrap_or(&none), new.unwrap_or(&none));
        same += alike;
        let is = match (old, new) {
            (None, Some(_)) => Some(Made::Came),
            (Some(_), None) => Some(Made::Went),
            _ => None,
        };
        if is.is_some() || !values.is_empty() {
            changed.push(Key {
                path: path.clone(),
                is,
                values,
            });
        }
    }
    (changed, same)
}

/// The files' changes, with attributes and size.
pub fn files(before: &Json, after: &Json) -> Vec<(String, Change)> {
    compare(&sizes(before), &sizes(after)).0
}

/// The names of objects that were not there before. Nothing if there is no dump to know it from.
pub fn new_objects(before: &Json, after: &Json) -> BTreeSet<String> {
    let paths = |dump: &Json| -> BTreeSet<String> {
        list(&dump["objects"])
            .map(|object| string(&object["path"]))
            .collect()
    };
    if before.is_null() {
        return BTreeSet::new();
    }
    paths(after).difference(&paths(before)).cloned().collect()
}

fn compare(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> (Vec<(String, Change)>, usize) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut same = 0;
    let mut changes = Vec::new();
    for name in names {
        let change = match (before.get(name), after.get(name)) {
            (Some(old), Some(new)) if old == new => {
                same += 1;
                continue;
            }
            (Some(old), Some(new)) => Change::Changed(old.clone(), new.clone()),
            (Some(old), None) => Change::Gone(old.clone()),
            (None, new) => Change::Made(new.cloned().unwrap_or_default()),
        };
        changes.push((name.clone(), change));
    }
    (changes, same)
}

fn keys(dump: &Json) -> BTreeMap<String, BTreeMap<String, String>> {
    list(&dump["registry"])
        .map(|key| {
            let values = list(&key["values"])
                .map(|value| (string(&value["name"]), data(value)))
                .collect();
            (string(&key["path"]), values)
        })
        .collect()
}

fn sizes(dump: &Json) -> BTreeMap<String, String> {
    list(&dump["files"])
        .map(|file| {
            let size = file["size"].as_u64().unwrap_or(0);
            let attributes = string(&file["attributes"]);
            (string(&file["path"]), format!("{attributes} {size} bytes"))
        })
        .collect()
}

/// A value's type and data in words.
fn data(value: &Json) -> String {
    let kind = string(&value["type"]);
    let data = match &value["data"] {
        Json::Array(strings) => {
            let strings: Vec<String> = strings.iter().map(quoted).collect();
            strings.join(", ")
        }
        Json::Number(number) => number
            .as_u64()
            .map_or_else(String::new, |number| format!("{number:#x}")),
        text => quoted(text),
    };
    format!("{kind} {data}").trim_end().to_owned()
}

fn quoted(text: &Json) -> String {
    format!("\u{201c}{}\u{201d}", text.as_str().unwrap_or_default())
}

/// The elements of a list; none of what is no list.
pub fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

/// A string; empty if it is none.
pub fn string(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_change_is_told() {
        let value = |name: &str, data: Json| json!({"name": name, "type": "REG_SZ", "data": data});
        let before = json!({"registry": [
            {"path": r"\A", "values": [value("same", json!("x")), value("gone", json!("y")), value("other", json!("1"))]},
            {"path": r"\B", "values": []},
        ]});
        let after = json!({"registry": [
            {"path": r"\A", "values": [value("same", json!("x")), value("made", json!(["a", "b"])), value("other", json!("2"))]},
            {"path": r"\C", "values": []},
        ]});
        let (changed, same) = registry(&before, &after);
        assert_eq!(same, 1);
        let text = |text: &str| text.to_owned();
        assert_eq!(
            changed[0].values,
            [
                (text("gone"), Change::Gone(text("REG_SZ “y”"))),
                (text("made"), Change::Made(text("REG_SZ “a”, “b”"))),
                (
                    text("other"),
                    Change::Changed(text("REG_SZ “1”"), text("REG_SZ “2”"))
                ),
            ]
        );
        assert_eq!(
            (changed[1].is, changed[2].is),
            (Some(Made::Went), Some(Made::Came))
        );
    }

    #[test]
    fn an_object_is_new_only_if_it_is_known_what_was_there() {
        let with = |paths: &[&str]| {
            let objects: Vec<Json> = paths.iter().map(|path| json!({ "path": path })).collect();
            json!({ "objects": objects })
        };
        let after = with(&[r"\", r"\Windows"]);
        let new = new_objects(&with(&[r"\"]), &after);
        assert_eq!(new.into_iter().collect::<Vec<_>>(), [r"\Windows"]);
        assert!(new_objects(&Json::Null, &after).is_empty());
    }
}
