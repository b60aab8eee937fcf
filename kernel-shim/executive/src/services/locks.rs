// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about mutants and semaphores.

use super::argument::{UserAttributes, services};
use super::call::{Call, Done, success};
use super::layout::Word;
use super::user::UserPtr;
use crate::Executive;
use crate::ids::ObjectId;
use crate::ke::Semaphore;
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::system::Body;
use nt::access::Access;
use nt::{Handle, Result, Status};

services! {
    NtCreateMutant(
        mutant: UserPtr<Word>, access: Access, attributes: UserAttributes, owned: bool
    ) => create_mutant;
    NtOpenMutant(mutant: UserPtr<Word>, access: Access, attributes: UserAttributes) => open_mutant;
    NtReleaseMutant(mutant: Handle, count: UserPtr<i32>) => release_mutant;
    NtQueryMutant(
        mutant: Handle, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_mutant;
    NtCreateSemaphore(
        semaphore: UserPtr<Word>, access: Access, attributes: UserAttributes, count: u32,
        limit: u32
    ) => create_semaphore;
    NtOpenSemaphore(
        semaphore: UserPtr<Word>, access: Access, attributes: UserAttributes
    ) => open_semaphore;
    NtReleaseSemaphore(semaphore: Handle, release: u32, count: UserPtr<u32>) => release_semaphore;
    NtQuerySemaphore(
        semaphore: Handle, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_semaphore;
}

/// The same bit of both kinds of locks.
const QUERY_STATE: Access = Access::MUTANT_QUERY_STATE;

fn create_mutant(call: &mut Call<'_>, args: NtCreateMutant) -> Result<Done> {
    call.probe(args.mutant)?;
    let attributes = call.attributes_or_none(args.attributes)?;
    let access = args.access;
    let made = call
        .exec
        .create_mutant(call.thread, &attributes.view(), access, args.owned)?;
    call.created(args.mutant, made)
}

fn open_mutant(call: &mut Call<'_>, args: NtOpenMutant) -> Result<Done> {
    call.open(args.mutant, args.access, args.attributes, Kind::Mutant)
}

fn release_mutant(call: &mut Call<'_>, args: NtReleaseMutant) -> Result<Done> {
    let place = args.count;
    call.probe_optional::<i32>(place)?;
    let before = call.exec.release_mutant(call.thread, args.mutant)?;
    call.write_optional(place, before)?;
    success()
}

/// NtQueryMutant and NtQuerySemaphore.
struct Query {
    object: Handle,
    class: u32,
    buffer: UserPtr,
    size: u32,
    length: UserPtr<u32>,
}

/// The one class of both kinds of queries: eight bytes.
fn answer(
    call: &mut Call<'_>,
    kind: Kind,
    query: Query,
    bytes: impl FnOnce(&mut Executive, ObjectId) -> Result<[u8; 8]>,
) -> Result<Done> {
    if query.class != 0 {
        return Err(Status::INVALID_INFO_CLASS);
    }
    if query.size != 8 {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    call.probe_write(query.buffer, 8, 4)?;
    call.probe_optional(query.length)?;
    let object = call
        .exec
        .resolve(call.thread, query.object, Some(kind), QUERY_STATE)?;
    let bytes = bytes(call.exec, object)?;
    call.write_bytes(query.buffer, &bytes)?;
    call.write_optional(query.length, 8)?;
    success()
}

fn query_mutant(call: &mut Call<'_>, args: NtQueryMutant) -> Result<Done> {
    let caller = call.thread;
    let query = Query {
        object: args.mutant,
        class: args.class,
        buffer: args.buffer,
        size: args.size,
        length: args.length,
    };
    answer(call, Kind::Mutant, query, |exec, object| {
        let mutant = exec.mutant_mut(object)?;
        let [a, b, c, d] = (1 - i32::try_from(mutant.count).unwrap_or(i32::MAX)).to_le_bytes();
        Ok([
            a,
            b,
            c,
            d,
            u8::from(mutant.owner == Some(caller)),
            mutant.abandoned.into(),
            0,
            0,
        ])
    })
}

fn create_semaphore(call: &mut Call<'_>, args: NtCreateSemaphore) -> Result<Done> {
    call.probe(args.semaphore)?;
    let (count, limit) = (args.count, args.limit);
    if limit == 0 || limit > i32::MAX as u32 || count > limit {
        return Err(Status::INVALID_PARAMETER);
    }
    let attributes = call.attributes_or_none(args.attributes)?;
    let body = Body::Semaphore(Semaphore { count, limit });
    let made = call
        .exec
        .create_object(call.thread, body, &attributes.view(), args.access)?;
    call.created(args.semaphore, made)
}

fn open_semaphore(call: &mut Call<'_>, args: NtOpenSemaphore) -> Result<Done> {
    call.open(
        args.semaphore,
        args.access,
        args.attributes,
        Kind::Semaphore,
    )
}

fn release_semaphore(call: &mut Call<'_>, args: NtReleaseSemaphore) -> Result<Done> {
    let (release, place) = (args.release, args.count);
    if release == 0 || release > i32::MAX as u32 {
        return Err(Status::INVALID_PARAMETER);
    }
    call.previous(place, |call| {
        call.exec
            .release_semaphore(call.thread, args.semaphore, release)
    })
}

fn query_semaphore(call: &mut Call<'_>, args: NtQuerySemaphore) -> Result<Done> {
    let query = Query {
        object: args.semaphore,
        class: args.class,
        buffer: args.buffer,
        size: args.size,
        length: args.length,
    };
    answer(call, Kind::Semaphore, query, |exec, object| {
        let semaphore = exec.semaphore_mut(object)?;
        let ([a, b, c, d], [e, f, g, h]) =
            (semaphore.count.to_le_bytes(), semaphore.limit.to_le_bytes());
        Ok([a, b, c, d, e, f, g, h])
    })
}
