// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, the system as a whole.

use super::{Seam, name, nothing, number};
use crate::Completion;
use crate::ex::hard_errors::{Parameter, RESPONSE_NOT_HANDLED};
use crate::lpc::Event;
use crate::machine::Architecture;
use crate::se::token;
use crate::system::hard_errors::HardErrorResult;
use alloc::string::ToString;
use alloc::vec::Vec;
use nt::access::{Access, OpenOptions, Share};
use nt::path::{CurrentDirectory, FullPaths, MAX_DOS};
use nt::system::{
    BasicInformation, BootStatusItem, Files, HardError, HardErrorOption, HardErrorParameter,
    Privilege, PrivilegeHolder, ProcessorInformation, Registry, ShutdownAction, SystemWide,
    VersionInformation,
};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeBuf, UnicodeStr, wide};

/// `SE_PRIVILEGE_ENABLED`.
const ENABLED: u32 = 2;
/// What a process needs of its token to adjust a privilege and hear how it was.
const TOKEN_ACCESS: Access = Access::TOKEN_ADJUST_PRIVILEGES.union(Access::TOKEN_QUERY);
/// Where the two items lie in the boot status data.
const BOOT_GOOD_AT: u64 = 10;
const BOOT_SHUTDOWN_AT: u64 = 11;
/// The seam's layouts are as wide as this host's, whatever the kernel's programs are.
const SEAMS_FORM: Architecture = if cfg!(target_pointer_width = "32") {
    Architecture::I386
} else {
    Architecture::Amd64
};
/// Stands for the addresses of strings, which have none here.
const TEXT_ADDRESS: u64 = 0x1_0000;

fn offset_of(item: BootStatusItem) -> u64 {
    match item {
        BootStatusItem::BootGood => BOOT_GOOD_AT,
        BootStatusItem::BootShutdown => BOOT_SHUTDOWN_AT,
    }
}

impl FullPaths for &'static Seam {
    fn full_path(self, dos: UnicodeStr<'_>, full: &mut UnicodeBuf<MAX_DOS>) -> Result<()> {
        CurrentDirectory(UnicodeStr(&self.parameters.current_directory)).full_path(dos, full)
    }
}

