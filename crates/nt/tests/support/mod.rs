// SPDX-License-Identifier: GPL-2.0-or-later
//! A system in memory behind the seam, for tests of one policy crate: just enough objects, keys, files and processes to see what that
//! crate did.
//!
//! It judges no rights and blocks on nothing. What has to do with the kernel's own rules is tested against the executive.

#![allow(dead_code, reason = "every test uses another part")]

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
    Section { image: bool },
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
    View(Vec<u8>),
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
    handles: BTreeMap<u64, Open>,
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
    fold(path.strip_prefix("\\??\\").or_else(|| path.strip_prefix("\\DosDevices\\")).unwrap_or(path)).trim_end_matches('\\').to_string()
}

impl World {
    pub fn new() -> &'static Self {
        let world: &'static Self = Box::leak(Box::new(Self(Mutex::new(State { next: 4, memory_megabytes: 512, ..State::default() }))));
        for directory in ["\\", "\\GLOBAL??", "\\Device"] {
            world.object(directory, Kind::Directory);
        }
        world.directory("C:").directory("C:\\ReactOS").directory("C:\\ReactOS\\System32");
        world.key(SM, &[]).key(CONTROL, &[]);
        for subkey in ["Memory Management", "DOS Devices", "KnownDlls", "Environment", "SubSystems"] {
            world.key(&format!("{SM}\\{subkey}"), &[]);
        }
        world.state().volumes.push(('C', 1 << 30, 0));
        world
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn object(&self, name: &str, kind: Kind) -> &Self {
        let object = Object { name: name.to_string(), kind, permanent: true, security: None, open: 0 };
        self.state().objects.insert(fold(name), object);
        self
    }

    pub fn key(&self, name: &str, values: &[(&str, u32, Vec<u8>)]) -> &Self {
        let values = values.iter().map(|(name, kind, data)| (name.to_string(), *kind, data.clone())).collect::<Vec<_>>();
        self.state().keys.entry(fold(name)).or_default().extend(values);
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
        values.iter().find(|(known, ..)| fold(known) == fold(name)).map(|(_, kind, data)| (*kind, data.clone()))
    }

    pub fn text_value(&self, key: &str, name: &str) -> Option<String> {
        let (kind, data) = self.value(key, name)?;
        assert_eq!(kind, 1, "{name} is REG_SZ");
        let units: Vec<u16> = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        Some(String::from_utf16(&units).unwrap().strip_suffix('\0').expect("a NUL at its end").to_string())
    }

    pub fn file(&self, path: &str, data: &[u8]) -> &Self {
        self.state().files.insert(file_key(path), File { data: data.to_vec(), attributes: FileAttributes::ARCHIVE, ..File::default() });
        self
    }

    pub fn directory(&self, path: &str) -> &Self {
        self.state().files.insert(file_key(path), File { attributes: FileAttributes::DIRECTORY, ..File::default() });
        self
    }

