// SPDX-License-Identifier: GPL-2.0-or-later
//! NtRaiseHardError, NtSetDefaultHardErrorPort, the bugcheck and the shutdown (spec 12.4, 12.5).

use crate::ex::hard_errors::{
    BugCheck, Circumstances, Course, MAXIMUM_PARAMETERS, OPTION_SHUTDOWN_SYSTEM,
    OVERRIDE_ERROR_MODE, Parameter, RESPONSE_RETURN_TO_CALLER,
};
use crate::ids::ThreadId;
use crate::layout::{PortMessage, Word};
use crate::lpc::{HEADER, Message};
use crate::machine::Stop;
use crate::se::token;
use crate::system::Executive;
use alloc::vec::Vec;
use nt::access::Access;
use nt::system::{MessageKind, ShutdownAction};
use nt::{Handle, Result, Status};

/// `LPC_ERROR_EVENT`.
const ERROR_EVENT: MessageKind = MessageKind(9);
/// Where the response stands in HARDERROR_MSG, behind its header; the parameters are its end.
const RESPONSE_AT: usize = 0x14;
const PARAMETERS_AT: usize = 0x20;

/// How raising a hard error ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HardErrorResult {
    /// The caller may not: `PRIVILEGE_NOT_HELD`.
    Refused,
    /// The system has stopped.
    Stopped,
    /// The caller goes on.
    Returned,
    /// A port is asked; the thread is parked, and [`response_in`] the reply is the answer.
    Waits,
}

/// The response in a port's reply; ReturnToCaller if there is none.
pub fn response_in(reply: &Message) -> u32 {
    let bytes = reply
        .data
        .get(RESPONSE_AT..)
        .and_then(|rest| rest.first_chunk::<4>());
    bytes.map_or(RESPONSE_RETURN_TO_CALLER, |&bytes| {
        u32::from_le_bytes(bytes)
    })
}

impl Executive {
    /// NtRaiseHardError. `mask` says which parameters are strings, as it is passed on to the port.
    ///
    /// # Errors
    /// What sending to the port gives.
    pub fn raise_hard_error(
        &mut self,
        caller: ThreadId,
        status: Status,
        mask: u32,
        parameters: Vec<Parameter>,
        option: u32,
    ) -> Result<HardErrorResult> {
        let process = self.process_of(caller)?;
        let (id, wanted, exception_port) = (
            process.id,
            process.hard_error_mode & 1 != 0,
            process.exception_port,
        );
        let privileged =
            self.privileged(caller, token::TCB)? && self.privileged(caller, token::SHUTDOWN)?;
        let default = self.hard_errors.default_port;
        let port = exception_port
            .and_then(|object| self.port_body(object).ok())
            .or(default.map(|(port, _)| port));
        let circumstances = Circumstances {
            shutdown: option == OPTION_SHUTDOWN_SYSTEM,
            privileged,
            thread_disabled: self.thread(caller)?.hard_errors_disabled,
            wanted,
            port: port.is_some(),
            server: default.is_some_and(|(_, server)| server == id),
        };
        match (self.hard_errors.raise(status, circumstances), port) {
            (Course::Refuse, _) => Ok(HardErrorResult::Refused),
            (Course::Stop, _) => {
                self.stop_system(BugCheck::of_hard_error(status, parameters));
                Ok(HardErrorResult::Stopped)
            }
            (Course::Ask, Some(port)) => {
                let data = self.message(status, mask, &parameters, option);
                let length = data.len();
                let header = PortMessage {
                    data_length: length as u16,
                    total_length: (HEADER + length) as u16,
                    ..PortMessage::default()
                };
                let sender = self.client_id(caller)?;
                self.lpc
                    .request_of_kind(sender, port, ERROR_EVENT, &header, &data)?;
                self.park(caller);
                self.deliver_ports();
                Ok(HardErrorResult::Waits)
            }
            (Course::Return | Course::Ask, _) => Ok(HardErrorResult::Returned),
        }
    }

    /// HARDERROR_MSG after its header.
    fn message(&self, status: Status, mask: u32, parameters: &[Parameter], option: u32) -> Vec<u8> {
        let architecture = self.architecture();
        let mut data = Vec::new();
        data.extend((status.code() & !OVERRIDE_ERROR_MODE).to_le_bytes());
        data.extend([0; 4]);
        data.extend(self.now().to_le_bytes());
        for word in [option, 0, parameters.len() as u32, mask] {
            data.extend(word.to_le_bytes());
        }
        parameters
            .iter()
            .for_each(|parameter| data.extend(architecture.bytes_of(Word(parameter.raw()))));
        let whole = PARAMETERS_AT + MAXIMUM_PARAMETERS * architecture.size_of::<Word>();
        data.resize(whole.next_multiple_of(8), 0);
        data
    }

    /// NtSetDefaultHardErrorPort: once.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`, `INVALID_HANDLE`; `UNSUCCESSFUL` when there is one already.
    pub fn set_default_hard_error_port(&mut self, caller: ThreadId, port: Handle) -> Result<()> {
        if !self.privileged(caller, token::TCB)? {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        if self.hard_errors.ready {
            return Err(Status::UNSUCCESSFUL);
        }
        let port = self.port(caller, port, Access::empty())?;
        let process = self.process_of(caller)?.id;
        self.hard_errors.default_port = Some((port, process));
        self.hard_errors.ready = true;
        Ok(())
    }

    /// Whether the thread's token has a privilege enabled; kernel mode has all
    /// (SeSinglePrivilegeCheck).
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn privileged(&self, caller: ThreadId, privilege: u32) -> Result<bool> {
        Ok(self.is_kernel(caller) || self.token_of(caller)?.has(privilege))
    }

    /// NtShutdownSystem, once the caller may: the machine stops.
    pub fn shutdown(&mut self, action: ShutdownAction) {
        self.flush_hives();
        self.flush_volumes();
        self.machine.stop(&Stop::Shutdown(action));
    }
}
