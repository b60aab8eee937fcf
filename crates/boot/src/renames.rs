// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending file renames: what installers left to be done before anything is in use (spec 6).
//!
//! Each operation stands for itself: one that fails is reported and the next is done. The values
//! were deleted from memory when they were read, and the disk learns of it only after
//! NtInitializeRegistry: a power cut before that repeats the work. What was done in front of a
//! barrier ([`crate::barriers`]) is known from a mark ([`crate::mark`]) and not done again; what
//! was done since finds nothing to do (spec 6.4). Where the barriers cannot be found, there is one in
//! front of each operation; and what the mark needs is tried again, because a mark that is not there
//! costs contents at a power cut. When a list is done, the volumes that it has
//! touched are flushed, long before its values can be gone from the disk.
//!
//! `AllowProtectedRenames` is not asked (spec 6.6): there is no list of protected files on this
//! system to hold operations against.

use crate::barriers::barriers;
use crate::mark::{self, Mark};
use crate::pairs::{Operation, Pairs, Task};
use crate::volumes::{Touched, mark_for_check};
use nt::access::{Access, OpenOptions, Share};
use nt::failure::persist;
use nt::key::Key;
use nt::pages::PageVec;
use nt::privilege::Privileged;
use nt::system::{FileAttributes, Files, Memory, Objects, Privilege, Registry, SystemWide};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeStr, file};

const SESSION_MANAGER: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";

/// The results of the operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operations done.
    pub done: usize,
    /// Operations passed over, because they were done before the power went.
    pub repeated: usize,
    /// Operations that failed, dangling sources included.
    pub failed: usize,
    /// There is a mark, for [`forget_mark`].
    pub marked: bool,
}

/// Carries out what the two values ask for, one value after the other, in order. Each value is the
/// strings that it has.
#[inline(never)]
pub fn process_renames<'v, S, I>(system: S, values: [I; 2]) -> Summary
where
    S: Objects + Files + SystemWide + Memory,
    I: Iterator<Item = UnicodeStr<'v>> + Clone,
{
    let mut summary = Summary::default();
    let pairs = Pairs::new(&values);
    if pairs.clone().next().is_none() {
        return summary;
    }
    // Without the privilege files that SYSTEM may rename anyway are still renamed.
    let restore = Privileged::acquire(system, Privilege::Restore);
    if let Err(status) = &restore {
        nt::warn!("pending file renames: SeRestorePrivilege: {status}: without it");
    }
    let mut places = PageVec::new(system);
    let known = match barriers(system, pairs.clone(), &mut places) {
        Ok(()) => Some(places.as_slice()),
        Err(status) => {
            nt::warn!("pending file renames: {status}: each is made safe before the next");
            None
        }
    };
    let has_barriers = known.is_none_or(|places| !places.is_empty());
    let mut mark = Mark::new(system, &values);
    let mut touched = Touched::new(system);
    if has_barriers {
        summary.repeated = mark.read();
    }
    let mut all = 0;
    for operation in pairs {
        let place = all;
        all += 1;
        if place < summary.repeated {
            continue;
        }
        if known.is_none_or(|places| places.binary_search(&place).is_ok()) {
            touched.flush();
            set_mark(system, &mut mark, place);
        }
        match carry_out(system, &operation, &mut touched) {
            Ok(()) => summary.done += 1,
            Err(status) => {
                operation.report(status);
                summary.failed += 1;
            }
        }
    }
    touched.flush();
    if has_barriers {
        summary.marked = true;
        set_mark(system, &mut mark, all);
    }
    nt::info!(
        "pending file renames: {} done, {} done before, {} failed",
        summary.done,
        summary.repeated,
        summary.failed
    );
    summary
}

fn set_mark<S: Objects + Files + SystemWide>(system: S, mark: &mut Mark<S>, done: usize) {
    if let Err(status) = persist(system, &mut || mark.set(done), |_| false) {
        nt::warn!("pending file renames: mark: {status}: not safe against a power cut");
    }
}

