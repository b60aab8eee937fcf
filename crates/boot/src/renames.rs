// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending file renames: what installers left to be done before anything is in use (spec 6).
//!
//! Each operation stands for itself: one that fails is reported and the next is done. Nothing is written back. The value was deleted from
//! memory when it was read, and the disk learns of it only after NtInitializeRegistry: a power cut before that repeats the work, and an
//! operation that was done already finds no source then and changes nothing.
//!
//! `AllowProtectedRenames` is not asked (spec 6.6): there is no list of protected files on this system to hold operations against.

use crate::pairs::{Action, Operation, operations};
use nt::access::{Access, OpenOptions, Share};
use nt::failure::{Step, judge};
use nt::object::ObjectAttributes;
use nt::system::{FileAttributes, Files, Machine, Objects, Privilege, PrivilegeHolder};
use nt::{Owned, Result, Status, UnicodeStr};

/// What came of the operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operations done.
    pub done: usize,
    /// Operations that failed, dangling sources included.
    pub failed: usize,
}

/// Carries out the operations that the strings of each value ask for, one value after the other, in order.
pub fn process_renames<'v, S: Objects + Files + Machine, I: Iterator<Item = UnicodeStr<'v>>>(
    system: &S,
    values: impl Iterator<Item = I>,
) -> Summary {
    let mut run = Run { system, restore: None, summary: Summary::default() };
    for strings in values {
        operations(strings).for_each(|operation| run.one(operation));
    }
    if let Some(Ok(false)) = run.restore {
        let _ = system.adjust_privilege(Privilege::Restore, false, PrivilegeHolder::Process);
    }
    if run.summary != Summary::default() {
        log::info!("pending file renames: {} done, {} failed", run.summary.done, run.summary.failed);
    }
    run.summary
}

struct Run<'s, S> {
    system: &'s S,
    /// SeRestore, asked for before the first operation: whether it was on before.
    restore: Option<Result<bool>>,
    summary: Summary,
}

impl<S: Objects + Files + Machine> Run<'_, S> {
    fn one(&mut self, operation: Result<Operation<'_>, UnicodeStr<'_>>) {
        let system = self.system;
        self.restore.get_or_insert_with(|| {
            // Without the privilege files that SYSTEM may delete anyway are still renamed.
            let was = system.adjust_privilege(Privilege::Restore, true, PrivilegeHolder::Process);
            was.inspect_err(|status| log::warn!("pending file renames: SeRestorePrivilege: {status}: without it"))
        });
        let done = match operation {
            Ok(operation) => carry_out(system, &operation).inspect_err(|&status| tell(operation, status)),
            Err(source) => {
                tell(source, Status::INVALID_PARAMETER);
                Err(Status::INVALID_PARAMETER)
            }
        };
        match done {
            Ok(()) => self.summary.done += 1,
            Err(_) => self.summary.failed += 1,
        }
    }
}

fn tell(object: impl core::fmt::Display, status: Status) {
    // The table says that this never stops the boot.
    let _ = judge(Step::PendingRename, object, status);
}

fn open<'s, S: Objects + Files>(system: &'s S, name: UnicodeStr<'_>, access: Access) -> Result<Owned<'s, S>> {
    let options = OpenOptions::SYNCHRONOUS_IO_NONALERT;
    let file = system.open_file(&ObjectAttributes::named(name), access | Access::SYNCHRONIZE, Share::READ | Share::WRITE, options)?;
    Ok(Owned::new(system, file))
}

fn carry_out<S: Objects + Files>(system: &S, operation: &Operation<'_>) -> Result<()> {
    let file = open(system, operation.source, Access::DELETE)?;
    match operation.action {
        Action::Delete => system.set_delete(file.get()),
        Action::Rename { target, replace } => match system.rename(file.get(), target, replace) {
            Err(Status::OBJECT_NAME_COLLISION) if replace => {
                // What stands there is read-only, as it seems.
                let old = open(system, target, Access::FILE_WRITE_ATTRIBUTES)?;
                system.set_attributes(old.get(), FileAttributes(FileAttributes::NORMAL))?;
                drop(old);
                system.rename(file.get(), target, replace)
            }
            done => done,
        },
    }
}
