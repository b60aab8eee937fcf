// SPDX-License-Identifier: GPL-2.0-or-later
//! SM messages: what clients send to `\SmApiPort`, byte for byte (spec 10.2-10.4).
//!
//! Every layout is that of NT 5.2 and is checked at compile time, size and offsets, for both
//! pointer widths; the table is at the end of the definitions.

use crate::message::{ApiHeader, ApiMessage, Request, SB_MESSAGE_BYTES, put};
use core::mem::offset_of;
use nt::system::{ImageSubsystem, MessageBuffer, PortHeader, PortLimits, UserProcessInformation};
use nt::{ClientId, Status, UnicodeStr, Word, by_width, wide};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The Session Manager's port.
pub const SM_PORT: UnicodeStr<'static> = wide!("\\SmApiPort");
/// Units of a port name in a connection, with its NUL (spec 10.2).
pub const PORT_NAME_UNITS: usize = 120;
/// Units of a deferred subsystem's name (spec 10.4).
pub const DEFERRED_NAME_UNITS: usize = 32;
/// Units of the initial command of a new session (spec 10.4).
pub const COMMAND_UNITS: usize = 128;

/// SB_CONNECTION_INFO, 0xF4 bytes in either width: what a client announces when it connects (spec 10.2).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ConnectionInfo {
    /// The image type it serves; [`ImageSubsystem::UNKNOWN`] for a plain client.
    pub subsystem: ImageSubsystem,
    /// Name of its call-back port, NUL-terminated.
    pub port_name: [u16; PORT_NAME_UNITS],
}

const _: () = assert!(size_of::<ConnectionInfo>() == 0xF4);
const _: () = assert!(offset_of!(ConnectionInfo, port_name) == 4);

impl ConnectionInfo {
    /// What a plain client announces.
    pub const PLAIN: Self = Self {
        subsystem: ImageSubsystem::UNKNOWN,
        port_name: [0; PORT_NAME_UNITS],
    };

    /// What a subsystem server announces. `INVALID_PARAMETER` if the name has 120 units or more
    /// (spec 10.2).
    pub fn server(subsystem: ImageSubsystem, name: UnicodeStr<'_>) -> nt::Result<Self> {
        let mut this = Self {
            subsystem,
            ..Self::PLAIN
        };
        if name.len() >= PORT_NAME_UNITS {
            return Err(Status::INVALID_PARAMETER);
        }
        this.port_name
            .get_mut(..name.len())
            .ok_or(Status::INVALID_PARAMETER)?
            .copy_from_slice(name.units());
        Ok(this)
    }

    /// Takes over the announcement in a connection request. A client that sends less than the whole
    /// announces what it sent, the rest staying as it is.
    pub fn take_from(&mut self, request: &MessageBuffer) {
        put(self.as_mut_bytes(), request.sent());
    }

    /// The call-back port's name: at most 119 units.
    pub fn name(&self) -> UnicodeStr<'_> {
        UnicodeStr(&self.port_name)
            .take(PORT_NAME_UNITS - 1)
            .until_nul()
    }
}

/// Limits of `\SmApiPort`: 0xF4 bytes of connection data, a whole message, pool for 32 messages of
/// [`SB_MESSAGE_BYTES`] (spec 1.5).
pub const SM_PORT_LIMITS: PortLimits = PortLimits {
    connection_info: size_of::<ConnectionInfo>() as u32,
    message: SM_MESSAGE_BYTES as u32,
    pool: 32 * SB_MESSAGE_BYTES as u32,
};
/// Bytes of an SM_API_MSG (spec 10.3).
pub const SM_MESSAGE_BYTES: usize = by_width(0x148, 0x130);

/// API numbers of `\SmApiPort` (spec 10.4): an open set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmApi(pub u32);

impl SmApi {
    /// Obsolete; answered NOT_IMPLEMENTED.
    pub const CREATE_FOREIGN_SESSION: Self = Self(0);
    /// A server tells that an environment session has ended.
    pub const SESSION_COMPLETE: Self = Self(1);
    /// Obsolete; answered NOT_IMPLEMENTED.
    pub const TERMINATE_FOREIGN_SESSION: Self = Self(2);
    /// Adopt and start a suspended process.
    pub const EXEC_PGM: Self = Self(3);
    /// Start an `Optional` subsystem.
    pub const LOAD_DEFERRED_SUBSYSTEM: Self = Self(4);
    /// Start a terminal session.
    pub const START_CSR: Self = Self(5);
    /// End a terminal session.
    pub const STOP_CSR: Self = Self(6);
    /// List sessions and subsystems. The number is ReactOS' debug extension; the class is ours
    /// ([`QuerySessions`]).
    pub const QUERY_INFORMATION: Self = Self(7);
    /// NT 6 only, from a child instance of smss: it has created its session. Our own extension, as
    /// NT 6 layouts are not public.
    pub const CHILD_SESSION: Self = Self(0x100);
    /// NT 6 only, from a child instance of smss: it has created a process. Our own extension.
    pub const CHILD_PROCESS: Self = Self(0x101);
}

