// SPDX-License-Identifier: GPL-2.0-or-later
//! Opening and creating files: the parse hooks of devices and files, NtCreateFile, NtOpenFile,
//! NtQueryAttributesFile.
//!
//! A name that reaches a device or a directory handle is followed here, on the volume. What the
//! opener wants travels with the lookup as a `Packet`; what came of it travels back in it.

use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::io::FileId;
use crate::io::file::{self, DeviceKind, File};
use crate::io::volume::FileFacts;
use crate::ob::Kind;
use crate::ob::lookup::Lookup;
use crate::ob::prelude::*;
use crate::ob::{Hooks, ParseRequest, Parsed};
use crate::se::{AccessState, GenericMapping};
use crate::system::Body;
use crate::system::Executive;
use alloc::vec::Vec;
use formats::fat::{self, Fill, NodeId};
use nt::access::Access;
use nt::system::FileAttributes;
use nt::{Handle, ObjectAttributes, Result, Status};

/// The hooks of device objects.
pub const DEVICE_HOOKS: Hooks<Executive> = Hooks {
    parse: Some(parse_device),
    ..Hooks::NONE
};
/// The hooks of file objects.
pub const FILE_HOOKS: Hooks<Executive> = Hooks {
    parse: Some(parse_file),
    close: Some(close),
    delete: Some(delete),
    name: Some(super::information::name_of),
    ..Hooks::NONE
};

const BACKSLASH: u16 = 0x5C;

/// `FILE_DIRECTORY_FILE`.
pub const DIRECTORY_FILE: u32 = 0x1;
/// `FILE_SYNCHRONOUS_IO_ALERT` or `_NONALERT`.
pub const SYNCHRONOUS: u32 = 0x30;
/// `FILE_NON_DIRECTORY_FILE`.
pub const NON_DIRECTORY_FILE: u32 = 0x40;
/// `FILE_DELETE_ON_CLOSE`.
pub const DELETE_ON_CLOSE: u32 = 0x1000;
const OPEN_BY_FILE_ID: u32 = 0x2000;
const VALID_OPTIONS: u32 = 0x00FF_FFFF;
/// The kernel's own: the file is to be a paging file (`SL_OPEN_PAGING_FILE`). No caller can say so.
pub(super) const OPEN_PAGING_FILE: u32 = 0x8000_0000;

/// What to do whether or not the file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// `FILE_SUPERSEDE` 0.
    Supersede,
    /// `FILE_OPEN` 1.
    Open,
    /// `FILE_CREATE` 2.
    Create,
    /// `FILE_OPEN_IF` 3.
    OpenIf,
    /// `FILE_OVERWRITE` 4.
    Overwrite,
    /// `FILE_OVERWRITE_IF` 5.
    OverwriteIf,
}

impl Disposition {
    /// The disposition with this number. `INVALID_PARAMETER`.
    pub const fn parse(number: u32) -> Result<Self> {
        Ok(match number {
            0 => Self::Supersede,
            1 => Self::Open,
            2 => Self::Create,
            3 => Self::OpenIf,
            4 => Self::Overwrite,
            5 => Self::OverwriteIf,
            _ => return Err(Status::INVALID_PARAMETER),
        })
    }

    const fn replaces(self) -> bool {
        matches!(self, Self::Supersede | Self::Overwrite | Self::OverwriteIf)
    }

    const fn creates(self) -> bool {
        !matches!(self, Self::Open | Self::Overwrite)
    }
}

/// NtCreateFile's arguments.
#[derive(Clone, Copy, Debug)]
pub struct CreateRequest {
    /// Desired access.
    pub access: Access,
    /// `FILE_SHARE_` bits.
    pub share: u32,
    /// Create options.
    pub options: u32,
    /// What to do.
    pub disposition: Disposition,
    /// Attributes of a new file.
    pub attributes: u32,
}

