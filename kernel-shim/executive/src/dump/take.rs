// SPDX-License-Identifier: GPL-2.0-or-later
//! Taking a [`Snapshot`] of a system that stands still.
//!
//! The registry part is what a session manager is about: its own key, the environment in it, what
//! was mounted and what boot options said.

use super::{FileEntry, KeyEntry, ObjectEntry, PageFileEntry, ProcessEntry, Snapshot, ValueEntry};
use crate::Executive;
use crate::cm::KeyRef;
use crate::ids::{ObjectId, ProcessId};
use crate::layout::{UnicodeString, Word, offset};
use crate::ob::prelude::*;
use crate::system::Body;
use abi::process::PARAMETERS_NORMALIZED;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use formats::fat::NodeId;

/// Keys that are shown with everything below them.
const TREES: [&str; 3] = [
    "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager",
    "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Control\\hivelist",
    "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Control\\SafeBoot",
];
/// Keys of which only the subkeys' names are shown.
const TOPS: [&str; 2] = ["\\REGISTRY\\MACHINE", "\\REGISTRY\\USER"];
/// No file system here nests deeper.
const DEEPEST: usize = 32;

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

impl Executive {
    /// What stands at this moment, sorted.
    pub fn snapshot(&mut self) -> Snapshot {
        let mut snapshot = Snapshot {
            objects: self.shown_objects(),
            keys: self.shown_keys(),
            processes: Vec::new(),
            page_files: self.shown_page_files(),
            files: self.shown_files(),
        };
        let ids: Vec<ProcessId> = self
            .processes()
            .filter(|process| !process.ended)
            .map(|process| process.id)
            .collect();
        for id in ids {
            let command_line = self.command_line_of(id);
            snapshot
                .processes
                .extend(self.shown_process(id, command_line));
        }
        snapshot.sort();
        snapshot
    }

    fn shown_objects(&self) -> Vec<ObjectEntry> {
        let mut shown = vec![self.shown_object(self.ob().root(), "\\".to_string())];
        let mut directories = vec![(self.ob().root(), String::new())];
        while let Some((directory, path)) = directories.pop() {
            let Ok(Body::Directory(body)) = self.object(directory).map(|object| &object.body)
            else {
                continue;
            };
            for (name, object) in body.iter() {
                let path = format!("{path}\\{}", text(name));
                shown.push(self.shown_object(object, path.clone()));
                directories.push((object, path));
            }
        }
        shown
    }

    fn shown_object(&self, id: ObjectId, path: String) -> ObjectEntry {
        let Ok(object) = self.object(id) else {
            return ObjectEntry {
                path,
                ..ObjectEntry::default()
            };
        };
        let (target, detail) = match &object.body {
            Body::SymbolicLink(link) => (Some(text(&link.target)), None),
            Body::Event(event) => (
                None,
                Some(
                    if event.signalled {
                        "signalled"
                    } else {
                        "not signalled"
                    }
                    .to_string(),
                ),
            ),
            Body::Section(section) => {
                let segment = self.segments().get(section.segment);
                (
                    None,
                    segment
                        .map(|segment| text(&segment.path))
                        .filter(|path| !path.is_empty()),
                )
            }
            _ => (None, None),
        };
        ObjectEntry {
            path,
            kind: self.type_of(object.kind).name.to_string(),
            target,
            permanent: object.permanent,
            security: object.security.as_ref().map(|security| security.bytes()),
            detail,
        }
    }

    fn shown_keys(&self) -> Vec<KeyEntry> {
        let mut shown = Vec::new();
        for top in TOPS {
            for key in self
                .registry()
                .find(top)
                .into_iter()
                .flat_map(|key| self.subkeys_of(key))
            {
                let volatile = self.registry().key(key).is_ok_and(|key| key.volatile);
                shown.push(KeyEntry {
                    path: text(&self.registry().path(key)),
                    volatile,
                    values: Vec::new(),
                });
            }
        }
        for tree in TREES {
            let mut keys: Vec<(KeyRef, String)> = self
                .registry()
                .find(tree)
                .map(|key| (key, tree.to_string()))
                .into_iter()
                .collect();
            while let Some((at, path)) = keys.pop() {
                let Ok(key) = self.registry().key(at) else {
                    continue;
                };
                let values = key.values().iter().map(|value| ValueEntry {
                    name: text(&value.name),
                    kind: value.kind,
                    data: value.data.clone(),
                });
                shown.push(KeyEntry {
                    path: path.clone(),
                    volatile: key.volatile,
                    values: values.collect(),
                });
                keys.extend(
                    self.subkeys_of(at)
                        .into_iter()
                        .map(|key| (key, format!("{path}\\{}", text(self.registry().name(key))))),
                );
            }
        }
        shown
    }

