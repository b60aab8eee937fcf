// SPDX-License-Identifier: GPL-2.0-or-later
//! What is known of open files and their volumes, and changing it: NtQuery/SetInformationFile,
//! NtQueryVolumeInformationFile, NtFsControlFile (spec 0.4, 4.2, 6.2).

use crate::ids::{ObjectId, ThreadId};
use crate::io::FileId;
use crate::io::file::DeviceKind;
use crate::io::volume::{FileFacts, VolumeFacts};
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::system::Body;
use crate::system::Executive;
use alloc::vec::Vec;
use formats::fat::Fill;
use nt::access::Access;
use nt::system::FileAttributes;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};

const FSCTL_LOCK_VOLUME: u32 = 0x9_0018;
const FSCTL_UNLOCK_VOLUME: u32 = 0x9_001C;
const FSCTL_DISMOUNT_VOLUME: u32 = 0x9_0020;
const FSCTL_IS_VOLUME_MOUNTED: u32 = 0x9_0028;
const FSCTL_MARK_VOLUME_DIRTY: u32 = 0x9_0030;
const FSCTL_IS_VOLUME_DIRTY: u32 = 0x9_0078;

/// What the file information classes are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenFacts {
    /// What the file system says.
    pub file: FileFacts,
    /// Path on the volume, `\dir\name`.
    pub path: Vec<u16>,
    /// It will be deleted when it is closed.
    pub delete_pending: bool,
    /// Current byte offset.
    pub position: u64,
    /// Create options that FileModeInformation tells of.
    pub mode: u32,
    /// Granted access.
    pub access: Access,
}

/// The name of a file object: its device's, then the path on it.
pub fn name_of(executive: &Executive, object: ObjectId) -> Vec<u16> {
    let Some(Body::File(file)) = executive.ob.get(object).map(|object| &object.body) else {
        return Vec::new();
    };
    let mut name = executive.name_of(file.device);
    if let (DeviceKind::Volume(volume), Some(node)) = (file.kind, file.node)
        && let Some(volume) = executive.io.volume_at(volume)
    {
        name.extend(volume.path(node));
    }
    name
}

impl Executive {
    /// NtQueryInformationFile: everything; `access` is what the class asks for
    /// (`FILE_READ_ATTRIBUTES` for basic, all, network open and attribute tag, else 0).
    ///
    /// # Errors
    /// `FILE_DELETED`, and as [`Lifetimes::resolve`].
    pub fn query_file(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        access: Access,
    ) -> Result<OpenFacts> {
        let granted = self
            .resolve_entry(caller, handle, Some(Kind::File), access)?
            .access;
        let (_, open) = self.file_behind(caller, handle, access)?;
        let open = open.clone();
        let mut facts = OpenFacts {
            position: open.position,
            mode: open.options & 0x103E,
            access: granted,
            file: FileFacts {
                attributes: FileAttributes::NORMAL,
                ..FileFacts::default()
            },
            ..OpenFacts::default()
        };
        if let Some(id) = open.id() {
            let volume = self.io.volume(id.volume)?;
            facts.path = volume.path(id.node);
            facts.file = volume.facts(id.node)?;
            facts.delete_pending = self.io.is_delete_pending(id);
        }
        Ok(facts)
    }

    fn node_behind(
        &self,
        caller: ThreadId,
        handle: Handle,
        access: Access,
    ) -> Result<(ObjectId, FileId)> {
        let (object, open) = self.file_behind(caller, handle, access)?;
        open.id()
            .map(|id| (object, id))
            .ok_or(Status::INVALID_DEVICE_REQUEST)
    }

    /// NtSetInformationFile, FileBasicInformation. Times and attributes that are 0 stay; a time of
    /// -1 stays too.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for the directory attribute on a file, and as [`Lifetimes::resolve`] for
    /// `FILE_WRITE_ATTRIBUTES`.
    pub fn set_basic(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        attributes: u32,
        times: [i64; 3],
    ) -> Result<()> {
        let (_, id) = self.node_behind(caller, handle, Access::FILE_WRITE_ATTRIBUTES)?;
        let times = times.map(|time| u64::try_from(time).ok().filter(|&time| time != 0));
        let Self { io, machine, .. } = self;
        let volume = io.volume(id.volume)?;
        if attributes & FileAttributes::DIRECTORY != 0 && !volume.is_directory(id.node) {
            return Err(Status::INVALID_PARAMETER);
        }
        volume.set_basic(
            &mut **machine,
            id.node,
            (attributes != 0).then_some(attributes),
            times,
        )
    }

