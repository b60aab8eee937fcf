// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, memory shared through a port.

use crate::Native;
use crate::convert::{counted, done, handle, raw};
use crate::imports::{NtConnectPort, NtCreateSection};
use crate::ports::QUALITY;
use nt::access::Access;
use nt::system::PortViews;
use nt::{Handle, Result, UnicodeStr};
use ntapi::ntlpcapi::PORT_VIEW;
use winapi::um::winnt::{PAGE_READWRITE, SEC_COMMIT};

impl PortViews for Native {
    fn create_shared_section(self, bytes: u32) -> Result<Handle> {
        let mut size = i64::from(bytes);
        let mut section = core::ptr::null_mut();
        // SAFETY: the out-pointer and the size are live locals; there are no attributes.
        done(unsafe {
            NtCreateSection(
                &raw mut section,
                Access::SECTION_ALL.bits(),
                core::ptr::null_mut(),
                (&raw mut size).cast(),
                PAGE_READWRITE,
                SEC_COMMIT,
                core::ptr::null_mut(),
            )
        })?;
        Ok(handle(section))
    }

    fn connect_with_view(
        self,
        name: UnicodeStr<'_>,
        section: Handle,
        bytes: u32,
    ) -> Result<Handle> {
        let mut name = counted(name)?;
        let mut quality = QUALITY;
        let mut view = PORT_VIEW {
            Length: size_of::<PORT_VIEW>() as u32,
            SectionHandle: raw(section),
            SectionOffset: 0,
            ViewSize: bytes as usize,
            ViewBase: core::ptr::null_mut(),
            ViewRemoteBase: core::ptr::null_mut(),
        };
        let mut port = core::ptr::null_mut();
        // SAFETY: the out-pointer, the name, the quality and the view are live locals, and nothing else
        // is written; nobody looks at the memory that the view shows.
        done(unsafe {
            NtConnectPort(
                &raw mut port,
                name.pointer(),
                &raw mut quality,
                &raw mut view,
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                core::ptr::null_mut(),
            )
        })?;
        Ok(handle(port))
    }
}
