// SPDX-License-Identifier: GPL-2.0-or-later
//! Everything that this project asks of `ntdll.dll`, and the import library for it, which the linker makes of
//! this; a name that nobody calls is not imported. The types are `ntapi`'s and `winapi`'s.
#![allow(
    non_snake_case,
    non_upper_case_globals,
    reason = "the names are those of the ABI"
)]

use ntapi::ntapi_base::PCLIENT_ID;
use ntapi::ntexapi::{SHUTDOWN_ACTION, SYSTEM_INFORMATION_CLASS};
use ntapi::ntioapi::{
    FILE_INFORMATION_CLASS, FS_INFORMATION_CLASS, PFILE_BASIC_INFORMATION, PIO_APC_ROUTINE,
    PIO_STATUS_BLOCK,
};
use ntapi::ntlpcapi::{PPORT_MESSAGE, PPORT_VIEW, PREMOTE_PORT_VIEW};
use ntapi::ntmmapi::SECTION_INHERIT;
use ntapi::ntpsapi::{PROCESSINFOCLASS, THREADINFOCLASS};
use ntapi::ntregapi::KEY_VALUE_INFORMATION_CLASS;
use ntapi::ntrtl::{
    PRTL_USER_PROCESS_INFORMATION, PRTL_USER_PROCESS_PARAMETERS, PUSER_THREAD_START_ROUTINE,
    RTL_BSD_ITEM_TYPE,
};
use winapi::shared::basetsd::{PSIZE_T, PULONG_PTR, SIZE_T, ULONG_PTR};
use winapi::shared::ntdef::{
    BOOLEAN, EVENT_TYPE, HANDLE, NTSTATUS, PBOOLEAN, PCSTR, PCWSTR, PHANDLE, PLARGE_INTEGER, PLONG,
    PLUID, POBJECT_ATTRIBUTES, PULONG, PUNICODE_STRING, PVOID, PWSTR, ULONG, USHORT, WAIT_TYPE,
    WCHAR,
};
use winapi::um::winnt::{
    ACCESS_MASK, PSECURITY_DESCRIPTOR, PSECURITY_QUALITY_OF_SERVICE, PTOKEN_DEFAULT_DACL,
    PTOKEN_GROUPS, PTOKEN_OWNER, PTOKEN_PRIMARY_GROUP, PTOKEN_PRIVILEGES, PTOKEN_SOURCE,
    PTOKEN_USER, PVECTORED_EXCEPTION_HANDLER, TOKEN_TYPE,
};

// The one function here whose caller takes the arguments off the stack again. On i386 its symbol
// has an underscore, which the compiler leaves to the import library, and the linker does not add.
#[cfg_attr(
    target_arch = "x86",
    link(name = "ntdll", kind = "raw-dylib", import_name_type = "noprefix")
)]
#[cfg_attr(not(target_arch = "x86"), link(name = "ntdll", kind = "raw-dylib"))]
unsafe extern "C" {
    #[cfg_attr(target_arch = "x86", link_name = "_DbgPrint")]
    pub(crate) fn DbgPrint(_: PCSTR, ...) -> ULONG;
}

// What the compiler calls for a copy, a filling or a comparison, by a jump in the import library: ntdll.dll has them for
// every program, and copies by words. Only the development image compares so.
#[cfg(feature = "mem")]
#[cfg_attr(
    target_arch = "x86",
    link(name = "ntdll", kind = "raw-dylib", import_name_type = "noprefix")
)]
#[cfg_attr(not(target_arch = "x86"), link(name = "ntdll", kind = "raw-dylib"))]
#[expect(dead_code, reason = "called by the compiler")]
unsafe extern "C" {
    #[cfg_attr(target_arch = "x86", link_name = "_memcmp")]
    fn memcmp(left: PVOID, right: PVOID, bytes: SIZE_T) -> i32;
    #[cfg_attr(target_arch = "x86", link_name = "_memcpy")]
    fn memcpy(to: PVOID, from: PVOID, bytes: SIZE_T) -> PVOID;
    #[cfg_attr(target_arch = "x86", link_name = "_memmove")]
    fn memmove(to: PVOID, from: PVOID, bytes: SIZE_T) -> PVOID;
    #[cfg_attr(target_arch = "x86", link_name = "_memset")]
    fn memset(to: PVOID, byte: i32, bytes: SIZE_T) -> PVOID;
}

