// SPDX-License-Identifier: GPL-2.0-or-later
//! The memory side of the seam, served from the heap of the test process.
//!
//! The crate links the seam as every other user does, so that the unit tests inside `nt`, which are
//! compiled against another copy of it, cannot use it; the tests in `crates/nt/tests` can.

use nt::access::Access;
use nt::system::Memory;
use nt::{Handle, ObjectAttributes, Result, Status};
use zerocopy::IntoBytes;

/// Bytes of a page, as on every machine this runs on.
const PAGE: usize = 4096;

/// Memory of the test process, up to a limit in bytes for one allocation. There are no sections.
#[derive(Debug)]
pub struct Heap {
    limit: usize,
}

impl Heap {
    /// A heap that gives at most `limit` bytes at a time.
    pub const fn new(limit: usize) -> Self {
        Self { limit }
    }
}

/// Pages of the test process: zeroed, whole, and aligned for any [`nt::pages::Plain`] data.
#[derive(Debug)]
pub struct Pages(Box<[u64]>);

impl Pages {
    /// As many pages as hold `bytes` bytes.
    pub fn zeroed(bytes: usize) -> Self {
        let words = bytes.next_multiple_of(PAGE) / size_of::<u64>();
        Self(vec![0; words].into_boxed_slice())
    }
}

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

impl Memory for &Heap {
    type Pages = Pages;
    type View = Vec<u8>;

    fn allocate_pages(self, bytes: usize) -> Result<Pages> {
        if bytes > self.limit {
            return Err(Status::NO_MEMORY);
        }
        Ok(Pages::zeroed(bytes))
    }

    fn create_image_section(
        self,
        _: &ObjectAttributes<'_>,
        _: Access,
        _: Handle,
    ) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn map_view(self, _: Handle) -> Result<Vec<u8>> {
        Err(Status::NOT_SUPPORTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;

    #[test]
    fn pages_are_whole_zeroed_and_within_the_limit_and_sections_there_are_none() {
        let heap = Heap::new(2 * PAGE);
        let mut pages = heap.allocate_pages(PAGE + 1).unwrap();
        assert_eq!(pages.as_ref(), [0; 2 * PAGE]);
        pages.as_mut()[2 * PAGE - 1] = 1;
        assert_eq!(
            heap.allocate_pages(2 * PAGE + 1).err(),
            Some(Status::NO_MEMORY)
        );
        let name = ObjectAttributes::named(wide!("\\KnownDlls\\x.dll"));
        assert_eq!(
            heap.create_image_section(&name, Access::SECTION_ALL, Handle(4)),
            Err(Status::NOT_SUPPORTED)
        );
        assert_eq!(heap.map_view(Handle(4)), Err(Status::NOT_SUPPORTED));
    }
}
