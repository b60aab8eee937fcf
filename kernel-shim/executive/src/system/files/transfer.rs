// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading and writing open files: NtReadFile, NtWriteFile, and whole files for the kernel's own
//! use.

use super::request::SYNCHRONOUS;
use crate::ids::{ObjectId, ThreadId};
use crate::io::FileId;
use crate::io::file::{self, DeviceKind, File};
use crate::io::volume::DiskSectors;
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::system::Body;
use crate::system::Executive;
use alloc::vec::Vec;
use formats::fat::Fill;
use formats::sectors::{SECTOR, Sectors, Window};
use nt::access::Access;
use nt::system::FileAttributes;
use nt::{Handle, Result, Status, UnicodeStr};

/// Where in a file to read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// At this byte.
    Offset(u64),
    /// At the file's current position (`FILE_USE_FILE_POINTER_POSITION`, or no offset given).
    Position,
    /// At its end (`FILE_WRITE_TO_END_OF_FILE`).
    End,
}

const BACKSLASH: u16 = 0x5C;

impl Executive {
    /// The file object behind a handle.
    pub(crate) fn file_behind(
        &self,
        caller: ThreadId,
        handle: Handle,
        access: Access,
    ) -> Result<(ObjectId, &File)> {
        let object = self.resolve(caller, handle, Some(Kind::File), access)?;
        match &self.object(object)?.body {
            Body::File(file) => Ok((object, file)),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    pub(super) fn file_mut(&mut self, object: ObjectId) -> Result<&mut File> {
        match &mut self.object_mut(object)?.body {
            Body::File(file) => Ok(file),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtReadFile: how many bytes were read.
    ///
    /// # Errors
    /// `END_OF_FILE` at or past the end, `INVALID_DEVICE_REQUEST` for a directory,
    /// `INVALID_PARAMETER` for a position where there is none, and as [`Lifetimes::resolve`] for
    /// `FILE_READ_DATA`.
    pub fn read_file(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        at: At,
        buffer: &mut [u8],
    ) -> Result<usize> {
        let (object, file) = self.file_behind(caller, handle, Access::FILE_READ_DATA)?;
        let file = file.clone();
        let offset = match at {
            At::Offset(offset) => offset,
            At::Position if file.options & SYNCHRONOUS != 0 => file.position,
            At::Position | At::End => return Err(Status::INVALID_PARAMETER),
        };
        self.through_cache(caller, &file, offset, buffer.len())?;
        let read = match (file.kind, file.id()) {
            (_, Some(id)) => self.read_node(id, offset, buffer)?,
            (DeviceKind::Null, _) => 0,
            (DeviceKind::Volume(volume), None) => {
                let Self { io, machine, .. } = self;
                let range = io.volume(volume)?.range;
                let mut disk = DiskSectors::new(&mut **machine, io.volume(volume)?.disk)?;
                read_raw(&mut Window::new(&mut disk, range), offset, buffer)?
            }
            (DeviceKind::Disk(number), None) => read_raw(
                &mut DiskSectors::new(&mut *self.machine, number)?,
                offset,
                buffer,
            )?,
            (DeviceKind::NamedPipe | DeviceKind::MailSlot, None) => {
                return Err(Status::INVALID_DEVICE_REQUEST);
            }
        };
        if read == 0 && !buffer.is_empty() {
            return Err(Status::END_OF_FILE);
        }
        self.file_mut(object)?.position = offset + read as u64;
        Ok(read)
    }

    /// What a transfer means for the cache: it holds the file from now on, or, past it, only whole
    /// sectors can be asked for.
    fn through_cache(
        &mut self,
        caller: ThreadId,
        file: &File,
        offset: u64,
        bytes: usize,
    ) -> Result<()> {
        let Some(id) = file.id() else { return Ok(()) };
        if file.is_buffered() {
            if bytes > 0 {
                self.io.cache(id);
            }
            return Ok(());
        }
        let sector = SECTOR as u64;
        let whole = offset.is_multiple_of(sector) && (bytes as u64).is_multiple_of(sector);
        if whole || self.is_kernel(caller) {
            Ok(())
        } else {
            Err(Status::INVALID_PARAMETER)
        }
    }

    /// Reads a file; pages that a view has written come from memory.
    pub(crate) fn read_node(
        &mut self,
        id: FileId,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize> {
        let Self {
            io, machine, mm, ..
        } = self;
        let volume = io.volume(id.volume)?;
        if volume.is_directory(id.node) {
            return Err(Status::INVALID_DEVICE_REQUEST);
        }
        let read = volume.read(&mut **machine, id.node, offset, buffer)?;
        mm.segments().overlay(
            &**machine,
            id,
            offset,
            buffer.get_mut(..read).unwrap_or_default(),
        );
        Ok(read)
    }

    /// NtWriteFile: how many bytes were written.
    ///
    /// # Errors
    /// `DISK_FULL`, `INVALID_DEVICE_REQUEST`, `INVALID_PARAMETER`, `MEDIA_WRITE_PROTECTED`,
    /// `ACCESS_DENIED` for the sectors of a whole disk, and as [`Lifetimes::resolve`] for
    /// `FILE_WRITE_DATA` or `FILE_APPEND_DATA`.
    pub fn write_file(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        at: At,
        data: &[u8],
    ) -> Result<usize> {
        let entry = self.resolve_entry(caller, handle, Some(Kind::File), Access::empty())?;
        let (object, file) = self.file_behind(caller, handle, Access::empty())?;
        let file = file.clone();
        let only_append = !entry.access.contains(Access::FILE_WRITE_DATA);
        if only_append
            && !entry.access.contains(Access::FILE_APPEND_DATA)
            && !self.is_kernel(caller)
        {
            return Err(Status::ACCESS_DENIED);
        }
        let end = match file.id() {
            Some(id) => self.io.volume(id.volume)?.facts(id.node)?.size,
            None => 0,
        };
        let offset = match at {
            _ if only_append => end,
            At::Offset(offset) => offset,
            At::End => end,
            At::Position if file.options & SYNCHRONOUS != 0 => file.position,
            At::Position => return Err(Status::INVALID_PARAMETER),
        };
        self.through_cache(caller, &file, offset, data.len())?;
        match (file.kind, file.id()) {
            (_, Some(id)) => {
                let Self {
                    io, machine, mm, ..
                } = self;
                let volume = io.volume(id.volume)?;
                if volume.is_directory(id.node) {
                    return Err(Status::INVALID_DEVICE_REQUEST);
                }
                volume.write(&mut **machine, id.node, offset, data)?;
                mm.segments_mut()
                    .file_written(&mut **machine, id, offset, data);
            }
            (DeviceKind::Null, None) => {}
            (DeviceKind::Volume(number), None) => {
                let Self { io, machine, .. } = self;
                io.volume(number)?
                    .write_sectors(&mut **machine, offset, data)?;
            }
            (DeviceKind::Disk(_), None) => return Err(Status::ACCESS_DENIED),
            (DeviceKind::NamedPipe | DeviceKind::MailSlot, None) => {
                return Err(Status::INVALID_DEVICE_REQUEST);
            }
        }
        self.file_mut(object)?.position = offset + data.len() as u64;
        Ok(data.len())
    }

    /// NtFlushBuffersFile: returns when everything that was written to the volume is on the medium.
    ///
    /// # Errors
    /// What the disk says; `ACCESS_DENIED` for a handle that may not write.
    pub fn flush_file(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        let entry = self.resolve_entry(caller, handle, Some(Kind::File), Access::empty())?;
        if !entry.access.intersects(file::WRITES) && !self.is_kernel(caller) {
            return Err(Status::ACCESS_DENIED);
        }
        let (_, file) = self.file_behind(caller, handle, Access::empty())?;
        let DeviceKind::Volume(volume) = file.kind else {
            return Ok(());
        };
        let Self { io, machine, .. } = self;
        io.volume(volume)?.flush(&mut **machine)
    }

    /// Ends the work of every volume: at shutdown.
    pub fn flush_volumes(&mut self) {
        let Self { io, machine, .. } = self;
        for volume in io.volumes_mut() {
            if let Err(status) = volume.settle(&mut **machine) {
                log::warn!("volume {}: not flushed: {status}", UnicodeStr(&volume.name));
            }
        }
    }

    /// A file below the system root, by its `\SystemRoot\...` name: directory and last name.
    fn system_file(&mut self, path: &[u16]) -> Result<(FileId, Vec<u16>)> {
        let mut at = self.io.system_root()?;
        let prefix = nt::wide!("\\SystemRoot\\");
        let head = path
            .get(..prefix.len())
            .ok_or(Status::OBJECT_PATH_SYNTAX_BAD)?;
        if !UnicodeStr(head).eq_ignore_case(prefix) {
            return Err(Status::OBJECT_PATH_SYNTAX_BAD);
        }
        let Self { io, machine, .. } = self;
        let volume = io.volume(at.volume)?;
        let mut names: Vec<&[u16]> = path
            .get(prefix.len()..)
            .unwrap_or_default()
            .split(|&unit| unit == BACKSLASH)
            .collect();
        let last = names.pop().ok_or(Status::OBJECT_NAME_INVALID)?.to_vec();
        for name in names {
            at.node = volume
                .lookup(&mut **machine, at.node, name)
                .map_err(|_| Status::OBJECT_PATH_NOT_FOUND)?;
        }
        Ok((at, last))
    }

    /// Reads a file below `\SystemRoot`, for the kernel's own use.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `OBJECT_PATH_NOT_FOUND`, what the disk says.
    pub fn read_whole_file(&mut self, path: &[u16]) -> Result<Vec<u8>> {
        let (directory, name) = self.system_file(path)?;
        let Self { io, machine, .. } = self;
        let volume = io.volume(directory.volume)?;
        let node = volume.lookup(&mut **machine, directory.node, &name)?;
        volume.read_all(&mut **machine, node)
    }

    /// Gives a file below `\SystemRoot` a new content, for the kernel's own use: written beside it,
    /// then put in its place, so that the name always leads to a complete file.
    ///
    /// # Errors
    /// `SHARING_VIOLATION` while somebody has the file open; what the disk says.
    pub fn replace_whole_file(&mut self, path: &[u16], content: &[u8]) -> Result<()> {
        let (directory, name) = self.system_file(path)?;
        let Self { io, machine, .. } = self;
        let machine = &mut **machine;
        let (number, parent) = (directory.volume, directory.node);
        io.check_unlocked(number)?;
        let existing = io.volume(number)?.lookup(machine, parent, &name).ok();
        if existing.is_some_and(|node| {
            io.is_open(FileId {
                volume: number,
                node,
            })
        }) {
            return Err(Status::SHARING_VIOLATION);
        }
        let volume = io.volume(number)?;
        let beside: Vec<u16> = name.iter().copied().chain(".new".encode_utf16()).collect();
        let node = match volume.lookup(machine, parent, &beside) {
            Ok(left_over) => left_over,
            Err(Status::OBJECT_NAME_NOT_FOUND) => {
                volume.create(machine, parent, &beside, FileAttributes::ARCHIVE)?
            }
            Err(other) => return Err(other),
        };
        let written = volume
            .set_size(machine, node, 0, Fill::Nothing)
            .and_then(|()| volume.write(machine, node, 0, content))
            .and_then(|()| volume.rename(machine, node, parent, &name, true));
        if written.is_err() {
            // Half a file is of no use; if it cannot even be deleted, the next attempt takes it
            // over.
            let _ = volume.delete(machine, node);
        }
        written
    }
}

/// Reads the sectors of a device: whole ones only.
fn read_raw(device: &mut dyn Sectors, offset: u64, buffer: &mut [u8]) -> Result<usize> {
    if !offset.is_multiple_of(SECTOR as u64) || !buffer.len().is_multiple_of(SECTOR) {
        return Err(Status::INVALID_PARAMETER);
    }
    let first = offset / SECTOR as u64;
    let left = usize::try_from(device.count().saturating_sub(first)).unwrap_or(usize::MAX);
    let sectors = (buffer.len() / SECTOR).min(left);
    let part = buffer.get_mut(..sectors * SECTOR).unwrap_or_default();
    if !part.is_empty() {
        device.read(first, part)?;
    }
    Ok(part.len())
}
