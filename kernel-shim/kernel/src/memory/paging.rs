// SPDX-License-Identifier: GPL-2.0-or-later
//! Page tables: four levels, one root a process, one upper half for all.
//!
//! The lower half is the process's and is mapped in 4 KiB pages only. The upper half (direct map
//! and kernel image) is built once and shared by entry. Nothing is both writable and executable,
//! and nothing of the upper half is reachable from ring 3.
//!
//! Invariant: an [`AddressSpace`] owns its tables, not the frames it maps: whoever mapped a frame
//! frees it after unmapping.

use super::physical::{self, DIRECT_LIMIT, DIRECT_MAP, PAGE};
use super::{KERNEL_BASE, frames};
use x86_64::PhysAddr;
use x86_64::registers::control::{Cr3, Cr3Flags};
use x86_64::structures::paging::{PhysFrame, Size4KiB};

const PRESENT: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
/// In an entry that is not present: a frame is kept there.
const HIDDEN: u64 = 1 << 9;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The highest user address of NT 5.2 x64.
pub const HIGHEST_USER: u64 = 0x7ff_fffe_ffff;

/// What ring 3 may do with a page. Reading is always allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Stores.
    pub write: bool,
    /// Instruction fetches.
    pub execute: bool,
}

/// Frames for tables are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFrame;

/// One process's translation of the lower half.
#[derive(Debug)]
pub struct AddressSpace {
    root: u64,
}

fn entry(table: u64, index: u64) -> u64 {
    physical::read_value(table + index * 8).unwrap_or(0)
}

fn set_entry(table: u64, index: u64, value: u64) {
    // SAFETY: `table` is a page table of ours: only this file writes it, and no reference to it
    // exists.
    let written = unsafe { physical::write(table + index * 8, &value.to_le_bytes()) };
    debug_assert!(written);
}

const fn index(address: u64, level: u32) -> u64 {
    (address >> (12 + 9 * level)) & 511
}

/// The table below entry `index` of `table`, made if it is missing.
fn descend(table: u64, index: u64, flags: u64) -> Result<u64, NoFrame> {
    let found = entry(table, index);
    if found & PRESENT != 0 {
        return Ok(found & ADDRESS);
    }
    let new = frames::allocate().ok_or(NoFrame)?;
    set_entry(table, index, new | PRESENT | WRITABLE | flags);
    Ok(new)
}

fn flags(rights: Option<Rights>) -> u64 {
    match rights {
        None => HIDDEN,
        Some(rights) => {
            let write = if rights.write { WRITABLE } else { 0 };
            let no_execute = if rights.execute { 0 } else { NO_EXECUTE };
            PRESENT | USER | write | no_execute
        }
    }
}

impl AddressSpace {
    /// An empty lower half below the kernel's upper half.
    pub fn new(kernel: &Self) -> Result<Self, NoFrame> {
        let root = frames::allocate().ok_or(NoFrame)?;
        for slot in 256..512 {
            set_entry(root, slot, entry(kernel.root, slot));
        }
        Ok(Self { root })
    }

    /// The kernel's own space: direct map and image, with the rights of each part. `image` gives
    /// the link addresses of text, read-only data, data and end; `guard` is a page left out.
    pub fn kernel(image: [u64; 4], guard: u64) -> Result<Self, NoFrame> {
        let space = Self {
            root: frames::allocate().ok_or(NoFrame)?,
        };
        for address in (0..DIRECT_LIMIT).step_by(2 << 20) {
            let at = DIRECT_MAP + address;
            let pointers = descend(space.root, index(at, 3), 0)?;
            let directory = descend(pointers, index(at, 2), 0)?;
            set_entry(
                directory,
                index(at, 1),
                address | PRESENT | WRITABLE | LARGE | GLOBAL | NO_EXECUTE,
            );
        }
        let [text, rodata, data, end] = image;
        for (start, end, flags) in [
            (text, rodata, 0),
            (rodata, data, NO_EXECUTE),
            (data, end, NO_EXECUTE | WRITABLE),
        ] {
            for at in (start..end)
                .step_by(PAGE as usize)
                .filter(|at| *at != guard)
            {
                let table = space.table(at, 0)?;
                set_entry(
                    table,
                    index(at, 0),
                    (at - KERNEL_BASE) | PRESENT | GLOBAL | flags,
                );
            }
        }
        Ok(space)
    }

