// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, memory shared through a port.

use super::ports::event;
use super::{Seam, name, number};
use crate::Completion;
use crate::system::ports::ConnectRequest;
use abi::memory::PAGE_READWRITE;
use nt::access::Access;
use nt::system::PortViews;
use nt::{Handle, ObjectAttributes, Result, UnicodeStr};

/// `SEC_COMMIT`.
const SEC_COMMIT: u32 = 0x0800_0000;

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
        port: UnicodeStr<'_>,
        section: Handle,
        bytes: u32,
    ) -> Result<Handle> {
        self.wait_call(
            "NtConnectPort",
            || name("name", port),
            |executive, thread| {
                let view = executive.map_client_view(thread, section, 0, bytes.into())?;
                let request = ConnectRequest {
                    name: port.units(),
                    server: None,
                    information: &[],
                    view: Some(view),
                };
                let asked = executive.connect_port(thread, &request);
                if asked.is_err() {
                    let process = executive.thread(thread)?.process;
                    executive.unmap_client_view(process, view);
                }
                asked.map(|()| Completion::Pending)
            },
            |executive, thread, status| {
                let event = event(executive, thread, status)?;
                executive.finish_connect(thread, event).handle
            },
        )
    }
}
