// SPDX-License-Identifier: GPL-2.0-or-later
//! Two failing calls in one boot: what a first failure leads to may fail as well.
//!
//! The courses and what is asserted of every run are those of the sweep of single calls
//! (`faults.rs`); a hard error that is the second call ends in the bugcheck of a critical process.
//! The second call is one of those that follow the first, where whatever is undone or reported
//! comes, or one far from it.
//!
//! A plain run takes a sample of first calls; `SMSS_FAULT_STEP=1` takes every one
//! (`cargo xtask test --faults`).

use crate::faults::{BUSY, Course, DEFAULT, NT6, Reference, STATUSES, report, setting};
use std::collections::BTreeMap;

/// How far behind the first call the second one is.
const NEAR: [u64; 3] = [1, 2, 4];
/// First calls of a course in a plain run.
const SAMPLE: u64 = 5;
/// Has no divisor in common with most counts of calls.
const STRIDE: u64 = 257;

fn pairs(course: &'static Course) {
    let reference = Reference::of(course);
    let calls = reference.calls;
    let step = setting("SMSS_FAULT_STEP").unwrap_or(calls / SAMPLE);
    let (mut table, mut wrong) = (BTreeMap::new(), Vec::new());
    for first in (1..=calls).step_by(step as usize) {
        let far = 1 + first * STRIDE % calls;
        let seconds = NEAR.into_iter().map(|near| first + near).chain([far]);
        for (number, second) in seconds.enumerate().filter(|(_, second)| *second != first) {
            let status = |number: usize| STATUSES[(first as usize + number) % STATUSES.len()];
            let faults = [(first, status(0)), (second, status(number))];
            wrong.extend(reference.judge(&faults, false, &mut table));
        }
    }
    report(course, &table, &wrong);
}

#[test]
fn any_two_calls_of_a_default_boot_may_fail() {
    pairs(&DEFAULT);
}

#[test]
fn any_two_calls_of_a_boot_with_much_to_do_may_fail() {
    pairs(&BUSY);
}

#[test]
fn any_two_calls_of_an_nt_6_boot_may_fail() {
    pairs(&NT6);
}
