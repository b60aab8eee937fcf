// SPDX-License-Identifier: GPL-2.0-or-later
//! Registry hives: what is read can be written and read again.
#![no_main]

use executive::hive::Hive;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(hive) = Hive::parse(bytes) {
        let again = Hive::parse(&hive.serialise(0)).expect("what was written can be read");
        assert_eq!(again.len(), hive.len());
    }
});
