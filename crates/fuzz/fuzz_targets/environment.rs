// SPDX-License-Identifier: GPL-2.0-or-later
//! An environment block from any units: what is copied is copied again unchanged, and so are its variables.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt::access::Access;
use nt::environment::{Environment, expand, valid_name};
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

    fn create_image_section(
        &self,
        _: &ObjectAttributes<'_>,
        _: Access,
        _: Handle,
    ) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn map_view(&self, _: Handle) -> Result<Vec<u8>> {
        Err(Status::NOT_SUPPORTED)
    }
}

fuzz_target!(|data: &[u8]| {
    let units: Vec<u16> = data.iter().take(512).map(|&byte| u16::from(byte)).collect();
    let environment = Environment::copied(&Heap, &units).unwrap();
    let again = Environment::copied(&Heap, environment.block()).unwrap();
    assert_eq!(environment.block(), again.block());
    assert!(environment.iter().all(|(name, _)| valid_name(name).is_ok()));
    let again = Environment::of(&Heap, environment.iter().collect::<Vec<_>>().into_iter()).unwrap();
    assert!(again.iter().eq(environment.iter()));
    let mut expanded = PageVec::new(&Heap);
    expand(
        UnicodeStr(&units),
        |name| environment.get(name),
        &mut expanded,
    )
    .unwrap();
});
