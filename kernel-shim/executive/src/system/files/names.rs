// SPDX-License-Identifier: GPL-2.0-or-later
//! Where names lead on a volume: the parse hooks of devices and files.
//!
//! A name that reaches a device or a directory handle is followed here. What the caller wants travels
//! with the lookup as a [`Packet`]; the result travels back in it.

use super::create::{create_new, file_object, open_existing};
use super::request::{
    CreateRequest, DELETE_ON_CLOSE, DIRECTORY_FILE, Disposition, NON_DIRECTORY_FILE, information,
};
use crate::ids::ObjectId;
use crate::io::FileId;
use crate::io::file::DeviceKind;
use crate::io::volume::FileFacts;
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::ob::{ParseRequest, Parsed};
use crate::se::AccessState;
use crate::system::Body;
use crate::system::Executive;
use alloc::vec::Vec;
use formats::fat::{self, NodeId};
use nt::system::FileAttributes;
use nt::{Result, Status};

const BACKSLASH: u16 = 0x5C;

/// What a lookup that ends at a file is for.
pub(super) enum Packet {
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
pub(super) struct Followed {
    /// The file, if it is there.
    pub(super) node: Option<NodeId>,
    /// Directory and last name; none for the root.
    pub(super) place: Option<(NodeId, Vec<u16>)>,
    /// The name ended in a backslash.
    pub(super) as_directory: bool,
}

/// Continues a name behind a device object.
pub(super) fn parse_device(
    executive: &mut Executive,
    mut request: ParseRequest<'_>,
) -> Result<Parsed> {
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
    if let DeviceKind::Volume(volume) = device.kind {
        executive.io.check_unlocked(volume)?;
    }
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

/// Continues a name behind the handle of a directory.
pub(super) fn parse_file(
    executive: &mut Executive,
    mut request: ParseRequest<'_>,
) -> Result<Parsed> {
    let Body::File(file) = &executive.object(request.object)?.body else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    let (device, kind, node) = (file.device, file.kind, file.node);
    let packet = request
        .context
        .take()
        .and_then(|context| context.downcast_mut::<Packet>())
        .ok_or(Status::OBJECT_TYPE_MISMATCH)?;
    if let DeviceKind::Volume(volume) = kind {
        executive.io.check_unlocked(volume)?;
    }
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
            if let DeviceKind::Volume(volume) = kind {
                if !matches!(request.disposition, Disposition::Open | Disposition::OpenIf) {
                    return Err(Status::ACCESS_DENIED);
                }
                if request.options & DELETE_ON_CLOSE != 0 {
                    return Err(Status::CANNOT_DELETE);
                }
                let io = &executive.io;
                io.check_volume_open(volume, access.granted, request.share)?;
            }
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
