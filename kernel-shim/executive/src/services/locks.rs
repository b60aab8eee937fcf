// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about mutants and semaphores.

use super::call::{Built, Call, Done, built, success};
use crate::Executive;
use crate::ids::{ObjectId, ThreadId};
use crate::object::{Body, Kind};
use crate::process::{Mutant, Semaphore};
use nt::{Handle, Result, Status};

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built(
        "NtCreateMutant",
        &["mutant", "access", "@attributes", "owned"],
        create_mutant,
    ),
    built(
        "NtOpenMutant",
        &["mutant", "access", "@attributes"],
        open_mutant,
    ),
    built("NtReleaseMutant", &["mutant", "count"], release_mutant),
    built(
        "NtQueryMutant",
        &["mutant", "class", "buffer", "size", "length"],
        query_mutant,
    ),
    built(
        "NtCreateSemaphore",
        &["semaphore", "access", "@attributes", "count", "limit"],
        create_semaphore,
    ),
    built(
        "NtOpenSemaphore",
        &["semaphore", "access", "@attributes"],
        open_semaphore,
    ),
    built(
        "NtReleaseSemaphore",
        &["semaphore", "release", "count"],
        release_semaphore,
    ),
    built(
        "NtQuerySemaphore",
        &["semaphore", "class", "buffer", "size", "length"],
        query_semaphore,
    ),
];

const QUERY_STATE: u32 = 1;
const SEMAPHORE_MODIFY_STATE: u32 = 2;

impl Executive {
    fn mutant_mut(&mut self, object: ObjectId) -> Result<&mut Mutant> {
        match &mut self.object_mut(object)?.body {
            Body::Mutant(mutant) => Ok(mutant),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    fn semaphore_mut(&mut self, object: ObjectId) -> Result<&mut Semaphore> {
        match &mut self.object_mut(object)?.body {
            Body::Semaphore(semaphore) => Ok(semaphore),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtReleaseMutant: its count before, 1 for a free one, less for each time it is held.
    ///
    /// # Errors
    /// `MUTANT_NOT_OWNED`; as [`Executive::resolve`].
    pub fn release_mutant(&mut self, caller: ThreadId, mutant: Handle) -> Result<i32> {
        let object = self.resolve(caller, mutant, Some(Kind::Mutant), 0)?;
        let mutant = self.mutant_mut(object)?;
        if mutant.owner != Some(caller) {
            return Err(Status::MUTANT_NOT_OWNED);
        }
        let before = 1 - i32::try_from(mutant.count).unwrap_or(i32::MAX);
        mutant.count = mutant.count.saturating_sub(1);
        if mutant.count == 0 {
            mutant.owner = None;
            self.signal(object);
        }
        Ok(before)
    }

    /// NtReleaseSemaphore: its count before.
    ///
    /// # Errors
    /// `SEMAPHORE_LIMIT_EXCEEDED`, after which nothing has changed; as [`Executive::resolve`].
    pub fn release_semaphore(
        &mut self,
        caller: ThreadId,
        semaphore: Handle,
        release: u32,
    ) -> Result<u32> {
        let object = self.resolve(
            caller,
            semaphore,
            Some(Kind::Semaphore),
            SEMAPHORE_MODIFY_STATE,
        )?;
        let semaphore = self.semaphore_mut(object)?;
        let before = semaphore.count;
        let after = before
            .checked_add(release)
            .filter(|&after| after <= semaphore.limit);
        semaphore.count = after.ok_or(Status::SEMAPHORE_LIMIT_EXCEEDED)?;
        self.signal(object);
        Ok(before)
    }
}

fn create_mutant(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    let attributes = call.attributes_or_none(call.pointer(2))?;
    let owned = call.flag(3);
    let mutant = Mutant {
        owner: owned.then_some(call.thread),
        count: owned.into(),
        abandoned: false,
    };
    let made = call.exec.create_object(
        call.thread,
        Body::Mutant(mutant),
        &attributes.view(),
        call.u32(1),
    )?;
    call.created(made)
}

fn open_mutant(call: &mut Call<'_>) -> Result<Done> {
    call.open(Kind::Mutant)
}

fn release_mutant(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(1);
    call.probe_optional::<i32>(place)?;
    let before = call.exec.release_mutant(call.thread, call.handle(0))?;
    call.write_optional(place, before)?;
    success()
}

/// The one class of both kinds of queries: eight bytes.
fn answer(
    call: &mut Call<'_>,
    kind: Kind,
    bytes: impl FnOnce(&mut Executive, ObjectId) -> Result<[u8; 8]>,
) -> Result<Done> {
    let (place, size, length) = (call.pointer(2), call.u32(3), call.pointer(4));
    if call.u32(1) != 0 {
        return Err(Status::INVALID_INFO_CLASS);
    }
    if size != 8 {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    call.probe_write(place, 8, 4)?;
    call.probe_optional::<u32>(length)?;
    let object = call
        .exec
        .resolve(call.thread, call.handle(0), Some(kind), QUERY_STATE)?;
    let bytes = bytes(call.exec, object)?;
    call.write_bytes(place, &bytes)?;
    call.write_optional(length, 8_u32)?;
    success()
}

fn query_mutant(call: &mut Call<'_>) -> Result<Done> {
    let caller = call.thread;
    answer(call, Kind::Mutant, |exec, object| {
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

fn create_semaphore(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    let (count, limit) = (call.u32(3), call.u32(4));
    if limit == 0 || limit > i32::MAX as u32 || count > limit {
        return Err(Status::INVALID_PARAMETER);
    }
    let attributes = call.attributes_or_none(call.pointer(2))?;
    let body = Body::Semaphore(Semaphore { count, limit });
    let made = call
        .exec
        .create_object(call.thread, body, &attributes.view(), call.u32(1))?;
    call.created(made)
}

fn open_semaphore(call: &mut Call<'_>) -> Result<Done> {
    call.open(Kind::Semaphore)
}

fn release_semaphore(call: &mut Call<'_>) -> Result<Done> {
    let (release, place) = (call.u32(1), call.pointer(2));
    if release == 0 || release > i32::MAX as u32 {
        return Err(Status::INVALID_PARAMETER);
    }
    call.probe_optional::<u32>(place)?;
    let before = call
        .exec
        .release_semaphore(call.thread, call.handle(0), release)?;
    call.write_optional(place, before)?;
    success()
}

fn query_semaphore(call: &mut Call<'_>) -> Result<Done> {
    answer(call, Kind::Semaphore, |exec, object| {
        let semaphore = exec.semaphore_mut(object)?;
        let ([a, b, c, d], [e, f, g, h]) =
            (semaphore.count.to_le_bytes(), semaphore.limit.to_le_bytes());
        Ok([a, b, c, d, e, f, g, h])
    })
}
