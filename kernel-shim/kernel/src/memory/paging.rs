// SPDX-License-Identifier: GPL-2.0-or-later
//! Page tables: four levels, one root a process, one upper half for all.
//!
//! The lower half is the process's and is mapped in 4 KiB pages only. The upper half (direct map
//! and kernel image) is built once and shared by entry. Nothing is both writable and executable,
//! and nothing of the upper half is reachable from ring 3.
//!
//! Invariants: an [`AddressSpace`] owns its tables, not the frames it maps: the one who mapped a
//! frame frees it after unmapping. A [`Table`] is a frame that this file has taken from the allocator, or
//! read back from an entry in which it put such a frame; nobody else has a reference into one.

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

/// A page table: the physical address of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Table(u64);

impl Table {
    fn new() -> Result<Self, NoFrame> {
        frames::allocate().map(Self).ok_or(NoFrame)
    }

    /// The table that a present entry, which is no large page, names.
    const fn of(entry: u64) -> Self {
        Self(entry & ADDRESS)
    }

    fn entry(self, index: u64) -> u64 {
        // SAFETY: a page table is a frame of this file's own, to which no reference exists.
        unsafe { physical::read_value(self.0 + index * 8) }.unwrap_or(0)
    }

    fn set_entry(self, index: u64, value: u64) {
        // SAFETY: as for `entry`; only this file writes it.
        let written = unsafe { physical::write(self.0 + index * 8, &value.to_le_bytes()) };
        debug_assert!(written);
    }

    /// The table below entry `index`, made if it is missing.
    fn descend(self, index: u64, flags: u64) -> Result<Self, NoFrame> {
        let found = self.entry(index);
        if found & PRESENT != 0 {
            return Ok(Self::of(found));
        }
        let new = Self::new()?;
        self.set_entry(index, new.0 | PRESENT | WRITABLE | flags);
        Ok(new)
    }

    /// Frees the table and those below it; level 0 holds the leaves. The space is being dropped.
    fn free(self, level: u32) {
        if level > 0 {
            for below in (0..512)
                .map(|slot| self.entry(slot))
                .filter(|entry| entry & PRESENT != 0)
            {
                Self::of(below).free(level - 1);
            }
        }
        // SAFETY: the table came from the allocator, and its space is being dropped.
        unsafe { frames::free(self.0, 1) };
    }
}

/// One process's translation of the lower half.
#[derive(Debug)]
pub struct AddressSpace {
    root: Table,
}

const fn index(address: u64, level: u32) -> u64 {
    (address >> (12 + 9 * level)) & 511
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
        let root = Table::new()?;
        for slot in 256..512 {
            root.set_entry(slot, kernel.root.entry(slot));
        }
        Ok(Self { root })
    }

    /// The kernel's own space: direct map and image, with the rights of each part. `image` gives
    /// the link addresses of text, read-only data, data and end; `guard` is a page left out.
    pub fn kernel(image: [u64; 4], guard: u64) -> Result<Self, NoFrame> {
        let space = Self {
            root: Table::new()?,
        };
        for address in (0..DIRECT_LIMIT).step_by(2 << 20) {
            let at = DIRECT_MAP + address;
            let pointers = space.root.descend(index(at, 3), 0)?;
            let directory = pointers.descend(index(at, 2), 0)?;
            directory.set_entry(
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
                table.set_entry(index(at, 0), (at - KERNEL_BASE) | PRESENT | GLOBAL | flags);
            }
        }
        Ok(space)
    }

    fn table(&self, address: u64, flags: u64) -> Result<Table, NoFrame> {
        let pointers = self.root.descend(index(address, 3), flags)?;
        let directory = pointers.descend(index(address, 2), flags)?;
        directory.descend(index(address, 1), flags)
    }

    /// The table and slot of a user page that has a frame.
    fn leaf(&self, address: u64) -> Option<(Table, u64)> {
        if address > HIGHEST_USER {
            return None;
        }
        let mut table = self.root;
        for level in [3, 2, 1] {
            let found = table.entry(index(address, level));
            if found & PRESENT == 0 || found & LARGE != 0 {
                return None;
            }
            table = Table::of(found);
        }
        let slot = index(address, 0);
        (table.entry(slot) & (PRESENT | HIDDEN) != 0).then_some((table, slot))
    }

    /// Maps the user page at `address` to `frame`, instead of what was mapped there.
    ///
    /// # Safety
    /// Ring 3 may have the frame: no reference of the kernel points into it, and its holder keeps it
    /// until it is unmapped everywhere.
    pub unsafe fn map(&mut self, address: u64, frame: u64, rights: Rights) -> Result<(), NoFrame> {
        self.set(address, frame, Some(rights))
    }

    /// Keeps `frame` at the user page without access: ring 3 faults there,
    /// [`AddressSpace::translate`] still finds it.
    ///
    /// # Safety
    /// As for [`AddressSpace::map`]: [`AddressSpace::protect`] may give access later.
    pub unsafe fn map_hidden(&mut self, address: u64, frame: u64) -> Result<(), NoFrame> {
        self.set(address, frame, None)
    }

    fn set(&mut self, address: u64, frame: u64, rights: Option<Rights>) -> Result<(), NoFrame> {
        assert!(address <= HIGHEST_USER, "{address:#x} is no user address");
        let table = self.table(address, USER)?;
        table.set_entry(index(address, 0), frame | flags(rights));
        flush(address);
        Ok(())
    }

    /// Changes the rights of a page that is mapped; `None` hides it.
    pub fn protect(&mut self, address: u64, rights: Option<Rights>) {
        if let Some((table, slot)) = self.leaf(address) {
            let frame = table.entry(slot) & ADDRESS;
            table.set_entry(slot, frame | flags(rights));
            flush(address);
        }
    }

    /// Takes the page away: the frame it was mapped to.
    pub fn unmap(&mut self, address: u64) -> Option<u64> {
        let (table, slot) = self.leaf(address)?;
        let frame = table.entry(slot) & ADDRESS;
        table.set_entry(slot, 0);
        flush(address);
        Some(frame)
    }

    /// The frame of a user page, and what ring 3 may do with it; no rights if it is hidden.
    pub fn translate(&self, address: u64) -> Option<(u64, Option<Rights>)> {
        let (table, slot) = self.leaf(address)?;
        let found = table.entry(slot);
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
        let frame: PhysFrame<Size4KiB> = PhysFrame::containing_address(PhysAddr::new(self.root.0));
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
            .map(|slot| self.root.entry(slot))
            .filter(|entry| entry & PRESENT != 0)
        {
            Table::of(top).free(2);
        }
        // SAFETY: the root came from the allocator in `new`, and the space's user activated another
        // one before dropping this.
        unsafe { frames::free(self.root.0, 1) };
    }
}

fn flush(address: u64) {
    x86_64::instructions::tlb::flush(x86_64::VirtAddr::new_truncate(address));
}