/// Functions of `ntdll.dll`, each called straight through its place in the import table: to the compiler it is a
/// thing at an imported address. What it takes for a function of another library it calls by a jump, and
/// the linker makes each of these sixteen bytes long.
macro_rules! functions {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $answer:ty)?;)*) => {
        /// Where they are.
        mod places {
            #[cfg_attr(
                target_arch = "x86",
                link(name = "ntdll", kind = "raw-dylib", import_name_type = "undecorated")
            )]
            #[cfg_attr(not(target_arch = "x86"), link(name = "ntdll", kind = "raw-dylib"))]
            unsafe extern "C" {
                $(pub(super) static $name: u8;)*
            }
        }

        $(
            /// # Safety
            /// As the function of `ntdll.dll` wants it.
            #[inline(always)]
            pub(crate) unsafe extern "system" fn $name($($argument: $type),*) $(-> $answer)? {
                type Function = unsafe extern "system" fn($($type),*) $(-> $answer)?;
                // SAFETY: the loader has put the function's address there, and this is its signature.
                let function = unsafe { core::mem::transmute::<*const u8, Function>(&raw const places::$name) };
                // SAFETY: the caller's promise.
                unsafe { function($($argument),*) }
            }
        )*
    };
}

functions! {
    fn DbgBreakPoint();
    fn LdrQueryImageFileExecutionOptions(a: PUNICODE_STRING, b: PCWSTR, c: ULONG, d: PVOID, e: ULONG, f: PULONG) -> NTSTATUS;
    fn NtAcceptConnectPort(a: PHANDLE, b: PVOID, c: PPORT_MESSAGE, d: BOOLEAN, e: PPORT_VIEW, f: PREMOTE_PORT_VIEW) -> NTSTATUS;
    fn NtAllocateVirtualMemory(a: HANDLE, b: *mut PVOID, c: ULONG_PTR, d: PSIZE_T, e: ULONG, f: ULONG) -> NTSTATUS;
    fn NtClose(a: HANDLE) -> NTSTATUS;
    fn NtCompleteConnectPort(a: HANDLE) -> NTSTATUS;
    fn NtConnectPort(a: PHANDLE, b: PUNICODE_STRING, c: PSECURITY_QUALITY_OF_SERVICE, d: PPORT_VIEW, e: PREMOTE_PORT_VIEW, f: PULONG, g: PVOID, h: PULONG) -> NTSTATUS;
    fn NtCreateDirectoryObject(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES) -> NTSTATUS;
    fn NtCreateEvent(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES, d: EVENT_TYPE, e: BOOLEAN) -> NTSTATUS;
    fn NtCreateFile(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES, d: PIO_STATUS_BLOCK, e: PLARGE_INTEGER, f: ULONG, g: ULONG, h: ULONG, i: ULONG, j: PVOID, k: ULONG) -> NTSTATUS;
    fn NtCreateKey(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES, d: ULONG, e: PUNICODE_STRING, f: ULONG, g: PULONG) -> NTSTATUS;
    fn NtCreatePagingFile(a: PUNICODE_STRING, b: PLARGE_INTEGER, c: PLARGE_INTEGER, d: ULONG) -> NTSTATUS;
    fn NtCreatePort(a: PHANDLE, b: POBJECT_ATTRIBUTES, c: ULONG, d: ULONG, e: ULONG) -> NTSTATUS;
    fn NtCreateSection(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES, d: PLARGE_INTEGER, e: ULONG, f: ULONG, g: HANDLE) -> NTSTATUS;
    fn NtCreateSymbolicLinkObject(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES, d: PUNICODE_STRING) -> NTSTATUS;
    fn NtCreateToken(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES, d: TOKEN_TYPE, e: PLUID, f: PLARGE_INTEGER, g: PTOKEN_USER, h: PTOKEN_GROUPS, i: PTOKEN_PRIVILEGES, j: PTOKEN_OWNER, k: PTOKEN_PRIMARY_GROUP, l: PTOKEN_DEFAULT_DACL, m: PTOKEN_SOURCE) -> NTSTATUS;
    fn NtDelayExecution(a: BOOLEAN, b: PLARGE_INTEGER) -> NTSTATUS;
    fn NtDeleteValueKey(a: HANDLE, b: PUNICODE_STRING) -> NTSTATUS;
    fn NtDisplayString(a: PUNICODE_STRING) -> NTSTATUS;
    fn NtDuplicateObject(a: HANDLE, b: HANDLE, c: HANDLE, d: PHANDLE, e: ACCESS_MASK, f: ULONG, g: ULONG) -> NTSTATUS;
    fn NtEnumerateValueKey(a: HANDLE, b: ULONG, c: KEY_VALUE_INFORMATION_CLASS, d: PVOID, e: ULONG, f: PULONG) -> NTSTATUS;
    fn NtFlushBuffersFile(a: HANDLE, b: PIO_STATUS_BLOCK) -> NTSTATUS;
    fn NtFlushKey(a: HANDLE) -> NTSTATUS;
    fn NtFreeVirtualMemory(a: HANDLE, b: *mut PVOID, c: PSIZE_T, d: ULONG) -> NTSTATUS;
    fn NtFsControlFile(a: HANDLE, b: HANDLE, c: PIO_APC_ROUTINE, d: PVOID, e: PIO_STATUS_BLOCK, f: ULONG, g: PVOID, h: ULONG, i: PVOID, j: ULONG) -> NTSTATUS;
    fn NtInitializeRegistry(a: USHORT) -> NTSTATUS;
    fn NtMakeTemporaryObject(a: HANDLE) -> NTSTATUS;
    fn NtMapViewOfSection(a: HANDLE, b: HANDLE, c: *mut PVOID, d: ULONG_PTR, e: SIZE_T, f: PLARGE_INTEGER, g: PSIZE_T, h: SECTION_INHERIT, i: ULONG, j: ULONG) -> NTSTATUS;
    fn NtOpenDirectoryObject(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES) -> NTSTATUS;
    fn NtOpenFile(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES, d: PIO_STATUS_BLOCK, e: ULONG, f: ULONG) -> NTSTATUS;
    fn NtOpenKey(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES) -> NTSTATUS;
    fn NtOpenProcess(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES, d: PCLIENT_ID) -> NTSTATUS;
    fn NtOpenSymbolicLinkObject(a: PHANDLE, b: ACCESS_MASK, c: POBJECT_ATTRIBUTES) -> NTSTATUS;
    fn NtQueryAttributesFile(a: POBJECT_ATTRIBUTES, b: PFILE_BASIC_INFORMATION) -> NTSTATUS;
    fn NtQueryDirectoryObject(a: HANDLE, b: PVOID, c: ULONG, d: BOOLEAN, e: BOOLEAN, f: PULONG, g: PULONG) -> NTSTATUS;
    fn NtQueryInformationFile(a: HANDLE, b: PIO_STATUS_BLOCK, c: PVOID, d: ULONG, e: FILE_INFORMATION_CLASS) -> NTSTATUS;
    fn NtQueryInformationProcess(a: HANDLE, b: PROCESSINFOCLASS, c: PVOID, d: ULONG, e: PULONG) -> NTSTATUS;
    fn NtQueryInformationThread(a: HANDLE, b: THREADINFOCLASS, c: PVOID, d: ULONG, e: PULONG) -> NTSTATUS;
    fn NtQuerySymbolicLinkObject(a: HANDLE, b: PUNICODE_STRING, c: PULONG) -> NTSTATUS;
    fn NtQuerySystemInformation(a: SYSTEM_INFORMATION_CLASS, b: PVOID, c: ULONG, d: PULONG) -> NTSTATUS;
    fn NtQueryValueKey(a: HANDLE, b: PUNICODE_STRING, c: KEY_VALUE_INFORMATION_CLASS, d: PVOID, e: ULONG, f: PULONG) -> NTSTATUS;
    fn NtQueryVolumeInformationFile(a: HANDLE, b: PIO_STATUS_BLOCK, c: PVOID, d: ULONG, e: FS_INFORMATION_CLASS) -> NTSTATUS;
    fn NtRaiseHardError(a: NTSTATUS, b: ULONG, c: ULONG, d: PULONG_PTR, e: ULONG, f: PULONG) -> NTSTATUS;
    fn NtReadFile(a: HANDLE, b: HANDLE, c: PIO_APC_ROUTINE, d: PVOID, e: PIO_STATUS_BLOCK, f: PVOID, g: ULONG, h: PLARGE_INTEGER, i: PULONG) -> NTSTATUS;
    fn NtReadVirtualMemory(a: HANDLE, b: PVOID, c: PVOID, d: SIZE_T, e: PSIZE_T) -> NTSTATUS;
    fn NtReplyWaitReceivePort(a: HANDLE, b: *mut PVOID, c: PPORT_MESSAGE, d: PPORT_MESSAGE) -> NTSTATUS;
    fn NtRequestWaitReplyPort(a: HANDLE, b: PPORT_MESSAGE, c: PPORT_MESSAGE) -> NTSTATUS;
    fn NtResumeThread(a: HANDLE, b: PULONG) -> NTSTATUS;
    fn NtSetEvent(a: HANDLE, b: PLONG) -> NTSTATUS;
    fn NtSetInformationFile(a: HANDLE, b: PIO_STATUS_BLOCK, c: PVOID, d: ULONG, e: FILE_INFORMATION_CLASS) -> NTSTATUS;
    fn NtSetInformationProcess(a: HANDLE, b: PROCESSINFOCLASS, c: PVOID, d: ULONG) -> NTSTATUS;
    fn NtSetInformationThread(a: HANDLE, b: THREADINFOCLASS, c: PVOID, d: ULONG) -> NTSTATUS;
    fn NtSetSystemInformation(a: SYSTEM_INFORMATION_CLASS, b: PVOID, c: ULONG) -> NTSTATUS;
    fn NtSetValueKey(a: HANDLE, b: PUNICODE_STRING, c: ULONG, d: ULONG, e: PVOID, f: ULONG) -> NTSTATUS;
    fn NtShutdownSystem(a: SHUTDOWN_ACTION) -> NTSTATUS;
    fn NtTerminateProcess(a: HANDLE, b: NTSTATUS) -> NTSTATUS;
    fn NtUnmapViewOfSection(a: HANDLE, b: PVOID) -> NTSTATUS;
    fn NtWaitForMultipleObjects(a: ULONG, b: *mut HANDLE, c: WAIT_TYPE, d: BOOLEAN, e: PLARGE_INTEGER) -> NTSTATUS;
    fn NtWaitForSingleObject(a: HANDLE, b: BOOLEAN, c: PLARGE_INTEGER) -> NTSTATUS;
    fn NtWriteFile(a: HANDLE, b: HANDLE, c: PIO_APC_ROUTINE, d: PVOID, e: PIO_STATUS_BLOCK, f: PVOID, g: ULONG, h: PLARGE_INTEGER, i: PULONG) -> NTSTATUS;
    fn NtYieldExecution() -> NTSTATUS;
    fn RtlAddVectoredExceptionHandler(a: ULONG, b: PVECTORED_EXCEPTION_HANDLER) -> PVOID;
    fn RtlAdjustPrivilege(a: ULONG, b: BOOLEAN, c: BOOLEAN, d: PBOOLEAN) -> NTSTATUS;
    fn RtlCreateProcessParameters(a: *mut PRTL_USER_PROCESS_PARAMETERS, b: PUNICODE_STRING, c: PUNICODE_STRING, d: PUNICODE_STRING, e: PUNICODE_STRING, f: PVOID, g: PUNICODE_STRING, h: PUNICODE_STRING, i: PUNICODE_STRING, j: PUNICODE_STRING) -> NTSTATUS;
    fn RtlCreateUserProcess(a: PUNICODE_STRING, b: ULONG, c: PRTL_USER_PROCESS_PARAMETERS, d: PSECURITY_DESCRIPTOR, e: PSECURITY_DESCRIPTOR, f: HANDLE, g: BOOLEAN, h: HANDLE, i: HANDLE, j: PRTL_USER_PROCESS_INFORMATION) -> NTSTATUS;
    fn RtlCreateUserThread(a: HANDLE, b: PSECURITY_DESCRIPTOR, c: BOOLEAN, d: ULONG, e: SIZE_T, f: SIZE_T, g: PUSER_THREAD_START_ROUTINE, h: PVOID, i: PHANDLE, j: PCLIENT_ID) -> NTSTATUS;
    fn RtlDestroyProcessParameters(a: PRTL_USER_PROCESS_PARAMETERS) -> NTSTATUS;
    fn RtlExitUserThread(a: NTSTATUS);
    fn RtlGetFullPathName_U(a: PCWSTR, b: ULONG, c: PWSTR, d: *mut PWSTR) -> ULONG;
    fn RtlGetSetBootStatusData(a: HANDLE, b: BOOLEAN, c: RTL_BSD_ITEM_TYPE, d: PVOID, e: ULONG, f: PULONG) -> NTSTATUS;
    fn RtlLockBootStatusData(a: PHANDLE) -> NTSTATUS;
    fn RtlNormalizeProcessParams(a: PRTL_USER_PROCESS_PARAMETERS) -> PRTL_USER_PROCESS_PARAMETERS;
    fn RtlUnlockBootStatusData(a: HANDLE) -> NTSTATUS;
    fn RtlUpcaseUnicodeChar(a: WCHAR) -> WCHAR;
}
