// SPDX-License-Identifier: GPL-2.0-or-later
//! Creating a program in a session that is not the caller's.
//!
//! A process is born in the session of its creator and cannot be moved to another, so somebody
//! inside has to create it. NT 5.2's CreateProcessAsUser asks winlogon's exec server of that
//! session; the stand-ins ask the session's csrss, which every session has, by a request of their
//! own to its `ApiPort`. The process stays suspended and its handles become the caller's, who gives
//! it to smss with ExecPgm like one it has created itself. Only SYSTEM may connect, as the port's
//! DACL says.

use crate::processes;
use nt::access::Access;
use nt::system::{MessageBuffer, PortHeader, System, UserProcessInformation};
use nt::{Handle, Owned, Result, Status, UnicodeBuf, UnicodeStr, wide};
use sm_protocol::client;
use sm_protocol::sb::SB_PORT_LIMITS;
use sm_protocol::{ApiHeader, ApiMessage, Request, counted};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Units of a command line: a message of `ApiPort` holds no more.
const COMMAND_UNITS: usize = 116;

/// The request. Over the same bytes the answer: the process as RTL_USER_PROCESS_INFORMATION, its
/// handles valid in the caller.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Create {
    /// Bytes of `command`.
    length: u32,
    /// Alignment.
    padding: u32,
    /// Command line, counted.
    command: [u16; COMMAND_UNITS],
}

const _: () = assert!(
    size_of::<PortHeader>() + size_of::<ApiHeader>() + size_of::<Create>()
        == SB_PORT_LIMITS.message as usize
);
const _: () = assert!(size_of::<UserProcessInformation>() <= size_of::<Create>());

impl Request for Create {
    const NUMBER: u32 = 0x100;
}

/// Has the server of `session` create the program that `command` names. Both handles belong to the
/// caller.
///
/// # Errors
/// `OBJECT_PATH_NOT_FOUND` or `OBJECT_NAME_NOT_FOUND` if there is no such session; `NAME_TOO_LONG`;
/// what creating it gives.
pub fn create<S: System>(
    system: S,
    session: u32,
    command: UnicodeStr<'_>,
) -> Result<UserProcessInformation> {
    let mut request = Create::new_zeroed();
    request
        .command
        .get_mut(..command.len())
        .ok_or(Status::NAME_TOO_LONG)?
        .copy_from_slice(command.units());
    // Fits: it is no longer than the field.
    request.length = command.byte_len() as u32;
    let mut name = UnicodeBuf::<64>::new();
    if session != 0 {
        name.push_text(nt::text!("\\Sessions\\{session}"))?;
    }
    name.push(wide!("\\Windows\\ApiPort"))?;
    let port = Owned::new(system, system.connect_port(name.as_str(), &mut [])?);
    client::call(system, port.get(), &mut request)?;
    UserProcessInformation::read_from_prefix(request.as_bytes())
        .map(|(process, _)| process)
        .map_err(|_| Status::INVALID_PARAMETER)
}

/// The server's side: the answer's data are written into `message`.
pub(crate) fn serve<S: System>(system: S, message: &mut MessageBuffer) -> Result<()> {
    if message.api()?.number != Create::NUMBER {
        return Err(Status::NOT_IMPLEMENTED);
    }
    let body: Create = message.body()?;
    let caller = Owned::new(
        system,
        system.open_process(message.header.client, Access::PROCESS_DUP_HANDLE)?,
    );
    let created = processes::create(system, counted(&body.command, body.length)?)?;
    message.set_body(&hand_over(system, caller.get(), created)?);
    Ok(())
}

/// Gives a process that was just created to `caller`: its handles there. It is ended if that fails.
pub(crate) fn hand_over<S: System>(
    system: S,
    caller: Handle,
    created: UserProcessInformation,
) -> Result<UserProcessInformation> {
    let (process, thread) = (
        Owned::new(system, Handle(created.process)),
        Owned::new(system, Handle(created.thread)),
    );
    let give = |handle, access| system.duplicate(Handle::CURRENT_PROCESS, handle, caller, access);
    let given = give(process.get(), Access::PROCESS_ALL)
        .and_then(|own| Ok((own, give(thread.get(), Access::THREAD_ALL)?)));
    match given {
        Ok((process, thread)) => Ok(UserProcessInformation {
            process: process.0,
            thread: thread.0,
            ..created
        }),
        Err(status) => {
            // Nobody would ever let it run.
            if let Err(refused) = system.terminate_process(process.get(), status) {
                log::warn!("process {}: {refused}: not ended", created.client.process);
            }
            Err(status)
        }
    }
}
