// SPDX-License-Identifier: GPL-2.0-or-later
//! The import library for `ntdll.dll`.
//!
//! `ntapi` declares the functions but links nothing on this target. The blocks below make the
//! linker's import library; their signatures are never used (calls go through `ntapi`'s declarations
//! of the same names), and a name that nobody calls is not imported. This list is therefore also
//! the list of everything this project may ask of `ntdll.dll`.
//!
//! How many arguments a function takes is part of its symbol on i386 (`_NtClose@4`), where a wrong
//! number here does not link; the import table has the plain name on every machine.

macro_rules! names {
    ($($name:ident($($argument:tt)*))*) => {
        #[cfg_attr(
            target_arch = "x86",
            link(name = "ntdll", kind = "raw-dylib", import_name_type = "undecorated")
        )]
        #[cfg_attr(not(target_arch = "x86"), link(name = "ntdll", kind = "raw-dylib"))]
        #[allow(non_snake_case, dead_code, reason = "the names are those of the ABI")]
        unsafe extern "system" {
            $(fn $name($($argument: usize),*);)*
        }
    };
}

// The one function here whose caller takes the arguments off the stack again. On i386 its symbol
// has an underscore, which the compiler leaves to the import library, and the linker does not add.
#[cfg_attr(
    target_arch = "x86",
    link(name = "ntdll", kind = "raw-dylib", import_name_type = "noprefix")
)]
#[cfg_attr(not(target_arch = "x86"), link(name = "ntdll", kind = "raw-dylib"))]
#[allow(non_snake_case, dead_code, reason = "the names are those of the ABI")]
unsafe extern "C" {
    #[cfg_attr(target_arch = "x86", link_name = "_DbgPrint")]
    fn DbgPrint();
}

names! {
    DbgBreakPoint()
    LdrQueryImageFileExecutionOptions(_ _ _ _ _ _)
    NtAcceptConnectPort(_ _ _ _ _ _)
    NtAllocateVirtualMemory(_ _ _ _ _ _)
    NtClose(_)
    NtCompleteConnectPort(_)
    NtConnectPort(_ _ _ _ _ _ _ _)
    NtCreateDirectoryObject(_ _ _)
    NtCreateEvent(_ _ _ _ _)
    NtCreateFile(_ _ _ _ _ _ _ _ _ _ _)
    NtCreateKey(_ _ _ _ _ _ _)
    NtCreatePagingFile(_ _ _ _)
    NtCreatePort(_ _ _ _ _)
    NtCreateSection(_ _ _ _ _ _ _)
    NtCreateSymbolicLinkObject(_ _ _ _)
    NtDelayExecution(_ _)
    NtDeleteValueKey(_ _)
    NtDisplayString(_)
    NtDuplicateObject(_ _ _ _ _ _ _)
    NtEnumerateValueKey(_ _ _ _ _ _)
    NtFlushBuffersFile(_ _)
    NtFlushKey(_)
    NtFreeVirtualMemory(_ _ _ _)
    NtFsControlFile(_ _ _ _ _ _ _ _ _ _)
    NtInitializeRegistry(_)
    NtMakeTemporaryObject(_)
    NtMapViewOfSection(_ _ _ _ _ _ _ _ _ _)
    NtOpenDirectoryObject(_ _ _)
    NtOpenFile(_ _ _ _ _ _)
    NtOpenKey(_ _ _)
    NtOpenProcess(_ _ _ _)
    NtOpenSymbolicLinkObject(_ _ _)
    NtQueryAttributesFile(_ _)
    NtQueryDirectoryObject(_ _ _ _ _ _ _)
    NtQueryInformationFile(_ _ _ _ _)
    NtQueryInformationProcess(_ _ _ _ _)
    NtQueryInformationThread(_ _ _ _ _)
    NtQuerySymbolicLinkObject(_ _ _)
    NtQuerySystemInformation(_ _ _ _)
    NtQueryValueKey(_ _ _ _ _ _)
    NtQueryVolumeInformationFile(_ _ _ _ _)
    NtRaiseHardError(_ _ _ _ _ _)
    NtReadFile(_ _ _ _ _ _ _ _ _)
    NtReadVirtualMemory(_ _ _ _ _)
    NtReplyWaitReceivePort(_ _ _ _)
    NtRequestWaitReplyPort(_ _ _)
    NtResumeThread(_ _)
    NtSetEvent(_ _)
    NtSetInformationFile(_ _ _ _ _)
    NtSetInformationProcess(_ _ _ _)
    NtSetInformationThread(_ _ _ _)
    NtSetSystemInformation(_ _ _)
    NtSetValueKey(_ _ _ _ _ _)
    NtShutdownSystem(_)
    NtTerminateProcess(_ _)
    NtUnmapViewOfSection(_ _)
    NtWaitForMultipleObjects(_ _ _ _ _)
    NtWaitForSingleObject(_ _ _)
    NtWriteFile(_ _ _ _ _ _ _ _ _)
    NtYieldExecution()
    RtlAddVectoredExceptionHandler(_ _)
    RtlAdjustPrivilege(_ _ _ _)
    RtlCreateProcessParameters(_ _ _ _ _ _ _ _ _ _)
    RtlCreateUserProcess(_ _ _ _ _ _ _ _ _ _)
    RtlCreateUserThread(_ _ _ _ _ _ _ _ _ _)
    RtlDestroyProcessParameters(_)
    RtlExitUserThread(_)
    RtlGetSetBootStatusData(_ _ _ _ _ _)
    RtlLockBootStatusData(_)
    RtlNormalizeProcessParams(_)
    RtlUnlockBootStatusData(_)
    RtlUpcaseUnicodeChar(_)
}