/// What came of it, for IO_STATUS_BLOCK.Information.
pub mod information {
    /// `FILE_SUPERSEDED`.
    pub const SUPERSEDED: u32 = 0;
    /// `FILE_OPENED`.
    pub const OPENED: u32 = 1;
    /// `FILE_CREATED`.
    pub const CREATED: u32 = 2;
    /// `FILE_OVERWRITTEN`.
    pub const OVERWRITTEN: u32 = 3;
}

/// What a lookup that ends at a file is for.
enum Packet {
    /// Open or create; then what was done.
    Create(CreateRequest, u32),
    /// Tell what there is to know.
    Query(Option<FileFacts>),
    /// Find the directory and the last name, for a rename.
    Target(Option<Target>),
}

/// Where a name leads, whether or not something is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub volume: usize,
    pub parent: NodeId,
    pub name: Vec<u16>,
    pub existing: Option<NodeId>,
}

/// A name followed on a volume.
struct Followed {
    /// The file, if it is there.
    node: Option<NodeId>,
    /// Directory and last name; none for the root.
    place: Option<(NodeId, Vec<u16>)>,
    /// The name ended in a backslash.
    as_directory: bool,
}

fn parse_device(executive: &mut Executive, mut request: ParseRequest<'_>) -> Result<Parsed> {
    let Body::Device(device) = executive.object(request.object)?.body else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    let device_object = request.object;
    let Some(packet) = request
        .context
        .take()
        .and_then(|context| context.downcast_mut::<Packet>())
    else {
        // Somebody wants the device object itself.
        if !request.remaining.is_empty() {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        }
        executive.reference(device_object);
        return Ok(Parsed::Object(device_object));
    };
    if let (DeviceKind::Volume(volume), false) = (device.kind, request.remaining.is_empty()) {
        let root = executive.io.volume(volume)?.root();
        let followed = follow(executive, volume, root, request.remaining)?;
        return at_file(
            executive,
            request.access,
            packet,
            device_object,
            volume,
            followed,
        );
    }
    let rooted = matches!(device.kind, DeviceKind::NamedPipe | DeviceKind::MailSlot)
        && request.remaining == [BACKSLASH];
    if !request.remaining.is_empty() && !rooted {
        return Err(Status::OBJECT_NAME_NOT_FOUND);
    }
    at_device(
        executive,
        request.access,
        packet,
        device_object,
        device.kind,
    )
}

fn parse_file(executive: &mut Executive, mut request: ParseRequest<'_>) -> Result<Parsed> {
    let Body::File(file) = &executive.object(request.object)?.body else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    let (device, kind, node) = (file.device, file.kind, file.node);
    let packet = request
        .context
        .take()
        .and_then(|context| context.downcast_mut::<Packet>())
        .ok_or(Status::OBJECT_TYPE_MISMATCH)?;
    let (DeviceKind::Volume(volume), Some(node)) = (kind, node) else {
        return if request.remaining.is_empty() {
            at_device(executive, request.access, packet, device, kind)
        } else {
            Err(Status::OBJECT_NAME_NOT_FOUND)
        };
    };
    if request.remaining.first() == Some(&BACKSLASH) {
        return Err(Status::OBJECT_NAME_INVALID);
    }
    let followed = follow(executive, volume, node, request.remaining)?;
    at_file(executive, request.access, packet, device, volume, followed)
}

