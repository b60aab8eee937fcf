// SPDX-License-Identifier: GPL-2.0-or-later
//! A snapshot as text and as JSON.
//!
//! The text has one line an entry, five sections, each opened by its name in brackets; the
//! namespace is indented as a tree, values stand indented under their keys. The JSON is one object
//! with the same five lists.

use super::{KeyEntry, ObjectEntry, ProcessEntry, Snapshot, ValueEntry, sddl};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Value as Json, json as object};

/// The snapshot as text. Sorts nothing: see [`Snapshot::sort`].
pub fn text(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out += &text;
        out.push('\n');
    };
    line("[objects]".to_string());
    for entry in &snapshot.objects {
        line(object_line(entry));
    }
    line("[registry]".to_string());
    for key in &snapshot.keys {
        key_lines(key).into_iter().for_each(&mut line);
    }
    line("[processes]".to_string());
    for process in &snapshot.processes {
        line(process_line(snapshot, process));
    }
    line("[paging files]".to_string());
    for file in &snapshot.page_files {
        line(format!(
            "{} size={} maximum={}",
            file.path, file.size, file.maximum
        ));
    }
    line("[files]".to_string());
    for file in &snapshot.files {
        line(format!(
            "{} {} {}",
            attributes(file.attributes),
            file.size,
            file.path
        ));
    }
    out
}

/// The snapshot as one line of JSON.
pub fn json(snapshot: &Snapshot) -> String {
    let objects: Vec<Json> = snapshot
        .objects
        .iter()
        .map(|entry| {
            object!({
                "path": entry.path, "type": entry.kind, "target": entry.target, "permanent": entry.permanent,
                "security": security(entry), "detail": entry.detail,
            })
        })
        .collect();
    let keys: Vec<Json> = snapshot
        .keys
        .iter()
        .map(|key| {
            let values: Vec<Json> = key.values.iter().map(value_json).collect();
            object!({ "path": key.path, "volatile": key.volatile, "values": values })
        })
        .collect();
    let processes: Vec<Json> = snapshot
        .processes
        .iter()
        .map(|process| {
            let handles: serde_json::Map<String, Json> =
                process.handles.iter().map(|(kind, count)| (kind.clone(), Json::from(*count))).collect();
            object!({
                "name": snapshot.alias(process.id), "parent": snapshot.alias(process.parent), "commandLine": process.command_line,
                "session": process.session, "threads": process.threads, "critical": process.critical, "priority": process.priority,
                "privateBytes": process.private_bytes, "handles": handles,
            })
        })
        .collect();
    let page_files: Vec<Json> = snapshot
        .page_files
        .iter()
        .map(|file| object!({ "path": file.path, "size": file.size, "maximum": file.maximum }))
        .collect();
    let files: Vec<Json> = snapshot
        .files
        .iter()
        .map(|file| object!({ "path": file.path, "attributes": attributes(file.attributes), "size": file.size }))
        .collect();
    object!({ "objects": objects, "registry": keys, "processes": processes, "pagingFiles": page_files, "files": files }).to_string()
}

fn object_line(entry: &ObjectEntry) -> String {
    let mut line = indented(&entry.path);
    line += &format!(" {}", entry.kind);
    if let Some(target) = &entry.target {
        line += &format!(" -> {target:?}");
    }
    if entry.permanent {
        line += " permanent";
    }
    if let Some(detail) = &entry.detail {
        line += &format!(" {detail}");
    }
    if let Some(security) = security(entry) {
        line += &format!(" {security}");
    }
    line
}

fn security(entry: &ObjectEntry) -> Option<String> {
    let bytes = entry.security.as_deref()?;
    Some(sddl::descriptor(bytes).unwrap_or_else(|| "malformed security descriptor".to_string()))
}

fn key_lines(key: &KeyEntry) -> Vec<String> {
    let mut lines = Vec::new();
    let volatile = if key.volatile { " volatile" } else { "" };
    lines.push(format!("{}{volatile}", key.path));
    for value in &key.values {
        lines.push(format!(
            "  {:?} {} {}",
            value.name,
            kind_name(value.kind),
            value_text(value)
        ));
    }
    lines
}

fn process_line(snapshot: &Snapshot, process: &ProcessEntry) -> String {
    let mut line = format!(
        "{} parent={} session={} threads={} priority={}{} command={:?}",
        snapshot.alias(process.id),
        snapshot.alias(process.parent),
        process.session,
        process.threads,
        process.priority,
        if process.critical { " critical" } else { "" },
        process.command_line,
    );
    if !process.handles.is_empty() {
        let handles: Vec<String> = process
            .handles
            .iter()
            .map(|(kind, count)| format!("{kind}:{count}"))
            .collect();
        line += &format!(" handles={}", handles.join(","));
    }
    line
}

fn depth(path: &str) -> usize {
    if path == "\\" {
        0
    } else {
        path.matches('\\').count()
    }
}

/// The last name of a path, indented by how deep it stands.
fn indented(path: &str) -> String {
    let name = if path == "\\" {
        path
    } else {
        path.rsplit('\\').next().unwrap_or(path)
    };
    format!("{}{name}", "  ".repeat(depth(path)))
}

fn kind_name(kind: u32) -> String {
    let name = match kind {
        0 => "REG_NONE",
        1 => "REG_SZ",
        2 => "REG_EXPAND_SZ",
        3 => "REG_BINARY",
        4 => "REG_DWORD",
        7 => "REG_MULTI_SZ",
        11 => "REG_QWORD",
        _ => return format!("REG_{kind}"),
    };
    name.to_string()
}