    fn table(&self, address: u64, flags: u64) -> Result<u64, NoFrame> {
        let pointers = descend(self.root, index(address, 3), flags)?;
        let directory = descend(pointers, index(address, 2), flags)?;
        descend(directory, index(address, 1), flags)
    }

    /// The table and slot of a user page that has a frame.
    fn leaf(&self, address: u64) -> Option<(u64, u64)> {
        if address > HIGHEST_USER {
            return None;
        }
        let mut table = self.root;
        for level in [3, 2, 1] {
            let found = entry(table, index(address, level));
            if found & PRESENT == 0 || found & LARGE != 0 {
                return None;
            }
            table = found & ADDRESS;
        }
        let slot = index(address, 0);
        (entry(table, slot) & (PRESENT | HIDDEN) != 0).then_some((table, slot))
    }

    /// Maps the user page at `address` to `frame`, instead of what was mapped there.
    pub fn map(&mut self, address: u64, frame: u64, rights: Rights) -> Result<(), NoFrame> {
        self.set(address, frame, Some(rights))
    }

    /// Keeps `frame` at the user page without access: ring 3 faults there,
    /// [`AddressSpace::translate`] still finds it.
    pub fn map_hidden(&mut self, address: u64, frame: u64) -> Result<(), NoFrame> {
        self.set(address, frame, None)
    }

    fn set(&mut self, address: u64, frame: u64, rights: Option<Rights>) -> Result<(), NoFrame> {
        assert!(address <= HIGHEST_USER, "{address:#x} is no user address");
        let table = self.table(address, USER)?;
        set_entry(table, index(address, 0), frame | flags(rights));
        flush(address);
        Ok(())
    }

    /// Changes the rights of a page that is mapped; `None` hides it.
    pub fn protect(&mut self, address: u64, rights: Option<Rights>) {
        if let Some((table, slot)) = self.leaf(address) {
            let frame = entry(table, slot) & ADDRESS;
            set_entry(table, slot, frame | flags(rights));
            flush(address);
        }
    }

    /// Takes the page away: the frame it was mapped to.
    pub fn unmap(&mut self, address: u64) -> Option<u64> {
        let (table, slot) = self.leaf(address)?;
        let frame = entry(table, slot) & ADDRESS;
        set_entry(table, slot, 0);
        flush(address);
        Some(frame)
    }

    /// The frame of a user page, and what ring 3 may do with it; no rights if it is hidden.
    pub fn translate(&self, address: u64) -> Option<(u64, Option<Rights>)> {
        let (table, slot) = self.leaf(address)?;
        let found = entry(table, slot);
        let rights = Rights {
            write: found & WRITABLE != 0,
            execute: found & NO_EXECUTE == 0,
        };
        Some((found & ADDRESS, (found & PRESENT != 0).then_some(rights)))
    }

    /// Makes this the translation the processor uses.
    ///
    /// # Safety
    /// The space stays alive until another one is activated.
    pub unsafe fn activate(&self) {
        let frame: PhysFrame<Size4KiB> = PhysFrame::containing_address(PhysAddr::new(self.root));
        if Cr3::read().0 != frame {
            // SAFETY: the upper half is the same in every space, so that the kernel goes on as
            // before; the caller keeps the space alive.
            unsafe { Cr3::write(frame, Cr3Flags::empty()) };
        }
    }
}

impl Drop for AddressSpace {
    fn drop(&mut self) {
        for top in (0..256)
            .map(|slot| entry(self.root, slot))
            .filter(|entry| entry & PRESENT != 0)
        {
            free_tables(top & ADDRESS, 2);
        }
        // SAFETY: the root came from the allocator in `new`, and the space's user activated another
        // one before dropping this.
        unsafe { frames::free(self.root, 1) };
    }
}

/// Frees a table and those below it; level 0 holds the leaves.
fn free_tables(table: u64, level: u32) {
    if level > 0 {
        for below in (0..512)
            .map(|slot| entry(table, slot))
            .filter(|entry| entry & PRESENT != 0)
        {
            free_tables(below & ADDRESS, level - 1);
        }
    }
    // SAFETY: the table came from the allocator in `descend`, and its space is being dropped.
    unsafe { frames::free(table, 1) };
}

fn flush(address: u64) {
    x86_64::instructions::tlb::flush(x86_64::VirtAddr::new_truncate(address));
}