    fn subkeys_of(&self, key: KeyRef) -> Vec<KeyRef> {
        self.registry()
            .subkeys(key)
            .map(Iterator::collect)
            .unwrap_or_default()
    }

    fn shown_process(&self, id: ProcessId, command_line: Vec<u16>) -> Option<ProcessEntry> {
        let process = self.process(id).ok()?;
        let mut handles: BTreeMap<String, usize> = BTreeMap::new();
        for (_, entry) in process.handles.iter().flat_map(|handles| handles.iter()) {
            if let Ok(object) = self.object(entry.object) {
                *handles
                    .entry(self.type_of(object.kind).name.to_string())
                    .or_default() += 1;
            }
        }
        Some(ProcessEntry {
            id: id.0.into(),
            parent: process.parent.0.into(),
            image: text(&process.image),
            command_line: text(&command_line),
            session: self.session_of(id).unwrap_or(0),
            threads: process.threads.len(),
            critical: process.critical,
            priority: process.base_priority.into(),
            private_bytes: process
                .memory
                .as_ref()
                .map_or(0, |space| space.private_bytes(self.segments())),
            handles: handles.into_iter().collect(),
        })
    }

    /// The command line of a process: as its creator said where there is no PEB, else as its
    /// parameters have it now; empty where they make no sense.
    pub fn command_line_of(&mut self, id: ProcessId) -> Vec<u16> {
        let Some(process) = self.process(id).ok() else {
            return Vec::new();
        };
        if let Some(line) = &process.command_line {
            return line.clone();
        }
        let peb = process.peb;
        self.parameters_command_line(id, peb).unwrap_or_default()
    }

    fn parameters_command_line(&mut self, id: ProcessId, peb: u64) -> Option<Vec<u16>> {
        if peb == 0 {
            return None;
        }
        let architecture = self.architecture();
        let from = peb + offset!(architecture, Peb, parameters);
        let Word(parameters) = self.read_as(id, from).ok()?;
        let flags = parameters.checked_add(offset!(architecture, ProcessParameters, flags))?;
        let flags: u32 = self.read_as(id, flags).ok()?;
        let string = offset!(architecture, ProcessParameters, command_line);
        let string = parameters.checked_add(string)?;
        let UnicodeString { length, buffer, .. } = self.read_as(id, string).ok()?;
        let normalized = flags & PARAMETERS_NORMALIZED != 0;
        let at = if normalized {
            buffer
        } else {
            parameters.checked_add(buffer)?
        };
        let mut bytes = vec![0; usize::from(length)];
        self.read_process(id, at, &mut bytes).ok()?;
        Some(
            bytes
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect(),
        )
    }

    fn shown_page_files(&mut self) -> Vec<PageFileEntry> {
        let files = self.io().page_files().to_vec();
        let size = |executive: &mut Self, file: &crate::io::PageFile| {
            let (volumes, _) = executive.volumes_and_machine();
            let volume = volumes.get_mut(file.file.volume);
            let facts = volume.and_then(|volume| volume.facts(file.file.node).ok());
            facts.map_or(0, |facts| facts.size)
        };
        files
            .iter()
            .map(|file| PageFileEntry {
                path: text(&file.name),
                size: size(self, file),
                maximum: file.maximum,
            })
            .collect()
    }

    /// The files of every volume that can be written.
    fn shown_files(&mut self) -> Vec<FileEntry> {
        let mut shown = Vec::new();
        let (volumes, machine) = self.volumes_and_machine();
        for volume in volumes.iter_mut().filter(|volume| !volume.read_only) {
            let name = text(&volume.name);
            let mut directories: Vec<(NodeId, String, usize)> = vec![(volume.root(), name, 0)];
            while let Some((directory, path, depth)) = directories.pop() {
                for node in volume.children(machine, directory).unwrap_or_default() {
                    let Ok(facts) = volume.facts(node) else {
                        continue;
                    };
                    let path = format!("{path}\\{}", text(&facts.name));
                    shown.push(FileEntry {
                        path: path.clone(),
                        attributes: facts.attributes,
                        size: facts.size,
                    });
                    if facts.directory && depth < DEEPEST {
                        directories.push((node, path, depth + 1));
                    }
                }
            }
        }
        shown
    }
}
