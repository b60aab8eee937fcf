// SPDX-License-Identifier: GPL-2.0-or-later
//! Privileges and the critical flags.

use crate::support::{CURRENT_PROCESS, CURRENT_THREAD, Owned, done, peb, status};
use nt::Status;
use ntapi::ntpsapi::{
    NtQueryInformationProcess, NtQueryInformationThread, NtSetInformationProcess,
    NtSetInformationThread, ProcessBreakOnTermination, ThreadBreakOnTermination,
};
use ntapi::ntseapi::{NtAdjustPrivilegesToken, NtOpenProcessToken, NtOpenThreadToken};
use winapi::shared::ntdef::{BOOLEAN, LUID, NTSTATUS, ULONG};
use winapi::um::winnt::{
    LUID_AND_ATTRIBUTES, SE_PRIVILEGE_ENABLED, TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES,
    TOKEN_QUERY,
};

/// FLG_ENABLE_SYSTEM_CRIT_BREAKS of NtGlobalFlag.
const CRITICAL_BREAKS: ULONG = 0x0010_0000;

fn one(privilege: ULONG, enable: bool) -> TOKEN_PRIVILEGES {
    let attributes = if enable { SE_PRIVILEGE_ENABLED } else { 0 };
    let luid = LUID {
        LowPart: privilege,
        HighPart: 0,
    };
    TOKEN_PRIVILEGES {
        PrivilegeCount: 1,
        Privileges: [LUID_AND_ATTRIBUTES {
            Luid: luid,
            Attributes: attributes,
        }],
    }
}

fn adjust(privilege: ULONG, enable: bool, thread: bool) -> Result<bool, Status> {
    let access = TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY;
    let mut token = core::ptr::null_mut();
    done(if thread {
        // SAFETY: the out-pointer is a live local.
        unsafe { NtOpenThreadToken(CURRENT_THREAD, access, 0, &raw mut token) }
    } else {
        // SAFETY: the out-pointer is a live local.
        unsafe { NtOpenProcessToken(CURRENT_PROCESS, access, &raw mut token) }
    })?;
    let token = Owned(token);
    let mut new = one(privilege, enable);
    let mut old = one(0, false);
    let mut written = 0;
    // SAFETY: all three are live locals of the size said.
    let answer = Status::new(
        unsafe {
            NtAdjustPrivilegesToken(
                token.0,
                0,
                &raw mut new,
                size_of::<TOKEN_PRIVILEGES>() as u32,
                &raw mut old,
                &raw mut written,
            )
        }
        .cast_unsigned(),
    );
    // A success code: nothing was changed, because the token lacks the privilege.
    if answer == Status::NOT_ALL_ASSIGNED {
        return Err(Status::PRIVILEGE_NOT_HELD);
    }
    answer.ok()?;
    // The old state lists what has changed; nothing there means that it was so before.
    let [before] = old.Privileges;
    Ok(if old.PrivilegeCount == 0 {
        enable
    } else {
        before.Attributes & SE_PRIVILEGE_ENABLED != 0
    })
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAdjustPrivilege(
    privilege: ULONG,
    enable: BOOLEAN,
    thread: BOOLEAN,
    before: &mut BOOLEAN,
) -> NTSTATUS {
    match adjust(privilege, enable != 0, thread != 0) {
        Ok(was) => {
            *before = u8::from(was);
            0
        }
        Err(error) => status(Err(error)),
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlGetNtGlobalFlags() -> ULONG {
    // SAFETY: the PEB lives as long as the process.
    unsafe { (*peb()).NtGlobalFlag }
}

fn breaks_missing(wanted: BOOLEAN) -> bool {
    // SAFETY: reads the PEB.
    wanted != 0 && unsafe { RtlGetNtGlobalFlags() } & CRITICAL_BREAKS == 0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn RtlSetProcessIsCritical(
    new: BOOLEAN,
    old: *mut BOOLEAN,
    need_breaks: BOOLEAN,
) -> NTSTATUS {
    if breaks_missing(need_breaks) {
        return status(Err(Status::UNSUCCESSFUL));
    }
    let mut value: ULONG = 0;
    // SAFETY: null, or the caller's byte.
    if let Some(old) = unsafe { old.as_mut() } {
        // SAFETY: four bytes of a live local.
        let _ = unsafe {
            NtQueryInformationProcess(
                CURRENT_PROCESS,
                ProcessBreakOnTermination,
                (&raw mut value).cast(),
                4,
                core::ptr::null_mut(),
            )
        };
        *old = u8::from(value != 0);
    }
    value = u32::from(new != 0);
    // SAFETY: four bytes of a live local.
    unsafe {
        NtSetInformationProcess(
            CURRENT_PROCESS,
            ProcessBreakOnTermination,
            (&raw mut value).cast(),
            4,
        )
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn RtlSetThreadIsCritical(
    new: BOOLEAN,
    old: *mut BOOLEAN,
    need_breaks: BOOLEAN,
) -> NTSTATUS {
    if breaks_missing(need_breaks) {
        return status(Err(Status::UNSUCCESSFUL));
    }
    let mut value: ULONG = 0;
    // SAFETY: null, or the caller's byte.
    if let Some(old) = unsafe { old.as_mut() } {
        // SAFETY: four bytes of a live local.
        let _ = unsafe {
            NtQueryInformationThread(
                CURRENT_THREAD,
                ThreadBreakOnTermination,
                (&raw mut value).cast(),
                4,
                core::ptr::null_mut(),
            )
        };
        *old = u8::from(value != 0);
    }
    value = u32::from(new != 0);
    // SAFETY: four bytes of a live local.
    unsafe {
        NtSetInformationThread(
            CURRENT_THREAD,
            ThreadBreakOnTermination,
            (&raw mut value).cast(),
            4,
        )
    }
}
