// SPDX-License-Identifier: GPL-2.0-or-later
//! Critical sections: RTL_CRITICAL_SECTION as its owner's memory holds it.
//!
//! `LockCount` is -1 when free and 0 when a thread has it. A thread that finds it taken gives up its
//! time slice and tries again: the sections of native programs are held for a few instructions.
//!
//! Several threads are in these routines at once, so that none of them has a reference to the whole
//! section: who owns it and whether anybody does are read and written atomically, and the depth is
//! its owner's alone.

use crate::machine::teb;
use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use nt::Status;
use nt::lock::Yield;
use spin::RelaxStrategy;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{HANDLE, NTSTATUS, ULONG};
use winapi::um::winnt::RTL_CRITICAL_SECTION;

const _: () = assert!(size_of::<RTL_CRITICAL_SECTION>() == nt::by_width(0x28, 0x18));

fn this_thread() -> HANDLE {
    // SAFETY: this thread's own TEB.
    unsafe { (*teb()).ClientId }.UniqueThread.cast()
}

type Section = *mut RTL_CRITICAL_SECTION;

/// The word that decides whether anybody has it.
///
/// # Safety
/// `section` must be an initialised section that stays while the result is used.
unsafe fn lock_count<'a>(section: Section) -> &'a AtomicI32 {
    // SAFETY: the caller's promise: only the address of a field.
    let field = unsafe { &raw mut (*section).LockCount };
    // SAFETY: aligned as a field of an aligned structure, and changed by these routines alone, which
    // do it atomically.
    unsafe { AtomicI32::from_ptr(field) }
}

/// The thread that has it. Only the thread itself writes its id here and takes it out, so that
/// whoever reads its own id has the section.
///
/// # Safety
/// As for [`lock_count`].
unsafe fn owner<'a>(section: Section) -> &'a AtomicPtr<c_void> {
    // SAFETY: the caller's promise: only the address of a field.
    let field = unsafe { &raw mut (*section).OwningThread };
    // SAFETY: aligned as a field of an aligned structure, and changed by these routines alone, which
    // do it atomically.
    unsafe { AtomicPtr::from_ptr(field) }
}

/// Takes the section if nobody else has it: whether this thread has it now.
///
/// # Safety
/// As for [`lock_count`].
unsafe fn try_enter(section: Section) -> bool {
    let thread = this_thread();
    // SAFETY: the caller's promise.
    let (count, owner) = (unsafe { lock_count(section) }, unsafe { owner(section) });
    let again = owner.load(Ordering::Relaxed) == thread;
    if !again {
        if count
            .compare_exchange(-1, 0, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        owner.store(thread, Ordering::Relaxed);
    }
    // SAFETY: a field that its owner alone reads and writes, which this thread is.
    let depth = unsafe { &mut (*section).RecursionCount };
    *depth = if again { *depth + 1 } else { 1 };
    true
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlInitializeCriticalSection(section: Section) -> NTSTATUS {
    // SAFETY: the caller's new section, which nobody else uses yet.
    unsafe {
        section.write(RTL_CRITICAL_SECTION {
            DebugInfo: core::ptr::null_mut(),
            LockCount: -1,
            RecursionCount: 0,
            OwningThread: core::ptr::null_mut(),
            LockSemaphore: core::ptr::null_mut(),
            SpinCount: 0,
        });
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlInitializeCriticalSectionAndSpinCount(
    section: Section,
    _spins: ULONG,
) -> NTSTATUS {
    // SAFETY: the caller's promise.
    unsafe { RtlInitializeCriticalSection(section) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlEnterCriticalSection(section: Section) -> NTSTATUS {
    // SAFETY: the caller's section, which it has initialised and keeps for the call.
    while !unsafe { try_enter(section) } {
        Yield::relax();
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlTryEnterCriticalSection(section: Section) -> u8 {
    // SAFETY: the caller's section, which it has initialised and keeps for the call.
    u8::from(unsafe { try_enter(section) })
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlLeaveCriticalSection(section: Section) -> NTSTATUS {
    // SAFETY: the caller's section, which it has initialised and keeps for the call.
    let (count, owner) = (unsafe { lock_count(section) }, unsafe { owner(section) });
    if owner.load(Ordering::Relaxed) != this_thread() {
        return Status::INVALID_PARAMETER.code().cast_signed();
    }
    // SAFETY: a field that its owner alone reads and writes, which this thread is.
    let depth = unsafe { &mut (*section).RecursionCount };
    *depth -= 1;
    if *depth == 0 {
        owner.store(core::ptr::null_mut(), Ordering::Relaxed);
        count.store(-1, Ordering::Release);
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlDeleteCriticalSection(section: Section) -> NTSTATUS {
    // SAFETY: the caller is done with its section.
    unsafe { RtlInitializeCriticalSection(section) }
}
