// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, memory shared through a port.

use super::{Seam, number, ports};
use crate::mm::SEC_COMMIT;
use crate::system::ports::OfferedView;
use abi::memory::PAGE_READWRITE;
use nt::access::Access;
use nt::system::PortViews;
use nt::{Handle, ObjectAttributes, Result, UnicodeStr};

impl PortViews for &'static Seam {
    fn create_shared_section(self, bytes: u32) -> Result<Handle> {
        self.call(
            "NtCreateSection",
            || number("size", bytes),
            |executive, thread| {
                let made = executive.create_section(
                    thread,
                    &ObjectAttributes::unnamed(),
                    Access::SECTION_ALL,
                    bytes.into(),
                    PAGE_READWRITE,
                    SEC_COMMIT,
                    Handle::NULL,
                )?;
                Ok(made.handle)
            },
        )
    }

    fn connect_with_view(
        self,
        name: UnicodeStr<'_>,
        section: Handle,
        bytes: u32,
    ) -> Result<Handle> {
        let offered = OfferedView {
            section,
            offset: 0,
            size: bytes.into(),
        };
        ports::connect(self, name, &[], Some(offered)).map(|(port, _)| port)
    }
}
