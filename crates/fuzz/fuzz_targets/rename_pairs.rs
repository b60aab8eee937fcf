// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending renames from any data of any type: as many operations as there are pairs, each a piece of the data.
#![no_main]

use boot::pairs::operations;
use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;
use registry::data::{Reached, multi_string};

fuzz_target!(|data: &[u8]| {
    let units: Vec<u16> = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let strings = multi_string(UnicodeStr(&units), Reached::ByName);
    let count = strings.clone().count();
    let mut items = 0;
    for item in operations(strings) {
        items += 1;
        let (source, operation) = match item {
            Ok(item) => item,
            Err(source) => (source, boot::pairs::operation(source, UnicodeStr::EMPTY)),
        };
        assert!(source.units().ends_with(operation.source.units()));
        assert!(units.as_ptr_range().contains(&source.units().as_ptr()) || source.is_empty());
    }
    assert_eq!(items, count.div_ceil(2));
});
