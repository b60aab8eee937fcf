// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel says of handles that came from outside (spec 10.5, 10.7).
//!
//! A number in a message may be any handle of smss's own, a pseudo handle, or none. It is used only
//! after the kernel has said that it is what it must be, and closed only if it was given to smss.

use nt::access::Access;
use nt::system::{System, UserProcessInformation};
use nt::{Handle, Owned, Result, Status, Word};

/// `INVALID_HANDLE` for a pseudo-handle, which names the process that uses it (here smss), and for null.
const fn ordinary(handle: Handle) -> Result<Handle> {
    if handle.0.cast_signed() > 0 {
        Ok(handle)
    } else {
        Err(Status::INVALID_HANDLE)
    }
}

/// The object that `handle` names in `process`, which was opened for that, under a handle of smss's own.
#[inline(never)]
pub(crate) fn take<S: System>(
    system: S,
    process: Handle,
    handle: Word,
    access: Access,
) -> Result<Owned<S>> {
    let handle = ordinary(Handle(handle))?;
    let own = system.duplicate(process, handle, Handle::CURRENT_PROCESS, access)?;
    Ok(Owned::new(system, own))
}

/// Puts into `told` whose handles it has: the process id of the process's parent. `INVALID_PARAMETER` unless
/// the thread is one of the process; what the kernel says if they are not a process and a thread at all.
#[inline(never)]
pub(crate) fn name<S: System>(system: S, told: &mut UserProcessInformation) -> Result<Word> {
    let basic = system.query_exit(ordinary(Handle(told.process))?)?;
    told.client = system.query_thread(ordinary(Handle(told.thread))?)?;
    if told.client.process != basic.process {
        return Err(Status::INVALID_PARAMETER);
    }
    Ok(basic.parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_pseudo_handles_are_not_ordinary_ones() {
        for handle in [Handle::NULL, Handle::CURRENT_PROCESS, Handle(Word::MAX - 1)] {
            assert_eq!(ordinary(handle), Err(Status::INVALID_HANDLE));
        }
        assert_eq!(ordinary(Handle(4)), Ok(Handle(4)));
    }
}
