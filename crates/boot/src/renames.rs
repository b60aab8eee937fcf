// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending file renames: what installers left to be done before anything is in use (spec 6).
//!
//! Each operation stands for itself: one that fails is reported and the next is done. Nothing is
//! written back. The values were deleted from memory when they were read, and the disk learns of it
//! only after NtInitializeRegistry: a power cut before that repeats the work, and
//! [`crate::repetition`] sees to it that what was done already is not undone.
//!
//! `AllowProtectedRenames` is not asked (spec 6.6): there is no list of protected files on this
//! system to hold operations against.

use crate::pairs::{Operation, Pairs, RenameList};
use crate::repetition::Plan;
use nt::access::{Access, OpenOptions, Share};
use nt::failure::Skippable;
use nt::privilege::Privileged;
use nt::system::{FileAttributes, Files, Memory, Objects, Privilege, SystemWide};
use nt::{ObjectAttributes, Owned, Result, Status, UnicodeStr, file};

/// What came of the operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operations done.
    pub done: usize,
    /// Operations passed over, because they were done before the power went.
    pub repeated: usize,
    /// Operations that failed, dangling sources included.
    pub failed: usize,
}

/// Carries out what the two values ask for, one value after the other, in order.
#[inline(never)]
pub fn process_renames<S: Objects + Files + SystemWide + Memory>(
    system: &S,
    lists: [RenameList<'_>; 2],
) -> Summary {
    let mut summary = Summary::default();
    let pairs = Pairs::new(lists);
    if { pairs }.next().is_none() {
        return summary;
    }
    // Without the privilege files that SYSTEM may rename anyway are still renamed.
    let _restore = Privileged::acquire(system, Privilege::Restore).inspect_err(|status| {
        nt::warn!("pending file renames: SeRestorePrivilege: {status}: without it");
    });
    let mut plan = Plan::new(system, lists.map(|list| list.text));
    if let Err(status) = plan.read(pairs) {
        nt::warn!("pending file renames: {status}: what was done before is not looked for");
    }
    for (index, pair) in (0..).zip(pairs) {
        if pair.operation.is_some() && plan.done_before(index) {
            nt::info!("pending file rename: {pair}: done before, another file has that name now");
            summary.repeated += 1;
            continue;
        }
        match pair
            .operation
            .ok_or(Status::INVALID_PARAMETER)
            .and_then(|operation| carry_out(system, &operation))
        {
            Ok(()) => {
                plan.note(index);
                summary.done += 1;
            }
            Err(status) => {
                Skippable::PendingRename.report(pair, status);
                summary.failed += 1;
            }
        }
    }
    nt::info!(
        "pending file renames: {} done, {} done before, {} failed",
        summary.done,
        summary.repeated,
        summary.failed
    );
    summary
}

fn open<'s, S: Objects + Files>(
    system: &'s S,
    name: UnicodeStr<'_>,
    access: Access,
) -> Result<Owned<'s, S>> {
    let (name, share) = (ObjectAttributes::named(name), Share::READ | Share::WRITE);
    file::open(system, &name, access, share, OpenOptions::empty())
}

fn carry_out<S: Objects + Files>(system: &S, operation: &Operation<'_>) -> Result<()> {
    let file = open(system, operation.source, Access::DELETE)?;
    let Some(target) = operation.target else {
        return system.set_delete(file.get());
    };
    let done = system.rename(file.get(), target, operation.replace);
    if !operation.replace || done != Err(Status::OBJECT_NAME_COLLISION) {
        return done;
    }
    // What stands there is read-only, as it seems.
    let old = open(system, target, Access::FILE_WRITE_ATTRIBUTES)?;
    system.set_attributes(old.get(), FileAttributes(FileAttributes::NORMAL))?;
    drop(old);
    system.rename(file.get(), target, true)
}
