// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, memory shared through a port: for a client that offers its server some. The SM protocol has
//! no use for it, so that this is no part of [`System`](super::System).

use crate::{Handle, Result, UnicodeStr};

/// Requests about sections that connections come with.
pub trait PortViews: Copy {
    /// NtCreateSection of `bytes` bytes of private memory, to read and write.
    ///
    /// # Errors
    /// `NO_MEMORY` or what else the kernel says.
    fn create_shared_section(self, bytes: u32) -> Result<Handle>;

    /// NtConnectPort without information, with a view of the first `bytes` bytes of `section`, which is
    /// the caller's to unmap or goes with the connection. Blocks.
    ///
    /// # Errors
    /// As [`Ports::connect_port`](super::Ports::connect_port).
    fn connect_with_view(self, name: UnicodeStr<'_>, section: Handle, bytes: u32)
    -> Result<Handle>;
}
