// SPDX-License-Identifier: GPL-2.0-or-later
//! A system in memory behind the seam, for tests of one policy crate: just enough objects, keys,
//! files and processes to see what that crate did.
//!
//! It judges no rights and blocks on nothing. What has to do with the kernel's own rules is tested
//! against the executive (`tests/executive`), and so is what only needs a call refused. What is
//! still tested here, and why:
//!
//! - `growth.rs` of `boot`, `objects` and `registry`: elementary steps are counted per thread, and
//!   the executive would take its own on the thread that calls it.
//! - `objects/tests/link_security.rs`, `launch/tests/execution.rs`: what is asked of the kernel,
//!   which the executive overrides (inheritance) or refuses (another session than the creator's).
//! - `boot/tests/commands.rs` and `renames.rs`, `objects/tests/known_dlls.rs`,
//!   `pagefile/tests/creation.rs`, `registry/tests/pass.rs`: each refuses one call, or all from
//!   there on, counted over every service, or has a file or volume answer as none of the
//!   executive's does. Over the executive a refusal of all would also reach the wait with which a
//!   test ends. What needs neither may go over as `objects/tests/namespace.rs` has.

#![allow(dead_code, reason = "every test uses another part")]

mod files;
mod objects;
mod processes;

use nt::access::{Access, OpenOptions, Share};
use nt::object::{Attributes, ClientId};
use nt::system::*;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

pub const SM: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";
pub const CONTROL: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Directory,
    Link(String),
    Section,
}

#[derive(Clone, Debug)]
pub struct Object {
    pub name: String,
    pub kind: Kind,
    pub permanent: bool,
    pub security: Option<Vec<u8>>,
    open: usize,
}

#[derive(Clone, Debug, Default)]
pub struct File {
    pub data: Vec<u8>,
    pub attributes: u32,
    delete: bool,
    /// An open fails with this.
    pub refuses: Option<Status>,
    /// Its number on the volume; 0 stands for none.
    pub id: u64,
}

#[derive(Clone, Debug)]
pub struct Process {
    pub image: String,
    pub command_line: String,
    pub directory: Option<String>,
    pub dll_path: Option<String>,
    pub environment: Vec<u16>,
    pub flags: ParameterFlags,
    pub debug: bool,
    pub session: Option<u32>,
    pub resumed: bool,
    pub ended: Option<Status>,
    pub waited: bool,
}

#[derive(Clone, Debug)]
enum Open {
    Object(String),
    Key(String),
    File(String),
    Process(usize),
}

type Value = (String, u32, Vec<u8>);

#[derive(Default)]
pub struct State {
    pub objects: BTreeMap<String, Object>,
    pub keys: BTreeMap<String, Vec<Value>>,
    pub files: BTreeMap<String, File>,
    /// Subsystem of the images that can be started.
    pub programs: BTreeMap<String, u32>,
    pub processes: Vec<Process>,
    pub paging_files: Vec<(String, u64, u64)>,
    /// What was flushed, in order.
    pub flushed: Vec<String>,
    /// Volumes that were marked for a check.
    pub dirty: Vec<String>,
    /// What the next attempts to make a paging file answer.
    pub paging_answers: std::collections::VecDeque<Status>,
    /// Drive letter, free bytes, characteristics.
    pub volumes: Vec<(char, u64, u32)>,
    pub screen: String,
    pub boot_status: Option<[bool; 2]>,
    /// What the boot status said when the last process was made.
    pub boot_status_seen: Option<[bool; 2]>,
    pub refuse_session: Option<Status>,
    pub memory_megabytes: u64,
    /// Names of the calls made.
    pub calls: Vec<&'static str>,
    /// Fails the call with this number, from 0; and all after it if so said.
    pub fault: Option<(usize, Status, bool)>,
    /// Handles of files that were opened with no intermediate buffering.
    uncached: std::collections::BTreeSet<u64>,
    /// Files that the cache has a data section of: they cannot be superseded.
    cached: std::collections::BTreeSet<String>,
    handles: BTreeMap<u64, Open>,
    /// What a view of the section behind a handle shows.
    views: BTreeMap<u64, Vec<u8>>,
    next: u64,
}

pub struct World(Mutex<State>);

pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

