// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, LPC ports.
//!
//! The kernel writes a message at its sender's length to whatever address it is given: no argument
//! tells it how much room the receiver has. So it is always given a buffer that holds the longest
//! possible message ([`Incoming`]), regardless of the peer and of the limit that was asked for:
//! ReactOS delivers connection information of up to its own limit, not the port's. A message longer
//! than this project's is truncated on the way to the caller, header included, or refused where a
//! truncated message would be taken for an answer.

use crate::Native;
use crate::convert::{Named, counted, done, handle, length, raw};
use crate::imports::{
    NtAcceptConnectPort, NtCompleteConnectPort, NtConnectPort, NtCreatePort,
    NtReplyWaitReceivePort, NtRequestWaitReplyPort,
};
use crate::layout::Plain;
use nt::system::{Accept, MAX_MESSAGE, MessageBuffer, Objects, PortLimits, Ports, Received};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use ntapi::ntlpcapi::{PORT_MESSAGE, REMOTE_PORT_VIEW};
use winapi::um::winnt::{
    SECURITY_DYNAMIC_TRACKING, SECURITY_QUALITY_OF_SERVICE, SecurityIdentification,
};
use zerocopy::IntoBytes;

/// The quality of service both sides of the SM protocol use (spec 10.2).
pub(crate) const QUALITY: SECURITY_QUALITY_OF_SERVICE = SECURITY_QUALITY_OF_SERVICE {
    Length: size_of::<SECURITY_QUALITY_OF_SERVICE>() as u32,
    ImpersonationLevel: SecurityIdentification,
    ContextTrackingMode: SECURITY_DYNAMIC_TRACKING,
    EffectiveOnly: 1,
};

/// A message the kernel only reads: as much of it as its header says, so that a header that says
/// more than there is (it may have come from somebody else) is refused with the kernel's status
/// for lengths that do not agree, or for a message that is too long.
fn read_only(message: &MessageBuffer) -> Result<*mut PORT_MESSAGE> {
    let header = &message.header;
    if usize::from(header.data_length) > message.data.len() {
        return Err(Status::INVALID_PARAMETER);
    }
    if usize::from(header.total_length) > MAX_MESSAGE {
        return Err(Status::PORT_MESSAGE_TOO_LONG);
    }
    Ok(core::ptr::from_ref(message).cast_mut().cast())
}

/// The longest message that a port of the kernel carries, bytes: NtCreatePort refuses a larger
/// `MaxMessageLength` with `INVALID_PARAMETER_4`, and the most connection information fits into it.
const LONGEST_MESSAGE: usize = 0x288;

/// Where the kernel puts a message.
#[repr(C)]
struct Incoming {
    message: MessageBuffer,
    beyond: [u8; LONGEST_MESSAGE - MAX_MESSAGE],
}

const _: () = assert!(size_of::<Incoming>() == LONGEST_MESSAGE);

impl Incoming {
    fn new() -> Self {
        Self {
            message: MessageBuffer::default(),
            beyond: [0; LONGEST_MESSAGE - MAX_MESSAGE],
        }
    }

    /// What a call takes; valid until `self` moves.
    fn pointer(&mut self) -> *mut PORT_MESSAGE {
        core::ptr::from_mut(self).cast()
    }

    /// Hands the message on. Whether all of it fitted: if not, its lengths say what is left.
    fn hand_on(&self, to: &mut MessageBuffer) -> bool {
        to.as_mut_bytes().copy_from_slice(self.message.as_bytes());
        let room = to.data.len() as u16;
        let fits = to.header.data_length <= room;
        if !fits {
            to.header.data_length = room;
            to.header.total_length = MAX_MESSAGE as u16;
        }
        fits
    }
}

impl Ports for Native {
    fn create_port(self, attributes: &ObjectAttributes<'_>, limits: PortLimits) -> Result<Handle> {
        let mut named = Named::new(attributes);
        let mut port = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local; the attributes borrow from the caller for the
        // call.
        done(unsafe {
            NtCreatePort(
                &raw mut port,
                named.pointer()?,
                limits.connection_info,
                limits.message,
                limits.pool,
            )
        })?;
        Ok(handle(port))
    }

    fn connect_port(self, name: UnicodeStr<'_>, information: &mut [u8]) -> Result<Handle> {
        let mut name = counted(name)?;
        let mut quality = QUALITY;
        let mut port = core::ptr::null_mut();
        let mut bytes = length(information.len())?;
        let (data, count) = if bytes == 0 {
            (core::ptr::null_mut(), core::ptr::null_mut())
        } else {
            (information.as_mut_ptr().cast(), &raw mut bytes)
        };
        let mut longest = 0;
        // SAFETY: out-pointers are live locals or null; the information is as long as said, and the
        // kernel writes no more back.
        done(unsafe {
            NtConnectPort(
                &raw mut port,
                name.pointer(),
                &raw mut quality,
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                &raw mut longest,
                data,
                count,
            )
        })?;
        let port = handle(port);
        if longest as usize > LONGEST_MESSAGE {
            // A kernel whose messages are longer than any this was written for.
            let _ = self.close(port);
            return Err(Status::PORT_MESSAGE_TOO_LONG);
        }
        Ok(port)
    }

    fn accept_connect(self, request: &MessageBuffer, accept: Accept) -> Result<Handle> {
        let (context, yes) = match accept {
            Accept::Yes { context } => (context, 1),
            Accept::No => (0, 0),
        };
        let request = read_only(request)?;
        let mut view = REMOTE_PORT_VIEW::zero();
        view.Length = REMOTE_PORT_VIEW::SIZE;
        let mut port = core::ptr::null_mut();
        // SAFETY: the out-pointers are live locals, the request is only read, and the context is a
        // number to the kernel.
        done(unsafe {
            NtAcceptConnectPort(
                &raw mut port,
                core::ptr::without_provenance_mut(context as usize),
                request,
                yes,
                core::ptr::null_mut(),
                &raw mut view,
            )
        })?;
        Ok(handle(port))
    }

    fn complete_connect(self, port: Handle) -> Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { NtCompleteConnectPort(raw(port)) })
    }

    fn reply_wait_receive(
        self,
        port: Handle,
        reply: Option<&MessageBuffer>,
        received: &mut MessageBuffer,
    ) -> Result<Received> {
        let mut context = core::ptr::null_mut();
        let reply = reply.map_or(Ok(core::ptr::null_mut()), read_only)?;
        let mut incoming = Incoming::new();
        // SAFETY: the reply is null or only read; the context is a live local; the message is one
        // that holds whatever a port can carry.
        done(unsafe {
            NtReplyWaitReceivePort(raw(port), &raw mut context, reply, incoming.pointer())
        })?;
        // A message that was cut is refused by its length, like any other that is not as long as
        // its kind must be.
        let _ = incoming.hand_on(received);
        Ok(Received {
            context: context.addr() as nt::Word,
        })
    }

    fn request_wait_reply(self, port: Handle, message: &mut MessageBuffer) -> Result<()> {
        let request = read_only(message)?;
        let mut incoming = Incoming::new();
        // SAFETY: the request is only read; the reply's place holds whatever a port can carry.
        done(unsafe { NtRequestWaitReplyPort(raw(port), request, incoming.pointer()) })?;
        if incoming.hand_on(message) {
            Ok(())
        } else {
            Err(Status::PORT_MESSAGE_TOO_LONG)
        }
    }
}
