// SPDX-License-Identifier: GPL-2.0-or-later
//! KUSER_SHARED_DATA: one frame, mapped read-only at 0x7FFE0000 in every process (spec 0.4).
//!
//! The time fields are updated with the tick. Invariant: as there is one processor and the kernel
//! is not interrupted, ring 3 never sees half of a time, in whatever order the three parts are
//! written.

use crate::cpu::clock;
use crate::memory::{frames, physical};

/// Where every process finds it.
pub const ADDRESS: u64 = 0x7ffe_0000;

/// 100 ns units in a tick of `TickCount`: 15.625 ms.
const TICK: u64 = 156_250;

/// The page.
#[derive(Debug)]
pub struct SharedData {
    frame: u64,
}

impl SharedData {
    /// Makes the page: system root such as `C:\ReactOS`, version, number of physical pages, safe
    /// boot mode. `None` without memory.
    pub fn new(
        system_root: &str,
        version: (u32, u32),
        pages: u32,
        safe_boot: bool,
    ) -> Option<Self> {
        let page = Self {
            frame: frames::allocate()?,
        };
        page.put(0x04, &0x0fa0_0000_u32.to_le_bytes()); // TickCountMultiplier, for TICK
        page.put(0x2c, &0x8664_u16.to_le_bytes()); // ImageNumberLow
        page.put(0x2e, &0x8664_u16.to_le_bytes()); // ImageNumberHigh
        for (index, unit) in system_root.encode_utf16().take(259).enumerate() {
            page.put(0x30 + 2 * index as u64, &unit.to_le_bytes());
        }
        page.put(0x264, &3_u32.to_le_bytes()); // NtProductType: server
        page.put(0x268, &[1]); // ProductTypeIsValid
        page.put(0x26c, &version.0.to_le_bytes());
        page.put(0x270, &version.1.to_le_bytes());
        // ProcessorFeatures: compare-exchange double, MMX, SSE, RDTSC, PAE, SSE2, NX, SSE3,
        // compare-exchange 128.
        for feature in [2, 3, 6, 8, 9, 10, 12, 13, 14] {
            page.put(0x274 + feature, &[1]);
        }
        page.put(0x2d5, &[1]); // NXSupportPolicy: always on
        page.put(0x2e8, &pages.to_le_bytes());
        page.put(0x2ec, &[safe_boot.into()]);
        page.update();
        // A cookie for pointer encoding: it repeats itself under `-icount`, and is not 0.
        page.put(
            0x330,
            &((clock::system_time() as u32).rotate_left(13) | 1).to_le_bytes(),
        );
        Some(page)
    }

    /// The frame, to be mapped read-only.
    pub const fn frame(&self) -> u64 {
        self.frame
    }

    /// Writes the time.
    pub fn update(&self) {
        let uptime = clock::uptime();
        self.put_time(0x08, uptime); // InterruptTime
        self.put_time(0x14, clock::system_time()); // SystemTime
        self.put_time(0x320, uptime / TICK); // TickCount
        self.put(0x00, &((uptime / TICK) as u32).to_le_bytes()); // TickCountLowDeprecated
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
