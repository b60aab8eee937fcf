// SPDX-License-Identifier: GPL-2.0-or-later
//! What stands after a boot: object namespace, registry, processes, paging files, files; as text
//! and as JSON.
//!
//! A [`Snapshot`] is plain data, taken by the executive at one moment. Both renderings are sorted
//! and hold nothing that differs between two runs of the same boot: no process ids (a process has
//! an alias), no handles, no addresses, no times. Two boots that leave the same system behind give
//! the same bytes; the text is made to be compared line by line.
//!
//! On the debug output each rendering stands between two sentinel lines, so that it can be cut out
//! of a log.

mod render;
pub mod sddl;
mod take;

use alloc::string::String;
use alloc::vec::Vec;

pub use render::{json, text};

/// The line before the text.
pub const TEXT_BEGIN: &str = "=====BEGIN NT SNAPSHOT TEXT=====";
/// The line after the text.
pub const TEXT_END: &str = "=====END NT SNAPSHOT TEXT=====";
/// The line before the JSON.
pub const JSON_BEGIN: &str = "=====BEGIN NT SNAPSHOT JSON=====";
/// The line after the JSON.
pub const JSON_END: &str = "=====END NT SNAPSHOT JSON=====";

/// One named object.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ObjectEntry {
    /// Full path, `\` for the root.
    pub path: String,
    /// Its type's name.
    pub kind: String,
    /// A symbolic link's target.
    pub target: Option<String>,
    /// Whether the name outlives the last handle.
    pub permanent: bool,
    /// Its security descriptor, self-relative.
    pub security: Option<Vec<u8>>,
    /// What else is to be seen of it: `signalled`, a section's file.
    pub detail: Option<String>,
}

/// One registry value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ValueEntry {
    /// Its name; empty for the default value.
    pub name: String,
    /// `REG_` type.
    pub kind: u32,
    /// Its data as it is stored.
    pub data: Vec<u8>,
}

/// One registry key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyEntry {
    /// Full path.
    pub path: String,
    /// Whether it lives in memory only.
    pub volatile: bool,
    /// Its values.
    pub values: Vec<ValueEntry>,
}

/// One process, by ids that are replaced by aliases when rendered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProcessEntry {
    /// Its id, which is not shown.
    pub id: u64,
    /// Its creator's id, which is not shown.
    pub parent: u64,
    /// Name of its image file.
    pub image: String,
    /// Its command line.
    pub command_line: String,
    /// Session id.
    pub session: u32,
    /// Threads that have not ended.
    pub threads: usize,
    /// Whether its end is the system's.
    pub critical: bool,
    /// Base priority.
    pub priority: u32,
    /// Private commit, bytes; shown in the JSON only, because it depends on where stacks grew to.
    pub private_bytes: u64,
    /// Types of the objects it has handles to, and how many of each.
    pub handles: Vec<(String, usize)>,
}

/// One paging file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PageFileEntry {
    /// Its NT path.
    pub path: String,
    /// Its size now, bytes.
    pub size: u64,
    /// What it may grow to, bytes.
    pub maximum: u64,
}

/// One file or directory of a volume.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileEntry {
    /// Path with its drive letter.
    pub path: String,
    /// `FILE_ATTRIBUTE_` bits.
    pub attributes: u32,
    /// Bytes.
    pub size: u64,
}

/// What stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// Named objects.
    pub objects: Vec<ObjectEntry>,
    /// Registry keys.
    pub keys: Vec<KeyEntry>,
    /// Living processes, in the order of their creation.
    pub processes: Vec<ProcessEntry>,
    /// Paging files.
    pub page_files: Vec<PageFileEntry>,
    /// Files.
    pub files: Vec<FileEntry>,
}

impl Snapshot {
    /// Brings every list into its order. Paths are compared as NT compares names, without regard to
    /// case.
    pub fn sort(&mut self) {
        self.objects.sort_by_cached_key(|entry| order(&entry.path));
        for key in &mut self.keys {
            key.values.sort_by_cached_key(|value| order(&value.name));
        }
        self.keys.sort_by_cached_key(|entry| order(&entry.path));
        self.page_files
            .sort_by_cached_key(|entry| order(&entry.path));
        self.files.sort_by_cached_key(|entry| order(&entry.path));
        for process in &mut self.processes {
            process.handles.sort();
        }
    }

    /// A process's alias: its image name, with a number from the second of that name on.
    pub fn alias(&self, id: u64) -> String {
        let Some(found) = self.processes.iter().find(|process| process.id == id) else {
            return String::from("-");
        };
        let before = self
            .processes
            .iter()
            .take_while(|process| process.id != id)
            .filter(|process| process.image == found.image)
            .count();
        match before {
            0 => found.image.clone(),
            _ => alloc::format!("{}#{}", found.image, before + 1),
        }
    }
}

/// A path as a list of upcased names, so that a directory stands right before what is in it.
fn order(path: &str) -> (Vec<String>, String) {
    (
        path.split('\\').map(str::to_uppercase).collect(),
        String::from(path),
    )
}