/// Follows `path` from a directory of a volume.
fn follow(
    executive: &mut Executive,
    volume: usize,
    start: NodeId,
    path: &[u16],
) -> Result<Followed> {
    let Executive { io, machine, .. } = executive;
    let machine = &mut **machine;
    let volume = io.volume(volume)?;
    let path = path.strip_prefix(&[BACKSLASH]).unwrap_or(path);
    if path.is_empty() {
        let place = volume
            .parent(start)
            .and_then(|parent| Some((parent, volume.facts(start).ok()?.name)));
        return Ok(Followed {
            node: Some(start),
            place,
            as_directory: false,
        });
    }
    let (path, as_directory) = match path.strip_suffix(&[BACKSLASH]) {
        Some(path) => (path, true),
        None => (path, false),
    };
    let mut at = start;
    let mut names = path.split(|&unit| unit == BACKSLASH).peekable();
    while let Some(name) = names.next() {
        let last = names.peek().is_none();
        fat::check_name(name)?;
        match volume.lookup(machine, at, name) {
            Ok(found) if last => {
                return Ok(Followed {
                    node: Some(found),
                    place: Some((at, name.to_vec())),
                    as_directory,
                });
            }
            Ok(found) if volume.is_directory(found) => at = found,
            Err(Status::OBJECT_NAME_NOT_FOUND) if last => {
                return Ok(Followed {
                    node: None,
                    place: Some((at, name.to_vec())),
                    as_directory,
                });
            }
            Ok(_) | Err(Status::OBJECT_NAME_NOT_FOUND | Status::NOT_A_DIRECTORY) => {
                return Err(Status::OBJECT_PATH_NOT_FOUND);
            }
            Err(other) => return Err(other),
        }
    }
    Err(Status::OBJECT_NAME_INVALID)
}

fn at_device(
    executive: &mut Executive,
    access: &mut AccessState,
    packet: &mut Packet,
    device: ObjectId,
    kind: DeviceKind,
) -> Result<Parsed> {
    match packet {
        Packet::Create(request, done) => {
            // The pipe and mailslot file systems have a root directory; everything else is a plain
            // device.
            let directory = matches!(kind, DeviceKind::NamedPipe | DeviceKind::MailSlot);
            if request.options & DIRECTORY_FILE != 0 && !directory {
                return Err(Status::NOT_A_DIRECTORY);
            }
            if request.options & NON_DIRECTORY_FILE != 0 && directory {
                return Err(Status::FILE_IS_A_DIRECTORY);
            }
            if request.disposition == Disposition::Create {
                return Err(Status::OBJECT_NAME_COLLISION);
            }
            access.grant_all(&executive.type_of(Kind::File).mapping);
            *done = information::OPENED;
            file_object(executive, device, kind, None, request, access.granted).map(Parsed::Object)
        }
        Packet::Query(facts) => {
            *facts = Some(FileFacts {
                attributes: FileAttributes::NORMAL,
                ..FileFacts::default()
            });
            executive.reference(device);
            Ok(Parsed::Object(device))
        }
        Packet::Target(_) => Err(Status::OBJECT_NAME_INVALID),
    }
}

fn at_file(
    executive: &mut Executive,
    access: &mut AccessState,
    packet: &mut Packet,
    device: ObjectId,
    volume: usize,
    followed: Followed,
) -> Result<Parsed> {
    match packet {
        Packet::Create(request, done) => match followed.node {
            Some(node) => open_existing(
                executive,
                access,
                request,
                done,
                device,
                FileId { volume, node },
                followed.as_directory,
            ),
            None => create_new(executive, access, request, done, device, volume, followed),
        },
        Packet::Query(facts) => {
            let node = followed.node.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
            let found = executive.io.volume(volume)?.facts(node)?;
            if followed.as_directory && !found.directory {
                return Err(Status::OBJECT_NAME_INVALID);
            }
            *facts = Some(found);
            executive.reference(device);
            Ok(Parsed::Object(device))
        }
        Packet::Target(target) => {
            let (parent, name) = followed.place.ok_or(Status::OBJECT_NAME_INVALID)?;
            *target = Some(Target {
                volume,
                parent,
                name,
                existing: followed.node,
            });
            executive.reference(device);
            Ok(Parsed::Object(device))
        }
    }
}

