// SPDX-License-Identifier: GPL-2.0-or-later
//! The multiboot2 information block (GRUB).

use super::Information;
use crate::memory::physical::Untouched;

const END: u32 = 0;
const COMMAND_LINE: u32 = 1;
const MEMORY_MAP: u32 = 6;
const ACPI_OLD: u32 = 14;
const ACPI_NEW: u32 = 15;

/// Walks the tags of the block at physical address `block`.
pub fn read(memory: &Untouched, block: u64) -> Information {
    let mut information = Information {
        loader: "multiboot2",
        ..Information::default()
    };
    let end = block + u64::from(memory.read_value::<u32>(block).unwrap_or(0));
    let mut tag = block + 8;
    while tag + 8 <= end {
        let kind = memory.read_value::<u32>(tag).unwrap_or(END);
        let size = u64::from(memory.read_value::<u32>(tag + 4).unwrap_or(0));
        if kind == END || size < 8 {
            break;
        }
        match kind {
            COMMAND_LINE => information.set_command_line(memory, tag + 8, size - 8),
            MEMORY_MAP => memory_map(memory, &mut information, tag, size),
            ACPI_OLD if information.rsdp.is_none() => information.rsdp = Some(tag + 8),
            ACPI_NEW => information.rsdp = Some(tag + 8),
            _ => {}
        }
        tag += size.next_multiple_of(8);
    }
    information
}

fn memory_map(memory: &Untouched, information: &mut Information, tag: u64, size: u64) {
    let step = u64::from(memory.read_value::<u32>(tag + 8).unwrap_or(0));
    if step < 24 {
        return;
    }
    let mut entry = tag + 16;
    while entry + 24 <= tag + size {
        let field = |offset| memory.read_value::<u64>(entry + offset).unwrap_or(0);
        // Type 1: usable.
        if field(16) & 0xffff_ffff == 1 {
            information.add_memory(field(0), field(8));
        }
        entry += step;
    }
}