/// SM_SESSION_COMPLETE_MSG.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SessionComplete {
    /// Environment session.
    pub session: u32,
    /// How it ended: NTSTATUS.
    pub status: u32,
}

/// SM_EXEC_PGM_MSG.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ExecPgm {
    /// The suspended process; its handles are the client's.
    pub process: UserProcessInformation,
    /// Non-zero: the client debugs it.
    pub debug: u8,
    /// Alignment.
    pub padding: [u8; size_of::<Word>() - 1],
}

/// SM_LOAD_DEFERED_SUBSYSTEM_MSG.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct LoadDeferred {
    /// Bytes of `name`.
    pub length: u32,
    /// Name in `Optional`, counted.
    pub name: [u16; DEFERRED_NAME_UNITS],
}

/// SM_START_CSR_MSG.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct StartCsr {
    /// Out: the new terminal session.
    pub session: u32,
    /// Bytes of `command`; 0 for the default one.
    pub length: u32,
    /// Initial command, counted.
    pub command: [u16; COMMAND_UNITS],
    /// Out: process id of the Windows subsystem server.
    pub server: Word,
    /// Out: process id of the initial command.
    pub initial: Word,
}

/// SM_STOP_CSR_MSG.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct StopCsr {
    /// Terminal session.
    pub session: u32,
}

/// One server, as [`QuerySessions`] lists it.
#[derive(
    Clone, Copy, Default, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct SessionEntry {
    /// Terminal session.
    pub session: u32,
    /// Image type the server serves; 0 while it has not registered.
    pub subsystem: ImageSubsystem,
    /// Process id of the server.
    pub server: u32,
    /// Process id of the session's initial command; 0 if it has none.
    pub initial: u32,
}

/// Entries a [`QuerySessions`] answer holds.
pub const QUERY_ENTRIES: usize = 16;

/// SM_QUERYINFO_MSG of our class [`QuerySessions::CLASS`]: subsystem servers from number `first`
/// on.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct QuerySessions {
    /// Information class.
    pub class: u32,
    /// Bytes after this field that the answer fills.
    pub length: u32,
    /// In: how many servers to pass over.
    pub first: u32,
    /// Out: entries that follow.
    pub count: u32,
    /// Out.
    pub entries: [SessionEntry; QUERY_ENTRIES],
}

impl QuerySessions {
    /// The information class. ReactOS' debug builds define 0 and 1, which have no session and are
    /// not served.
    pub const CLASS: u32 = 0x100;
}

/// The child instance has created its session. Answered with the initial command it is to start;
/// length 0 for the default one.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ChildSession {
    /// In: the terminal session.
    pub session: u32,
    /// Out: bytes of `command`.
    pub length: u32,
    /// Out: counted.
    pub command: [u16; COMMAND_UNITS],
}

impl ChildSession {
    /// Puts the initial command in, cut to what the field holds.
    pub fn set_command(&mut self, command: UnicodeStr<'_>) {
        let command = command.take(COMMAND_UNITS);
        // At most 256 bytes.
        self.length = command.byte_len() as u32;
        put(self.command.as_mut_bytes(), command.units().as_bytes());
    }
}

/// The child instance has created a process: a subsystem server still suspended, or the initial
/// command.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ChildProcess {
    /// In: terminal session.
    pub session: u32,
    /// In: 0 a subsystem server, 1 the initial command.
    pub role: u32,
    /// In: handle to the process, valid in the child instance.
    pub process: Word,
    /// In: who it is.
    pub client: ClientId,
    /// Out, for a server: an event, valid in the child instance, signalled when the server has
    /// registered or is given up.
    pub event: Word,
}

impl ChildProcess {
    /// Role of a subsystem server.
    pub const SERVER: u32 = 0;
    /// Role of the initial command.
    pub const INITIAL: u32 = 1;
}

