// SPDX-License-Identifier: GPL-2.0-or-later
//! Mutants and semaphores: how they are given back.

use super::{Body, Executive};
use crate::ids::{ObjectId, ThreadId};
use crate::ke::{Mutant, Semaphore};
use crate::ob::prelude::*;
use crate::ob::{Hooks, Kind};
use nt::access::Access;
use nt::system::Created;
use nt::{Handle, ObjectAttributes, Result, Status};

/// The hooks of mutants.
pub const MUTANT_HOOKS: Hooks<Executive> = Hooks {
    delete: Some(deleted),
    ..Hooks::NONE
};

/// A mutant that goes while it is owned is no longer its owner's to give back.
fn deleted(executive: &mut Executive, object: ObjectId, body: Body) {
    if let Body::Mutant(mutant) = body {
        executive.disown(object, mutant.owner);
    }
}

impl Executive {
    /// NtCreateMutant: `owned` by the caller from the start, if it is new.
    ///
    /// # Errors
    /// What creating a named object gives.
    pub fn create_mutant(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        owned: bool,
    ) -> Result<Created> {
        let mutant = Mutant {
            owner: owned.then_some(caller),
            count: owned.into(),
            abandoned: false,
        };
        let created = self.create_object(caller, Body::Mutant(mutant), attributes, access)?;
        if owned && !created.existed {
            let object =
                self.resolve(caller, created.handle, Some(Kind::Mutant), Access::empty())?;
            if let Ok(thread) = self.thread_mut(caller) {
                thread.mutants.insert(object);
            }
        }
        Ok(created)
    }

    fn disown(&mut self, mutant: ObjectId, owner: Option<ThreadId>) {
        if let Some(thread) = owner.and_then(|owner| self.threads.get_mut(&owner)) {
            thread.mutants.remove(&mutant);
        }
    }

    /// The mutant of an object.
    ///
    /// # Errors
    /// `OBJECT_TYPE_MISMATCH` if it is not one.
    pub(crate) fn mutant_mut(&mut self, object: ObjectId) -> Result<&mut Mutant> {
        match &mut self.object_mut(object)?.body {
            Body::Mutant(mutant) => Ok(mutant),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// The semaphore of an object.
    ///
    /// # Errors
    /// `OBJECT_TYPE_MISMATCH` if it is not one.
    pub(crate) fn semaphore_mut(&mut self, object: ObjectId) -> Result<&mut Semaphore> {
        match &mut self.object_mut(object)?.body {
            Body::Semaphore(semaphore) => Ok(semaphore),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtReleaseMutant: its count before, 1 for a free one, less for each time it is held.
    ///
    /// # Errors
    /// `MUTANT_NOT_OWNED`; as [`Lifetimes::resolve`].
    pub fn release_mutant(&mut self, caller: ThreadId, mutant: Handle) -> Result<i32> {
        let object = self.resolve(caller, mutant, Some(Kind::Mutant), Access::empty())?;
        let mutant = self.mutant_mut(object)?;
        if mutant.owner != Some(caller) {
            return Err(Status::MUTANT_NOT_OWNED);
        }
        let before = 1 - i32::try_from(mutant.count).unwrap_or(i32::MAX);
        mutant.count = mutant.count.saturating_sub(1);
        if mutant.count == 0 {
            mutant.owner = None;
            self.disown(object, Some(caller));
            self.signal(object);
        }
        Ok(before)
    }

    /// NtReleaseSemaphore: its count before.
    ///
    /// # Errors
    /// `SEMAPHORE_LIMIT_EXCEEDED`, after which nothing has changed; as [`Lifetimes::resolve`].
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
            Access::SEMAPHORE_MODIFY_STATE,
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