fn open_existing(
    executive: &mut Executive,
    access: &mut AccessState,
    request: &CreateRequest,
    done: &mut u32,
    device: ObjectId,
    file: FileId,
    as_directory: bool,
) -> Result<Parsed> {
    let volume = executive.io.volume(file.volume)?;
    let (facts, read_only_volume, is_root) = (
        volume.facts(file.node)?,
        volume.read_only,
        volume.root() == file.node,
    );
    if request.disposition == Disposition::Create {
        return Err(Status::OBJECT_NAME_COLLISION);
    }
    if request.options & OPEN_PAGING_FILE != 0 {
        // What is known already cannot become a paging file.
        if executive.io.is_ordinary(file) {
            return Err(Status::SHARING_VIOLATION);
        }
    }
    if as_directory && !facts.directory {
        return Err(Status::OBJECT_NAME_INVALID);
    }
    if request.options & DIRECTORY_FILE != 0 && !facts.directory {
        return Err(Status::NOT_A_DIRECTORY);
    }
    if request.options & NON_DIRECTORY_FILE != 0 && facts.directory {
        return Err(Status::FILE_IS_A_DIRECTORY);
    }
    if request.disposition.replaces() && facts.directory {
        return Err(Status::OBJECT_NAME_COLLISION);
    }
    let read_only_file = facts.attributes & FileAttributes::READONLY != 0 && !facts.directory;
    let granted = granted(
        access,
        &executive.type_of(Kind::File).mapping,
        read_only_file || read_only_volume,
    );
    let replaces = request.disposition.replaces();
    if read_only_volume && granted.intersects(file::CHANGES) {
        return Err(Status::ACCESS_DENIED);
    }
    if read_only_file && (granted.intersects(file::WRITES) || replaces) {
        return Err(Status::ACCESS_DENIED);
    }
    let deletes = request.options & DELETE_ON_CLOSE != 0;
    if deletes && (read_only_file || is_root) {
        return Err(Status::CANNOT_DELETE);
    }
    // What a disposition does counts for sharing as the access that it stands for.
    let implied = granted
        | match request.disposition {
            Disposition::Supersede => Access::DELETE,
            Disposition::Overwrite | Disposition::OverwriteIf => Access::FILE_WRITE_DATA,
            _ => Access::empty(),
        };
    executive.io.check_open(file, implied, request.share)?;
    if executive.mm.segments().image_of(file).is_some() {
        // An image that is mapped may be renamed, but neither written nor deleted (spec 6.5).
        if deletes {
            return Err(Status::CANNOT_DELETE);
        }
        if implied.intersects(file::WRITES) {
            return Err(Status::SHARING_VIOLATION);
        }
    }
    let unbuffered = request.options & file::NO_INTERMEDIATE_BUFFERING != 0;
    let mapped = executive.mm.segments().data_of(file).is_some();
    if unbuffered && !executive.io.is_buffered(file) && !mapped {
        // Nobody looks through the cache any more: it is purged, so that the two cannot differ.
        executive.io.purge(file);
    }
    *done = information::OPENED;
    if replaces {
        replace(executive, request, file, &facts)?;
        *done = if request.disposition == Disposition::Supersede {
            information::SUPERSEDED
        } else {
            information::OVERWRITTEN
        };
    }
    access.granted = granted;
    access.remaining = Access::empty();
    file_object(
        executive,
        device,
        DeviceKind::Volume(file.volume),
        Some(file.node),
        request,
        granted,
    )
    .map(Parsed::Object)
}

/// Empties a file and gives it new attributes.
fn replace(
    executive: &mut Executive,
    request: &CreateRequest,
    file: FileId,
    facts: &FileFacts,
) -> Result<()> {
    let kept = FileAttributes::HIDDEN | FileAttributes::SYSTEM;
    if facts.attributes & kept & !request.attributes != 0 {
        return Err(Status::ACCESS_DENIED);
    }
    if executive.mm.segments().is_mapped(file) {
        return Err(Status::USER_MAPPED_FILE);
    }
    let Executive { io, machine, .. } = executive;
    io.purge(file);
    let volume = io.volume(file.volume)?;
    volume.set_size(&mut **machine, file.node, 0, Fill::Zero)?;
    volume.set_basic(
        &mut **machine,
        file.node,
        Some(request.attributes | FileAttributes::ARCHIVE),
        [None; 3],
    )
}

