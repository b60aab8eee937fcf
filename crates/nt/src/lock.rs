// SPDX-License-Identifier: GPL-2.0-or-later
//! How a thread waits for a spin lock: by giving up the processor.
//!
//! A user-mode thread that spins may spin away the very time slice in which the lock's holder would
//! have released it. The world below the seam installs its yield (`NtYieldExecution`, or the host
//! scheduler's) once at start.
//!
//! Invariant: nothing is asked of the kernel while a lock is held. On the host every lock is watched
//! (the feature `lock-points`), and a world there panics at a call that is made under one
//! ([`held_at`]).

use crate::once::{self, Installed};
#[cfg(not(feature = "lock-points"))]
pub use plain::Guard;
#[cfg(not(feature = "lock-points"))]
use plain::guard;
use spin::mutex::{SpinMutex, SpinMutexGuard};
use spin::{Once, RelaxStrategy};
#[cfg(feature = "lock-points")]
use watched::guard;
#[cfg(feature = "lock-points")]
pub use watched::{Guard, held_at};

static YIELD: Once<Installed> = Once::new();

/// Installs the world's way to give up the processor. The first call wins.
pub fn install(yield_processor: fn()) {
    once::install(&YIELD, Installed::Yield(yield_processor));
}

#[cfg(feature = "lock-points")]
static POINT: Once<Installed> = Once::new();

/// Installs what is told before each lock is taken, and where. The first call wins.
#[cfg(feature = "lock-points")]
pub fn install_point(before_lock: fn(&'static core::panic::Location<'static>)) {
    once::install(&POINT, Installed::Point(before_lock));
}

/// The relax strategy of every lock in this project.
pub struct Yield;

impl RelaxStrategy for Yield {
    #[cold]
    #[inline(never)]
    fn relax() {
        match YIELD.get() {
            Some(Installed::Yield(yield_processor)) => yield_processor(),
            _ => core::hint::spin_loop(),
        }
    }
}

/// A lock that is never held across a request to the kernel, whether it waits or not (spec 9.4).
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
    pub fn lock(&self) -> Guard<'_, T> {
        #[cfg(feature = "lock-points")]
        if let Some(Installed::Point(before_lock)) = POINT.get() {
            before_lock(core::panic::Location::caller());
        }
        guard(self.0.lock())
    }

    /// Takes the value for good, if nobody has the lock: for what one thread makes ready in its place
    /// before others see it. The lock is never free again.
    pub fn claim(&'static self) -> Option<&'static mut T> {
        self.0.try_lock().map(SpinMutexGuard::leak)
    }

    /// Takes the lock if nobody has it.
    #[cfg_attr(feature = "lock-points", track_caller)]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let value = self.0.try_lock()?;
        Some(guard(value))
    }
}

#[cfg(not(feature = "lock-points"))]
mod plain {
    use super::Yield;
    use spin::mutex::SpinMutexGuard;

    /// What a lock guards, until this is dropped.
    pub type Guard<'l, T> = SpinMutexGuard<'l, T, Yield>;

    #[inline(always)]
    pub(super) const fn guard<T>(value: Guard<'_, T>) -> Guard<'_, T> {
        value
    }
}

/// Guards that are counted, for each thread by itself.
#[cfg(feature = "lock-points")]
mod watched {
    use super::Yield;
    use core::cell::RefCell;
    use core::ops::{Deref, DerefMut};
    use core::panic::Location;
    use spin::mutex::SpinMutexGuard;
    use std::vec::Vec;

    type Place = &'static Location<'static>;

    std::thread_local! {
        /// Where this thread took the locks that it holds.
        static HELD: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
    }

    /// Where this thread took the lock that it holds, the last one if there are several; `None` if it
    /// holds none.
    pub fn held_at() -> Option<Place> {
        HELD.with_borrow(|held| held.last().copied())
    }

    /// What a lock guards, until this is dropped.
    pub struct Guard<'l, T> {
        value: SpinMutexGuard<'l, T, Yield>,
        place: Place,
    }

    #[track_caller]
    pub(super) fn guard<T>(value: SpinMutexGuard<'_, T, Yield>) -> Guard<'_, T> {
        let place = Location::caller();
        HELD.with_borrow_mut(|held| held.push(place));
        Guard { value, place }
    }

    impl<T> Drop for Guard<'_, T> {
        fn drop(&mut self) {
            HELD.with_borrow_mut(|held| {
                let last = held.iter().rposition(|place| *place == self.place);
                last.map(|index| held.remove(index))
            });
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.value
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.value
        }
    }
}
