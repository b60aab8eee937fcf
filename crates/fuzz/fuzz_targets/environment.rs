// SPDX-License-Identifier: GPL-2.0-or-later
//! An environment block from any units: what is copied is copied again unchanged, and so are its variables.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;
use nt::environment::{Environment, expand, valid_name};
use nt::pages::PageVec;
use test_support::Heap;

static HEAP: Heap = Heap::new(1 << 24);

fuzz_target!(|data: &[u8]| {
    let units: Vec<u16> = data.iter().take(512).map(|&byte| u16::from(byte)).collect();
    let environment = Environment::copied(&HEAP, &units).unwrap();
    let again = Environment::copied(&HEAP, environment.block()).unwrap();
    assert_eq!(environment.block(), again.block());
    assert!(environment.iter().all(|(name, _)| valid_name(name).is_ok()));
    let again = Environment::of(&HEAP, environment.iter().collect::<Vec<_>>().into_iter()).unwrap();
    assert!(again.iter().eq(environment.iter()));
    let mut expanded = PageVec::new(&HEAP);
    expand(
        UnicodeStr(&units),
        |name| environment.get(name),
        &mut expanded,
    )
    .unwrap();
});
