// SPDX-License-Identifier: GPL-2.0-or-later
//! What an open makes of the file that its name leads to, or of the place where there is none: the
//! checks of rights, sharing and disposition, and the file object.

use super::names::Followed;
use super::request::{
    CreateRequest, DELETE_ON_CLOSE, DIRECTORY_FILE, Disposition, NON_DIRECTORY_FILE,
    OPEN_PAGING_FILE, information,
};
use crate::ids::ObjectId;
use crate::io::FileId;
use crate::io::file::{self, DeviceKind, File};
use crate::io::volume::FileFacts;
use crate::ob::Kind;
use crate::ob::Parsed;
use crate::ob::prelude::*;
use crate::se::{AccessState, GenericMapping};
use crate::system::Body;
use crate::system::Executive;
use formats::fat::{Fill, NodeId};
use nt::access::Access;
use nt::system::FileAttributes;
use nt::{Result, Status};

/// Opens a file that is there, and replaces its content if the disposition says so.
pub(super) fn open_existing(
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

/// Makes a file where there is none, if the disposition says so.
pub(super) fn create_new(
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
    // The maker of a file may do with it what it asked for, even if the file is read-only from now
    // on.
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

/// A new file object, counted among those of its file. It holds a reference to its device.
pub(super) fn file_object(
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
    match file.id() {
        Some(id) => executive.io.open(id, &file),
        None => executive.io.open_volume(&file),
    }
    executive.reference(device);
    Ok(executive.new_object(Body::File(file)))
}
