// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, LPC ports: messages as bytes behind a typed PORT_MESSAGE header (spec 10.1).

use crate::object::ClientId;
use crate::{Gap, Handle, ObjectAttributes, Result, UnicodeStr, Word, by_width};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The longest message any port of this project carries: header and data of an SM message (spec
/// 10.3).
pub const MAX_MESSAGE: usize = by_width(0x148, 0x130);

/// PORT_MESSAGE, 0x28 bytes (spec 10.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct PortHeader {
    /// Bytes of data after the header.
    pub data_length: u16,
    /// Bytes in all: at least `data_length` and this header.
    pub total_length: u16,
    /// [`MessageKind`], set by the kernel.
    pub kind: u16,
    /// Always 0 here.
    pub data_info_offset: u16,
    /// Who sent the message.
    pub client: ClientId,
    /// The kernel's number for this message.
    pub message_id: u32,
    /// Alignment.
    pub padding: Gap,
    /// `ClientViewSize` / `CallbackId`.
    pub client_view_size: Word,
}

const _: () = assert!(size_of::<PortHeader>() == by_width(0x28, 0x18));

/// LPC message types (spec 0.4): an open set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageKind(pub u16);

impl MessageKind {
    /// A request that wants a reply.
    pub const REQUEST: Self = Self(1);
    /// A reply.
    pub const REPLY: Self = Self(2);
    /// A message nobody waits for an answer to.
    pub const DATAGRAM: Self = Self(3);
    /// The reply's receiver is gone.
    pub const LOST_REPLY: Self = Self(4);
    /// The client's last handle to its port is closed.
    pub const PORT_CLOSED: Self = Self(5);
    /// A client thread with a request under way has ended.
    pub const CLIENT_DIED: Self = Self(6);
    /// Somebody calls NtConnectPort.
    pub const CONNECTION_REQUEST: Self = Self(10);
}

/// A message of up to [`MAX_MESSAGE`] bytes: header, then data.
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct MessageBuffer {
    /// The header.
    pub header: PortHeader,
    /// The data; only the first `header.data_length` bytes were sent.
    pub data: [u8; MAX_MESSAGE - size_of::<PortHeader>()],
}

const _: () = assert!(size_of::<MessageBuffer>() == MAX_MESSAGE);

impl Default for MessageBuffer {
    fn default() -> Self {
        Self {
            header: PortHeader::default(),
            data: [0; MAX_MESSAGE - size_of::<PortHeader>()],
        }
    }
}

/// Limits of a new port (NtCreatePort).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortLimits {
    /// `MaxConnectionInfoLength`, bytes.
    pub connection_info: u32,
    /// `MaxMessageLength`, bytes.
    pub message: u32,
    /// `MaxPoolUsage`, bytes.
    pub pool: u32,
}

/// What to do with a connection request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Make a communication port; messages that come through it carry this context.
    Yes {
        /// `PortContext`.
        context: Word,
    },
    /// The client gets `PORT_CONNECTION_REFUSED`.
    No,
}

/// What [`Ports::reply_wait_receive`] brought besides the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Context of the communication port the message came through; 0 for a connection request.
    pub context: Word,
}

/// Requests about LPC ports.
pub trait Ports: Copy {
    /// NtCreatePort: a connection port.
    fn create_port(self, attributes: &ObjectAttributes<'_>, limits: PortLimits) -> Result<Handle>;

    /// NtConnectPort without views, with the quality of service of spec 10.2. `information` goes
    /// both ways. Blocks until the server has completed the connection.
    fn connect_port(self, name: UnicodeStr<'_>, information: &mut [u8]) -> Result<Handle>;

    /// NtAcceptConnectPort. `NULL` handle for a refusal.
    fn accept_connect(self, request: &MessageBuffer, accept: Accept) -> Result<Handle>;

    /// NtCompleteConnectPort.
    fn complete_connect(self, port: Handle) -> Result<()>;

    /// NtReplyWaitReceivePort: sends `reply`, if any, then blocks until a message is there.
    fn reply_wait_receive(
        self,
        port: Handle,
        reply: Option<&MessageBuffer>,
        received: &mut MessageBuffer,
    ) -> Result<Received>;

    /// NtRequestWaitReplyPort: sends `message` and blocks until its reply has taken its place.
    fn request_wait_reply(self, port: Handle, message: &mut MessageBuffer) -> Result<()>;
}
