// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending renames from any data of any type: as many operations as there are pairs, each a piece of the data.
#![no_main]

use boot::pairs::Pairs;
use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;
use registry::data::{Reached, Strings, multi_string};

fuzz_target!(|data: &[u8]| {
    let units: Vec<u16> = data
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let strings = multi_string(UnicodeStr(&units), Reached::ByName);
    let mut sources = strings.step_by(2);
    for operation in Pairs::new(&[strings, Strings::default()]) {
        let source = sources.next().unwrap();
        assert!(source.units().ends_with(operation.source.units()));
    }
    assert!(sources.next().is_none());
});
