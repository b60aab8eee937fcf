// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, access tokens.

use crate::Native;
use crate::convert::{done, handle, raw};
use crate::imports::{NtCreateToken, NtSetInformationProcess};
use nt::security::Sid;
use nt::system::{Privilege, Tokens, User};
use nt::{Handle, Result, Status};
use ntapi::ntpsapi::{PROCESS_ACCESS_TOKEN, ProcessAccessToken};
use winapi::shared::ntdef::LUID;
use winapi::um::winnt::{
    LUID_AND_ATTRIBUTES, SE_GROUP_ENABLED, SE_GROUP_ENABLED_BY_DEFAULT, SE_GROUP_MANDATORY,
    SE_PRIVILEGE_ENABLED, SE_PRIVILEGE_ENABLED_BY_DEFAULT, SID_AND_ATTRIBUTES, TOKEN_ALL_ACCESS,
    TOKEN_PRIMARY_GROUP, TOKEN_SOURCE, TOKEN_USER, TokenPrimary,
};

/// SYSTEM_LUID: the logon session that the kernel makes.
const SYSTEM_LOGON: u32 = 0x3E7;
/// A time that no clock reaches.
const NEVER: i64 = i64::MAX;
/// A SID as the kernel wants it aligned.
#[repr(align(4))]
struct Bytes([u8; Sid::SIZE]);

/// TOKEN_GROUPS, with room for as many as the seam promises.
#[repr(C)]
struct Groups {
    count: u32,
    list: [SID_AND_ATTRIBUTES; Native::MOST],
}

/// TOKEN_PRIVILEGES, likewise.
#[repr(C)]
struct Privileges {
    count: u32,
    list: [LUID_AND_ATTRIBUTES; Native::MOST],
}

/// A LUID whose high part is 0, as every one here.
const fn luid(low: u32) -> LUID {
    LUID {
        LowPart: low,
        HighPart: 0,
    }
}

/// A SID in memory with its attributes.
const fn with(sid: &Bytes, attributes: u32) -> SID_AND_ATTRIBUTES {
    SID_AND_ATTRIBUTES {
        Sid: sid.0.as_ptr().cast_mut().cast(),
        Attributes: attributes,
    }
}

impl Tokens for Native {
    fn create_token(self, user: &User<'_>) -> Result<Handle> {
        if user.groups.len() > Self::MOST || user.privileges.len() > Self::MOST {
            return Err(Status::INVALID_PARAMETER);
        }
        let sid = Bytes(user.sid.bytes());
        let sids: [Bytes; Self::MOST] = core::array::from_fn(|index| {
            Bytes(user.groups.get(index).unwrap_or(&user.sid).bytes())
        });
        let mut groups = Groups {
            count: user.groups.len() as u32,
            list: core::array::from_fn(|index| {
                let mandatory = SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED;
                with(&sids[index], mandatory)
            }),
        };
        let mut privileges = Privileges {
            count: user.privileges.len() as u32,
            list: core::array::from_fn(|index| LUID_AND_ATTRIBUTES {
                Luid: luid(
                    user.privileges
                        .get(index)
                        .map_or(0, |&held: &Privilege| held as u32),
                ),
                Attributes: SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_ENABLED_BY_DEFAULT,
            }),
        };
        let mut owner = TOKEN_USER {
            User: with(&sid, 0),
        };
        let mut primary_group = TOKEN_PRIMARY_GROUP {
            PrimaryGroup: owner.User.Sid,
        };
        let mut source = TOKEN_SOURCE {
            SourceName: [0; 8],
            SourceIdentifier: luid(0),
        };
        let mut logon = luid(SYSTEM_LOGON);
        let mut expires = NEVER;
        let mut token = core::ptr::null_mut();
        // SAFETY: every argument is a live local, and so are the SIDs that they point to; the two
        // lists have at least as many entries as they say; nothing but the handle is written.
        done(unsafe {
            NtCreateToken(
                &raw mut token,
                TOKEN_ALL_ACCESS,
                core::ptr::null_mut(),
                TokenPrimary,
                &raw mut logon,
                (&raw mut expires).cast(),
                &raw mut owner,
                (&raw mut groups).cast(),
                (&raw mut privileges).cast(),
                core::ptr::null_mut(),
                &raw mut primary_group,
                core::ptr::null_mut(),
                &raw mut source,
            )
        })?;
        Ok(handle(token))
    }

    fn set_token(self, process: Handle, token: Handle) -> Result<()> {
        let mut access = PROCESS_ACCESS_TOKEN {
            Token: raw(token),
            Thread: core::ptr::null_mut(),
        };
        // SAFETY: the structure is a live local of the size that is said.
        done(unsafe {
            NtSetInformationProcess(
                raw(process),
                ProcessAccessToken,
                (&raw mut access).cast(),
                size_of::<PROCESS_ACCESS_TOKEN>() as u32,
            )
        })
    }
}
