// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls that wait: for objects, for time.

use super::call::{Built, Call, Done, built};
use alloc::vec::Vec;
use nt::{Handle, Result, Status};

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built(
        "NtWaitForSingleObject",
        &["object", "alertable", "timeout"],
        wait_single,
    ),
    built(
        "NtWaitForMultipleObjects",
        &["count", "objects", "type", "alertable", "timeout"],
        wait_multiple,
    ),
    built("NtDelayExecution", &["alertable", "interval"], delay),
    built("NtYieldExecution", &[], yield_execution),
];

/// `MAXIMUM_WAIT_OBJECTS`.
const MAXIMUM_WAIT_OBJECTS: u32 = 64;

fn wait_single(call: &mut Call<'_>) -> Result<Done> {
    let timeout = call.timeout(call.pointer(2))?;
    let outcome = call
        .exec
        .wait(call.thread, &[call.handle(0)], false, timeout)?;
    call.outcome(outcome)
}

fn wait_multiple(call: &mut Call<'_>) -> Result<Done> {
    let count = call.u32(0);
    if count == 0 || count > MAXIMUM_WAIT_OBJECTS {
        return Err(Status::INVALID_PARAMETER_1);
    }
    let all = match call.u32(2) {
        0 => true,
        1 => false,
        _ => return Err(Status::INVALID_PARAMETER_3),
    };
    let timeout = call.timeout(call.pointer(4))?;
    let bytes = call.bytes(call.pointer(1), u64::from(count) * 8)?;
    let handles: Vec<Handle> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|&raw| Handle(u64::from_le_bytes(raw)))
        .collect();
    let outcome = call.exec.wait(call.thread, &handles, all, timeout)?;
    call.outcome(outcome)
}

fn delay(call: &mut Call<'_>) -> Result<Done> {
    let interval = call.read::<i64>(call.pointer(1))?;
    let outcome = call.exec.delay(call.thread, interval);
    call.outcome(outcome)
}

fn yield_execution(_call: &mut Call<'_>) -> Result<Done> {
    // Nobody else was looked for: which thread runs next is the machine's affair at the end of
    // every call.
    Ok(Done::Returns(Status::NO_YIELD_PERFORMED))
}
