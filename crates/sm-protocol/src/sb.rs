// SPDX-License-Identifier: GPL-2.0-or-later
//! SB messages: what smss sends to a subsystem server's call-back port, byte for byte (spec 10.7).

use crate::message::{ApiHeader, message};
use crate::sm::ConnectionInfo;
use core::mem::offset_of;
use nt::system::{ImageSubsystem, MessageBuffer, PortHeader, PortLimits, UserProcessInformation};
use nt::{ClientId, Gap, Word, by_width};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub use crate::message::SB_MESSAGE_BYTES;

/// Limits of a server's `SbApiPort` (spec 9.5).
pub const SB_PORT_LIMITS: PortLimits = PortLimits {
    connection_info: size_of::<ConnectionInfo>() as u32,
    message: SB_MESSAGE_BYTES as u32,
    pool: 32 * SB_MESSAGE_BYTES as u32,
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
    pub padding0: Gap,
    /// The process; its handles are valid in the server.
    pub process: UserProcessInformation,
    /// Always 0.
    pub reserved: Word,
    /// Always 0 since NT 5.1.
    pub debug_session: u32,
    /// Alignment.
    pub padding1: Gap,
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
    pub image: Word,
    /// Current directory.
    pub directory: Word,
    /// Command line.
    pub command_line: Word,
    /// DLL path.
    pub dll_path: Word,
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
    pub process: Word,
    /// Handle to its initial thread, valid in smss.
    pub thread: Word,
    /// Its image type.
    pub subsystem: ImageSubsystem,
    /// Alignment.
    pub padding: Gap,
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
    pub padding: Gap,
    /// Address of the units.
    pub buffer: Word,
}

/// Sizes and offsets: the first is that of a 64-bit NT, the second that of a 32-bit one.
macro_rules! layouts {
    ($($body:ty = $wide:literal $narrow:literal {
        $($field:ident $wide_offset:literal $narrow_offset:literal),*
    };)*) => {
        $(
            const _: () = assert!(size_of::<$body>() == by_width($wide, $narrow));
            $(const _: () = assert!(
                offset_of!($body, $field) == by_width($wide_offset, $narrow_offset)
            );)*
        )*
    };
}

layouts! {
    SbCreateSession = 0x90 0x58 {
        session 0 0, process 8 4, reserved 0x70 0x48, debug_session 0x78 0x4C, debugger 0x80 0x50
    };
    SbSession = 4 4 { session 0 0 };
    SbCreateProcess = 0x28 0x18 {
        image 0 0, directory 8 4, command_line 0x10 8, dll_path 0x18 0xC, flags 0x20 0x10,
        debug 0x24 0x14
    };
    SbCreatedProcess = 0x28 0x14 {
        process 0 0, thread 8 4, subsystem 0x10 8, client 0x18 0xC
    };
    StringAddress = 0x10 8 { length 0 0, maximum_length 2 2, buffer 8 4 };
}

const _: () = assert!(
    size_of::<PortHeader>() + size_of::<ApiHeader>() + size_of::<SbCreateSession>()
        <= SB_MESSAGE_BYTES
);

/// A call-back as smss sends it: data as long as the body, the total
/// always that of a whole message.
pub fn callback<B: IntoBytes + Immutable>(api: SbApi, body: &B) -> MessageBuffer {
    message(api.0, body.as_bytes(), Some(SB_MESSAGE_BYTES as u16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    #[test]
    fn lengths_are_those_of_the_protocol() {
        let sent = |message: MessageBuffer| {
            let header = &message.header;
            (header.data_length.into(), header.total_length.into())
        };
        let total = by_width(0x120, 0x110);
        assert_eq!(
            sent(callback(
                SbApi::CREATE_SESSION,
                &SbCreateSession::new_zeroed()
            )),
            (by_width(0x98, 0x60), total)
        );
        assert_eq!(
            sent(callback(
                SbApi::TERMINATE_SESSION,
                &SbSession { session: 1 }
            )),
            (0xC, total)
        );
        assert_eq!(
            sent(callback(
                SbApi::CREATE_PROCESS,
                &SbCreateProcess::new_zeroed()
            )),
            (by_width(0x30, 0x20), total)
        );
    }
}
