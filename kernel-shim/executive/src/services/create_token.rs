// SPDX-License-Identifier: GPL-2.0-or-later
//! NtCreateToken: who a process may be is taken out of the caller's memory, all of it, before
//! anything is made.

use super::argument::{UserAttributes, services};
use super::call::{Call, Done};
use super::layout::{LuidAndAttributes, SidAndAttributes, Word};
use super::tokens::{MOST_PRIVILEGES, quality};
use super::user::{User, UserPtr, UserSlice};
use crate::se::token::{self, NewToken, TokenGroup};
use crate::se::{Sid, acl};
use alloc::vec::Vec;
use nt::access::Access;
use nt::{Result, Status};

services! {
    NtCreateToken(
        token: UserPtr<Word>, access: Access, attributes: UserAttributes, r#type: u32,
        logon: UserPtr<[u32; 2]>, expires: UserPtr<i64>, user: UserPtr<SidAndAttributes>,
        groups: UserPtr<u32>, privileges: UserPtr<u32>, owner: UserPtr<Word>,
        primary_group: UserPtr<Word>, default_dacl: UserPtr<Word>, source: UserPtr<[u32; 4]>
    ) => create_token;
}

/// A token with more groups than this is refused.
const MOST_GROUPS: u32 = 0x1000;

fn create_token(call: &mut Call<'_>, args: NtCreateToken) -> Result<Done> {
    call.probe(args.token)?;
    let attributes = call.attributes_or_none(args.attributes)?;
    // NT looks at a level that is not there, and takes the fault for the caller's.
    let level = if args.attributes.is_null() {
        0
    } else {
        quality(call, args.attributes)?
            .ok_or(Status::ACCESS_VIOLATION)?
            .level
    };
    let [low, high] = call.read_aligned(args.logon, 4)?;
    // Neither is kept: no token expires here, and nobody asks who has made one.
    call.read_aligned(args.expires, 4)?;
    call.read_aligned(args.source, 4)?;
    if !matches!(args.r#type, 1 | 2) {
        return Err(Status::BAD_TOKEN_TYPE);
    }
    call.demand(token::CREATE_TOKEN)?;
    if level > 3 {
        return Err(Status::BAD_IMPERSONATION_LEVEL);
    }
    let user = call.read_aligned(args.user, 4)?;
    let new = NewToken {
        user: sid(call, user.sid)?,
        groups: groups(call, args.groups)?,
        privileges: privileges(call, args.privileges)?,
        owner: match args.owner.optional() {
            Some(place) => Some(sid_behind(call, place)?),
            None => None,
        },
        primary_group: sid_behind(call, args.primary_group)?,
        default_dacl: default_dacl(call, args.default_dacl)?,
        logon: u64::from(high) << 32 | u64::from(low),
        impersonation: (args.r#type == 2).then_some(level),
    };
    let handle = call
        .exec
        .create_token(call.thread, new, &attributes.view(), args.access)?;
    call.give(args.token, handle)
}

fn sid(call: &mut Call<'_>, at: u64) -> Result<Sid> {
    Sid::parse(&User(&mut call.memory()).sid(UserPtr::new(at))?)
}

/// The SID of a structure that is a pointer to one: TOKEN_OWNER, TOKEN_PRIMARY_GROUP.
fn sid_behind(call: &mut Call<'_>, place: UserPtr<Word>) -> Result<Sid> {
    let Word(at) = call.read_aligned(place, 4)?;
    sid(call, at)
}

/// TOKEN_GROUPS: their number, and an array aligned as its pointers are.
fn groups(call: &mut Call<'_>, place: UserPtr<u32>) -> Result<Vec<TokenGroup>> {
    let count = call.read_aligned(place, 4)?;
    if count > MOST_GROUPS {
        return Err(Status::INVALID_PARAMETER);
    }
    let behind = call.size_of::<Word>() as u64;
    let list: UserSlice<SidAndAttributes> = UserSlice {
        pointer: place.at(behind)?,
        count,
    };
    let list = call.slice(list, 4)?;
    list.into_iter()
        .map(|group| {
            Ok(TokenGroup {
                sid: sid(call, group.sid)?,
                attributes: group.attributes,
            })
        })
        .collect()
}

/// TOKEN_PRIVILEGES, as `(LUID, attributes)`.
fn privileges(call: &mut Call<'_>, place: UserPtr<u32>) -> Result<Vec<(u64, u32)>> {
    let count = call.read_aligned(place, 4)?;
    if count > MOST_PRIVILEGES {
        return Err(Status::INVALID_PARAMETER);
    }
    let list: UserSlice<LuidAndAttributes> = UserSlice {
        pointer: place.at(4)?,
        count,
    };
    let list = call.slice(list, 4)?;
    let whole = |LuidAndAttributes {
                     luid: [low, high],
                     attributes,
                 }| { (u64::from(high) << 32 | u64::from(low), attributes) };
    Ok(list.into_iter().map(whole).collect())
}

/// TOKEN_DEFAULT_DACL: neither it nor what it points to must be there.
fn default_dacl(call: &mut Call<'_>, place: UserPtr<Word>) -> Result<Option<Vec<acl::Ace>>> {
    let Some(place) = place.optional() else {
        return Ok(None);
    };
    let Word(at) = call.read_aligned(place, 4)?;
    match UserPtr::new(at).optional() {
        Some(at) => acl::parse_acl(&User(&mut call.memory()).acl(at)?).map(Some),
        None => Ok(None),
    }
}
