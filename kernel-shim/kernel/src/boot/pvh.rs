// SPDX-License-Identifier: GPL-2.0-or-later
//! The PVH start information block (`qemu -kernel`).

use super::Information;
use crate::memory::physical::Untouched;
use zerocopy::FromBytes;

const MAGIC: u32 = 0x336e_c578;

#[derive(FromBytes)]
#[repr(C)]
struct StartInformation {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    memory_map: u64,
    memory_entries: u32,
    reserved: u32,
}

const _: () = assert!(size_of::<StartInformation>() == 56);

/// Reads the block at physical address `block`.
pub fn read(memory: &Untouched, block: u64) -> Information {
    let mut information = Information {
        loader: "pvh",
        ..Information::default()
    };
    let Some(start) = memory
        .read_value::<StartInformation>(block)
        .filter(|start| start.magic == MAGIC)
    else {
        return information;
    };
    if start.command_line != 0 {
        information.set_command_line(memory, start.command_line, 1024);
    }
    if start.rsdp != 0 {
        information.rsdp = Some(start.rsdp);
    }
    if start.version >= 1 {
        for entry in
            (0..u64::from(start.memory_entries.min(128))).map(|index| start.memory_map + index * 24)
        {
            // Type 1: usable.
            if memory.read_value::<u32>(entry + 16) == Some(1) {
                information.add_memory(
                    memory.read_value(entry).unwrap_or(0),
                    memory.read_value(entry + 8).unwrap_or(0),
                );
            }
        }
    }
    information
}
