// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about access tokens that there are; `create_token` makes new ones.

use super::argument::{UserAttributes, services};
use super::call::{Call, Done, success};
use super::layout::{LuidAndAttributes, QualityOfService, Word};
use super::user::UserPtr;
use crate::ids::ObjectId;
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::se::Sid;
use crate::se::Token;
use crate::se::acl::acl_bytes;
use crate::se::token::TokenPrivilege;
use crate::system::Body;
use alloc::boxed::Box;
use alloc::vec::Vec;
use nt::access::Access;
use nt::object::Attributes;
use nt::{Handle, Result, Status};
use zerocopy::IntoBytes;

services! {
    NtOpenProcessToken(process: Handle, access: Access, token: UserPtr<Word>) => open_process_token;
    NtOpenProcessTokenEx(
        process: Handle, access: Access, attributes: u32, token: UserPtr<Word>
    ) => open_process_token_ex;
    NtOpenThreadToken(
        thread: Handle, access: Access, as_self: bool, token: UserPtr<Word>
    ) => open_thread_token;
    NtOpenThreadTokenEx(
        thread: Handle, access: Access, as_self: bool, attributes: u32, token: UserPtr<Word>
    ) => open_thread_token_ex;
    NtAdjustPrivilegesToken(
        token: Handle, disable: bool, new: UserPtr<u32>, size: u32, previous: UserPtr,
        length: UserPtr<u32>
    ) => adjust_privileges;
    NtQueryInformationToken(
        token: Handle, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_token;
    NtDuplicateToken(
        token: Handle, access: Access, attributes: UserAttributes, effective: bool, r#type: u32,
        result: UserPtr<Word>
    ) => duplicate_token;
}

/// A list longer than the number of privileges there are is not valid.
pub(super) const MOST_PRIVILEGES: u32 = 0x400;

fn open_process_token(call: &mut Call<'_>, args: NtOpenProcessToken) -> Result<Done> {
    process_token(call, args.process, args.access, 0, args.token)
}

fn open_process_token_ex(call: &mut Call<'_>, args: NtOpenProcessTokenEx) -> Result<Done> {
    process_token(call, args.process, args.access, args.attributes, args.token)
}

fn process_token(
    call: &mut Call<'_>,
    process: Handle,
    access: Access,
    attributes: u32,
    place: UserPtr<Word>,
) -> Result<Done> {
    call.probe(place)?;
    let process =
        call.exec
            .process_behind(call.thread, process, Access::PROCESS_QUERY_INFORMATION)?;
    let token = call.exec.process(process)?.token;
    open(call, token, access, attributes, place)
}

fn open(
    call: &mut Call<'_>,
    token: ObjectId,
    access: Access,
    attributes: u32,
    place: UserPtr<Word>,
) -> Result<Done> {
    let attributes = Attributes::from_bits_retain(attributes & Attributes::INHERIT.bits());
    let handle = call
        .exec
        .open_by_id(call.thread, token, access, attributes)?;
    call.give(place, handle)
}

fn open_thread_token(call: &mut Call<'_>, args: NtOpenThreadToken) -> Result<Done> {
    thread_token(call, args.thread, args.access, 0, args.token)
}

fn open_thread_token_ex(call: &mut Call<'_>, args: NtOpenThreadTokenEx) -> Result<Done> {
    thread_token(call, args.thread, args.access, args.attributes, args.token)
}

fn thread_token(
    call: &mut Call<'_>,
    thread: Handle,
    access: Access,
    attributes: u32,
    place: UserPtr<Word>,
) -> Result<Done> {
    call.probe(place)?;
    let thread = call
        .exec
        .thread_behind(call.thread, thread, Access::THREAD_QUERY_INFORMATION)?;
    let token = call
        .exec
        .thread(thread)?
        .impersonation
        .ok_or(Status::NO_TOKEN)?;
    open(call, token, access, attributes, place)
}

fn adjust_privileges(call: &mut Call<'_>, args: NtAdjustPrivilegesToken) -> Result<Done> {
    const ENTRY: u64 = size_of::<LuidAndAttributes>() as u64;
    let (new, previous, length) = (args.new, args.previous, args.length);
    let (disable_all, size) = (args.disable, args.size);
    let mut changes = Vec::new();
    if !disable_all {
        if new.is_null() {
            return Err(Status::INVALID_PARAMETER);
        }
        let count = call.read_aligned(new, 4)?;
        if count > MOST_PRIVILEGES {
            return Err(Status::INVALID_PARAMETER);
        }
        for index in 0..u64::from(count) {
            let entry: LuidAndAttributes = call.read(new.at(4 + index * ENTRY)?)?;
            let [low, high] = entry.luid;
            changes.push((u64::from(high) << 32 | u64::from(low), entry.attributes));
        }
    }
    let mut access = Access::TOKEN_ADJUST_PRIVILEGES;
    if !previous.is_null() {
        access |= Access::TOKEN_QUERY;
        call.probe_write(previous, u64::from(size), 4)?;
        call.probe::<u32>(length)?;
    }
    let object = call
        .exec
        .resolve(call.thread, args.token, Some(Kind::Token), access)?;
    let changes = if disable_all {
        None
    } else {
        Some(changes.as_slice())
    };
    let token = call.exec.token_mut(object)?;
    if !previous.is_null() {
        let needed = 4 + token.adjust(changes, false).previous.len() as u64 * ENTRY;
        call.write(length, needed as u32)?;
        if u64::from(size) < needed {
            return Err(Status::BUFFER_TOO_SMALL);
        }
    }
    let adjusted = call.exec.token_mut(object)?.adjust(changes, true);
    if !previous.is_null() {
        call.write_bytes(previous, &privileges(&adjusted.previous))?;
    }
    Ok(Done::Returns(adjusted.status))
}

/// TOKEN_PRIVILEGES.
fn privileges(list: &[TokenPrivilege]) -> Vec<u8> {
    let mut bytes = Vec::from((list.len() as u32).to_le_bytes());
    for privilege in list {
        bytes.extend(
            LuidAndAttributes {
                luid: [privilege.privilege, 0],
                attributes: privilege.attributes,
            }
            .as_bytes(),
        );
    }
    bytes
}

/// Information whose structures point to SIDs behind them, in the caller's buffer at `place`: a
/// count if there is one, then pointers, each with attributes if they have any, in words.
fn sids(
    call: &Call<'_>,
    place: UserPtr,
    count: Option<u32>,
    list: &[(&Sid, Option<u32>)],
) -> Vec<u8> {
    let attributes = list.iter().filter(|(_, attributes)| attributes.is_some());
    let words = usize::from(count.is_some()) + list.len() + attributes.count();
    let mut at = words * call.size_of::<Word>();
    let mut heads = Vec::new();
    let mut tail = Vec::new();
    heads.extend(count.map(u64::from));
    for (sid, attributes) in list {
        heads.push(place.address().wrapping_add(at as u64));
        heads.extend(attributes.map(u64::from));
        let bytes = sid.bytes();
        at += bytes.len();
        tail.extend(bytes);
    }
    let heads = heads.into_iter().flat_map(|word| call.bytes_of(Word(word)));
    heads.chain(tail).collect()
}

fn query_token(call: &mut Call<'_>, args: NtQueryInformationToken) -> Result<Done> {
    let (place, size, length) = (args.buffer, args.size, args.length);
    call.probe_write(place, u64::from(size), 4)?;
    call.probe::<u32>(length)?;
    let object = call.exec.resolve(
        call.thread,
        args.token,
        Some(Kind::Token),
        Access::TOKEN_QUERY,
    )?;
    let Body::Token(token) = &call.exec.object(object)?.body else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    let bytes = match args.class {
        1 => sids(call, place, None, &[(&token.user, Some(0))]),
        2 => {
            let groups: Vec<_> = token
                .groups
                .iter()
                .map(|group| (&group.sid, Some(group.attributes)))
                .collect();
            sids(call, place, Some(groups.len() as u32), &groups)
        }
        3 => privileges(&token.privileges),
        4 => sids(call, place, None, &[(token.owner(), None)]),
        5 => sids(call, place, None, &[(&token.primary_group, None)]),
        6 => {
            let acl = token.default_dacl.as_ref().map(|aces| acl_bytes(aces));
            let behind = call.size_of::<Word>() as u64;
            let at = acl.as_ref().map(|_| place.address().wrapping_add(behind));
            let mut bytes = call.bytes_of(Word(at.unwrap_or(0)));
            bytes.extend(acl.unwrap_or_default());
            bytes
        }
        // TokenType: primary 1, impersonation 2.
        8 => Vec::from((1 + u32::from(token.impersonation.is_some())).to_le_bytes()),
        9 => match token.impersonation {
            Some(level) => Vec::from(level.to_le_bytes()),
            None => return Err(Status::INVALID_INFO_CLASS),
        },
        // TokenStatistics: token id, authentication id, expiration, type, level, charges, counts,
        // modified id.
        10 => {
            let id = u64::from(object.index) + 0x1000;
            let mut bytes = Vec::new();
            bytes.extend(id.to_le_bytes());
            bytes.extend(u64::from(token.logon).to_le_bytes());
            bytes.extend(u64::MAX.to_le_bytes());
            let kind = 1 + u32::from(token.impersonation.is_some());
            for word in [
                kind,
                token.impersonation.unwrap_or(0),
                0,
                0,
                token.groups.len() as u32,
                token.privileges.len() as u32,
            ] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(id.to_le_bytes());
            bytes
        }
        12 => Vec::from(token.session.to_le_bytes()),
        class => {
            log::warn!("NtQueryInformationToken: class {class} is not built");
            return Err(if class < 18 {
                Status::NOT_IMPLEMENTED
            } else {
                Status::INVALID_INFO_CLASS
            });
        }
    };
    call.write(length, bytes.len() as u32)?;
    if (size as usize) < bytes.len() {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    call.write_bytes(place, &bytes)?;
    success()
}

fn duplicate_token(call: &mut Call<'_>, args: NtDuplicateToken) -> Result<Done> {
    let place = args.result;
    call.probe(place)?;
    let attributes = call.attributes_or_none(args.attributes)?;
    let kind = args.r#type;
    let level = if args.attributes.is_null() {
        0
    } else {
        quality(call, args.attributes)?.map_or(0, |quality| quality.level)
    };
    if !matches!(kind, 1 | 2) || level > 3 {
        return Err(Status::INVALID_PARAMETER);
    }
    let object = call.exec.resolve(
        call.thread,
        args.token,
        Some(Kind::Token),
        Access::TOKEN_DUPLICATE,
    )?;
    let Body::Token(token) = &call.exec.object(object)?.body else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    let mut copy: Token = Token::clone(token);
    if kind == 2 && copy.impersonation.is_some_and(|has| has < level) {
        return Err(Status::BAD_IMPERSONATION_LEVEL);
    }
    if args.effective {
        copy.privileges
            .retain(|privilege| privilege.attributes & crate::se::token::ENABLED != 0);
    }
    copy.impersonation = (kind == 2).then_some(level);
    let access = if args.access.is_empty() {
        // No access asked for means the source handle's.
        call.exec
            .resolve_entry(call.thread, args.token, Some(Kind::Token), Access::empty())?
            .access
    } else {
        args.access
    };
    let new = call.exec.new_object(Body::Token(Box::new(copy)));
    let created = call
        .exec
        .insert_object(call.thread, new, &attributes.view(), access)?;
    call.give(place, created.handle)
}

/// The SECURITY_QUALITY_OF_SERVICE of the call's OBJECT_ATTRIBUTES.
pub(super) fn quality(
    call: &mut Call<'_>,
    attributes: UserAttributes,
) -> Result<Option<QualityOfService>> {
    let place = call.read(attributes.0)?.quality_of_service;
    match UserPtr::new(place).optional() {
        Some(place) => call.read_aligned(place, 4).map(Some),
        None => Ok(None),
    }
}
