// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls that wait: for objects, for time.

use super::argument::services;
use super::call::{Call, Done};
use super::layout::Word;
use super::user::{UserPtr, UserSlice};
use alloc::vec::Vec;
use nt::{Handle, Result, Status};

services! {
    NtWaitForSingleObject(object: Handle, alertable: bool, timeout: UserPtr<i64>) => wait_single;
    NtWaitForMultipleObjects(
        count: u32, objects: UserPtr<Word>, r#type: u32, alertable: bool, timeout: UserPtr<i64>
    ) => wait_multiple;
    NtDelayExecution(alertable: bool, interval: UserPtr<i64>) => delay;
    NtYieldExecution() => yield_execution;
}

/// `MAXIMUM_WAIT_OBJECTS`.
const MAXIMUM_WAIT_OBJECTS: u32 = 64;

fn wait_single(call: &mut Call<'_>, args: NtWaitForSingleObject) -> Result<Done> {
    let timeout = call.timeout(args.timeout)?;
    let outcome = call
        .exec
        .wait(call.thread, &[args.object], false, timeout)?;
    call.outcome(outcome)
}

fn wait_multiple(call: &mut Call<'_>, args: NtWaitForMultipleObjects) -> Result<Done> {
    let count = args.count;
    if count == 0 || count > MAXIMUM_WAIT_OBJECTS {
        return Err(Status::INVALID_PARAMETER_1);
    }
    let all = match args.r#type {
        0 => true,
        1 => false,
        _ => return Err(Status::INVALID_PARAMETER_3),
    };
    let timeout = call.timeout(args.timeout)?;
    let objects = UserSlice {
        pointer: args.objects,
        count,
    };
    let handles: Vec<Handle> = call
        .slice(objects, 1)?
        .into_iter()
        .map(|Word(slot)| call.handle(slot))
        .collect();
    let outcome = call.exec.wait(call.thread, &handles, all, timeout)?;
    call.outcome(outcome)
}

fn delay(call: &mut Call<'_>, args: NtDelayExecution) -> Result<Done> {
    let interval = call.read::<i64>(args.interval)?;
    let outcome = call.exec.delay(call.thread, interval);
    call.outcome(outcome)
}

fn yield_execution(_call: &mut Call<'_>, _: NtYieldExecution) -> Result<Done> {
    // Nobody else was looked for: which thread runs next is the machine's affair at the end of
    // every call.
    Ok(Done::Returns(Status::NO_YIELD_PERFORMED))
}
