// SPDX-License-Identifier: GPL-2.0-or-later
//! A `PagingFiles` token from any units: nothing, an error, or sizes that the kernel takes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;
use pagefile::sizing::{CAP, NARROW_CAP, sizes};
use pagefile::token::{self, Descriptor};

fuzz_target!(|data: &[u8]| {
    let units: Vec<u16> = data
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let (token, current) = (
        UnicodeStr(&units),
        nt::path::CurrentDirectory(nt::wide!("C:\\ReactOS")),
    );
    let mut descriptor = Descriptor::default();
    if let Some(Ok(())) = token::parse(token, current, &mut descriptor) {
        assert_eq!(descriptor.name.as_str().units()[5], u16::from(b':'));
        let memory = Some(u64::try_from(data.len()).unwrap() << 32);
        for cap in [CAP, NARROW_CAP] {
            let sizes = sizes(descriptor.size, memory, cap);
            assert!(sizes.minimum <= sizes.maximum && sizes.maximum <= cap);
        }
    }
});
