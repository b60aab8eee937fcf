// SPDX-License-Identifier: GPL-2.0-or-later
//! Interrupts: the two 8259 controllers, the tick of the 8254 timer, and idling until the next one.
//!
//! The kernel itself runs with interrupts off. They arrive in ring 3, where they end
//! [`super::user::run`], and in [`idle`]. Only the timer is let through: the disks are polled.

use super::port;
use core::sync::atomic::{AtomicU64, Ordering};

/// First vector of the controllers: clear of the exceptions and of NT's software interrupts 0x29 to
/// 0x2d.
pub const FIRST_VECTOR: u8 = 0x40;
/// Vector of the timer.
pub const TIMER: u8 = FIRST_VECTOR;
/// The tick, in hertz.
pub const TICKS_A_SECOND: u32 = 200;

static TICKS: AtomicU64 = AtomicU64::new(0);

/// Moves the controllers to [`FIRST_VECTOR`], lets only the timer through and starts it.
pub fn initialize() {
    for (first, second) in [
        (0x11, 0x11),
        (FIRST_VECTOR, FIRST_VECTOR + 8),
        (4, 2),
        (1, 1),
    ] {
        let command = first == 0x11;
        port::write8(if command { 0x20 } else { 0x21 }, first);
        port::write8(if command { 0xa0 } else { 0xa1 }, second);
    }
    port::write8(0x21, 0xfe);
    port::write8(0xa1, 0xff);
    let divisor = 1_193_182 / TICKS_A_SECOND;
    port::write8(0x43, 0x34);
    port::write8(0x40, divisor as u8);
    port::write8(0x40, (divisor >> 8) as u8);
}

/// Handles a hardware interrupt that arrived, in whichever ring.
pub fn handle(vector: u8) {
    if vector == TIMER {
        TICKS.fetch_add(1, Ordering::Relaxed);
        port::write8(0x20, 0x20);
    } else if vector == FIRST_VECTOR + 7 || vector == FIRST_VECTOR + 15 {
        // Spurious; the second controller's went through the first, which wants its
        // acknowledgement.
        if vector == FIRST_VECTOR + 15 {
            port::write8(0x20, 0x20);
        }
    } else {
        log::warn!("interrupt {vector:#x} was not asked for");
        port::write8(0xa0, 0x20);
        port::write8(0x20, 0x20);
    }
}

/// Stops until the next interrupt and handles it.
pub fn idle() {
    x86_64::instructions::interrupts::enable_and_hlt();
    x86_64::instructions::interrupts::disable();
}

/// Timer interrupts since the start.
pub fn ticks() -> u64 {
    TICKS.load(Ordering::Relaxed)
}
