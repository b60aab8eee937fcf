// SPDX-License-Identifier: GPL-2.0-or-later
//! The machine's disks: virtio block devices, and the CD on the IDE controller.
//!
//! All of them are polled: a request is done when the call returns. The order is the order of the
//! PCI bus; a read-only virtio disk is taken for a CD, as is the IDE one.

mod atapi;
mod pci;
mod virtio;

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The disk did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskError;

/// What kind of medium it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A fixed, writable disk.
    Fixed,
    /// A CD-ROM.
    Cd,
}

/// One disk.
pub trait Disk: Send {
    /// What it is.
    fn medium(&self) -> Medium;

    /// Bytes in a sector.
    fn sector_size(&self) -> u32;

    /// How many sectors it has.
    fn sectors(&self) -> u64;

    /// Reads whole sectors: `into` is a multiple of the sector size.
    fn read(&mut self, sector: u64, into: &mut [u8]) -> Result<(), DiskError>;

    /// Writes whole sectors.
    fn write(&mut self, sector: u64, from: &[u8]) -> Result<(), DiskError>;

    /// Makes sure that what was written is on the medium.
    fn flush(&mut self) -> Result<(), DiskError>;
}

/// Finds the disks.
pub fn find() -> Vec<Box<dyn Disk>> {
    let mut disks = Vec::new();
    virtio::find(&mut disks);
    atapi::find(&mut disks);
    for (number, disk) in disks.iter().enumerate() {
        log::info!(
            "disk {number}: {:?}, {} sectors of {} bytes",
            disk.medium(),
            disk.sectors(),
            disk.sector_size()
        );
    }
    disks
}
