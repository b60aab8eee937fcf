// SPDX-License-Identifier: GPL-2.0-or-later
//! What NtCreateFile is asked, and what it says it did.

use nt::access::Access;
use nt::{Result, Status};

/// `FILE_DIRECTORY_FILE`.
pub const DIRECTORY_FILE: u32 = 0x1;

/// `FILE_SYNCHRONOUS_IO_ALERT` or `_NONALERT`.
pub const SYNCHRONOUS: u32 = 0x30;

/// `FILE_NON_DIRECTORY_FILE`.
pub const NON_DIRECTORY_FILE: u32 = 0x40;

/// `FILE_DELETE_ON_CLOSE`.
pub const DELETE_ON_CLOSE: u32 = 0x1000;

pub(super) const OPEN_BY_FILE_ID: u32 = 0x2000;

pub(super) const VALID_OPTIONS: u32 = 0x00FF_FFFF;

/// The kernel's own: the file is to be a paging file (`SL_OPEN_PAGING_FILE`). No caller can say so.
pub(super) const OPEN_PAGING_FILE: u32 = 0x8000_0000;

/// What to do whether or not the file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// `FILE_SUPERSEDE` 0.
    Supersede,
    /// `FILE_OPEN` 1.
    Open,
    /// `FILE_CREATE` 2.
    Create,
    /// `FILE_OPEN_IF` 3.
    OpenIf,
    /// `FILE_OVERWRITE` 4.
    Overwrite,
    /// `FILE_OVERWRITE_IF` 5.
    OverwriteIf,
}

impl Disposition {
    /// The disposition with this number. `INVALID_PARAMETER`.
    pub const fn parse(number: u32) -> Result<Self> {
        Ok(match number {
            0 => Self::Supersede,
            1 => Self::Open,
            2 => Self::Create,
            3 => Self::OpenIf,
            4 => Self::Overwrite,
            5 => Self::OverwriteIf,
            _ => return Err(Status::INVALID_PARAMETER),
        })
    }

    /// What was in the file before goes.
    pub(super) const fn replaces(self) -> bool {
        matches!(self, Self::Supersede | Self::Overwrite | Self::OverwriteIf)
    }

    /// A file that is not there is made.
    pub(super) const fn creates(self) -> bool {
        !matches!(self, Self::Open | Self::Overwrite)
    }
}

/// NtCreateFile's arguments.
#[derive(Clone, Copy, Debug)]
pub struct CreateRequest {
    /// Desired access.
    pub access: Access,
    /// `FILE_SHARE_` bits.
    pub share: u32,
    /// Create options.
    pub options: u32,
    /// What to do.
    pub disposition: Disposition,
    /// Attributes of a new file.
    pub attributes: u32,
}

/// What was done, for IO_STATUS_BLOCK.Information.
pub mod information {
    /// `FILE_SUPERSEDED`.
    pub const SUPERSEDED: u32 = 0;
    /// `FILE_OPENED`.
    pub const OPENED: u32 = 1;
    /// `FILE_CREATED`.
    pub const CREATED: u32 = 2;
    /// `FILE_OVERWRITTEN`.
    pub const OVERWRITTEN: u32 = 3;
}
