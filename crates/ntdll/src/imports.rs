// SPDX-License-Identifier: GPL-2.0-or-later
//! The import library for `ntdll.dll`.
//!
//! `ntapi` declares the functions but links nothing on this target. The block below makes the
//! linker's import library; its signatures are never used (calls go through `ntapi`'s declarations
//! of the same names), and a name that nobody calls is not imported. This list is therefore also
//! the list of everything this project may ask of `ntdll.dll`.

macro_rules! names {
    ($($name:ident)*) => {
        #[link(name = "ntdll", kind = "raw-dylib")]
        #[allow(non_snake_case, dead_code, reason = "the names are those of the ABI")]
        unsafe extern "system" {
            $(fn $name();)*
        }
    };
}

names! {
    DbgBreakPoint
    DbgPrint
    LdrQueryImageFileExecutionOptions
    NtAcceptConnectPort
    NtAllocateVirtualMemory
    NtClose
    NtCompleteConnectPort
    NtConnectPort
    NtCreateDirectoryObject
    NtCreateEvent
    NtCreateFile
    NtCreateKey
    NtCreatePagingFile
    NtCreatePort
    NtCreateSection
    NtCreateSymbolicLinkObject
    NtDelayExecution
    NtDeleteValueKey
    NtDisplayString
    NtDuplicateObject
    NtEnumerateValueKey
    NtFlushBuffersFile
    NtFlushKey
    NtFreeVirtualMemory
    NtFsControlFile
    NtInitializeRegistry
    NtMakeTemporaryObject
    NtMapViewOfSection
    NtOpenDirectoryObject
    NtOpenFile
    NtOpenKey
    NtOpenProcess
    NtOpenSymbolicLinkObject
    NtQueryAttributesFile
    NtQueryDirectoryObject
    NtQueryInformationFile
    NtQueryInformationProcess
    NtQueryInformationThread
    NtQuerySymbolicLinkObject
    NtQuerySystemInformation
    NtQueryValueKey
    NtQueryVolumeInformationFile
    NtRaiseHardError
    NtReadFile
    NtReadVirtualMemory
    NtReplyWaitReceivePort
    NtRequestWaitReplyPort
    NtResumeThread
    NtSetEvent
    NtSetInformationFile
    NtSetInformationProcess
    NtSetInformationThread
    NtSetSystemInformation
    NtSetValueKey
    NtShutdownSystem
    NtTerminateProcess
    NtUnmapViewOfSection
    NtWaitForMultipleObjects
    NtWaitForSingleObject
    NtWriteFile
    NtYieldExecution
    RtlAddVectoredExceptionHandler
    RtlAdjustPrivilege
    RtlCreateProcessParameters
    RtlCreateUserProcess
    RtlCreateUserThread
    RtlDestroyProcessParameters
    RtlExitUserThread
    RtlGetSetBootStatusData
    RtlLockBootStatusData
    RtlNormalizeProcessParams
    RtlUnlockBootStatusData
    RtlUpcaseUnicodeChar
}