pub fn bytes(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn fold(path: &str) -> String {
    path.to_lowercase()
}

/// The key of a file by its NT path.
fn file_key(path: &str) -> String {
    fold(
        path.strip_prefix("\\??\\")
            .or_else(|| path.strip_prefix("\\DosDevices\\"))
            .unwrap_or(path),
    )
    .trim_end_matches('\\')
    .to_string()
}

impl World {
    pub fn new() -> &'static Self {
        let world: &'static Self = Box::leak(Box::new(Self(Mutex::new(State {
            next: 4,
            memory_megabytes: 512,
            ..State::default()
        }))));
        for directory in ["\\", "\\GLOBAL??", "\\Device"] {
            world.object(directory, Kind::Directory);
        }
        world
            .directory("C:")
            .directory("C:\\ReactOS")
            .directory("C:\\ReactOS\\System32")
            .directory("C:\\ReactOS\\System32\\config");
        world.key(SM, &[]).key(CONTROL, &[]);
        for subkey in [
            "Memory Management",
            "DOS Devices",
            "KnownDlls",
            "Environment",
            "SubSystems",
        ] {
            world.key(&format!("{SM}\\{subkey}"), &[]);
        }
        world.state().volumes.push(('C', 1 << 30, 0));
        world
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn object(&self, name: &str, kind: Kind) -> &Self {
        let object = Object {
            name: name.to_string(),
            kind,
            permanent: true,
            security: None,
            open: 0,
        };
        self.state().objects.insert(fold(name), object);
        self
    }

    pub fn key(&self, name: &str, values: &[(&str, u32, Vec<u8>)]) -> &Self {
        let values = values
            .iter()
            .map(|(name, kind, data)| (name.to_string(), *kind, data.clone()))
            .collect::<Vec<_>>();
        self.state()
            .keys
            .entry(fold(name))
            .or_default()
            .extend(values);
        self
    }

    /// Values below the Session Manager key.
    pub fn sm(&self, subkey: &str, values: &[(&str, u32, Vec<u8>)]) -> &Self {
        self.key(format!("{SM}\\{subkey}").trim_end_matches('\\'), values)
    }

    pub fn forget_key(&self, name: &str) -> &Self {
        self.state().keys.remove(&fold(name));
        self
    }

    pub fn value(&self, key: &str, name: &str) -> Option<(u32, Vec<u8>)> {
        let state = self.state();
        let values = state.keys.get(&fold(key))?;
        values
            .iter()
            .find(|(known, ..)| fold(known) == fold(name))
            .map(|(_, kind, data)| (*kind, data.clone()))
    }

    pub fn text_value(&self, key: &str, name: &str) -> Option<String> {
        let (kind, data) = self.value(key, name)?;
        assert_eq!(kind, 1, "{name} is REG_SZ");
        let units: Vec<u16> = data
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        Some(
            String::from_utf16(&units)
                .unwrap()
                .strip_suffix('\0')
                .expect("a NUL at its end")
                .to_string(),
        )
    }

    pub fn file(&self, path: &str, data: &[u8]) -> &Self {
        self.state().files.insert(
            file_key(path),
            File {
                data: data.to_vec(),
                attributes: FileAttributes::ARCHIVE,
                ..File::default()
            },
        );
        self
    }

    pub fn directory(&self, path: &str) -> &Self {
        self.state().files.insert(
            file_key(path),
            File {
                attributes: FileAttributes::DIRECTORY,
                ..File::default()
            },
        );
        self
    }

    pub fn program(&self, path: &str, subsystem: u32) -> &Self {
        self.file(path, b"program");
        self.state().programs.insert(file_key(path), subsystem);
        self
    }

    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.state()
            .files
            .get(&file_key(path))
            .map(|file| file.data.clone())
    }

    pub fn link(&self, name: &str) -> Option<String> {
        match self
            .state()
            .objects
            .get(&fold(name))
            .map(|object| object.kind.clone())
        {
            Some(Kind::Link(target)) => Some(target),
            _ => None,
        }
    }

    /// Names of the objects right below a directory, as they were spelled.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let head = format!("{}\\", fold(directory));
        let state = self.state();
        let below = state.objects.iter().filter(|(key, _)| {
            key.strip_prefix(&head)
                .is_some_and(|rest| !rest.is_empty() && !rest.contains('\\'))
        });
        below
            .map(|(_, object)| object.name.rsplit('\\').next().unwrap().to_string())
            .collect()
    }

    pub fn open_handles(&self) -> usize {
        self.state().handles.len()
    }

    fn enter(&self, call: &'static str) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let number = state.calls.len();
        state.calls.push(call);
        match state.fault {
            Some((at, status, persistent)) if at == number || (persistent && number > at) => {
                Err(status)
            }
            _ => Ok(state),
        }
    }
}

