// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending renames from any data of any type: as many operations as there are pairs, each a piece of the data.
#![no_main]

use boot::pairs::{Pairs, RenameList};
use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;
use registry::data::{Reached, multi_string};

fuzz_target!(|data: &[u8]| {
    let units: Vec<u16> = data
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let text = UnicodeStr(&units);
    let count = multi_string(text, Reached::ByName).count();
    let mut items = 0;
    for pair in Pairs::new([
        RenameList {
            text,
            strings: count,
        },
        RenameList::default(),
    ]) {
        items += 1;
        let operation = pair
            .operation
            .unwrap_or(boot::pairs::operation(pair.source, UnicodeStr::EMPTY));
        assert!(pair.source.units().ends_with(operation.source.units()));
        assert!(text.skip(pair.at).units().starts_with(pair.source.units()));
    }
    assert_eq!(items, count.div_ceil(2));
});
