// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, LPC ports.

use crate::Native;
use crate::convert::{Named, counted, done, handle, length, raw};
use crate::layout::Plain;
use nt::system::{Accept, MessageBuffer, PortLimits, Ports, Received};
use nt::{Handle, ObjectAttributes, Result, UnicodeStr};
use ntapi::ntlpcapi::{
    NtAcceptConnectPort, NtCompleteConnectPort, NtConnectPort, NtCreatePort,
    NtReplyWaitReceivePort, NtRequestWaitReplyPort, PORT_MESSAGE, REMOTE_PORT_VIEW,
};
use winapi::um::winnt::{
    SECURITY_DYNAMIC_TRACKING, SECURITY_QUALITY_OF_SERVICE, SecurityIdentification,
};

/// The quality of service both sides of the SM protocol use (spec 10.2).
const QUALITY: SECURITY_QUALITY_OF_SERVICE = SECURITY_QUALITY_OF_SERVICE {
    Length: size_of::<SECURITY_QUALITY_OF_SERVICE>() as u32,
    ImpersonationLevel: SecurityIdentification,
    ContextTrackingMode: SECURITY_DYNAMIC_TRACKING,
    EffectiveOnly: 1,
};

/// A message the kernel only reads.
fn read_only(message: &MessageBuffer) -> *mut PORT_MESSAGE {
    core::ptr::from_ref(message).cast_mut().cast()
}

/// A message the kernel may overwrite, all of it.
fn writable(message: &mut MessageBuffer) -> *mut PORT_MESSAGE {
    core::ptr::from_mut(message).cast()
}

impl Ports for Native {
    fn create_port(&self, attributes: &ObjectAttributes<'_>, limits: PortLimits) -> Result<Handle> {
        let mut named = Named::new(attributes)?;
        let mut port = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local; the attributes borrow from the caller for the
        // call.
        done(unsafe {
            NtCreatePort(
                &raw mut port,
                named.pointer(),
                limits.connection_info,
                limits.message,
                limits.pool,
            )
        })?;
        Ok(handle(port))
    }

    fn connect_port(&self, name: UnicodeStr<'_>, information: &mut [u8]) -> Result<Handle> {
        let mut name = counted(name)?;
        let mut quality = QUALITY;
        let mut port = core::ptr::null_mut();
        let mut bytes = length(information.len())?;
        let (data, count) = if bytes == 0 {
            (core::ptr::null_mut(), core::ptr::null_mut())
        } else {
            (information.as_mut_ptr().cast(), &raw mut bytes)
        };
        // SAFETY: out-pointers are live locals or null; the information is as long as said, and the
        // kernel writes no more back.
        done(unsafe {
            NtConnectPort(
                &raw mut port,
                &raw mut name,
                &raw mut quality,
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                data,
                count,
            )
        })?;
        Ok(handle(port))
    }

    fn accept_connect(&self, request: &MessageBuffer, accept: Accept) -> Result<Handle> {
        let (context, yes) = match accept {
            Accept::Yes { context } => (context, 1),
            Accept::No => (0, 0),
        };
        let mut view = REMOTE_PORT_VIEW::zero();
        view.Length = REMOTE_PORT_VIEW::SIZE;
        let mut port = core::ptr::null_mut();
        // SAFETY: the out-pointers are live locals, the request is only read, and the context is a
        // number to the kernel.
        done(unsafe {
            NtAcceptConnectPort(
                &raw mut port,
                core::ptr::without_provenance_mut(context as usize),
                read_only(request),
                yes,
                core::ptr::null_mut(),
                &raw mut view,
            )
        })?;
        Ok(handle(port))
    }

    fn complete_connect(&self, port: Handle) -> Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { NtCompleteConnectPort(raw(port)) })
    }

    fn reply_wait_receive(
        &self,
        port: Handle,
        reply: Option<&MessageBuffer>,
        received: &mut MessageBuffer,
    ) -> Result<Received> {
        let mut context = core::ptr::null_mut();
        let reply = reply.map_or(core::ptr::null_mut(), read_only);
        // SAFETY: the reply is null or only read. No port of this project carries a message longer
        // than the receive buffer, which is MAX_MESSAGE bytes; the context is a live local.
        done(unsafe {
            NtReplyWaitReceivePort(raw(port), &raw mut context, reply, writable(received))
        })?;
        Ok(Received {
            context: context.addr() as u64,
        })
    }

    fn request_wait_reply(&self, port: Handle, message: &mut MessageBuffer) -> Result<()> {
        let message = writable(message);
        // SAFETY: one buffer for request and reply, as the service allows; a reply is no longer
        // than the port's limit, which no port of this project sets above the buffer's
        // length.
        done(unsafe { NtRequestWaitReplyPort(raw(port), message, message) })
    }
}
