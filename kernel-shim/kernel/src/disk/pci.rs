// SPDX-License-Identifier: GPL-2.0-or-later
//! PCI configuration space through ports 0xcf8 and 0xcfc.

use crate::cpu::port;
use virtio_drivers::transport::pci::bus::{ConfigurationAccess, DeviceFunction};

/// Mechanism 1: the only one every QEMU machine has.
pub struct Ports;

fn select(device: DeviceFunction, register: u8) {
    let address = 1 << 31
        | u32::from(device.bus) << 16
        | u32::from(device.device) << 11
        | u32::from(device.function) << 8
        | u32::from(register & 0xfc);
    port::write32(0xcf8, address);
}

impl ConfigurationAccess for Ports {
    fn read_word(&self, device: DeviceFunction, register: u8) -> u32 {
        select(device, register);
        port::read32(0xcfc)
    }

    fn write_word(&mut self, device: DeviceFunction, register: u8, data: u32) {
        select(device, register);
        port::write32(0xcfc, data);
    }

    unsafe fn unsafe_clone(&self) -> Self {
        Self
    }
}
