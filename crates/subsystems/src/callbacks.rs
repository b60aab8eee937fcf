// SPDX-License-Identifier: GPL-2.0-or-later
//! SB messages: what smss sends to a subsystem server's call-back port, byte for byte (spec 10.7).

use crate::messages;
use core::mem::offset_of;
use nt::ClientId;
use nt::system::{ImageSubsystem, MessageBuffer, PortHeader, PortLimits, UserProcessInformation};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of an SB_API_MSG: what every call-back sends as its total length.
pub const SB_MESSAGE_BYTES: usize = 0x120;

/// Limits of a server's `SbApiPort` (spec 9.5).
pub const SB_PORT_LIMITS: PortLimits = PortLimits {
    connection_info: 0xF4,
    message: SB_MESSAGE_BYTES as u32,
    pool: 32 * 0x120,
};

/// API numbers of `SbApiPort`: an open set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SbApi(pub u32);

impl SbApi {
    /// Take a process over, make a session for it, resume it.
    pub const CREATE_SESSION: Self = Self(0);
    /// An environment session is to end.
    pub const TERMINATE_SESSION: Self = Self(1);
    /// A session the server took part in has ended.
    pub const FOREIGN_SESSION_COMPLETE: Self = Self(2);
    /// Create a process on smss's behalf.
    pub const CREATE_PROCESS: Self = Self(3);
}

/// SB_CREATE_SESSION_MSG.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SbCreateSession {
    /// Environment session, never 0.
    pub session: u32,
    /// Alignment.
    pub padding0: u32,
    /// The process; its handles are valid in the server.
    pub process: UserProcessInformation,
    /// Always 0.
    pub reserved: u64,
    /// Always 0 since NT 5.1.
    pub debug_session: u32,
    /// Alignment.
    pub padding1: u32,
    /// Who debugs the process; zero for nobody.
    pub debugger: ClientId,
}

/// SB_TERMINATE_SESSION_MSG and SB_FOREIGN_SESSION_COMPLETE_MSG.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SbSession {
    /// Environment session.
    pub session: u32,
}

/// SB_CREATE_PROCESS_MSG on its way to the server: addresses of UNICODE_STRINGs in smss's memory.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SbCreateProcess {
    /// Image file, NT path.
    pub image: u64,
    /// Current directory.
    pub directory: u64,
    /// Command line.
    pub command_line: u64,
    /// DLL path.
    pub dll_path: u64,
    /// Bits of [`SbCreateProcess::SUSPENDED`] and its like.
    pub flags: u32,
    /// `DebugFlags` of the new process.
    pub debug: u32,
}

impl SbCreateProcess {
    /// Reserve the first megabyte.
    pub const RESERVE_1MB: u32 = 0x08;
    /// Leave the thread suspended.
    pub const SUSPENDED: u32 = 0x20;
}

/// SB_CREATE_PROCESS_MSG on its way back, over the same bytes.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SbCreatedProcess {
    /// Handle to the process, valid in smss.
    pub process: u64,
    /// Handle to its initial thread, valid in smss.
    pub thread: u64,
    /// Its image type.
    pub subsystem: ImageSubsystem,
    /// Alignment.
    pub padding: u32,
    /// Who it is.
    pub client: ClientId,
}

/// UNICODE_STRING with an address for its buffer.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct StringAddress {
    /// Bytes.
    pub length: u16,
    /// Bytes.
    pub maximum_length: u16,
    /// Alignment.
    pub padding: u32,
    /// Address of the units.
    pub buffer: u64,
}

const _: () = {
    assert!(size_of::<SbCreateSession>() == 0x90);
    assert!(offset_of!(SbCreateSession, process) == 8);
    assert!(offset_of!(SbCreateSession, reserved) == 0x70);
    assert!(offset_of!(SbCreateSession, debug_session) == 0x78);
    assert!(offset_of!(SbCreateSession, debugger) == 0x80);
    assert!(size_of::<SbSession>() == 4);
    assert!(size_of::<SbCreateProcess>() == 0x28);
    assert!(offset_of!(SbCreateProcess, flags) == 0x20);
    assert!(offset_of!(SbCreateProcess, debug) == 0x24);
    assert!(size_of::<SbCreatedProcess>() == 0x28);
    assert!(offset_of!(SbCreatedProcess, subsystem) == 0x10);
    assert!(offset_of!(SbCreatedProcess, client) == 0x18);
    assert!(size_of::<StringAddress>() == 0x10);
    assert!(offset_of!(StringAddress, buffer) == 8);
    assert!(size_of::<PortHeader>() + 8 + size_of::<SbCreateSession>() <= SB_MESSAGE_BYTES);
};

/// A call-back as smss sends it: data as long as the body, total always 0x120.
pub fn callback<B: IntoBytes + Immutable>(api: SbApi, body: &B) -> MessageBuffer {
    messages::message(api.0, body.as_bytes(), Some(SB_MESSAGE_BYTES as u16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    #[test]
    fn lengths_are_those_of_the_protocol() {
        let sent =
            |message: MessageBuffer| (message.header.data_length, message.header.total_length);
        assert_eq!(
            sent(callback(
                SbApi::CREATE_SESSION,
                &SbCreateSession::new_zeroed()
            )),
            (0x98, 0x120)
        );
        assert_eq!(
            sent(callback(
                SbApi::TERMINATE_SESSION,
                &SbSession { session: 1 }
            )),
            (0xC, 0x120)
        );
        assert_eq!(
            sent(callback(
                SbApi::CREATE_PROCESS,
                &SbCreateProcess::new_zeroed()
            )),
            (0x30, 0x120)
        );
    }
}
