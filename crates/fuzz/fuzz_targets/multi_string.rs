// SPDX-License-Identifier: GPL-2.0-or-later
//! REG_MULTI_SZ data (spec 2.1).
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;
use registry::data::{Reached, multi_string};

fuzz_target!(|units: Vec<u16>| {
    for reached in [Reached::ByName, Reached::ByEnumeration] {
        let mut total = 0;
        for string in multi_string(UnicodeStr(&units), reached) {
            assert!(!string.units().contains(&0));
            total += string.len() + 1;
        }
        assert!(total <= units.len() + 1);
    }
});
