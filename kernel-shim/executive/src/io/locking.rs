// SPDX-License-Identifier: GPL-2.0-or-later
//! Volumes that are opened as such, and the lock that keeps everybody else off one.
//!
//! A disk check opens the volume itself, locks it and writes its sectors. The rules are those of
//! ReactOS' FAT driver. Invariants: nothing on a locked volume can be opened; what was written past
//! the file system is read again before the volume is unlocked, and when the handle that wrote is
//! gone.

use super::file::{DeviceKind, File};
use super::manager::Io;
use crate::machine::Machine;
use nt::access::Access;
use nt::{Result, Status};

/// How many directories may be open on the system volume when it is locked: the current directories
/// of the Session Manager and of the check.
const CURRENT_DIRECTORIES: u32 = 2;

impl Io {
    /// Whether something on the volume, or the volume itself, may be opened.
    ///
    /// # Errors
    /// `ACCESS_DENIED` while it is locked.
    pub fn check_unlocked(&self, volume: usize) -> Result<()> {
        match self.volume_at(volume) {
            Some(volume) if volume.locked => Err(Status::ACCESS_DENIED),
            _ => Ok(()),
        }
    }

    /// Whether an open of the volume itself goes with those that stand.
    ///
    /// # Errors
    /// `SHARING_VIOLATION`.
    pub fn check_volume_open(&self, volume: usize, access: Access, share: u32) -> Result<()> {
        let volume = self.volume_at(volume).ok_or(Status::NO_SUCH_DEVICE)?;
        volume.opens.check(access, share)
    }

    /// A file object for a volume itself was made.
    pub fn open_volume(&mut self, file: &File) {
        if let DeviceKind::Volume(number) = file.kind
            && let Ok(volume) = self.volume(number)
        {
            volume.opens.open(file);
        }
    }

    /// The last handle of such a file object is gone.
    pub fn clean_up_volume(&mut self, machine: &mut dyn Machine, file: &File) {
        if let DeviceKind::Volume(number) = file.kind
            && let Ok(volume) = self.volume(number)
        {
            volume.opens.clean_up(file);
            if let Err(status) = volume.reread(machine) {
                log::error!("volume {number}: not read again: {status}");
            }
        }
    }

    /// Such a file object is gone.
    pub fn close_volume(&mut self, file: &File) {
        if let DeviceKind::Volume(number) = file.kind
            && let Ok(volume) = self.volume(number)
        {
            volume.opens.close();
        }
    }

    /// FSCTL_LOCK_VOLUME and FSCTL_UNLOCK_VOLUME.
    ///
    /// # Errors
    /// `ACCESS_DENIED` if it is so already, or others have something open; what the disk says.
    pub fn lock_volume(
        &mut self,
        machine: &mut dyn Machine,
        number: usize,
        lock: bool,
    ) -> Result<()> {
        let in_use = lock && self.is_in_use(number);
        let volume = self.volume(number)?;
        if volume.locked == lock || in_use {
            return Err(Status::ACCESS_DENIED);
        }
        if lock {
            volume.flush(machine)?;
        } else {
            volume.reread(machine)?;
        }
        volume.locked = lock;
        Ok(())
    }

    /// Whether somebody else than the one who wants to lock the volume has something open on it. On
    /// the system volume the current directories of two processes do not count, unless both are the
    /// same one.
    fn is_in_use(&self, number: usize) -> bool {
        let Some(volume) = self.volume_at(number) else {
            return false;
        };
        let open = || {
            let open = self.open_files(number);
            open.map(|(file, handles)| (volume.is_directory(file.node), handles))
                .filter(|(_, handles)| *handles > 0)
        };
        let handles: u32 = open().map(|(_, handles)| handles).sum();
        if volume.opens.handles() + handles == 1 {
            return false;
        }
        let is_system = self.system_root().is_ok_and(|root| root.volume == number);
        !is_system
            || handles > CURRENT_DIRECTORIES
            || open().any(|(directory, handles)| !directory || handles > 1)
    }
}
