// SPDX-License-Identifier: GPL-2.0-or-later
//! Time: 100 ns units since the start from the ACPI power management timer, and the date from the
//! real-time clock.
//!
//! The timer counts virtual time under `-icount`, so that a run repeats itself; the processor's
//! time stamp counter is not used. Invariant: time never goes backwards. The timer's 24 bits are
//! extended here, which needs a reading every 4 seconds: every entry into the kernel makes one, and
//! the tick causes one.

use super::{interrupt, port};
use spin::Mutex;

/// 100 ns units in a second.
pub const SECOND: u64 = 10_000_000;

const TIMER_HERTZ: u128 = 3_579_545;

struct Clock {
    port: Option<u16>,
    last: u32,
    counted: u64,
    /// FILETIME of the start.
    epoch: u64,
}

static CLOCK: Mutex<Clock> = Mutex::new(Clock {
    port: None,
    last: 0,
    counted: 0,
    epoch: 0,
});

/// Takes the timer's port, if the firmware has one, and the date.
pub fn initialize(timer: Option<u16>) {
    let mut clock = CLOCK.lock();
    clock.port = timer;
    clock.last = timer.map_or(0, port::read32) & 0xff_ffff;
    clock.epoch = real_time();
}

/// 100 ns units since the start.
pub fn uptime() -> u64 {
    let mut clock = CLOCK.lock();
    let Some(at) = clock.port else {
        return interrupt::ticks() * (SECOND / u64::from(interrupt::TICKS_A_SECOND));
    };
    let now = port::read32(at) & 0xff_ffff;
    clock.counted += u64::from(now.wrapping_sub(clock.last) & 0xff_ffff);
    clock.last = now;
    (u128::from(clock.counted) * u128::from(SECOND) / TIMER_HERTZ) as u64
}

/// System time: 100 ns units since 1601.
pub fn system_time() -> u64 {
    let uptime = uptime();
    CLOCK.lock().epoch + uptime
}

fn cmos(register: u8) -> u8 {
    port::write8(0x70, register);
    port::read8(0x71)
}

/// The date of the real-time clock as a FILETIME. It is taken for UTC.
fn real_time() -> u64 {
    let read = || [0, 2, 4, 7, 8, 9].map(cmos);
    let mut fields = read();
    // Twice the same answer: no update in between. It ends, because an update takes far less than a
    // second.
    for _ in 0..1000 {
        let again = read();
        if cmos(0x0a) & 0x80 == 0 && again == fields {
            break;
        }
        fields = again;
    }
    let status = cmos(0x0b);
    let number = |field: u8| {
        u64::from(if status & 4 == 0 {
            (field >> 4) * 10 + (field & 15)
        } else {
            field
        })
    };
    let [second, minute, hour, day, month, year] = fields;
    let afternoon = status & 2 == 0 && hour & 0x80 != 0;
    let hour = number(hour & 0x7f) % if status & 2 == 0 { 12 } else { 24 }
        + if afternoon { 12 } else { 0 };
    let days = days_since_1601(2000 + number(year), number(month), number(day));
    (((days * 24 + hour) * 60 + number(minute)) * 60 + number(second)) * SECOND
}

fn days_since_1601(year: u64, month: u64, day: u64) -> u64 {
    // March is month 0, so that the leap day is the year's last.
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let year = if month > 2 { year } else { year - 1 };
    let days = year * 365 + year / 4 - year / 100
        + year / 400
        + (shifted * 153 + 2) / 5
        + day.saturating_sub(1);
    // 1601-01-01 by the same count.
    days - (1600 * 365 + 400 - 16 + 4 + (10 * 153 + 2) / 5)
}
