// SPDX-License-Identifier: GPL-2.0-or-later
//! Requests to the kernel that are made in more than one place, and judged the same way each time.

use crate::state::ids::ProcessId;
use nt::access::Access;
use nt::system::{Objects, System, Timeout, Wait};
use nt::text::{Part, Show};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, widened};

/// How an id that may be missing is written in the log.
struct Named(Option<ProcessId>);

impl Show for Named {
    fn part(&self) -> Part<'_> {
        Part::Number(widened(self.0.map_or(0, ProcessId::number)))
    }
}

/// Closes `handle` if it is one.
#[inline(never)]
pub(crate) fn close<S: Objects>(system: S, handle: Handle) {
    if !handle.is_null()
        && let Err(status) = system.close(handle)
    {
        nt::warn!("handle 0x{handle:x}: {status}: not closed");
    }
}

/// An event without a name, not signalled.
#[inline(never)]
pub(crate) fn new_event<S: Objects>(system: S) -> Result<Owned<S>> {
    Ok(Owned::new(
        system,
        system.create_event(&ObjectAttributes::unnamed(), Access::EVENT_ALL)?,
    ))
}

/// Ends `process`, whose id is `id`, with `status`, if there is one and it has not ended by itself. Blocks
/// for a second at most.
#[inline(never)]
pub(crate) fn terminate<S: System>(
    system: S,
    process: Handle,
    id: Option<ProcessId>,
    status: Status,
) {
    if process.is_null() {
        return;
    }
    if let Err(status) = launch::terminate(system, process, status) {
        nt::error!("process {}: {status}: not ended", Named(id));
    }
}

/// Waits until `object` is signalled; a process is when it has ended. `IO_TIMEOUT` if it is not in
/// time. Blocks.
#[inline(never)]
pub(crate) fn wait_for<S: System>(system: S, object: Handle, timeout: Timeout) -> Result<()> {
    match system.wait_one(object, timeout)? {
        Wait::Object(_) => Ok(()),
        Wait::Timeout => Err(Status::IO_TIMEOUT),
    }
}

/// Ends `process`, whose id is `id`, with `status`, and waits until it is gone, at most `milliseconds`. Nothing
/// happens without a process.
#[inline(never)]
pub(crate) fn end<S: System>(
    system: S,
    process: Handle,
    id: Option<ProcessId>,
    status: Status,
    milliseconds: u32,
) {
    if process.is_null() {
        return;
    }
    terminate(system, process, id, status);
    if let Err(status) = wait_for(system, process, Timeout::Milliseconds(milliseconds)) {
        nt::warn!("process {}: wait for its end: {status}", Named(id));
    }
}

/// Whether a port's answer to whom a message came from is that nobody waits for it any more.
#[inline(never)]
pub(crate) const fn client_is_gone(status: Status) -> bool {
    matches!(
        status,
        Status::INVALID_CID | Status::REPLY_MESSAGE_MISMATCH | Status::PORT_DISCONNECTED
    )
}
