// SPDX-License-Identifier: GPL-2.0-or-later
//! KUSER_SHARED_DATA: one frame, mapped read-only at 0x7FFE0000 in every process (spec 0.4).
//!
//! The time fields are updated with the tick. Invariant: as there is one processor and the kernel
//! is not interrupted, ring 3 never sees half of a time, in whatever order the three parts are
//! written.

use crate::cpu::clock;
use crate::memory::{frames, physical};
use abi::i386::{SYSTEM_CALL, SYSTEM_CALL_RETURN};
use abi::shared_data::{
    COOKIE, IMAGE_NUMBER_HIGH, IMAGE_NUMBER_LOW, INTERRUPT_TIME, NT_MAJOR_VERSION,
    NT_MINOR_VERSION, NT_PRODUCT_TYPE, NT_SYSTEM_ROOT, NUMBER_OF_PHYSICAL_PAGES, NX_SUPPORT_POLICY,
    PROCESSOR_FEATURES, PRODUCT_TYPE_IS_VALID, SAFE_BOOT_MODE, SYSTEM_TIME, TICK_COUNT,
    TICK_COUNT_LOW, TICK_COUNT_MULTIPLIER,
};

use executive::machine::Architecture;

pub use abi::shared_data::ADDRESS;

/// 100 ns units in a tick of `TickCount`: 15.625 ms.
const TICK: u64 = 156_250;

/// The page.
#[derive(Debug)]
pub struct SharedData {
    frame: u64,
}

impl SharedData {
    /// Makes the page for programs of one kind: system root such as `C:\ReactOS`, version, number of physical pages, safe
    /// boot mode. `None` without memory.
    pub fn new(
        architecture: Architecture,
        system_root: &str,
        version: (u32, u32),
        pages: u32,
        safe_boot: bool,
    ) -> Option<Self> {
        let page = Self {
            frame: frames::allocate()?,
        };
        page.put(TICK_COUNT_MULTIPLIER, &0x0fa0_0000_u32.to_le_bytes()); // for TICK
        let image = architecture.image_machine().to_le_bytes();
        page.put(IMAGE_NUMBER_LOW, &image);
        page.put(IMAGE_NUMBER_HIGH, &image);
        for (index, unit) in system_root.encode_utf16().take(259).enumerate() {
            page.put(NT_SYSTEM_ROOT + 2 * index as u64, &unit.to_le_bytes());
        }
        page.put(NT_PRODUCT_TYPE, &3_u32.to_le_bytes()); // server
        page.put(PRODUCT_TYPE_IS_VALID, &[1]);
        page.put(NT_MAJOR_VERSION, &version.0.to_le_bytes());
        page.put(NT_MINOR_VERSION, &version.1.to_le_bytes());
        // ProcessorFeatures: compare-exchange double, MMX, SSE, RDTSC, PAE, SSE2, NX, SSE3,
        // compare-exchange 128.
        for feature in [2, 3, 6, 8, 9, 10, 12, 13, 14] {
            page.put(PROCESSOR_FEATURES + feature, &[1]);
        }
        page.put(NX_SUPPORT_POLICY, &[1]); // always on
        page.put(NUMBER_OF_PHYSICAL_PAGES, &pages.to_le_bytes());
        page.put(SAFE_BOOT_MODE, &[safe_boot.into()]);
        page.update();
        // A cookie for pointer encoding: it repeats itself under `-icount`, and is not 0.
        page.put(
            COOKIE,
            &((clock::system_time() as u32).rotate_left(13) | 1).to_le_bytes(),
        );
        Some(page)
    }

    /// The frame, to be mapped read-only.
    pub const fn frame(&self) -> u64 {
        self.frame
    }

    /// Writes where i386 programs call the kernel, and where they go on behind a fast call.
    pub fn publish_system_call(&self, call: u32, fast_return: u32) {
        self.put(SYSTEM_CALL, &call.to_le_bytes());
        self.put(SYSTEM_CALL_RETURN, &fast_return.to_le_bytes());
    }

    /// Writes the time.
    pub fn update(&self) {
        let uptime = clock::uptime();
        self.put_time(INTERRUPT_TIME, uptime);
        self.put_time(SYSTEM_TIME, clock::system_time());
        self.put_time(TICK_COUNT, uptime / TICK);
        self.put(TICK_COUNT_LOW, &((uptime / TICK) as u32).to_le_bytes());
    }

    fn put_time(&self, offset: u64, value: u64) {
        self.put(offset, &value.to_le_bytes());
        self.put(offset + 8, &((value >> 32) as u32).to_le_bytes());
    }

    fn put(&self, offset: u64, bytes: &[u8]) {
        debug_assert!(offset + bytes.len() as u64 <= physical::PAGE);
        // SAFETY: the frame is this page's own; ring 3 may only read it, and no reference to it
        // exists.
        let written = unsafe { physical::write(self.frame + offset, bytes) };
        debug_assert!(written);
    }
}
