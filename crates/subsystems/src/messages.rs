// SPDX-License-Identifier: GPL-2.0-or-later
//! SM messages: what clients send to `\SmApiPort`, byte for byte (spec 10.2-10.4).
//!
//! Every layout is the x64 one of NT 5.2 and is checked at compile time, size and offsets. Handles
//! and lengths in here are what a client claims; nothing is believed before it was checked against
//! the kernel or the table of sizes.

use core::mem::offset_of;
use nt::system::{ImageSubsystem, MessageBuffer, PortHeader, PortLimits, UserProcessInformation};
use nt::{ClientId, Status, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Units of a port name in a connection, with its NUL (spec 10.2).
pub const PORT_NAME_UNITS: usize = 120;
/// Units of a deferred subsystem's name (spec 10.4).
pub const DEFERRED_NAME_UNITS: usize = 32;
/// Units of the initial command of a new session (spec 10.4).
pub const COMMAND_UNITS: usize = 128;

/// SB_CONNECTION_INFO, 0xF4 bytes: what a client announces when it connects (spec 10.2).
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

    /// The announcement in a connection request. A client that sends less than the whole announces
    /// what it sent, the rest being zero.
    pub fn of_request(message: &MessageBuffer) -> Self {
        let mut this = Self::PLAIN;
        put(this.as_mut_bytes(), 0, message.sent());
        this
    }

    /// The call-back port's name: at most 119 units.
    pub fn name(&self) -> UnicodeStr<'_> {
        UnicodeStr(&self.port_name)
            .take(PORT_NAME_UNITS - 1)
            .until_nul()
    }
}

/// Limits of `\SmApiPort`: 0xF4 bytes of connection data, 0x148 bytes a message, pool for 32 of
/// 0x120 bytes (spec 1.5).
pub const SM_PORT_LIMITS: PortLimits = PortLimits {
    connection_info: size_of::<ConnectionInfo>() as u32,
    message: SM_MESSAGE_BYTES as u32,
    pool: 32 * 0x120,
};
/// Bytes of an SM_API_MSG (spec 10.3).
pub const SM_MESSAGE_BYTES: usize = 0x148;

/// API number and result, at the start of the data of every SM and SB message (spec 10.3).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ApiHeader {
    /// Which request.
    pub number: u32,
    /// NTSTATUS of the reply.
    pub return_value: u32,
}

const _: () = assert!(size_of::<PortHeader>() + offset_of!(ApiHeader, number) == 0x28);
const _: () = assert!(size_of::<PortHeader>() + offset_of!(ApiHeader, return_value) == 0x2C);
const _: () = assert!(size_of::<PortHeader>() + size_of::<ApiHeader>() == 0x30);

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

/// The data of one API number, after the [`ApiHeader`].
pub trait Request: FromBytes + IntoBytes + Immutable + KnownLayout + Sized {
    /// Its number.
    const NUMBER: u32;
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
    pub padding: [u8; 7],
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
    pub server: u64,
    /// Out: process id of the initial command.
    pub initial: u64,
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
    pub process: u64,
    /// In: who it is.
    pub client: ClientId,
    /// Out, for a server: an event, valid in the child instance, signalled when the server has
    /// registered or is given up.
    pub event: u64,
}

impl ChildProcess {
    /// Role of a subsystem server.
    pub const SERVER: u32 = 0;
    /// Role of the initial command.
    pub const INITIAL: u32 = 1;
}

macro_rules! requests {
    ($($body:ty = $number:expr, $size:literal { $($field:ident $offset:literal),* };)*) => {
        $(
            impl Request for $body { const NUMBER: u32 = $number.0; }
            const _: () = assert!(size_of::<$body>() == $size);
            const _: () = assert!(size_of::<PortHeader>() + size_of::<ApiHeader>() + size_of::<$body>() <= SM_MESSAGE_BYTES);
            $(const _: () = assert!(offset_of!($body, $field) == $offset);)*
        )*
    };
}