    /// NtSetInformationFile, FileDispositionInformation.
    ///
    /// # Errors
    /// `CANNOT_DELETE` for a read-only file and for one that is mapped, `ACCESS_DENIED` for a
    /// root directory, `DIRECTORY_NOT_EMPTY`, `MEDIA_WRITE_PROTECTED`, and as [`Lifetimes::resolve`]
    /// for `DELETE`.
    pub fn set_delete(&mut self, caller: ThreadId, handle: Handle, delete: bool) -> Result<()> {
        let (_, id) = self.node_behind(caller, handle, Access::DELETE)?;
        if delete {
            let mapped = self.mm.segments().is_mapped(id);
            let Self { io, machine, .. } = self;
            let volume = io.volume(id.volume)?;
            let facts = volume.facts(id.node)?;
            if volume.read_only {
                return Err(Status::MEDIA_WRITE_PROTECTED);
            }
            if facts.attributes & FileAttributes::READONLY != 0 {
                return Err(Status::CANNOT_DELETE);
            }
            if volume.root() == id.node {
                return Err(Status::ACCESS_DENIED);
            }
            if mapped {
                return Err(Status::CANNOT_DELETE);
            }
            if facts.directory && !volume.children(&mut **machine, id.node)?.is_empty() {
                return Err(Status::DIRECTORY_NOT_EMPTY);
            }
        }
        self.io.set_delete_pending(id, delete);
        Ok(())
    }

    /// NtSetInformationFile, FileRenameInformation. `name` is absolute, or relative to `root`, or a
    /// plain name in the same directory.
    ///
    /// # Errors
    /// `OBJECT_NAME_COLLISION` if the target exists and may not be replaced: `replace` is not set,
    /// it is read-only, or a directory; `ACCESS_DENIED` if it is open or mapped, or a directory
    /// with open files is to be renamed; `NOT_SAME_DEVICE`, `OBJECT_PATH_NOT_FOUND`,
    /// `OBJECT_NAME_INVALID`, `MEDIA_WRITE_PROTECTED`, and as [`Lifetimes::resolve`] for `DELETE`.
    pub fn rename(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        root: Handle,
        name: UnicodeStr<'_>,
        replace: bool,
    ) -> Result<()> {
        let (_, id) = self.node_behind(caller, handle, Access::DELETE)?;
        let (number, parent, last, existing) = if root.is_null() && name.first() != Some(0x5C) {
            formats::fat::check_name(name.units())?;
            let Self { io, machine, .. } = self;
            let volume = io.volume(id.volume)?;
            let parent = volume.parent(id.node).ok_or(Status::INVALID_PARAMETER)?;
            let existing = volume.lookup(&mut **machine, parent, name.units()).ok();
            (id.volume, parent, name.units().to_vec(), existing)
        } else {
            let target = self.find_target(caller, &ObjectAttributes::named(name).under(root))?;
            (target.volume, target.parent, target.name, target.existing)
        };
        if number != id.volume {
            return Err(Status::NOT_SAME_DEVICE);
        }
        if self.io.volume(number)?.is_directory(id.node) && self.io.is_open_below(id) {
            return Err(Status::ACCESS_DENIED);
        }
        if let Some(target) = existing.filter(|&target| target != id.node && replace) {
            let facts = self.io.volume(number)?.facts(target)?;
            // These come first: only what could be replaced is asked whether it is in use.
            if facts.directory || facts.attributes & FileAttributes::READONLY != 0 {
                return Err(Status::OBJECT_NAME_COLLISION);
            }
            let target = FileId {
                volume: number,
                node: target,
            };
            if self.mm.segments().is_mapped(target) || self.io.is_open(target) {
                return Err(Status::ACCESS_DENIED);
            }
        }
        let Self { io, machine, .. } = self;
        if let Some(node) = existing.filter(|&target| target != id.node && replace) {
            io.purge(FileId {
                volume: number,
                node,
            });
        }
        io.volume(number)?
            .rename(&mut **machine, id.node, parent, &last, replace)
    }

    /// NtSetInformationFile, FileEndOfFileInformation. New bytes are zero.
    ///
    /// # Errors
    /// `DISK_FULL`, `USER_MAPPED_FILE` if a mapped file would shrink, `INVALID_DEVICE_REQUEST` for
    /// a directory, and as [`Lifetimes::resolve`] for `FILE_WRITE_DATA`.
    pub fn set_end_of_file(&mut self, caller: ThreadId, handle: Handle, size: u64) -> Result<()> {
        let (_, id) = self.node_behind(caller, handle, Access::FILE_WRITE_DATA)?;
        self.resize(id, size, Fill::Zero)
    }

    /// NtSetInformationFile, FileAllocationInformation: a file that is longer is cut; more space
    /// than the file is long is not kept.
    ///
    /// # Errors
    /// As [`Self::set_end_of_file`].
    pub fn set_allocation(&mut self, caller: ThreadId, handle: Handle, bytes: u64) -> Result<()> {
        let (_, id) = self.node_behind(caller, handle, Access::FILE_WRITE_DATA)?;
        let volume = self.io.volume(id.volume)?;
        let facts = volume.facts(id.node)?;
        let room = volume.volume_facts();
        if bytes < facts.size {
            return self.resize(id, bytes, Fill::Zero);
        }
        let unit = u64::from(room.sectors_per_unit) * u64::from(room.bytes_per_sector);
        if bytes.saturating_sub(facts.allocation).div_ceil(unit) > room.free_units {
            Err(Status::DISK_FULL)
        } else {
            Ok(())
        }
    }

