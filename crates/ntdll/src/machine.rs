// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, the system as a whole.

use crate::Native;
use crate::convert::{counted, done, raw, status};
use crate::imports::{
    LdrQueryImageFileExecutionOptions, NtDisplayString, NtQuerySystemInformation, NtRaiseHardError,
    NtSetSystemInformation, NtShutdownSystem, RtlAdjustPrivilege, RtlGetSetBootStatusData,
    RtlLockBootStatusData, RtlUnlockBootStatusData,
};
use crate::layout::Plain;
use crate::own_process;
use nt::system::{
    BasicInformation, BootStatusItem, HardError, HardErrorParameter, Privilege, PrivilegeHolder,
    ProcessorInformation, ShutdownAction, SystemWide, VersionInformation,
};
use nt::{Handle, Result, Status, UnicodeStr, wide};
use ntapi::ntexapi::{
    SYSTEM_BASIC_INFORMATION, SYSTEM_PROCESSOR_INFORMATION, SystemBasicInformation,
    SystemExtendServiceTableInformation, SystemProcessorInformation, SystemSessionCreate,
    SystemSessionDetach,
};
use ntapi::ntrtl::{RTL_BSD_ITEM_TYPE, RtlBsdItemBootGood, RtlBsdItemBootShutdown};
use winapi::shared::ntdef::{HANDLE, UNICODE_STRING};
use winapi::um::winnt::REG_SZ;

const MAXIMUM_HARDERROR_PARAMETERS: usize = 4;

fn query<T: Plain>(class: u32) -> Result<T> {
    let mut information = T::zero();
    // SAFETY: the structure is as long as said and a live local.
    done(unsafe {
        NtQuerySystemInformation(
            class,
            (&raw mut information).cast(),
            T::SIZE,
            core::ptr::null_mut(),
        )
    })?;
    Ok(information)
}

/// NtSetSystemInformation; classes that give something back write it into `information`.
fn set<T: Plain>(class: u32, information: &mut T) -> Result<()> {
    // SAFETY: the structure is as long as said and borrowed for writing.
    done(unsafe { NtSetSystemInformation(class, core::ptr::from_mut(information).cast(), T::SIZE) })
}

/// The boot status data file, locked; unlocked when dropped.
struct BootStatus(HANDLE);

impl BootStatus {
    fn lock() -> Result<Self> {
        let mut file = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local.
        done(unsafe { RtlLockBootStatusData(&raw mut file) })?;
        Ok(Self(file))
    }

    fn exchange(&self, read: bool, item: BootStatusItem, value: &mut u8) -> Result<()> {
        let item: RTL_BSD_ITEM_TYPE = match item {
            BootStatusItem::BootGood => RtlBsdItemBootGood,
            BootStatusItem::BootShutdown => RtlBsdItemBootShutdown,
        };
        // SAFETY: both items are one byte, which is what is lent.
        done(unsafe {
            RtlGetSetBootStatusData(
                self.0,
                u8::from(read),
                item,
                core::ptr::from_mut(value).cast(),
                1,
                core::ptr::null_mut(),
            )
        })
    }
}

impl Drop for BootStatus {
    fn drop(&mut self) {
        // SAFETY: locked by us, and not used any more.
        let _ = unsafe { RtlUnlockBootStatusData(self.0) };
    }
}