impl SystemWide for &'static Seam {
    fn system_root(self) -> UnicodeStr<'static> {
        UnicodeStr(&self.system_root)
    }

    fn version(self) -> VersionInformation {
        self.version
    }

    fn is_narrow(self) -> bool {
        // On a host of 32 bits the programs are narrow, whatever the kernel's images are for.
        cfg!(target_pointer_width = "32") || self.narrow
    }

    fn query_basic(self) -> Result<BasicInformation> {
        self.call(
            "NtQuerySystemInformation",
            || number("class", 0_u64),
            |executive, _| {
                Ok(BasicInformation {
                    page_size: crate::machine::PAGE as u32,
                    physical_pages: u32::try_from(executive.machine().physical_pages())
                        .unwrap_or(u32::MAX),
                    processors: executive.machine().processor().count,
                })
            },
        )
    }

    fn query_processor(self) -> Result<ProcessorInformation> {
        self.call(
            "NtQuerySystemInformation",
            || number("class", 1_u64),
            |executive, _| {
                let processor = executive.machine().processor();
                Ok(ProcessorInformation {
                    architecture: processor.architecture,
                    level: processor.level,
                    revision: processor.revision,
                })
            },
        )
    }

    fn query_raw(self, class: u32, into: &mut [u8]) -> Result<usize> {
        let size = u32::try_from(into.len()).map_err(|_| Status::INVALID_PARAMETER)?;
        self.call(
            "NtQuerySystemInformation",
            || number("class", class),
            |executive, _| {
                // The buffer has no address here, and nobody may follow those in the answer.
                let answer = crate::services::sysinfo::query(executive, SEAMS_FORM, class, size, 0);
                answer.status.ok()?;
                into.iter_mut()
                    .zip(&answer.bytes)
                    .for_each(|(to, from)| *to = *from);
                Ok(answer.bytes.len())
            },
        )
    }

    fn create_session(self) -> Result<u32> {
        self.call(
            "NtSetSystemInformation",
            || number("class", 47_u64),
            |executive, thread| {
                executive.token_of(thread)?.demand(token::LOAD_DRIVER)?;
                executive.create_session(thread)
            },
        )
    }

    fn detach_session(self, session: u32) -> Result<()> {
        self.call(
            "NtSetSystemInformation",
            || number("class", 48_u64),
            |executive, thread| {
                executive.token_of(thread)?.demand(token::LOAD_DRIVER)?;
                executive.detach_session(thread, session)
            },
        )
    }

    fn extend_service_table(self, driver: UnicodeStr<'_>) -> Result<()> {
        self.call(
            "NtSetSystemInformation",
            || name("driver", driver),
            |executive, thread| {
                executive.token_of(thread)?.demand(token::LOAD_DRIVER)?;
                executive.extend_service_table(thread, driver.units())
            },
        )
    }

    fn adjust_privilege(
        self,
        privilege: Privilege,
        enable: bool,
        holder: PrivilegeHolder,
    ) -> Result<bool> {
        let token = match holder {
            PrivilegeHolder::Process => {
                self.call("NtOpenProcessToken", nothing, |executive, thread| {
                    executive.open_process_token(thread, Handle::CURRENT_PROCESS, TOKEN_ACCESS)
                })
            }
            PrivilegeHolder::Thread => {
                self.call("NtOpenThreadToken", nothing, |executive, thread| {
                    executive.open_thread_token(thread, Handle::CURRENT_THREAD, TOKEN_ACCESS)
                })
            }
        };
        let token = Owned::new(self, token?);
        let luid = u64::from(privilege as u32);
        let wanted = if enable { ENABLED } else { 0 };
        let adjusted = self.call(
            "NtAdjustPrivilegesToken",
            || number("privilege", luid),
            |executive, thread| {
                executive.adjust_privileges(thread, token.get(), Some(&[(luid, wanted)]), |_| true)
            },
        )?;
        if adjusted.status == Status::NOT_ALL_ASSIGNED {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        // What did not change is not among the previous ones.
        Ok(adjusted
            .previous
            .first()
            .map_or(enable, |before| before.attributes & ENABLED != 0))
    }

    fn display_string(self, text: UnicodeStr<'_>) -> Result<()> {
        self.call(
            "NtDisplayString",
            || name("text", text),
            |executive, thread| {
                executive.token_of(thread)?.demand(token::TCB)?;
                executive.machine_mut().display(&text.to_string());
                Ok(())
            },
        )
    }

    fn raise_hard_error(self, error: &HardError<'_>) -> Result<()> {
        let mut mask = 0;
        let parameters: Vec<Parameter> = (0u32..)
            .zip(error.parameters)
            .map(|(index, parameter)| match parameter {
                HardErrorParameter::Value(value) => Parameter::Number(*value),
                HardErrorParameter::Text(text) => {
                    mask |= 1 << index;
                    Parameter::Text(text.to_string(), TEXT_ADDRESS + u64::from(index))
                }
            })
            .collect();
        let option = match error.option {
            HardErrorOption::Ok => 1,
            HardErrorOption::ShutdownSystem => 6,
        };
        self.wait_call(
            "NtRaiseHardError",
            || number("status", u64::from(error.status.code())),
            |executive, thread| match executive.raise_hard_error(
                thread,
                error.status,
                mask,
                parameters,
                option,
            )? {
                HardErrorResult::Refused => {
                    log::debug!("hard error: response {RESPONSE_NOT_HANDLED}");
                    Err(Status::PRIVILEGE_NOT_HELD)
                }
                HardErrorResult::Stopped | HardErrorResult::Returned => Ok(Completion::Done(())),
                HardErrorResult::Waits => Ok(Completion::Pending),
            },
            |executive, thread, status| match executive.take_port_event(thread) {
                Some(Event::Failed(status, _)) => Err(status),
                Some(_) => Ok(()),
                None => status.ok(),
            },
        )
    }

    fn shut_down(self, action: ShutdownAction) -> Result<()> {
        self.call(
            "NtShutdownSystem",
            || number("action", action as u64),
            |executive, thread| {
                executive.token_of(thread)?.demand(token::SHUTDOWN)?;
                executive.shutdown(action);
                Ok(())
            },
        )
    }

    fn exchange_boot_status(
        self,
        items: &[BootStatusItem; 2],
        values: [bool; 2],
    ) -> Result<[bool; 2]> {
        // RtlLockBootStatusData opens the file for itself alone.
        let file = self.open_file(
            &ObjectAttributes::named(wide!("\\SystemRoot\\bootstat.dat")),
            Access::GENERIC_READ | Access::GENERIC_WRITE | Access::SYNCHRONIZE,
            Share::empty(),
            OpenOptions::SYNCHRONOUS_IO_NONALERT | OpenOptions::NON_DIRECTORY_FILE,
        )?;
        let file = Owned::new(self, file);
        let mut before = [false; 2];
        for (item, old) in items.iter().zip(&mut before) {
            let mut byte = [0];
            self.read_file(file.get(), offset_of(*item), &mut byte)?;
            *old = byte != [0];
        }
        for (item, new) in items.iter().zip(values) {
            self.write_file(file.get(), offset_of(*item), &[u8::from(new)])?;
        }
        Ok(before)
    }

    fn query_image_debugger<'b>(
        self,
        image: UnicodeStr<'_>,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        const OPTIONS: UnicodeStr<'static> = wide!(
            "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options"
        );
        let mut path = UnicodeBuf::<400>::copied(OPTIONS)?;
        path.push(wide!("\\"))?;
        path.push(image)?;
        let key = Owned::new(
            self,
            self.open_key(&ObjectAttributes::named(path.as_str()), Access::KEY_READ)?,
        );
        let mut data = [0; 1024];
        let value = self.query_value(key.get(), wide!("Debugger"), &mut data)?;
        let bytes = data
            .get(..value.data_bytes)
            .ok_or(Status::BUFFER_TOO_SMALL)?;
        let units = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let space = buffer
            .get_mut(..bytes.len() / 2)
            .ok_or(Status::BUFFER_TOO_SMALL)?;
        space
            .iter_mut()
            .zip(units)
            .for_each(|(to, from)| *to = from);
        Ok(UnicodeStr(space))
    }
}