requests! {
    SessionComplete = SmApi::SESSION_COMPLETE, 8 { session 0, status 4 };
    ExecPgm = SmApi::EXEC_PGM, 0x70 { process 0, debug 0x68 };
    LoadDeferred = SmApi::LOAD_DEFERRED_SUBSYSTEM, 0x44 { length 0, name 4 };
    StartCsr = SmApi::START_CSR, 0x118 { session 0, length 4, command 8, server 0x108, initial 0x110 };
    StopCsr = SmApi::STOP_CSR, 4 { session 0 };
    QuerySessions = SmApi::QUERY_INFORMATION, 0x110 { class 0, length 4, first 8, count 12, entries 16 };
    ChildSession = SmApi::CHILD_SESSION, 0x108 { session 0, length 4, command 8 };
    ChildProcess = SmApi::CHILD_PROCESS, 0x28 { session 0, role 4, process 8, client 0x10, event 0x20 };
}

const _: () = assert!(offset_of!(UserProcessInformation, process) == 8);
const _: () = assert!(offset_of!(UserProcessInformation, thread) == 0x10);
const _: () = assert!(offset_of!(UserProcessInformation, client) == 0x18);
const _: () = assert!(offset_of!(UserProcessInformation, image) == 0x28);
const _: () = assert!(size_of::<MessageBuffer>() == SM_MESSAGE_BYTES);

/// What messages of both protocols have in common.
pub trait ApiMessage {
    /// The data that was really sent.
    fn sent(&self) -> &[u8];
    /// The API number and result. `INVALID_PARAMETER` if the message is too short for them.
    fn api(&self) -> nt::Result<ApiHeader>;
    /// The request's data. `INVALID_PARAMETER` if fewer bytes were sent than it has.
    fn body<R: FromBytes>(&self) -> nt::Result<R>;
    /// The same in its place: what is written there is in the reply.
    fn body_mut<R: FromBytes + IntoBytes + KnownLayout>(&mut self) -> nt::Result<&mut R>;
    /// Writes the data of a reply back, as far as the request reached.
    fn set_body<R: IntoBytes + Immutable>(&mut self, body: &R);
    /// Writes the result, making room for it if the request was shorter.
    fn set_result(&mut self, status: Status);
}

impl ApiMessage for MessageBuffer {
    fn sent(&self) -> &[u8] {
        self.data
            .get(..usize::from(self.header.data_length))
            .unwrap_or(&self.data)
    }

    fn api(&self) -> nt::Result<ApiHeader> {
        ApiHeader::read_from_prefix(self.sent())
            .map(|(header, _)| header)
            .map_err(|_| Status::INVALID_PARAMETER)
    }

    fn body<R: FromBytes>(&self) -> nt::Result<R> {
        let data = self
            .sent()
            .get(size_of::<ApiHeader>()..)
            .ok_or(Status::INVALID_PARAMETER)?;
        R::read_from_prefix(data)
            .map(|(body, _)| body)
            .map_err(|_| Status::INVALID_PARAMETER)
    }

    fn body_mut<R: FromBytes + IntoBytes + KnownLayout>(&mut self) -> nt::Result<&mut R> {
        let sent = self
            .data
            .get_mut(size_of::<ApiHeader>()..usize::from(self.header.data_length))
            .ok_or(Status::INVALID_PARAMETER)?;
        R::mut_from_prefix(sent)
            .map(|(body, _)| body)
            .map_err(|_| Status::INVALID_PARAMETER)
    }

    fn set_body<R: IntoBytes + Immutable>(&mut self, body: &R) {
        put(&mut self.data, size_of::<ApiHeader>(), body.as_bytes());
    }

    fn set_result(&mut self, status: Status) {
        const HEADER: u16 = size_of::<ApiHeader>() as u16;
        if self.header.data_length < HEADER {
            self.header.data_length = HEADER;
            self.header.total_length = HEADER + size_of::<PortHeader>() as u16;
        }
        put(
            &mut self.data,
            offset_of!(ApiHeader, return_value),
            &status.0.to_le_bytes(),
        );
    }
}

