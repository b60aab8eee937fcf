// SPDX-License-Identifier: GPL-2.0-or-later
//! Virtio block devices on the PCI bus, by the `virtio-drivers` crate.

use super::pci::Ports;
use super::{Disk, DiskError, Medium};
use crate::memory::physical::{PAGE, physical_address, virtual_address};
use crate::memory::{KERNEL_BASE, frames};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr::NonNull;
use virtio_drivers::device::blk::{SECTOR_SIZE, VirtIOBlk};
use virtio_drivers::transport::DeviceType;
use virtio_drivers::transport::pci::bus::{Command, PciRoot};
use virtio_drivers::transport::pci::{PciTransport, virtio_device_type};
use virtio_drivers::{BufferDirection, Hal, PhysAddr};

/// One request carries at most this much.
const TRANSFER: usize = 1 << 20;

struct Memory;

/// The pointer to a physical address in the direct map.
fn pointer(address: u64, length: u64) -> NonNull<u8> {
    virtual_address(address, length)
        .and_then(|at| NonNull::new(at as *mut u8))
        .unwrap_or_else(|| panic!("device memory at {address:#x} is not within the direct map"))
}

// SAFETY: frames come zeroed from the allocator and belong to the caller until freed; the direct
// map makes every pointer valid.
unsafe impl Hal for Memory {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        // Address 0 is how this interface says that there is none.
        match frames::allocate_run(pages) {
            Some(first) => (first, pointer(first, pages as u64 * PAGE)),
            None => (0, NonNull::dangling()),
        }
    }

    unsafe fn dma_dealloc(address: PhysAddr, _: NonNull<u8>, pages: usize) -> i32 {
        // SAFETY: by this function's contract the run came from `dma_alloc` and is not used any
        // more.
        unsafe { frames::free(address, pages) };
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, size: usize) -> NonNull<u8> {
        pointer(address, size as u64)
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        // Heap memory lies in the direct map, in runs that adjoin physically; the stack and statics
        // lie in the image.
        let at = buffer.cast::<u8>().as_ptr() as u64;
        at.checked_sub(KERNEL_BASE)
            .or_else(|| physical_address(at))
            .expect("a buffer of the kernel's")
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}

struct Block {
    device: VirtIOBlk<Memory, PciTransport>,
    /// Device sectors in one of the executive's: a CD's sector has 2048 bytes, whatever the device's.
    scale: usize,
}

impl Block {
    /// The first device sector of a request, if it is within the disk.
    fn check(&self, sector: u64, bytes: usize) -> Result<usize, DiskError> {
        let size = SECTOR_SIZE * self.scale;
        let count = (bytes / size) as u64;
        let whole = bytes.is_multiple_of(size)
            && sector
                .checked_add(count)
                .is_some_and(|end| end <= self.sectors());
        // Within the disk, so that the product stays within its count of device sectors.
        if whole {
            usize::try_from(sector)
                .map(|first| first * self.scale)
                .map_err(|_| DiskError)
        } else {
            Err(DiskError)
        }
    }
}

impl Disk for Block {
    fn medium(&self) -> Medium {
        if self.device.readonly() {
            Medium::Cd
        } else {
            Medium::Fixed
        }
    }

    fn sector_size(&self) -> u32 {
        (SECTOR_SIZE * self.scale) as u32
    }

    fn sectors(&self) -> u64 {
        self.device.capacity() / self.scale as u64
    }

    fn read(&mut self, sector: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let first = self.check(sector, into.len())?;
        for (part, bytes) in into.chunks_mut(TRANSFER).enumerate() {
            self.device
                .read_blocks(first + part * (TRANSFER / SECTOR_SIZE), bytes)
                .map_err(|_| DiskError)?;
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, from: &[u8]) -> Result<(), DiskError> {
        let first = self.check(sector, from.len())?;
        for (part, bytes) in from.chunks(TRANSFER).enumerate() {
            self.device
                .write_blocks(first + part * (TRANSFER / SECTOR_SIZE), bytes)
                .map_err(|_| DiskError)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.device.flush().map_err(|_| DiskError)
    }
}

/// Adds every virtio block device.
pub fn find(disks: &mut Vec<Box<dyn Disk>>) {
    let mut root = PciRoot::new(Ports);
    // The functions of bus 0: no QEMU machine puts its disks behind a bridge unless told to.
    let devices: Vec<_> = root.enumerate_bus(0).collect();
    for (function, information) in devices {
        if virtio_device_type(&information) != Some(DeviceType::Block) {
            continue;
        }
        root.set_command(function, Command::MEMORY_SPACE | Command::BUS_MASTER);
        let device = PciTransport::new::<Memory, _>(&mut root, function)
            .map_err(|error| log::error!("virtio disk at {function}: {error}"))
            .and_then(|transport| {
                VirtIOBlk::new(transport)
                    .map_err(|error| log::error!("virtio disk at {function}: {error}"))
            });
        if let Ok(device) = device {
            let scale = if device.readonly() { 4 } else { 1 };
            disks.push(Box::new(Block { device, scale }));
        }
    }
}