/// Has the disk learn that the values of the list are deleted, and then deletes its mark. Hives may
/// be written by now.
pub fn forget_mark<S: Objects + Files + SystemWide + Registry>(system: S) {
    let mut forget = || {
        Key::open(system, SESSION_MANAGER, Access::KEY_READ)
            .and_then(|key| system.flush_key(key.handle()))
            .and_then(|()| mark::delete(system))
    };
    let gone = |status| status == Status::OBJECT_NAME_NOT_FOUND;
    if let Err(status) = persist(system, &mut forget, gone) {
        nt::warn!("pending file renames: mark: {status}: not deleted");
    }
}

fn open<S: Objects + Files>(system: S, name: UnicodeStr<'_>, access: Access) -> Result<Owned<S>> {
    let (name, share) = (ObjectAttributes::named(name), Share::READ | Share::WRITE);
    file::open(system, &name, access, share, OpenOptions::empty())
}

#[inline(never)]
fn carry_out<'v, S: Objects + Files>(
    system: S,
    operation: &Operation<'v>,
    touched: &mut Touched<'v, S>,
) -> Result<()> {
    let source = operation.source;
    if matches!(operation.task, Task::Dangling) {
        return Err(Status::INVALID_PARAMETER);
    }
    // A target on another volume cannot be reached.
    touched.note(source);
    let Task::Rename { target, replace } = operation.task else {
        return system.set_delete(open(system, source, Access::DELETE)?.get());
    };
    let file = open_source(system, source)?;
    rename(system, file.get(), source, target, replace)?;
    // A FAT driver may write the directory that the name has left before the one it has come to, and
    // a power cut between the two loses the file. To flush the file writes its new directory first.
    // A read-only file and a directory have no such flush; the volume's follows in any case, so that
    // a cut finds no more than one name on its way.
    let _ = system.flush_file(file.get());
    touched.flush();
    Ok(())
}

/// Opens the source of a rename such that it can be flushed, if it can be opened so: not if it is
/// read-only.
fn open_source<S: Objects + Files>(system: S, name: UnicodeStr<'_>) -> Result<Owned<S>> {
    match open(system, name, Access::DELETE | Access::FILE_APPEND_DATA) {
        Err(Status::ACCESS_DENIED | Status::SHARING_VIOLATION) => {
            open(system, name, Access::DELETE)
        }
        opened => opened,
    }
}

fn rename<S: Objects + Files>(
    system: S,
    file: Handle,
    source: UnicodeStr<'_>,
    target: UnicodeStr<'_>,
    replace: bool,
) -> Result<()> {
    if replace {
        // To replace one name of a file by another would free what both of them lead to.
        refuse_one_file(system, file, source, target)?;
    }
    let done = system.rename(file, target, replace);
    if done != Err(Status::OBJECT_NAME_COLLISION) {
        return done;
    }
    if !replace {
        refuse_one_file(system, file, source, target)?;
        return done;
    }
    // The target that exists is probably read-only.
    let old = open(system, target, Access::FILE_WRITE_ATTRIBUTES)?;
    system.set_attributes(old.get(), FileAttributes(FileAttributes::NORMAL))?;
    drop(old);
    system.rename(file, target, true)
}

/// Refuses a rename whose source and target are two names of one file: what a power cut leaves on a
/// FAT volume between the new entry and the end of the old one. Its volume is marked for its check.
///
/// # Errors
/// `FILE_CORRUPT_ERROR`.
fn refuse_one_file<S: Objects + Files>(
    system: S,
    file: Handle,
    source: UnicodeStr<'_>,
    target: UnicodeStr<'_>,
) -> Result<()> {
    if source.eq_ignore_case(target) {
        return Ok(());
    }
    let Ok(other) = open(system, target, Access::FILE_READ_ATTRIBUTES) else {
        return Ok(());
    };
    // An empty file has no clusters, and the id 0 on a FAT volume.
    let id_of = |file| system.query_file_id(file).unwrap_or(0);
    let (id, other) = (id_of(file), id_of(other.get()));
    if id == 0 || id != other {
        return Ok(());
    }
    mark_for_check(system, source);
    Err(Status::FILE_CORRUPT_ERROR)
}