/// Numbers, sizes and offsets of the requests: where two are given, the first is that of a 64-bit
/// NT, the second that of a 32-bit one.
macro_rules! requests {
    ($($body:ty = $number:expr, $wide:literal $narrow:literal {
        $($field:ident $wide_offset:literal $narrow_offset:literal),*
    };)*) => {
        $(
            impl Request for $body {
                const NUMBER: u32 = $number.0;
            }
            const _: () = assert!(size_of::<$body>() == by_width($wide, $narrow));
            const _: () = assert!(
                size_of::<PortHeader>() + size_of::<ApiHeader>() + size_of::<$body>()
                    <= SM_MESSAGE_BYTES
            );
            $(const _: () = assert!(
                offset_of!($body, $field) == by_width($wide_offset, $narrow_offset)
            );)*
        )*
    };
}

requests! {
    SessionComplete = SmApi::SESSION_COMPLETE, 8 8 { session 0 0, status 4 4 };
    ExecPgm = SmApi::EXEC_PGM, 0x70 0x48 { process 0 0, debug 0x68 0x44 };
    LoadDeferred = SmApi::LOAD_DEFERRED_SUBSYSTEM, 0x44 0x44 { length 0 0, name 4 4 };
    StartCsr = SmApi::START_CSR, 0x118 0x110 {
        session 0 0, length 4 4, command 8 8, server 0x108 0x108, initial 0x110 0x10C
    };
    StopCsr = SmApi::STOP_CSR, 4 4 { session 0 0 };
    QuerySessions = SmApi::QUERY_INFORMATION, 0x110 0x110 {
        class 0 0, length 4 4, first 8 8, count 12 12, entries 16 16
    };
    ChildSession = SmApi::CHILD_SESSION, 0x108 0x108 { session 0 0, length 4 4, command 8 8 };
    ChildProcess = SmApi::CHILD_PROCESS, 0x28 0x18 {
        session 0 0, role 4 4, process 8 8, client 0x10 0xC, event 0x20 0x14
    };
}

const _: () = assert!(offset_of!(UserProcessInformation, process) == by_width(8, 4));
const _: () = assert!(offset_of!(UserProcessInformation, thread) == by_width(0x10, 8));
const _: () = assert!(offset_of!(UserProcessInformation, client) == by_width(0x18, 0xC));
const _: () = assert!(offset_of!(UserProcessInformation, image) == by_width(0x28, 0x14));
const _: () = assert!(size_of::<MessageBuffer>() == SM_MESSAGE_BYTES);

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    #[test]
    fn an_announcement_keeps_type_and_name() {
        let info =
            ConnectionInfo::server(ImageSubsystem::WINDOWS_GUI, wide!("\\Windows\\SbApiPort"))
                .unwrap();
        assert_eq!(info.name(), wide!("\\Windows\\SbApiPort"));
        assert_eq!(
            ConnectionInfo::server(ImageSubsystem::WINDOWS_GUI, UnicodeStr(&[65; 120])).err(),
            Some(Status::INVALID_PARAMETER)
        );
        assert!(
            ConnectionInfo::server(ImageSubsystem::WINDOWS_GUI, UnicodeStr(&[65; 119])).is_ok()
        );
    }

    #[test]
    fn a_name_without_nul_ends_at_119_units() {
        let info = ConnectionInfo {
            subsystem: ImageSubsystem::WINDOWS_GUI,
            port_name: [65; PORT_NAME_UNITS],
        };
        assert_eq!(info.name().len(), 119);
    }

    #[test]
    fn lengths_are_those_smlib_sends() {
        use crate::request;
        let sent = |message: MessageBuffer| {
            let header = &message.header;
            (header.data_length.into(), header.total_length.into())
        };
        let by_width = |wide: (usize, usize), narrow: (usize, usize)| {
            (by_width(wide.0, narrow.0), by_width(wide.1, narrow.1))
        };
        let lengths = by_width((0x78, 0xA0), (0x50, 0x68));
        assert_eq!(sent(request(&ExecPgm::new_zeroed())), lengths);
        let lengths = by_width((0x4C, 0x74), (0x4C, 0x64));
        assert_eq!(sent(request(&LoadDeferred::new_zeroed())), lengths);
        let lengths = by_width((0x120, 0x148), (0x118, 0x130));
        assert_eq!(sent(request(&StartCsr::new_zeroed())), lengths);
        let lengths = by_width((0xC, 0x34), (0xC, 0x24));
        assert_eq!(sent(request(&StopCsr::new_zeroed())), lengths);
        let lengths = by_width((0x10, 0x38), (0x10, 0x28));
        assert_eq!(sent(request(&SessionComplete::new_zeroed())), lengths);
    }
}