fn create_new(
    executive: &mut Executive,
    access: &mut AccessState,
    request: &CreateRequest,
    done: &mut u32,
    device: ObjectId,
    volume: usize,
    followed: Followed,
) -> Result<Parsed> {
    if !request.disposition.creates() {
        return Err(Status::OBJECT_NAME_NOT_FOUND);
    }
    let directory = request.options & DIRECTORY_FILE != 0;
    if followed.as_directory && !directory {
        return Err(Status::OBJECT_NAME_INVALID);
    }
    let (parent, name) = followed.place.ok_or(Status::OBJECT_NAME_INVALID)?;
    let above = FileId {
        volume,
        node: parent,
    };
    if executive.io.is_delete_pending(above) {
        return Err(Status::DELETE_PENDING);
    }
    let kind = if directory {
        FileAttributes::DIRECTORY
    } else {
        FileAttributes::ARCHIVE
    };
    let attributes =
        request.attributes & !(FileAttributes::DIRECTORY | FileAttributes::NORMAL) | kind;
    let Executive { io, machine, .. } = executive;
    let node = io
        .volume(volume)?
        .create(&mut **machine, parent, &name, attributes)?;
    // Whoever makes a file may do with it what was asked for, even if it is read-only from now on.
    access.grant_all(&executive.type_of(Kind::File).mapping);
    *done = information::CREATED;
    file_object(
        executive,
        device,
        DeviceKind::Volume(volume),
        Some(node),
        request,
        access.granted,
    )
    .map(Parsed::Object)
}

/// What is granted: FAT knows no descriptors, so everything but writes to what is read-only.
fn granted(access: &AccessState, mapping: &GenericMapping, read_only: bool) -> Access {
    let wanted = mapping.map(access.desired);
    let mut granted = wanted - Access::MAXIMUM_ALLOWED;
    if wanted.contains(Access::MAXIMUM_ALLOWED) {
        granted |= if read_only {
            mapping.all - file::CHANGES
        } else {
            mapping.all
        };
    }
    granted
}

fn file_object(
    executive: &mut Executive,
    device: ObjectId,
    kind: DeviceKind,
    node: Option<NodeId>,
    request: &CreateRequest,
    granted: Access,
) -> Result<ObjectId> {
    let file = File {
        device,
        kind,
        node,
        access: granted,
        share: request.share,
        options: request.options,
        position: 0,
        delete_on_close: request.options & DELETE_ON_CLOSE != 0,
        cleaned: false,
        scan: None,
    };
    if let Some(id) = file.id() {
        executive.io.open(id, &file);
    }
    executive.reference(device);
    Ok(executive.new_object(Body::File(file)))
}

fn close(executive: &mut Executive, _: ProcessId, object: ObjectId, last: bool) {
    if !last {
        return;
    }
    let Ok(Body::File(file)) = executive.object_mut(object).map(|object| &mut object.body) else {
        return;
    };
    if !core::mem::replace(&mut file.cleaned, true) {
        let file = file.clone();
        cleanup(executive, &file);
    }
}

fn delete(executive: &mut Executive, _: ObjectId, body: Body) {
    let Body::File(file) = body else { return };
    if !file.cleaned {
        cleanup(executive, &file);
    }
    if let Some(id) = file.id()
        && executive.io.close(id)
    {
        executive.delete_file(id);
    }
    executive.dereference(file.device);
}

/// The last handle is gone (IRP_MJ_CLEANUP).
fn cleanup(executive: &mut Executive, file: &File) {
    let Some(id) = file.id() else { return };
    let mapped = executive.mm.segments().data_of(id).is_some();
    if executive.io.clean_up(id, file, mapped) {
        executive.delete_file(id);
    }
}

impl Executive {
    fn delete_file(&mut self, file: FileId) {
        let Self { io, machine, .. } = self;
        io.purge(file);
        let deleted = io
            .volume(file.volume)
            .and_then(|volume| volume.delete(&mut **machine, file.node));
        if let Err(status) = deleted {
            log::warn!("a file that was to be deleted on close stays: {status}");
        }
    }