impl SystemWide for Native {
    fn system_root(self) -> UnicodeStr<'static> {
        own_process::system_root()
    }

    fn version(self) -> VersionInformation {
        let (major, minor) = own_process::version();
        VersionInformation { major, minor }
    }

    #[cfg(target_arch = "x86")]
    fn wide_page_tables(self) -> bool {
        own_process::pae_enabled()
    }

    fn query_basic(self) -> Result<BasicInformation> {
        let basic: SYSTEM_BASIC_INFORMATION = query(SystemBasicInformation)?;
        Ok(BasicInformation {
            page_size: basic.PageSize,
            physical_pages: basic.NumberOfPhysicalPages,
            processors: basic.NumberOfProcessors.cast_unsigned(),
        })
    }

    fn query_processor(self) -> Result<ProcessorInformation> {
        let processor: SYSTEM_PROCESSOR_INFORMATION = query(SystemProcessorInformation)?;
        Ok(ProcessorInformation {
            architecture: processor.ProcessorArchitecture,
            level: processor.ProcessorLevel,
            revision: processor.ProcessorRevision,
        })
    }

    fn query_raw(self, class: u32, into: &mut [u8]) -> Result<usize> {
        let size = u32::try_from(into.len()).map_err(|_| Status::INVALID_PARAMETER)?;
        let mut length = 0;
        // SAFETY: the buffer is borrowed for writing and as long as said; the length is a live
        // local.
        done(unsafe {
            NtQuerySystemInformation(class, into.as_mut_ptr().cast(), size, &raw mut length)
        })?;
        Ok(into.len().min(length as usize))
    }

    fn create_session(self) -> Result<u32> {
        let mut session = 0;
        set(SystemSessionCreate, &mut session)?;
        Ok(session)
    }

    fn detach_session(self, mut session: u32) -> Result<()> {
        set(SystemSessionDetach, &mut session)
    }

    fn extend_service_table(self, driver: UnicodeStr<'_>) -> Result<()> {
        let mut driver = counted(driver)?;
        // SAFETY: the structure is as long as said, and the driver's name borrows from the caller.
        done(unsafe {
            NtSetSystemInformation(
                SystemExtendServiceTableInformation,
                driver.pointer().cast(),
                UNICODE_STRING::SIZE,
            )
        })
    }

    fn adjust_privilege(
        self,
        privilege: Privilege,
        enable: bool,
        holder: PrivilegeHolder,
    ) -> Result<bool> {
        let thread = u8::from(holder == PrivilegeHolder::Thread);
        let mut before = 0;
        // SAFETY: the out-pointer is a live local.
        done(unsafe {
            RtlAdjustPrivilege(privilege as u32, u8::from(enable), thread, &raw mut before)
        })?;
        Ok(before != 0)
    }

    fn display_string(self, text: UnicodeStr<'_>) -> Result<()> {
        let mut text = counted(text)?;
        // SAFETY: the text borrows from the caller for the call.
        done(unsafe { NtDisplayString(text.pointer()) })
    }

    fn raise_hard_error(self, error: &HardError<'_>) -> Result<()> {
        if error.parameters.len() > MAXIMUM_HARDERROR_PARAMETERS {
            return Err(Status::INVALID_PARAMETER_2);
        }
        let mut texts = [const { None }; MAXIMUM_HARDERROR_PARAMETERS];
        let mut raw = [0_usize; MAXIMUM_HARDERROR_PARAMETERS];
        let mut mask = 0;
        let mut count = 0;
        for ((parameter, place), text) in error.parameters.iter().zip(&mut raw).zip(&mut texts) {
            match *parameter {
                HardErrorParameter::Value(value) => *place = value as usize,
                HardErrorParameter::Text(from) => {
                    *place = text.insert(counted(from)?).pointer().expose_provenance();
                    mask |= 1 << count;
                }
            }
            count += 1;
        }
        let mut response = 0;
        // SAFETY: the parameters are as many as said; those in the mask are addresses of live
        // strings that borrow from the caller.
        done(unsafe {
            NtRaiseHardError(
                error.status.code().cast_signed(),
                count,
                mask,
                raw.as_mut_ptr(),
                error.option as u32,
                &raw mut response,
            )
        })
    }

    fn shut_down(self, action: ShutdownAction) -> Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { NtShutdownSystem(action as u32) })
    }

    fn exchange_boot_status(
        self,
        items: &[BootStatusItem; 2],
        values: [bool; 2],
    ) -> Result<[bool; 2]> {
        let file = BootStatus::lock()?;
        let mut before = [0; 2];
        for (item, value) in items.iter().zip(&mut before) {
            file.exchange(true, *item, value)?;
        }
        for (item, value) in items.iter().zip(values) {
            file.exchange(false, *item, &mut u8::from(value))?;
        }
        Ok(before.map(|value| value != 0))
    }

    fn query_image_debugger<'b>(
        self,
        image: UnicodeStr<'_>,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        let mut image = counted(image)?;
        let bytes = u32::try_from(size_of_val(buffer)).map_err(|_| Status::INVALID_PARAMETER)?;
        let mut written = 0;
        // SAFETY: the buffer is as long as said and borrowed for writing; the two names are only
        // read, and the option's ends with NUL.
        let answer = status(unsafe {
            LdrQueryImageFileExecutionOptions(
                image.pointer(),
                wide!("Debugger\0").units().as_ptr(),
                REG_SZ,
                buffer.as_mut_ptr().cast(),
                bytes,
                &raw mut written,
            )
        });
        answer.ok()?;
        buffer
            .get(..written as usize / 2)
            .map(UnicodeStr)
            .ok_or(Status::BUFFER_OVERFLOW)
    }
}

/// Ends a process; of no use to anyone if it fails.
pub(crate) fn end_process(status: Status) {
    // SAFETY: takes no pointer.
    let _ = unsafe {
        crate::imports::NtTerminateProcess(
            raw(Handle::CURRENT_PROCESS),
            status.code().cast_signed(),
        )
    };
}