    pub fn program(&self, path: &str, subsystem: u32) -> &Self {
        self.file(path, b"program");
        self.state().programs.insert(file_key(path), subsystem);
        self
    }

    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.state().files.get(&file_key(path)).map(|file| file.data.clone())
    }

    pub fn link(&self, name: &str) -> Option<String> {
        match self.state().objects.get(&fold(name)).map(|object| object.kind.clone()) {
            Some(Kind::Link(target)) => Some(target),
            _ => None,
        }
    }

    /// Names of the objects right below a directory, as they were spelled.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let head = format!("{}\\", fold(directory));
        let state = self.state();
        let below =
            state.objects.iter().filter(|(key, _)| key.strip_prefix(&head).is_some_and(|rest| !rest.is_empty() && !rest.contains('\\')));
        below.map(|(_, object)| object.name.rsplit('\\').next().unwrap().to_string()).collect()
    }

    pub fn open_handles(&self) -> usize {
        self.state().handles.len()
    }

    fn enter(&self, call: &'static str) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let number = state.calls.len();
        state.calls.push(call);
        match state.fault {
            Some((at, status, persistent)) if at == number || (persistent && number > at) => Err(status),
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
        self.handles.get(&handle.0).cloned().ok_or(Status::INVALID_HANDLE)
    }

    fn full(&self, attributes: &ObjectAttributes<'_>) -> Result<String> {
        let name = attributes.name.to_string();
        if attributes.root.is_null() {
            if !name.starts_with('\\') {
                return Err(if name.is_empty() { Status::OBJECT_PATH_SYNTAX_BAD } else { Status::OBJECT_NAME_INVALID });
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
            return Ok(Created { handle: self.give(Open::Object(name)), existed: true });
        }
        let permanent = attributes.attributes.contains(Attributes::PERMANENT);
        let object = Object { name: name.clone(), kind, permanent, security: attributes.security.map(<[u8]>::to_vec), open: 1 };
        self.objects.insert(key, object);
        Ok(Created { handle: self.give(Open::Object(name)), existed: false })
    }

    fn open_object(&mut self, attributes: &ObjectAttributes<'_>, wanted: &Kind) -> Result<Handle> {
        let name = self.object_name(attributes)?;
        let object = self.objects.get_mut(&fold(&name)).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
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
        let Open::File(key) = self.open_of(handle)? else { return Err(Status::OBJECT_TYPE_MISMATCH) };
        let volume = self.volumes.iter().find(|(letter, ..)| key.starts_with(&letter.to_string().to_lowercase()));
        volume.copied().ok_or(Status::NO_SUCH_DEVICE)
    }

    fn process_of(&mut self, handle: Handle) -> Result<&mut Process> {
        match self.open_of(handle)? {
            Open::Process(index) => self.processes.get_mut(index).ok_or(Status::INVALID_HANDLE),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }
}

impl Objects for World {
    fn close(&self, handle: Handle) -> Result<()> {
        let mut state = self.state();
        match state.handles.remove(&handle.0).ok_or(Status::INVALID_HANDLE)? {
            Open::Object(name) => {
                let key = fold(&name);
                let gone = state.objects.get_mut(&key).is_some_and(|object| {
                    object.open -= 1;
                    object.open == 0 && !object.permanent
                });
                if gone {
                    state.objects.remove(&key);
                }
            }
            Open::File(key) if state.files.get(&key).is_some_and(|file| file.delete) => {
                state.files.remove(&key);
            }
            _ => {}
        }
        Ok(())
    }

    fn duplicate(&self, _: Handle, _: Handle, _: Handle, _: Access) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn make_temporary(&self, handle: Handle) -> Result<()> {
        let mut state = self.enter("make_temporary")?;
        let Open::Object(name) = state.open_of(handle)? else { return Err(Status::OBJECT_TYPE_MISMATCH) };
        state.objects.get_mut(&fold(&name)).ok_or(Status::INVALID_HANDLE)?.permanent = false;
        Ok(())
    }

    fn create_directory(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Created> {
        self.enter("create_directory")?.create_object(attributes, Kind::Directory)
    }

    fn open_directory(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        self.enter("open_directory")?.open_object(attributes, &Kind::Directory)
    }

    fn query_directory(&self, directory: Handle, visit: &mut dyn FnMut(DirectoryEntry<'_>) -> bool) -> Result<()> {
        let Open::Object(name) = self.enter("query_directory")?.open_of(directory)? else { return Err(Status::OBJECT_TYPE_MISMATCH) };
        for entry in self.names(&name) {
            let kind = self.state().objects[&fold(&format!("{name}\\{entry}"))].kind.clone();
            let type_name = wide(if matches!(kind, Kind::Link(_)) { "SymbolicLink" } else { "Directory" });
            if !visit(DirectoryEntry { name: UnicodeStr(&wide(&entry)), type_name: UnicodeStr(&type_name) }) {
                break;
            }
        }
        Ok(())
    }

    fn create_symbolic_link(&self, attributes: &ObjectAttributes<'_>, _: Access, target: UnicodeStr<'_>) -> Result<Created> {
        self.enter("create_symbolic_link")?.create_object(attributes, Kind::Link(target.to_string()))
    }

    fn open_symbolic_link(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        self.enter("open_symbolic_link")?.open_object(attributes, &Kind::Link(String::new()))
    }

    fn query_symbolic_link<'b>(&self, link: Handle, buffer: &'b mut [u16]) -> Result<UnicodeStr<'b>> {
        let state = self.enter("query_symbolic_link")?;
        let Open::Object(name) = state.open_of(link)? else { return Err(Status::OBJECT_TYPE_MISMATCH) };
        let Some(Kind::Link(target)) = state.objects.get(&fold(&name)).map(|object| &object.kind) else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let target = wide(target);
        buffer.get_mut(..target.len()).ok_or(Status::BUFFER_TOO_SMALL)?.copy_from_slice(&target);
        Ok(UnicodeStr(&buffer[..target.len()]))
    }

    fn create_event(&self, _: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_event(&self, _: Handle) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn wait_one(&self, object: Handle, _: Timeout) -> Result<Wait> {
        let mut state = self.enter("wait_one")?;
        let process = state.process_of(object)?;
        assert!(process.resumed || process.ended.is_some(), "a wait for a thread that nobody lets run is for ever");
        process.waited = true;
        Ok(Wait::Object(0))
    }

    fn wait_any(&self, _: &[Handle], _: Timeout) -> Result<Wait> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn delay(&self, _: u32) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }
}

impl Registry for World {
    fn open_key(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        let mut state = self.enter("open_key")?;
        let name = state.full(attributes)?;
        if !state.keys.contains_key(&fold(&name)) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        Ok(state.give(Open::Key(name)))
    }

    fn create_volatile_key(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        let mut state = self.enter("create_volatile_key")?;
        let name = state.full(attributes)?;
        state.keys.entry(fold(&name)).or_default();
        Ok(state.give(Open::Key(name)))
    }

    fn query_value(&self, key: Handle, name: UnicodeStr<'_>, data: &mut [u8]) -> Result<ValueInformation> {
        let mut state = self.enter("query_value")?;
        let name = fold(&name.to_string());
        let (_, kind, held) = state.key_of(key)?.iter().find(|(known, ..)| fold(known) == name).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if let Some(place) = data.get_mut(..held.len()) {
            place.copy_from_slice(held);
        }
        Ok(ValueInformation { kind: ValueType(*kind), name_units: 0, data_bytes: held.len() })
    }

    fn enumerate_value(&self, key: Handle, index: u32, name: &mut [u16], data: &mut [u8]) -> Result<ValueInformation> {
        let mut state = self.enter("enumerate_value")?;
        let (known, kind, held) = state.key_of(key)?.get(index as usize).ok_or(Status::NO_MORE_ENTRIES)?;
        let known = wide(known);
        if known.len() <= name.len() && held.len() <= data.len() {
            name[..known.len()].copy_from_slice(&known);
            data[..held.len()].copy_from_slice(held);
        }
        Ok(ValueInformation { kind: ValueType(*kind), name_units: known.len(), data_bytes: held.len() })
    }

    fn set_value(&self, key: Handle, name: UnicodeStr<'_>, kind: ValueType, data: &[u8]) -> Result<()> {
        let mut state = self.enter("set_value")?;
        let values = state.key_of(key)?;
        let name = name.to_string();
        values.retain(|(known, ..)| fold(known) != fold(&name));
        values.push((name, kind.0, data.to_vec()));
        Ok(())
    }

    fn delete_value(&self, key: Handle, name: UnicodeStr<'_>) -> Result<()> {
        let mut state = self.enter("delete_value")?;
        let values = state.key_of(key)?;
        let name = fold(&name.to_string());
        let before = values.len();
        values.retain(|(known, ..)| fold(known) != name);
        if values.len() < before { Ok(()) } else { Err(Status::OBJECT_NAME_NOT_FOUND) }
    }

    fn initialize_registry(&self, _: RegistryBoot) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }
}

impl Files for World {
    fn open_file(&self, attributes: &ObjectAttributes<'_>, _: Access, _: Share, options: OpenOptions) -> Result<Handle> {
        let mut state = self.enter("open_file")?;
        let key = file_key(&state.full(attributes)?);
        let file = state.files.get(&key).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if let Some(status) = file.refuses {
            return Err(status);
        }
        match file.attributes & FileAttributes::DIRECTORY != 0 {
            true if options.contains(OpenOptions::NON_DIRECTORY_FILE) => Err(Status::FILE_IS_A_DIRECTORY),
            false if options.contains(OpenOptions::DIRECTORY_FILE) => Err(Status::NOT_A_DIRECTORY),
            _ => Ok(state.give(Open::File(key))),
        }
    }

    fn read_file(&self, file: Handle, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut state = self.enter("read_file")?;
        let (_, file) = state.file_of(file)?;
        let rest = file.data.get(offset as usize..).filter(|rest| !rest.is_empty()).ok_or(Status::END_OF_FILE)?;
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_file(&self, _: Handle, _: u64, _: &[u8]) -> Result<usize> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn query_attributes(&self, attributes: &ObjectAttributes<'_>) -> Result<FileAttributes> {
        let state = self.enter("query_attributes")?;
        let key = file_key(&state.full(attributes)?);
        state.files.get(&key).map(|file| FileAttributes(file.attributes)).ok_or(Status::OBJECT_NAME_NOT_FOUND)
    }

    fn query_standard(&self, file: Handle) -> Result<FileStandard> {
        let mut state = self.enter("query_standard")?;
        let (_, file) = state.file_of(file)?;
        let bytes = file.data.len() as u64;
        Ok(FileStandard { allocation_size: bytes, end_of_file: bytes, directory: false })
    }

    fn set_delete(&self, file: Handle) -> Result<()> {
        let mut state = self.enter("set_delete")?;
        let (key, file) = state.file_of(file)?;
        if file.attributes & FileAttributes::READONLY != 0 {
            return Err(Status::CANNOT_DELETE);
        }
        file.delete = true;
        let below = format!("{key}\\");
        if state.files.range(below.clone()..).next().is_some_and(|(other, _)| other.starts_with(&below)) {
            state.files.get_mut(&key).unwrap().delete = false;
            return Err(Status::DIRECTORY_NOT_EMPTY);
        }
        Ok(())
    }

    fn rename(&self, file: Handle, target: UnicodeStr<'_>, replace: bool) -> Result<()> {
        let mut state = self.enter("rename")?;
        let (key, _) = state.file_of(file)?;
        let target = file_key(&target.to_string());
        if key[..1] != target[..1] {
            return Err(Status::NOT_SAME_DEVICE);
        }
        if !state.files.contains_key(target.rsplit_once('\\').map_or("", |(parent, _)| parent)) {
            return Err(Status::OBJECT_PATH_NOT_FOUND);
        }
        if state.files.get(&target).is_some_and(|there| !replace || there.attributes & FileAttributes::READONLY != 0) {
            return Err(Status::OBJECT_NAME_COLLISION);
        }
        let below = format!("{key}\\");
        let below = state.files.range(below.clone()..).map(|(other, _)| other).take_while(move |other| other.starts_with(&below));
        let moved: Vec<String> = std::iter::once(&key).chain(below).cloned().collect();
        for old in moved {
            let data = state.files.remove(&old).unwrap();
            state.files.insert(format!("{target}{}", &old[key.len()..]), data);
        }
        state.handles.insert(file.0, Open::File(target));
        Ok(())
    }

    fn set_attributes(&self, file: Handle, attributes: FileAttributes) -> Result<()> {
        let mut state = self.enter("set_attributes")?;
        state.file_of(file)?.1.attributes = attributes.0;
        Ok(())
    }

    fn set_end_of_file(&self, _: Handle, _: u64) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn query_fs_size(&self, file: Handle) -> Result<FsSize> {
        let (_, free, _) = self.enter("query_fs_size")?.volume(file)?;
        Ok(FsSize { total_units: free / 4096, available_units: free / 4096, sectors_per_unit: 8, bytes_per_sector: 512 })
    }

    fn query_fs_device(&self, file: Handle) -> Result<FsDevice> {
        let (_, _, characteristics) = self.enter("query_fs_device")?.volume(file)?;
        Ok(FsDevice { device_type: 7, characteristics })
    }

    fn create_paging_file(&self, name: UnicodeStr<'_>, minimum: u64, maximum: u64) -> Result<()> {
        let mut state = self.enter("create_paging_file")?;
        if let Some(answer) = state.paging_answers.pop_front() {
            answer.ok()?;
        }
        // The kernel supersedes what stands there.
        state.files.remove(&file_key(&name.to_string()));
        state.paging_files.push((name.to_string(), minimum, maximum));
        Ok(())
    }
}

pub struct HeapPages(Box<[u64]>);

impl AsRef<[u8]> for HeapPages {
    fn as_ref(&self) -> &[u8] {
        zerocopy::IntoBytes::as_bytes(&*self.0)
    }
}

impl AsMut<[u8]> for HeapPages {
    fn as_mut(&mut self) -> &mut [u8] {
        zerocopy::IntoBytes::as_mut_bytes(&mut *self.0)
    }
}

impl Memory for World {
    type Pages = HeapPages;
    type View = Vec<u8>;

    fn allocate_pages(&self, bytes: usize) -> Result<HeapPages> {
        drop(self.enter("allocate_pages")?);
        Ok(HeapPages(vec![0; bytes.next_multiple_of(4096) / 8].into_boxed_slice()))
    }

    fn create_section(
        &self,
        attributes: &ObjectAttributes<'_>,
        _: Access,
        _: Protection,
        kind: SectionKind,
        file: Handle,
    ) -> Result<Handle> {
        let mut state = self.enter("create_section")?;
        let data = state.file_of(file)?.1.data.clone();
        if attributes.name.is_empty() {
            return Ok(state.give(Open::View(data)));
        }
        state.create_object(attributes, Kind::Section { image: kind == SectionKind::Image }).map(|created| created.handle)
    }

    fn map_view(&self, section: Handle) -> Result<Vec<u8>> {
        match self.enter("map_view")?.open_of(section)? {
            Open::View(data) => Ok(data),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }
}

impl Ports for World {
    fn create_port(&self, _: &ObjectAttributes<'_>, _: PortLimits) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn connect_port(&self, _: UnicodeStr<'_>, _: &mut [u8]) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn accept_connect(&self, _: &MessageBuffer, _: Accept) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn complete_connect(&self, _: Handle) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn reply_wait_receive(&self, _: Handle, _: Option<&MessageBuffer>, _: &mut MessageBuffer) -> Result<Received> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn request_wait_reply(&self, _: Handle, _: &mut MessageBuffer) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }
}

static ROOT: [u16; 10] = nt::string::ascii_units::<10>("C:\\ReactOS");
static OWN_ENVIRONMENT: [u16; 75] =
    nt::string::ascii_units::<75>("Path=C:\\ReactOS\\System32\0SystemDrive=C:\0SystemRoot=C:\\ReactOS\0\0____________");

impl Processes for World {
    fn create_process(&self, parameters: &ProcessParameters<'_>) -> Result<UserProcessInformation> {
        let mut state = self.enter("create_process")?;
        let image = file_key(&parameters.image.to_string());
        let subsystem = ImageSubsystem(*state.programs.get(&image).ok_or(Status::OBJECT_NAME_NOT_FOUND)?);
        let text = |text: UnicodeStr<'_>| text.to_string();
        state.boot_status_seen = state.boot_status;
        state.processes.push(Process {
            image: parameters.image.to_string(),
            command_line: parameters.command_line.to_string(),
            directory: parameters.current_directory.map(text),
            dll_path: parameters.dll_path.map(text),
            environment: parameters.environment.to_vec(),
            flags: parameters.flags,
            debug: parameters.debug,
            session: None,
            resumed: false,
            ended: None,
            waited: false,
        });
        let index = state.processes.len() - 1;
        let process = state.give(Open::Process(index)).0;
        let thread = state.give(Open::Process(index)).0;
        let image = SectionImageInformation { subsystem, ..SectionImageInformation::default() };
        Ok(UserProcessInformation { process, thread, image, ..UserProcessInformation::default() })
    }

    fn open_process(&self, _: ClientId, _: Access) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn terminate_process(&self, process: Handle, status: Status) -> Result<()> {
        self.enter("terminate_process")?.process_of(process)?.ended = Some(status);
        Ok(())
    }

    fn resume_thread(&self, thread: Handle) -> Result<()> {
        self.enter("resume_thread")?.process_of(thread)?.resumed = true;
        Ok(())
    }

    fn create_thread<B: ThreadBody>(&self, _: &'static B) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn exit_thread(&self, _: Status) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn query_exit(&self, _: Handle) -> Result<ExitInformation> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn query_session(&self, _: Handle) -> Result<u32> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_session(&self, process: Handle, session: u32) -> Result<()> {
        let mut state = self.enter("set_session")?;
        if let Some(status) = state.refuse_session {
            return Err(status);
        }
        state.process_of(process)?.session = Some(session);
        Ok(())
    }

    fn query_device_map(&self) -> Result<DeviceMap> {
        let state = self.enter("query_device_map")?;
        let drives = state.volumes.iter().fold(0, |drives, (letter, ..)| drives | 1 << (u32::from(*letter) - u32::from('A')));
        Ok(DeviceMap { drives, ..DeviceMap::default() })
    }

    fn set_process_critical(&self, _: bool) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_thread_critical(&self, _: bool) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_base_priority(&self, _: u32) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_hard_error_mode(&self, _: u32) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn client_id(&self) -> ClientId {
        ClientId { process: 0x100, thread: 0x104 }
    }

    fn own_environment(&self) -> &[u16] {
        &OWN_ENVIRONMENT
    }

    fn own_dll_path(&self) -> UnicodeStr<'_> {
        UnicodeStr::EMPTY
    }

    fn own_command_line(&self) -> UnicodeStr<'_> {
        UnicodeStr::EMPTY
    }

    fn own_debug_flags(&self) -> u32 {
        0
    }
}