    pub(crate) fn resize(&mut self, id: FileId, size: u64, fill: Fill) -> Result<()> {
        let segments = self.mm.segments();
        let mapped = segments.data_of(id).is_some() || segments.image_of(id).is_some();
        let Self { io, machine, .. } = self;
        let volume = io.volume(id.volume)?;
        let facts = volume.facts(id.node)?;
        if facts.directory {
            return Err(Status::INVALID_DEVICE_REQUEST);
        }
        if mapped && size < facts.size {
            return Err(Status::USER_MAPPED_FILE);
        }
        volume.set_size(&mut **machine, id.node, size, fill)
    }

    /// NtSetInformationFile, FilePositionInformation.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a negative one, and as [`Lifetimes::resolve`].
    pub fn set_position(&mut self, caller: ThreadId, handle: Handle, position: i64) -> Result<()> {
        let (object, _) = self.file_behind(caller, handle, Access::empty())?;
        self.file_mut(object)?.position =
            u64::try_from(position).map_err(|_| Status::INVALID_PARAMETER)?;
        Ok(())
    }

    /// NtQueryVolumeInformationFile: everything.
    ///
    /// # Errors
    /// `INVALID_DEVICE_REQUEST` for the sizes of what is no volume: `FileFsDeviceInformation` is
    /// all that a plain device has, see [`Self::query_device`].
    pub fn query_volume(&mut self, caller: ThreadId, handle: Handle) -> Result<VolumeFacts> {
        match self.file_behind(caller, handle, Access::empty())?.1.kind {
            DeviceKind::Volume(volume) => Ok(self.io.volume(volume)?.volume_facts()),
            _ => Err(Status::INVALID_DEVICE_REQUEST),
        }
    }

    /// NtQueryVolumeInformationFile, FileFsDeviceInformation: device type and characteristics.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn query_device(&mut self, caller: ThreadId, handle: Handle) -> Result<(u32, u32)> {
        let kind = self.file_behind(caller, handle, Access::empty())?.1.kind;
        Ok(match kind {
            DeviceKind::Volume(volume) => {
                let facts = self.io.volume(volume)?.volume_facts();
                (facts.device_type, facts.characteristics)
            }
            DeviceKind::Disk(_) => (7, 0),
            DeviceKind::Null => (0x15, 0),
            DeviceKind::NamedPipe => (0x11, 0),
            DeviceKind::MailSlot => (0xC, 0),
        })
    }

    /// NtFsControlFile: what goes into the output buffer, which has `room` bytes. A volume that is
    /// locked has to be unlocked by the caller that locked it: the lock outlasts its handle.
    ///
    /// # Errors
    /// `ACCESS_DENIED` for locking a volume that others use, for unlocking one that is not locked,
    /// for either with a file's handle, and for dismounting the system volume or one that is not
    /// locked; `INVALID_BUFFER_SIZE`; `INVALID_DEVICE_REQUEST` for other codes.
    pub fn fs_control(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        code: u32,
        room: usize,
    ) -> Result<Vec<u8>> {
        let (_, file) = self.file_behind(caller, handle, Access::empty())?;
        let (kind, whole) = (file.kind, file.node.is_none());
        let DeviceKind::Volume(number) = kind else {
            return Err(Status::INVALID_DEVICE_REQUEST);
        };
        let Self { io, machine, .. } = self;
        match code {
            FSCTL_LOCK_VOLUME | FSCTL_UNLOCK_VOLUME if !whole => Err(Status::ACCESS_DENIED),
            FSCTL_LOCK_VOLUME | FSCTL_UNLOCK_VOLUME => io
                .lock_volume(&mut **machine, number, code == FSCTL_LOCK_VOLUME)
                .map(|()| Vec::new()),
            FSCTL_DISMOUNT_VOLUME => {
                let system = io.system_root().is_ok_and(|root| root.volume == number);
                if system || !io.volume(number)?.locked {
                    return Err(Status::ACCESS_DENIED);
                }
                log::warn!("FSCTL_DISMOUNT_VOLUME is not built");
                Err(Status::NOT_IMPLEMENTED)
            }
            FSCTL_IS_VOLUME_MOUNTED => Ok(Vec::new()),
            FSCTL_MARK_VOLUME_DIRTY => {
                let volume = io.volume(number)?;
                volume.mark_for_check(&mut **machine).map(|()| Vec::new())
            }
            FSCTL_IS_VOLUME_DIRTY if room != size_of::<u32>() => Err(Status::INVALID_BUFFER_SIZE),
            // What a power cut leaves is mended when the volume is mounted, so that only who asked
            // for a check gets one.
            FSCTL_IS_VOLUME_DIRTY => Ok(u32::from(io.volume(number)?.check).to_le_bytes().to_vec()),
            other => {
                log::debug!("file system control {other:#x} is not built");
                Err(Status::INVALID_DEVICE_REQUEST)
            }
        }
    }
}
