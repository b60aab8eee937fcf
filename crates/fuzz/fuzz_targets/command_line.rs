// SPDX-License-Identifier: GPL-2.0-or-later
//! Command lines of boot commands and subsystem servers (spec 8.1).
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;

fuzz_target!(|units: Vec<u16>| {
    if let Ok(command) = launch::grammar::parse(UnicodeStr(&units)) {
        assert!(!command.program.is_empty());
        assert!(command.program.units().iter().all(|&unit| unit > 0x20));
    }
});