impl State {
    fn give(&mut self, open: Open) -> Handle {
        self.next += 4;
        self.handles.insert(self.next, open);
        Handle(self.next)
    }

    fn open_of(&self, handle: Handle) -> Result<Open> {
        self.handles
            .get(&handle.0)
            .cloned()
            .ok_or(Status::INVALID_HANDLE)
    }

    fn full(&self, attributes: &ObjectAttributes<'_>) -> Result<String> {
        let name = attributes.name.to_string();
        if attributes.root.is_null() {
            if !name.starts_with('\\') {
                return Err(if name.is_empty() {
                    Status::OBJECT_PATH_SYNTAX_BAD
                } else {
                    Status::OBJECT_NAME_INVALID
                });
            }
            return Ok(name);
        }
        match self.open_of(attributes.root)? {
            Open::Object(root) => Ok(format!("{}\\{name}", root.trim_end_matches('\\'))),
            Open::Key(root) => Ok(format!("{root}\\{name}")),
            Open::File(root) => Ok(format!("\\??\\{root}\\{name}")),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// Name of an object, with `\??` resolved.
    fn object_name(&self, attributes: &ObjectAttributes<'_>) -> Result<String> {
        let name = self.full(attributes)?;
        Ok(match name.strip_prefix("\\??") {
            Some(rest) => format!("\\GLOBAL??{rest}"),
            None => name,
        })
    }

    fn create_object(&mut self, attributes: &ObjectAttributes<'_>, kind: Kind) -> Result<Created> {
        let name = self.object_name(attributes)?;
        let key = fold(&name);
        let parent = key.rsplit_once('\\').map_or("", |(parent, _)| parent);
        if !parent.is_empty() && !self.objects.contains_key(parent) {
            return Err(Status::OBJECT_PATH_NOT_FOUND);
        }
        if let Some(there) = self.objects.get_mut(&key) {
            if !attributes.attributes.contains(Attributes::OPENIF) {
                return Err(Status::OBJECT_NAME_COLLISION);
            }
            if std::mem::discriminant(&there.kind) != std::mem::discriminant(&kind) {
                return Err(Status::OBJECT_TYPE_MISMATCH);
            }
            there.open += 1;
            return Ok(Created {
                handle: self.give(Open::Object(name)),
                existed: true,
            });
        }
        let permanent = attributes.attributes.contains(Attributes::PERMANENT);
        let object = Object {
            name: name.clone(),
            kind,
            permanent,
            security: attributes.security.map(<[u8]>::to_vec),
            open: 1,
        };
        self.objects.insert(key, object);
        Ok(Created {
            handle: self.give(Open::Object(name)),
            existed: false,
        })
    }

    fn open_object(&mut self, attributes: &ObjectAttributes<'_>, wanted: &Kind) -> Result<Handle> {
        let name = self.object_name(attributes)?;
        let object = self
            .objects
            .get_mut(&fold(&name))
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if std::mem::discriminant(&object.kind) != std::mem::discriminant(wanted) {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        }
        object.open += 1;
        Ok(self.give(Open::Object(name)))
    }

    fn key_of(&mut self, handle: Handle) -> Result<&mut Vec<Value>> {
        match self.open_of(handle)? {
            Open::Key(key) => self.keys.get_mut(&fold(&key)).ok_or(Status::KEY_DELETED),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    fn file_of(&mut self, handle: Handle) -> Result<(String, &mut File)> {
        match self.open_of(handle)? {
            Open::File(key) => match self.files.get_mut(&key) {
                Some(file) => Ok((key, file)),
                None => Err(Status::FILE_DELETED),
            },
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    fn volume(&self, handle: Handle) -> Result<(char, u64, u32)> {
        let Open::File(key) = self.open_of(handle)? else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let volume = self
            .volumes
            .iter()
            .find(|(letter, ..)| key.starts_with(&letter.to_string().to_lowercase()));
        volume.copied().ok_or(Status::NO_SUCH_DEVICE)
    }

    fn process_of(&mut self, handle: Handle) -> Result<&mut Process> {
        match self.open_of(handle)? {
            Open::Process(index) => self.processes.get_mut(index).ok_or(Status::INVALID_HANDLE),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }
}
