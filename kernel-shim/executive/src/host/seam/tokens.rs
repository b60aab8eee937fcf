// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, access tokens.

use super::{Seam, nothing, number};
use crate::se::Sid;
use crate::se::token::{self, NewToken, TokenGroup};
use alloc::vec::Vec;
use nt::access::Access;
use nt::system::{Tokens, User};
use nt::{Handle, ObjectAttributes, Result, Status};

impl Tokens for &'static Seam {
    fn create_token(self, user: &User<'_>) -> Result<Handle> {
        if user.groups.len() > Self::MOST || user.privileges.len() > Self::MOST {
            return Err(Status::INVALID_PARAMETER);
        }
        self.call("NtCreateToken", nothing, |executive, thread| {
            executive.token_of(thread)?.demand(token::CREATE_TOKEN)?;
            let sid = Sid::parse(&user.sid.bytes())?;
            let mut groups = Vec::new();
            for group in user.groups {
                groups.push(TokenGroup {
                    sid: Sid::parse(&group.bytes())?,
                    attributes: token::GROUP_MANDATORY,
                });
            }
            let enabled = |&privilege| {
                let attributes = token::ENABLED | token::ENABLED_BY_DEFAULT;
                (u64::from(privilege as u32), attributes)
            };
            let new = NewToken {
                user: sid.clone(),
                groups,
                privileges: user.privileges.iter().map(enabled).collect(),
                owner: None,
                primary_group: sid,
                default_dacl: None,
                logon: token::SYSTEM_LOGON.into(),
                impersonation: None,
            };
            let none = ObjectAttributes::unnamed();
            executive.create_token(thread, new, &none, Access::TOKEN_ALL)
        })
    }

    fn set_token(self, process: Handle, token: Handle) -> Result<()> {
        self.call(
            "NtSetInformationProcess",
            || number("token", token.0),
            |executive, thread| executive.set_primary_token(thread, process, token),
        )
    }
}
