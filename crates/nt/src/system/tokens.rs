// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, access tokens: for a program that starts others as another user. A session manager never
//! does, so that this is no part of [`System`](super::System).

use super::Privilege;
use crate::security::Sid;
use crate::{Handle, Result};

/// Who a process is to be, in the system's logon session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User<'a> {
    /// The user, who owns what the process makes.
    pub sid: Sid,
    /// The groups, each mandatory.
    pub groups: &'a [Sid],
    /// The privileges, each enabled.
    pub privileges: &'a [Privilege],
}

/// Requests about access tokens.
pub trait Tokens: Copy {
    /// The most groups, and the most privileges, that an implementation takes.
    const MOST: usize = 8;

    /// NtCreateToken: a primary token that never expires.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeCreateToken; `INVALID_PARAMETER` for more groups or privileges
    /// than [`Tokens::MOST`].
    fn create_token(self, user: &User<'_>) -> Result<Handle>;

    /// NtSetInformationProcess, ProcessAccessToken: what the process acts with.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeAssignPrimaryToken.
    fn set_token(self, process: Handle, token: Handle) -> Result<()>;
}