impl Machine for World {
    fn system_root(&self) -> UnicodeStr<'_> {
        UnicodeStr(&ROOT)
    }

    fn version(&self) -> VersionInformation {
        VersionInformation { major: 5, minor: 2 }
    }

    fn query_basic(&self) -> Result<BasicInformation> {
        let state = self.enter("query_basic")?;
        let physical_pages = u32::try_from(state.memory_megabytes * 256).unwrap();
        Ok(BasicInformation { page_size: 4096, physical_pages, processors: 2 })
    }

    fn query_processor(&self) -> Result<ProcessorInformation> {
        drop(self.enter("query_processor")?);
        Ok(ProcessorInformation { architecture: 9, level: 15, revision: 0x6B01 })
    }

    fn query_flags(&self) -> Result<u32> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn create_session(&self) -> Result<u32> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn detach_session(&self, _: u32) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn extend_service_table(&self, _: UnicodeStr<'_>) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn adjust_privilege(&self, _: Privilege, _: bool, _: PrivilegeHolder) -> Result<bool> {
        drop(self.enter("adjust_privilege")?);
        Ok(false)
    }

    fn display_string(&self, text: UnicodeStr<'_>) -> Result<()> {
        self.enter("display_string")?.screen.push_str(&text.to_string());
        Ok(())
    }

    fn raise_hard_error(&self, _: &HardError<'_>) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn exchange_boot_status(&self, _: &[BootStatusItem; 2], values: [bool; 2]) -> Result<[bool; 2]> {
        let mut state = self.enter("exchange_boot_status")?;
        let before = state.boot_status.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        state.boot_status = Some(values);
        Ok(before)
    }

    fn query_image_option<'b>(&self, _: UnicodeStr<'_>, _: UnicodeStr<'_>, _: &'b mut [u16]) -> Result<UnicodeStr<'b>> {
        Err(Status::OBJECT_NAME_NOT_FOUND)
    }
}