/// Copies `bytes` into `data` behind its first `at` bytes, as far as they fit.
#[inline(never)]
pub(crate) fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in data.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// A message of `number` with `body`, as long as the body, or of `total` bytes.
#[inline(never)]
pub(crate) fn message(number: u32, body: &[u8], total: Option<u16>) -> MessageBuffer {
    let mut message = MessageBuffer::default();
    // Both sizes are below 0x148, so neither sum nor cast can lose anything.
    let data = (size_of::<ApiHeader>() + body.len()) as u16;
    message.header.data_length = data;
    message.header.total_length = total.unwrap_or(data + size_of::<PortHeader>() as u16);
    put(&mut message.data, 0, &number.to_le_bytes());
    put(&mut message.data, size_of::<ApiHeader>(), body);
    message
}

/// The request `body` as a client sends it.
pub fn request<R: Request>(body: &R) -> MessageBuffer {
    message(R::NUMBER, body.as_bytes(), None)
}

/// Result of a call: `Err` if the answer's result is no success.
#[inline(never)]
pub fn result_of(message: &MessageBuffer) -> nt::Result<()> {
    Status(message.api()?.return_value).ok()
}

/// A counted string in a fixed field. `INVALID_PARAMETER` if its length is odd or more than the
/// field holds.
pub fn counted(field: &[u16], bytes: u32) -> nt::Result<UnicodeStr<'_>> {
    let units = usize::try_from(bytes / 2).map_err(|_| Status::INVALID_PARAMETER)?;
    match field.get(..units) {
        Some(text) if bytes.is_multiple_of(2) => Ok(UnicodeStr(text)),
        _ => Err(Status::INVALID_PARAMETER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;
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
        let sent =
            |message: MessageBuffer| (message.header.data_length, message.header.total_length);
        assert_eq!(sent(request(&ExecPgm::new_zeroed())), (0x78, 0xA0));
        assert_eq!(sent(request(&LoadDeferred::new_zeroed())), (0x4C, 0x74));
        assert_eq!(sent(request(&StartCsr::new_zeroed())), (0x120, 0x148));
        assert_eq!(sent(request(&StopCsr::new_zeroed())), (0xC, 0x34));
        assert_eq!(sent(request(&SessionComplete::new_zeroed())), (0x10, 0x38));
    }

    #[test]
    fn a_body_shorter_than_its_kind_is_an_invalid_parameter() {
        let mut message = request(&StopCsr { session: 7 });
        assert_eq!(message.body::<StopCsr>().unwrap().session, 7);
        message.header.data_length -= 1;
        assert_eq!(
            message.body::<StopCsr>().err(),
            Some(Status::INVALID_PARAMETER)
        );
        message.header.data_length = 7;
        assert_eq!(message.api().err(), Some(Status::INVALID_PARAMETER));
        message.set_result(Status::INVALID_PARAMETER);
        assert_eq!(result_of(&message), Err(Status::INVALID_PARAMETER));
    }

    #[test]
    fn a_data_length_beyond_the_buffer_reads_no_further_than_the_buffer() {
        let mut message = request(&StartCsr::new_zeroed());
        message.header.data_length = u16::MAX;
        assert_eq!(message.sent().len(), 0x120);
        assert!(message.body::<StartCsr>().is_ok());
    }

    #[test]
    fn counted_strings_are_checked() {
        let field = [65u16; 32];
        assert_eq!(counted(&field, 64).unwrap().len(), 32);
        assert_eq!(counted(&field, 66), Err(Status::INVALID_PARAMETER));
        assert_eq!(counted(&field, 3), Err(Status::INVALID_PARAMETER));
        assert_eq!(
            counted(&field, u32::MAX - 1),
            Err(Status::INVALID_PARAMETER)
        );
    }
}
