// SPDX-License-Identifier: GPL-2.0-or-later
//! Threads: a stack, a first context, NtCreateThread; and the lock of the PEB.

use crate::machine::{FREE_STACK_ON_TERMINATION, first_context, teb};
use crate::support::{
    CURRENT_PROCESS, CURRENT_THREAD, GRANULARITY, PAGE, done, peb, status, unnamed,
};
use core::sync::atomic::{AtomicUsize, Ordering};
use nt::Status;
use nt::lock::Yield;
use ntapi::ntapi_base::CLIENT_ID;
use ntapi::ntmmapi::{NtAllocateVirtualMemory, NtFreeVirtualMemory, NtProtectVirtualMemory};
use ntapi::ntpsapi::{INITIAL_TEB, INITIAL_TEB_OldInitialTeb, NtCreateThread, NtTerminateThread};
use spin::RelaxStrategy;
use winapi::ctypes::c_void;
use winapi::shared::basetsd::SIZE_T;
use winapi::shared::ntdef::{BOOLEAN, HANDLE, NTSTATUS, ULONG};
use winapi::um::winnt::{
    CONTEXT, MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_GUARD, PAGE_READWRITE, THREAD_ALL_ACCESS,
};

/// A thread's stack in some process, freed again if it is not used.
struct Stack {
    process: HANDLE,
    allocated: *mut c_void,
    base: *mut c_void,
    limit: *mut c_void,
}

impl Stack {
    /// Reserves `reserve` bytes and commits `commit` of them at the upper end, with a guard page
    /// below.
    fn new(
        process: HANDLE,
        zero_bits: ULONG,
        reserve: SIZE_T,
        commit: SIZE_T,
    ) -> Result<Self, Status> {
        let commit = commit
            .max(1)
            .checked_next_multiple_of(PAGE)
            .ok_or(Status::NO_MEMORY)?;
        // A reservation that the commitment fills has no room for the guard.
        let reserve = if commit >= reserve {
            commit
                .checked_next_multiple_of(0x10_0000)
                .ok_or(Status::NO_MEMORY)?
        } else {
            reserve
        };
        let mut size = reserve
            .checked_next_multiple_of(GRANULARITY)
            .ok_or(Status::NO_MEMORY)?;
        let mut allocated = core::ptr::null_mut();
        // SAFETY: a new reservation; both out-pointers are live locals.
        done(unsafe {
            NtAllocateVirtualMemory(
                process,
                &raw mut allocated,
                zero_bits as usize,
                &raw mut size,
                MEM_RESERVE,
                PAGE_READWRITE,
            )
        })?;
        let base = allocated.wrapping_byte_add(size);
        let mut stack = Self {
            process,
            allocated,
            base,
            limit: base.wrapping_byte_sub(commit),
        };
        let guard = size >= commit + PAGE;
        let mut lowest = if guard {
            stack.limit.wrapping_byte_sub(PAGE)
        } else {
            stack.limit
        };
        let mut committed = base.addr() - lowest.addr();
        // SAFETY: inside the reservation; both out-pointers are live locals.
        done(unsafe {
            NtAllocateVirtualMemory(
                process,
                &raw mut lowest,
                0,
                &raw mut committed,
                MEM_COMMIT,
                PAGE_READWRITE,
            )
        })?;
        stack.limit = lowest;
        if guard {
            let mut bytes = PAGE;
            let mut old = 0;
            // SAFETY: the lowest committed page; all three out-pointers are live locals.
            done(unsafe {
                NtProtectVirtualMemory(
                    process,
                    &raw mut lowest,
                    &raw mut bytes,
                    PAGE_READWRITE | PAGE_GUARD,
                    &raw mut old,
                )
            })?;
            stack.limit = stack.limit.wrapping_byte_add(PAGE);
        }
        Ok(stack)
    }

