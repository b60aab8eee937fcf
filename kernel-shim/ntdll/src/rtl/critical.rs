// SPDX-License-Identifier: GPL-2.0-or-later
//! Critical sections: RTL_CRITICAL_SECTION as its owner's memory holds it.
//!
//! `LockCount` is -1 when free and counts every thread that has it or wants it. A thread that finds
//! it taken gives up its time slice and tries again: the sections of native programs are held for a
//! few instructions.

use crate::support::teb;
use core::sync::atomic::{AtomicI32, Ordering};
use nt::Status;
use nt::lock::Yield;
use spin::RelaxStrategy;
use winapi::shared::ntdef::{HANDLE, NTSTATUS, ULONG};
use winapi::um::winnt::RTL_CRITICAL_SECTION;

const _: () = assert!(size_of::<RTL_CRITICAL_SECTION>() == 0x28);

fn this_thread() -> HANDLE {
    // SAFETY: this thread's own TEB.
    unsafe { (*teb()).ClientId }.UniqueThread.cast()
}

/// The word that decides who has it.
fn lock_count(section: &mut RTL_CRITICAL_SECTION) -> &AtomicI32 {
    // SAFETY: an aligned 32-bit field that everybody changes atomically.
    unsafe { AtomicI32::from_ptr(&raw mut section.LockCount) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlInitializeCriticalSection(
    section: *mut RTL_CRITICAL_SECTION,
) -> NTSTATUS {
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
    section: *mut RTL_CRITICAL_SECTION,
    _spins: ULONG,
) -> NTSTATUS {
    // SAFETY: the caller's promise.
    unsafe { RtlInitializeCriticalSection(section) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlEnterCriticalSection(section: &mut RTL_CRITICAL_SECTION) -> NTSTATUS {
    let thread = this_thread();
    if section.OwningThread != thread {
        while lock_count(section)
            .compare_exchange(-1, 0, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            Yield::relax();
        }
        section.OwningThread = thread;
        section.RecursionCount = 0;
    }
    section.RecursionCount += 1;
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlTryEnterCriticalSection(section: &mut RTL_CRITICAL_SECTION) -> u8 {
    let thread = this_thread();
    if section.OwningThread != thread {
        if lock_count(section)
            .compare_exchange(-1, 0, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return 0;
        }
        section.OwningThread = thread;
        section.RecursionCount = 0;
    }
    section.RecursionCount += 1;
    1
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlLeaveCriticalSection(section: &mut RTL_CRITICAL_SECTION) -> NTSTATUS {
    if section.OwningThread != this_thread() {
        return Status::INVALID_PARAMETER.0.cast_signed();
    }
    section.RecursionCount -= 1;
    if section.RecursionCount == 0 {
        section.OwningThread = core::ptr::null_mut();
        lock_count(section).store(-1, Ordering::Release);
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlDeleteCriticalSection(section: *mut RTL_CRITICAL_SECTION) -> NTSTATUS {
    // SAFETY: the caller is done with its section.
    unsafe { RtlInitializeCriticalSection(section) }
}
