// SPDX-License-Identifier: GPL-2.0-or-later
//! An environment block from any units: what is copied is copied again unchanged, and every variable is found by its name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt::access::Access;
use nt::environment::Environment;
use nt::pages::PageVec;
use nt::system::Memory;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use zerocopy::IntoBytes;

struct Heap;

struct Pages(Vec<u64>);

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl AsMut<[u8]> for Pages {
    fn as_mut(&mut self) -> &mut [u8] {
        self.0.as_mut_bytes()
    }
}

impl Memory for Heap {
    type Pages = Pages;
    type View = Vec<u8>;

    fn allocate_pages(&self, bytes: usize) -> Result<Pages> {
        Ok(Pages(vec![0; bytes.div_ceil(8)]))
    }

    fn create_image_section(&self, _: &ObjectAttributes<'_>, _: Access, _: Handle) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn map_view(&self, _: Handle) -> Result<Vec<u8>> {
        Err(Status::NOT_SUPPORTED)
    }
}

fuzz_target!(|data: &[u8]| {
    let units: Vec<u16> = data.iter().take(512).map(|&byte| u16::from(byte)).collect();
    let mut environment = Environment::copied(&Heap, &units).unwrap();
    let again = Environment::copied(&Heap, environment.block()).unwrap();
    assert_eq!(environment.block(), again.block());
    let middle = units.len() / 2;
    let (name, value) = (UnicodeStr(&units[..middle]), UnicodeStr(&units[middle..]));
    if environment.set(name, value).is_ok() {
        assert_eq!(environment.get(name.until_nul()), Some(value.until_nul()));
        environment.delete(name).unwrap();
    }
    let mut expanded = PageVec::new(&Heap);
    environment.expand(UnicodeStr(&units), &mut expanded).unwrap();
});
