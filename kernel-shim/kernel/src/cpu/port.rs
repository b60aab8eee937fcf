// SPDX-License-Identifier: GPL-2.0-or-later
//! I/O ports of the PC that this kernel drives.
//!
//! Port I/O touches devices, never our memory (no device here is given a memory address through a
//! port except the paging-free ones listed in their own files), so the functions are safe to call;
//! each device's file owns its ports.

use x86_64::instructions::port::Port;

/// Reads a byte.
pub fn read8(port: u16) -> u8 {
    let mut port: Port<u8> = Port::new(port);
    // SAFETY: a port read changes no memory of this kernel; what it does to the device is the
    // business of the port's owner.
    unsafe { port.read() }
}

/// Reads 16 bits.
pub fn read16(port: u16) -> u16 {
    let mut port: Port<u16> = Port::new(port);
    // SAFETY: as in `read8`.
    unsafe { port.read() }
}

/// Reads 32 bits.
pub fn read32(port: u16) -> u32 {
    let mut port: Port<u32> = Port::new(port);
    // SAFETY: as in `read8`.
    unsafe { port.read() }
}

/// Writes a byte.
pub fn write8(port: u16, value: u8) {
    let mut port: Port<u8> = Port::new(port);
    // SAFETY: a port write changes no memory of this kernel: no device driven through ports here is
    // a bus master.
    unsafe { port.write(value) }
}

/// Writes 16 bits.
pub fn write16(port: u16, value: u16) {
    let mut port: Port<u16> = Port::new(port);
    // SAFETY: as in `write8`.
    unsafe { port.write(value) }
}

/// Writes 32 bits.
pub fn write32(port: u16, value: u32) {
    let mut port: Port<u32> = Port::new(port);
    // SAFETY: as in `write8`; PCI configuration space is the one exception, and its owner keeps bus
    // mastering off but for virtio.
    unsafe { port.write(value) }
}