    fn initial_teb(&self) -> INITIAL_TEB {
        INITIAL_TEB {
            OldInitialTeb: INITIAL_TEB_OldInitialTeb {
                OldStackBase: core::ptr::null_mut(),
                OldStackLimit: core::ptr::null_mut(),
            },
            StackBase: self.base,
            StackLimit: self.limit,
            StackAllocationBase: self.allocated,
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let mut size = 0;
        // SAFETY: our own reservation, which no thread runs on.
        let _ = unsafe {
            NtFreeVirtualMemory(
                self.process,
                &raw mut self.allocated,
                &raw mut size,
                MEM_RELEASE,
            )
        };
    }
}

/// A context where NT wants one to lie; the header's type does not say so.
#[repr(C, align(16))]
struct Context(CONTEXT);

/// A new thread, as RtlCreateUserThread takes it.
pub(crate) struct NewThread {
    pub(crate) process: HANDLE,
    pub(crate) security: *mut c_void,
    pub(crate) suspended: bool,
    pub(crate) zero_bits: ULONG,
    pub(crate) reserve: SIZE_T,
    pub(crate) commit: SIZE_T,
    pub(crate) start: *mut c_void,
    pub(crate) parameter: *mut c_void,
}

impl NewThread {
    /// Makes it: its handle and its id.
    pub(crate) fn create(&self) -> Result<(HANDLE, CLIENT_ID), Status> {
        let stack = Stack::new(self.process, self.zero_bits, self.reserve, self.commit)?;
        let mut context = Context(first_context(self.start, self.parameter, stack.base));
        let mut initial = stack.initial_teb();
        let mut attributes = unnamed(self.security);
        let mut client = CLIENT_ID {
            UniqueProcess: core::ptr::null_mut(),
            UniqueThread: core::ptr::null_mut(),
        };
        let mut thread = core::ptr::null_mut();
        // SAFETY: all pointers are to live locals.
        done(unsafe {
            NtCreateThread(
                &raw mut thread,
                THREAD_ALL_ACCESS_52,
                &raw mut attributes,
                self.process,
                &raw mut client,
                &raw mut context.0,
                &raw mut initial,
                u8::from(self.suspended),
            )
        })?;
        core::mem::forget(stack);
        Ok((thread, client))
    }
}

/// THREAD_ALL_ACCESS of NT 5.2; the header's is a later one.
const THREAD_ALL_ACCESS_52: u32 = 0x001F_03FF;
const _: () = assert!(THREAD_ALL_ACCESS & THREAD_ALL_ACCESS_52 == THREAD_ALL_ACCESS_52);

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCreateUserThread(
    process: HANDLE,
    security: *mut c_void,
    suspended: BOOLEAN,
    zero_bits: ULONG,
    reserve: SIZE_T,
    commit: SIZE_T,
    start: *mut c_void,
    parameter: *mut c_void,
    thread: *mut HANDLE,
    client: *mut CLIENT_ID,
) -> NTSTATUS {
    let (mut reserve, mut commit) = (reserve, commit);
    if process == CURRENT_PROCESS {
        // SAFETY: the PEB lives as long as the process.
        let base = unsafe { (*peb()).ImageBaseAddress };
        let Some((own_reserve, own_commit)) = crate::ldr::stack_sizes(base) else {
            return status(Err(Status::INVALID_IMAGE_FORMAT));
        };
        reserve = if reserve == 0 { own_reserve } else { reserve };
        commit = if commit == 0 { own_commit } else { commit };
    } else {
        reserve = if reserve == 0 { GRANULARITY } else { reserve };
        commit = if commit == 0 { PAGE } else { commit };
    }
    let new = NewThread {
        process,
        security,
        suspended: suspended != 0,
        zero_bits,
        reserve,
        commit,
        start,
        parameter,
    };
    match new.create() {
        Ok((handle, id)) => {
            // SAFETY: null, or the caller's.
            match unsafe { thread.as_mut() } {
                Some(place) => *place = handle,
                None => drop(crate::support::Owned(handle)),
            }
            // SAFETY: null, or the caller's.
            if let Some(place) = unsafe { client.as_mut() } {
                *place = id;
            }
            0
        }
        Err(error) => status(Err(error)),
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlExitUserThread(code: NTSTATUS) -> ! {
    crate::ldr::thread_ends();
    let flag = teb().cast::<u8>().wrapping_add(FREE_STACK_ON_TERMINATION);
    // SAFETY: a byte of this thread's own TEB, which outlives it.
    unsafe { flag.write(1) };
    loop {
        // SAFETY: takes no pointer.
        let _ = unsafe { NtTerminateThread(CURRENT_THREAD, code) };
    }
}

/// A lock that its owner may take again. Never held for long, so that a waiter gives up its time
/// slice and tries again.
pub(crate) struct Recursive {
    owner: AtomicUsize,
    depth: AtomicUsize,
}

/// PEB.FastPebLock.
pub(crate) static PEB_LOCK: Recursive = Recursive {
    owner: AtomicUsize::new(0),
    depth: AtomicUsize::new(0),
};
/// The loader lock.
pub(crate) static LOADER_LOCK: Recursive = Recursive {
    owner: AtomicUsize::new(0),
    depth: AtomicUsize::new(0),
};

fn this_thread() -> usize {
    // SAFETY: this thread's own TEB.
    unsafe { (*teb()).ClientId }.UniqueThread.addr()
}

impl Recursive {
    pub(crate) fn acquire(&self) {
        let thread = this_thread();
        if self.owner.load(Ordering::Relaxed) != thread {
            while self
                .owner
                .compare_exchange(0, thread, Ordering::Acquire, Ordering::Relaxed)
                .is_err()
            {
                Yield::relax();
            }
        }
        self.depth.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn release(&self) {
        if self.owner.load(Ordering::Relaxed) == this_thread()
            && self.depth.fetch_sub(1, Ordering::Relaxed) == 1
        {
            self.owner.store(0, Ordering::Release);
        }
    }
}