    fn follow_name(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        packet: &mut Packet,
    ) -> Result<()> {
        let mut access = AccessState::new(Access::FILE_READ_ATTRIBUTES, self.is_kernel(caller));
        let found = self.lookup(Lookup {
            caller,
            root: attributes.root,
            name: attributes.name.units(),
            attributes: attributes.attributes,
            kind: None,
            access: &mut access,
            context: Some(packet),
            insert: None,
        })?;
        self.dereference(found);
        Ok(())
    }

    /// Where a rename's new name leads.
    pub(super) fn find_target(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
    ) -> Result<Target> {
        let mut packet = Packet::Target(None);
        self.follow_name(caller, attributes, &mut packet)?;
        match packet {
            Packet::Target(Some(target)) => Ok(target),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtQueryAttributesFile and NtQueryFullAttributesFile.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `OBJECT_PATH_NOT_FOUND`, `OBJECT_NAME_INVALID`,
    /// `OBJECT_TYPE_MISMATCH` for a name that is no file's.
    pub fn query_attributes(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
    ) -> Result<FileFacts> {
        let mut packet = Packet::Query(None);
        self.follow_name(caller, attributes, &mut packet)?;
        match packet {
            Packet::Query(Some(facts)) => Ok(facts),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtCreateFile: the handle, and what was done ([`information`]).
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for options that contradict each other; `OBJECT_NAME_NOT_FOUND`,
    /// `OBJECT_PATH_NOT_FOUND`, `OBJECT_NAME_INVALID`, `OBJECT_NAME_COLLISION`,
    /// `SHARING_VIOLATION`, `DELETE_PENDING`, `ACCESS_DENIED`, `NOT_A_DIRECTORY`,
    /// `FILE_IS_A_DIRECTORY`, `MEDIA_WRITE_PROTECTED`, `DISK_FULL`, `CANNOT_DELETE`.
    pub fn create_file(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        request: CreateRequest,
    ) -> Result<(Handle, u32)> {
        let both = DIRECTORY_FILE | NON_DIRECTORY_FILE;
        let access = self.type_of(Kind::File).mapping.map(request.access);
        let asks = |needed: Access| access.intersects(needed | Access::MAXIMUM_ALLOWED);
        let synchronous = request.options & SYNCHRONOUS;
        let valid = match caller {
            ThreadId::SYSTEM => VALID_OPTIONS | OPEN_PAGING_FILE,
            _ => VALID_OPTIONS,
        };
        if request.options & !valid != 0
            || request.options & file::NO_INTERMEDIATE_BUFFERING != 0
                && access.contains(Access::FILE_APPEND_DATA)
            || request.options & both == both
            || request.share & !7 != 0
            || request.attributes & !0x7FFF != 0
            || synchronous == SYNCHRONOUS
            || synchronous != 0 && !asks(Access::SYNCHRONIZE)
            || request.options & DELETE_ON_CLOSE != 0 && !asks(Access::DELETE)
        {
            return Err(Status::INVALID_PARAMETER);
        }
        if request.options & OPEN_BY_FILE_ID != 0 {
            return Err(Status::NOT_SUPPORTED);
        }
        let mut packet = Packet::Create(request, information::OPENED);
        let handle = self.open_by_name(
            caller,
            attributes,
            Some(Kind::File),
            request.access,
            Some(&mut packet),
        )?;
        match packet {
            Packet::Create(_, done) => Ok((handle, done)),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtOpenFile.
    ///
    /// # Errors
    /// As [`Self::create_file`].
    pub fn open_file(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: u32,
        options: u32,
    ) -> Result<Handle> {
        let request = CreateRequest {
            access,
            share,
            options,
            disposition: Disposition::Open,
            attributes: 0,
        };
        self.create_file(caller, attributes, request)
            .map(|(handle, _)| handle)
    }
}
