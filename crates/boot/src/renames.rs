// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending file renames: what installers left to be done before anything is in use (spec 6).
//!
//! Each operation stands for itself: one that fails is reported and the next is done. Nothing is written back. The values were deleted from
//! memory when they were read, and the disk learns of it only after NtInitializeRegistry: a power cut before that repeats the work, and
//! [`crate::repetition`] sees to it that what was done already is not undone.
//!
//! `AllowProtectedRenames` is not asked (spec 6.6): there is no list of protected files on this system to hold operations against.

use crate::pairs::{Action, Operation, operations};
use crate::repetition::Plan;
use nt::access::{Access, OpenOptions, Share};
use nt::failure::{Step, judge};
use nt::object::ObjectAttributes;
use nt::system::{FileAttributes, Files, Machine, Memory, Objects, Privilege, PrivilegeHolder};
use nt::{Owned, Result, Status, UnicodeStr};

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

/// A value of pending renames.
#[derive(Clone, Copy, Debug)]
pub struct RenameList<'a, I> {
    /// All of its text.
    pub text: UnicodeStr<'a>,
    /// Its strings, pieces of the text.
    pub strings: I,
}

/// Carries out what the two values ask for, one value after the other, in order.
pub fn process_renames<'v, S, I>(system: &S, values: [Option<RenameList<'v, I>>; 2]) -> Summary
where
    S: Objects + Files + Machine + Memory,
    I: Iterator<Item = UnicodeStr<'v>> + Clone,
{
    let mut summary = Summary::default();
    let texts = values.each_ref().map(|value| value.as_ref().map_or(UnicodeStr::EMPTY, |value| value.text));
    let all = values.into_iter().flatten().flat_map(|value| operations(value.strings));
    if all.clone().next().is_none() {
        return summary;
    }
    // Without the privilege files that SYSTEM may rename anyway are still renamed.
    let had = system.adjust_privilege(Privilege::Restore, true, PrivilegeHolder::Process);
    let had = had.inspect_err(|status| nt::warn!("pending file renames: SeRestorePrivilege: {status}: without it"));
    let mut plan = Plan::new(system, texts);
    let planned = all.clone().try_for_each(|item| match item {
        Ok((source, operation)) => plan.add(source, operation.target()),
        Err(source) => plan.add(source, None),
    });
    let planned = planned.inspect_err(|status| nt::warn!("pending file renames: {status}: what was done before is not looked for"));
    plan.finish();
    for (index, item) in (0u32..).zip(all) {
        let done_before = || planned.is_ok() && plan.done_before(index, |name| is_missing(system, name));
        if one(system, item.map(|(_, operation)| operation), &mut summary, done_before) {
            plan.note(index);
        }
    }
    if had == Ok(false)
        && let Err(status) = system.adjust_privilege(Privilege::Restore, false, PrivilegeHolder::Process)
    {
        nt::warn!("pending file renames: SeRestorePrivilege: {status}: stays on");
    }
    nt::info!("pending file renames: {} done, {} done before, {} failed", summary.done, summary.repeated, summary.failed);
    summary
}

/// Carries out one item, unless it was done before; whether it was carried out now.
fn one<S: Objects + Files>(
    system: &S,
    item: Result<Operation<'_>, UnicodeStr<'_>>,
    summary: &mut Summary,
    done_before: impl FnOnce() -> bool,
) -> bool {
    let operation = match item {
        Ok(operation) => operation,
        Err(source) => {
            tell(source, Status::INVALID_PARAMETER);
            summary.failed += 1;
            return false;
        }
    };
    if done_before() {
        nt::info!("pending file rename: {operation}: done before, another file has that name now");
        summary.repeated += 1;
        return false;
    }
    match carry_out(system, &operation) {
        Ok(()) => {
            summary.done += 1;
            true
        }
        Err(status) => {
            tell(operation, status);
            summary.failed += 1;
            false
        }
    }
}

fn tell(object: impl core::fmt::Display, status: Status) {
    // The table says that this never stops the boot.
    let _ = judge(Step::PendingRename, object, status);
}

fn is_missing<S: Files>(system: &S, name: UnicodeStr<'_>) -> bool {
    let answer = system.query_attributes(&ObjectAttributes::named(name));
    matches!(answer, Err(Status::OBJECT_NAME_NOT_FOUND | Status::OBJECT_PATH_NOT_FOUND | Status::NO_SUCH_FILE))
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