fn value_text(value: &ValueEntry) -> String {
    match value_data(value) {
        Json::Number(number) => number
            .as_u64()
            .map_or_else(String::new, |number| format!("{number:#x}")),
        other => other.to_string(),
    }
}

fn value_json(value: &ValueEntry) -> Json {
    object!({ "name": value.name, "type": kind_name(value.kind), "data": value_data(value) })
}

/// Strings as text (a missing terminator is not shown), numbers as numbers, everything else as hex
/// digits.
fn value_data(value: &ValueEntry) -> Json {
    let hex = || {
        Json::from(
            value
                .data
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        )
    };
    if !value.data.len().is_multiple_of(2) && matches!(value.kind, 1 | 2 | 7) {
        return hex();
    }
    let units: Vec<u16> = value
        .data
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    match (value.kind, value.data.as_slice()) {
        (1 | 2, _) => {
            let end = if units.last() == Some(&0) {
                units.len() - 1
            } else {
                units.len()
            };
            Json::from(String::from_utf16_lossy(
                units.get(..end).unwrap_or_default(),
            ))
        }
        (7, _) => {
            let all = String::from_utf16_lossy(&units);
            let body = all
                .strip_suffix("\0\0")
                .or_else(|| all.strip_suffix('\0'))
                .unwrap_or(&all);
            if body.is_empty() {
                Json::from(Vec::<Json>::new())
            } else {
                Json::from(body.split('\0').collect::<Vec<_>>())
            }
        }
        (4, &[a, b, c, d]) => Json::from(u32::from_le_bytes([a, b, c, d])),
        (11, &[a, b, c, d, e, f, g, h]) => Json::from(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => hex(),
    }
}

/// `d` directory, `r` read-only, `h` hidden, `s` system, `a` archive.
fn attributes(bits: u32) -> String {
    [(0x10, 'd'), (0x1, 'r'), (0x2, 'h'), (0x4, 's'), (0x20, 'a')]
        .into_iter()
        .map(|(bit, letter)| if bits & bit == 0 { '-' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{FileEntry, PageFileEntry};
    use super::*;
    use alloc::vec;
    use formats::utf16_bytes;

    fn snapshot() -> Snapshot {
        let named = |path: &str, kind: &str| ObjectEntry {
            path: path.into(),
            kind: kind.into(),
            ..ObjectEntry::default()
        };
        let value = |name: &str, kind, data| ValueEntry {
            name: name.into(),
            kind,
            data,
        };
        let process = |id, parent, image: &str| ProcessEntry {
            id,
            parent,
            image: image.into(),
            threads: 1,
            ..ProcessEntry::default()
        };
        let mut snapshot = Snapshot {
            objects: vec![
                named("\\Windows", "Directory"),
                ObjectEntry {
                    target: Some("\\??".into()),
                    permanent: true,
                    ..named("\\DosDevices", "SymbolicLink")
                },
                named("\\", "Directory"),
                named("\\Windows\\ApiPort", "Port"),
                named("\\windows2", "Directory"),
            ],
            keys: vec![KeyEntry {
                path: "\\REGISTRY\\MACHINE".into(),
                volatile: true,
                values: vec![
                    value("list", 7, utf16_bytes("a\0b\0\0")),
                    value("text", 1, utf16_bytes("x\0")),
                    value("bare", 1, utf16_bytes("x")),
                    value("odd", 1, vec![1]),
                    value("number", 4, vec![1, 0, 0, 0]),
                ],
            }],
            processes: vec![
                process(4, 0, "System"),
                process(8, 4, "smss.exe"),
                process(40, 8, "smss.exe"),
            ],
            page_files: vec![PageFileEntry {
                path: "\\??\\C:\\pagefile.sys".into(),
                size: 1 << 20,
                maximum: 1 << 21,
            }],
            files: vec![FileEntry {
                path: "C:\\pagefile.sys".into(),
                attributes: 6,
                size: 1 << 20,
            }],
        };
        snapshot.sort();
        snapshot
    }

    #[test]
    fn the_text_is_sorted_and_indented_and_shows_no_ids() {
        let expected = "\
[objects]
\\ Directory
  DosDevices SymbolicLink -> \"\\\\??\" permanent
  Windows Directory
    ApiPort Port
  windows2 Directory
[registry]
\\REGISTRY\\MACHINE volatile
  \"bare\" REG_SZ \"x\"
  \"list\" REG_MULTI_SZ [\"a\",\"b\"]
  \"number\" REG_DWORD 0x1
  \"odd\" REG_SZ \"01\"
  \"text\" REG_SZ \"x\"
[processes]
System parent=- session=0 threads=1 priority=0 command=\"\"
smss.exe parent=System session=0 threads=1 priority=0 command=\"\"
smss.exe#2 parent=smss.exe session=0 threads=1 priority=0 command=\"\"
[paging files]
\\??\\C:\\pagefile.sys size=1048576 maximum=2097152
[files]
--hs- 1048576 C:\\pagefile.sys
";
        assert_eq!(text(&snapshot()), expected);
    }

    #[test]
    fn the_order_of_what_was_found_does_not_matter() {
        let mut turned = snapshot();
        turned.objects.reverse();
        turned.keys[0].values.reverse();
        turned.sort();
        assert_eq!(text(&turned), text(&snapshot()));
        assert_eq!(json(&turned), json(&snapshot()));
    }

    #[test]
    fn the_json_is_one_line_and_parses() {
        let line = json(&snapshot());
        assert!(!line.contains('\n'));
        let value: Json = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["objects"][1]["target"], "\\??");
        assert_eq!(value["processes"][2]["name"], "smss.exe#2");
        assert_eq!(
            value["registry"][0]["values"][1]["data"],
            object!(["a", "b"])
        );
    }
}
