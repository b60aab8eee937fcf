// SPDX-License-Identifier: GPL-2.0-or-later
//! How the kernel starts: the two boot doors, what the loader tells, the command line.
//!
//! A loader's information block lies in memory that the frame allocator may hand out later, so all
//! that is needed of it is copied here first. Boot modules are not used: every file comes from the
//! disks.

mod multiboot;
pub mod options;
mod pvh;

use crate::memory::physical::Untouched;
use heapless::{String, Vec};

core::arch::global_asm!(include_str!("start.s"));

/// `edi` of the multiboot2 door.
const MULTIBOOT: u32 = 0x36d7_6289;
/// `edi` of the PVH door.
const PVH: u32 = 0x5056_4821;

/// A usable region of physical memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// Physical address.
    pub start: u64,
    /// Bytes.
    pub length: u64,
}

/// What the loader told.
#[derive(Debug, Default)]
pub struct Information {
    /// Who loaded the kernel.
    pub loader: &'static str,
    /// Usable memory.
    pub memory: Vec<Region, 32>,
    /// The kernel's command line, cut off at 1024 bytes.
    pub command_line: String<1024>,
    /// Physical address of the ACPI root system description pointer, if the loader knows it.
    pub rsdp: Option<u64>,
}

impl Information {
    /// Reads the loader's block. An unknown loader gives an empty answer.
    pub fn read(memory: &Untouched, loader: u32, address: u32) -> Self {
        match loader {
            MULTIBOOT => multiboot::read(memory, address.into()),
            PVH => pvh::read(memory, address.into()),
            _ => Self {
                loader: "unknown",
                ..Self::default()
            },
        }
    }

    fn add_memory(&mut self, start: u64, length: u64) {
        if self.memory.push(Region { start, length }).is_err() {
            log::warn!(
                "memory map: more than {} regions, {start:#x} left out",
                self.memory.capacity()
            );
        }
    }

    fn set_command_line(&mut self, memory: &Untouched, address: u64, limit: u64) {
        for at in address..address.saturating_add(limit) {
            match memory.read_value::<u8>(at) {
                None | Some(0) => break,
                Some(byte) => {
                    if self
                        .command_line
                        .push(if byte.is_ascii() { byte.into() } else { '?' })
                        .is_err()
                    {
                        break;
                    }
                }
            }
        }
    }
}
