// SPDX-License-Identifier: GPL-2.0-or-later
//! How a thread waits for a spin lock: by giving up the processor.
//!
//! A user-mode thread that spins may spin away the very time slice in which the lock's holder would
//! have released it. The world below the seam installs its yield (`NtYieldExecution`, or the host
//! scheduler's) once at start.

use spin::mutex::{SpinMutex, SpinMutexGuard};
use spin::{Once, RelaxStrategy};

static YIELD: Once<fn()> = Once::new();

/// Installs the world's way to give up the processor. The first call wins.
pub fn install(yield_processor: fn()) {
    YIELD.call_once(|| yield_processor);
}

#[cfg(feature = "lock-points")]
static POINT: Once<fn(&'static core::panic::Location<'static>)> = Once::new();

/// Installs what is told before each lock is taken, and where. The first call wins.
#[cfg(feature = "lock-points")]
pub fn install_point(before_lock: fn(&'static core::panic::Location<'static>)) {
    POINT.call_once(|| before_lock);
}

/// The relax strategy of every lock in this project.
pub struct Yield;

impl RelaxStrategy for Yield {
    #[cold]
    #[inline(never)]
    fn relax() {
        match YIELD.get() {
            Some(yield_processor) => yield_processor(),
            None => core::hint::spin_loop(),
        }
    }
}

/// A lock that is never held across a wait, an LPC call or a process creation (spec 9.4).
pub struct Mutex<T>(SpinMutex<T, Yield>);

impl<T> Mutex<T> {
    /// A lock that nobody holds.
    pub const fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    /// Waits for the lock and takes it until the guard is dropped. A call, not a loop in place of
    /// each.
    #[inline(never)]
    #[cfg_attr(feature = "lock-points", track_caller)]
    pub fn lock(&self) -> SpinMutexGuard<'_, T, Yield> {
        #[cfg(feature = "lock-points")]
        if let Some(before_lock) = POINT.get() {
            before_lock(core::panic::Location::caller());
        }
        self.0.lock()
    }

    /// Takes the lock if nobody has it.
    pub fn try_lock(&self) -> Option<SpinMutexGuard<'_, T, Yield>> {
        self.0.try_lock()
    }
}
