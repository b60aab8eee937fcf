// SPDX-License-Identifier: GPL-2.0-or-later
//! How a thread waits for a lock; the way is one a process, hence a test program of its own.

use nt::lock::{self, Mutex};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;

static LOCK: Mutex<u32> = Mutex::new(0);
static YIELDED: AtomicU32 = AtomicU32::new(0);
static ENTERED: AtomicBool = AtomicBool::new(false);

#[test]
fn who_waits_spins_until_there_is_a_way_to_give_up_the_processor_and_then_takes_it() {
    let mut held = LOCK.lock();
    let (started, starts) = mpsc::channel();
    let waiter = thread::spawn(move || {
        started.send(()).unwrap();
        let mut value = LOCK.lock();
        ENTERED.store(true, Ordering::SeqCst);
        *value += 1;
    });
    starts.recv().unwrap();
    // It is on its way to the lock, or spins at it.
    (0..100).for_each(|_| thread::yield_now());
    lock::install(|| {
        YIELDED.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
    });
    lock::install(|| panic!("the first call wins"));
    while YIELDED.load(Ordering::SeqCst) < 10 {
        thread::yield_now();
    }
    assert!(!ENTERED.load(Ordering::SeqCst), "nobody passes a held lock");
    *held += 1;
    drop(held);
    waiter.join().unwrap();
    assert_eq!(*LOCK.lock(), 2);
}
