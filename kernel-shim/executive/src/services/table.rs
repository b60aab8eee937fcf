// SPDX-License-Identifier: GPL-2.0-or-later
//! The system services of the ABI: number, name and argument count of every one, as ReactOS numbers
//! them, on x86-64 and on i386 alike.
//!
//! A service's number is its place in this list (spec 13.3). The kernel's dispatcher is built from
//! it, and so are the system-call stubs of the shim's `ntdll.dll`, so the two cannot disagree. This
//! file uses nothing but `core` and no other module, so that a build script may take it in by path.
//!
//! Invariants: the list is complete (296 services), alphabetical up to `NtYieldExecution`, and
//! never reordered.

/// One system service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// What user mode puts in EAX.
    pub number: u32,
    /// Its `Nt` name; the `Zw` name is the same service.
    pub name: &'static str,
    /// Arguments, each as wide as a pointer: on x86-64 four of them in registers, all others on the
    /// caller's stack.
    pub arguments: usize,
}

/// How many services there are.
pub const COUNT: usize = 296;

/// The most arguments any service takes.
pub const MAX_ARGUMENTS: usize = 17;

/// Every service, by number.
pub const SERVICES: [Service; COUNT] = numbered(&NAMES);

/// The service with this number.
pub fn service(number: u32) -> Option<&'static Service> {
    static TABLE: [Service; COUNT] = SERVICES;
    TABLE.get(number as usize)
}

/// The number of a service by its `Nt` name. Evaluated in a constant, a name that is not in the
/// list does not compile.
pub const fn number_of(name: &str) -> u32 {
    let mut number = 0;
    while number < COUNT {
        if same(NAMES[number].0.as_bytes(), name.as_bytes()) {
            return number as u32;
        }
        number += 1;
    }
    panic!("no such system service")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn numbered(names: &[(&'static str, usize); COUNT]) -> [Service; COUNT] {
    let mut services = [Service {
        number: 0,
        name: "",
        arguments: 0,
    }; COUNT];
    let mut number = 0;
    while number < COUNT {
        let (name, arguments) = names[number];
        assert!(arguments <= MAX_ARGUMENTS);
        services[number] = Service {
            number: number as u32,
            name,
            arguments,
        };
        number += 1;
    }
    services
}

const NAMES: [(&str, usize); COUNT] = [
    ("NtAcceptConnectPort", 6),
    ("NtAccessCheck", 8),
    ("NtAccessCheckAndAuditAlarm", 11),
    ("NtAccessCheckByType", 11),
    ("NtAccessCheckByTypeAndAuditAlarm", 16),
    ("NtAccessCheckByTypeResultList", 11),
    ("NtAccessCheckByTypeResultListAndAuditAlarm", 16),
    ("NtAccessCheckByTypeResultListAndAuditAlarmByHandle", 17),
    ("NtAddAtom", 3),
    ("NtAddBootEntry", 2),
    ("NtAddDriverEntry", 2),
    ("NtAdjustGroupsToken", 6),
    ("NtAdjustPrivilegesToken", 6),
    ("NtAlertResumeThread", 2),
    ("NtAlertThread", 1),
    ("NtAllocateLocallyUniqueId", 1),
    ("NtAllocateUserPhysicalPages", 3),
    ("NtAllocateUuids", 4),
    ("NtAllocateVirtualMemory", 6),
    ("NtApphelpCacheControl", 2),
    ("NtAreMappedFilesTheSame", 2),
    ("NtAssignProcessToJobObject", 2),
    ("NtCallbackReturn", 3),
    ("NtCancelDeviceWakeupRequest", 1),
    ("NtCancelIoFile", 2),
    ("NtCancelTimer", 2),
    ("NtClearEvent", 1),
    ("NtClose", 1),
    ("NtCloseObjectAuditAlarm", 3),
    ("NtCompactKeys", 2),
    ("NtCompareTokens", 3),
    ("NtCompleteConnectPort", 1),
    ("NtCompressKey", 1),
    ("NtConnectPort", 8),
    ("NtContinue", 2),
    ("NtCreateDebugObject", 4),
    ("NtCreateDirectoryObject", 3),
    ("NtCreateEvent", 5),
    ("NtCreateEventPair", 3),
    ("NtCreateFile", 11),
    ("NtCreateIoCompletion", 4),
    ("NtCreateJobObject", 3),
    ("NtCreateJobSet", 3),
    ("NtCreateKey", 7),
    ("NtCreateMailslotFile", 8),
    ("NtCreateMutant", 4),
    ("NtCreateNamedPipeFile", 14),
    ("NtCreatePagingFile", 4),
    ("NtCreatePort", 5),
    ("NtCreateProcess", 8),
    ("NtCreateProcessEx", 9),
    ("NtCreateProfile", 9),
    ("NtCreateSection", 7),
    ("NtCreateSemaphore", 5),
    ("NtCreateSymbolicLinkObject", 4),
    ("NtCreateThread", 8),
    ("NtCreateTimer", 4),
    ("NtCreateToken", 13),
    ("NtCreateWaitablePort", 5),
    ("NtDebugActiveProcess", 2),
    ("NtDebugContinue", 3),
    ("NtDelayExecution", 2),
    ("NtDeleteAtom", 1),
    ("NtDeleteBootEntry", 1),
    ("NtDeleteDriverEntry", 1),
    ("NtDeleteFile", 1),
    ("NtDeleteKey", 1),
    ("NtDeleteObjectAuditAlarm", 3),
    ("NtDeleteValueKey", 2),
    ("NtDeviceIoControlFile", 10),
    ("NtDisplayString", 1),
    ("NtDuplicateObject", 7),
    ("NtDuplicateToken", 6),
    ("NtEnumerateBootEntries", 2),
    ("NtEnumerateDriverEntries", 2),
    ("NtEnumerateKey", 6),
    ("NtEnumerateSystemEnvironmentValuesEx", 3),
    ("NtEnumerateValueKey", 6),
    ("NtExtendSection", 2),
    ("NtFilterToken", 6),
    ("NtFindAtom", 3),
    ("NtFlushBuffersFile", 2),
    ("NtFlushInstructionCache", 3),
    ("NtFlushKey", 1),
    ("NtFlushVirtualMemory", 4),
    ("NtFlushWriteBuffer", 0),
    ("NtFreeUserPhysicalPages", 3),
    ("NtFreeVirtualMemory", 4),
    ("NtFsControlFile", 10),
    ("NtGetContextThread", 2),
    ("NtGetDevicePowerState", 2),
    ("NtGetPlugPlayEvent", 4),
    ("NtGetWriteWatch", 7),
    ("NtImpersonateAnonymousToken", 1),
    ("NtImpersonateClientOfPort", 2),
    ("NtImpersonateThread", 3),
    ("NtInitializeRegistry", 1),
    ("NtInitiatePowerAction", 4),
    ("NtIsProcessInJob", 2),
    ("NtIsSystemResumeAutomatic", 0),
    ("NtListenPort", 2),
    ("NtLoadDriver", 1),
    ("NtLoadKey", 2),
    ("NtLoadKey2", 3),
    ("NtLoadKeyEx", 4),
    ("NtLockFile", 10),
    ("NtLockProductActivationKeys", 2),
    ("NtLockRegistryKey", 1),
    ("NtLockVirtualMemory", 4),
    ("NtMakePermanentObject", 1),
    ("NtMakeTemporaryObject", 1),
    ("NtMapUserPhysicalPages", 3),
    ("NtMapUserPhysicalPagesScatter", 3),
    ("NtMapViewOfSection", 10),
    ("NtModifyBootEntry", 1),
    ("NtModifyDriverEntry", 1),
    ("NtNotifyChangeDirectoryFile", 9),
    ("NtNotifyChangeKey", 10),
    ("NtNotifyChangeMultipleKeys", 12),
    ("NtOpenDirectoryObject", 3),
    ("NtOpenEvent", 3),
    ("NtOpenEventPair", 3),
    ("NtOpenFile", 6),
    ("NtOpenIoCompletion", 3),
    ("NtOpenJobObject", 3),
    ("NtOpenKey", 3),
    ("NtOpenMutant", 3),
    ("NtOpenObjectAuditAlarm", 12),
    ("NtOpenProcess", 4),
    ("NtOpenProcessToken", 3),
    ("NtOpenProcessTokenEx", 4),
    ("NtOpenSection", 3),
    ("NtOpenSemaphore", 3),
    ("NtOpenSymbolicLinkObject", 3),
    ("NtOpenThread", 4),
    ("NtOpenThreadToken", 4),
    ("NtOpenThreadTokenEx", 5),
    ("NtOpenTimer", 3),
    ("NtPlugPlayControl", 3),
    ("NtPowerInformation", 5),
    ("NtPrivilegeCheck", 3),
    ("NtPrivilegeObjectAuditAlarm", 6),
    ("NtPrivilegedServiceAuditAlarm", 5),
    ("NtProtectVirtualMemory", 5),
    ("NtPulseEvent", 2),
    ("NtQueryAttributesFile", 2),
    ("NtQueryBootEntryOrder", 2),
    ("NtQueryBootOptions", 2),
    ("NtQueryDebugFilterState", 2),
    ("NtQueryDefaultLocale", 2),
    ("NtQueryDefaultUILanguage", 1),
    ("NtQueryDirectoryFile", 11),
    ("NtQueryDirectoryObject", 7),
    ("NtQueryDriverEntryOrder", 2),
    ("NtQueryEaFile", 9),
    ("NtQueryEvent", 5),
    ("NtQueryFullAttributesFile", 2),
    ("NtQueryInformationAtom", 5),
    ("NtQueryInformationFile", 5),
    ("NtQueryInformationJobObject", 5),
    ("NtQueryInformationPort", 5),
    ("NtQueryInformationProcess", 5),
    ("NtQueryInformationThread", 5),
    ("NtQueryInformationToken", 5),
    ("NtQueryInstallUILanguage", 1),
    ("NtQueryIntervalProfile", 2),
    ("NtQueryIoCompletion", 5),
    ("NtQueryKey", 5),
    ("NtQueryMultipleValueKey", 6),
    ("NtQueryMutant", 5),
    ("NtQueryObject", 5),
    ("NtQueryOpenSubKeys", 2),
    ("NtQueryOpenSubKeysEx", 4),
    ("NtQueryPerformanceCounter", 2),
    ("NtQueryQuotaInformationFile", 9),
    ("NtQuerySection", 5),
    ("NtQuerySecurityObject", 5),
    ("NtQuerySemaphore", 5),
    ("NtQuerySymbolicLinkObject", 3),
    ("NtQuerySystemEnvironmentValue", 4),
    ("NtQuerySystemEnvironmentValueEx", 5),
    ("NtQuerySystemInformation", 4),
    ("NtQuerySystemTime", 1),
    ("NtQueryTimer", 5),
    ("NtQueryTimerResolution", 3),
    ("NtQueryValueKey", 6),
    ("NtQueryVirtualMemory", 6),
    ("NtQueryVolumeInformationFile", 5),
    ("NtQueueApcThread", 5),
    ("NtRaiseException", 3),
    ("NtRaiseHardError", 6),
    ("NtReadFile", 9),
    ("NtReadFileScatter", 9),
    ("NtReadRequestData", 6),
    ("NtReadVirtualMemory", 5),
    ("NtRegisterThreadTerminatePort", 1),
    ("NtReleaseMutant", 2),
    ("NtReleaseSemaphore", 3),
    ("NtRemoveIoCompletion", 5),
    ("NtRemoveProcessDebug", 2),
    ("NtRenameKey", 2),
    ("NtReplaceKey", 3),
    ("NtReplyPort", 2),
    ("NtReplyWaitReceivePort", 4),
    ("NtReplyWaitReceivePortEx", 5),
    ("NtReplyWaitReplyPort", 2),
    ("NtRequestDeviceWakeup", 1),
    ("NtRequestPort", 2),
    ("NtRequestWaitReplyPort", 3),
    ("NtRequestWakeupLatency", 1),
    ("NtResetEvent", 2),
    ("NtResetWriteWatch", 3),
    ("NtRestoreKey", 3),
    ("NtResumeProcess", 1),
    ("NtResumeThread", 2),
    ("NtSaveKey", 2),
    ("NtSaveKeyEx", 3),
    ("NtSaveMergedKeys", 3),
    ("NtSecureConnectPort", 9),
    ("NtSetBootEntryOrder", 2),
    ("NtSetBootOptions", 2),
    ("NtSetContextThread", 2),
    ("NtSetDebugFilterState", 3),
    ("NtSetDefaultHardErrorPort", 1),
    ("NtSetDefaultLocale", 2),
    ("NtSetDefaultUILanguage", 1),
    ("NtSetDriverEntryOrder", 2),
    ("NtSetEaFile", 4),
    ("NtSetEvent", 2),
    ("NtSetEventBoostPriority", 1),
    ("NtSetHighEventPair", 1),
    ("NtSetHighWaitLowEventPair", 1),
    ("NtSetInformationDebugObject", 5),
    ("NtSetInformationFile", 5),
    ("NtSetInformationJobObject", 4),
    ("NtSetInformationKey", 4),
    ("NtSetInformationObject", 4),
    ("NtSetInformationProcess", 4),
    ("NtSetInformationThread", 4),
    ("NtSetInformationToken", 4),
    ("NtSetIntervalProfile", 2),
    ("NtSetIoCompletion", 5),
    ("NtSetLdtEntries", 6),
    ("NtSetLowEventPair", 1),
    ("NtSetLowWaitHighEventPair", 1),
    ("NtSetQuotaInformationFile", 4),
    ("NtSetSecurityObject", 3),
    ("NtSetSystemEnvironmentValue", 2),
    ("NtSetSystemEnvironmentValueEx", 5),
    ("NtSetSystemInformation", 3),
    ("NtSetSystemPowerState", 3),
    ("NtSetSystemTime", 2),
    ("NtSetThreadExecutionState", 2),
    ("NtSetTimer", 7),
    ("NtSetTimerResolution", 3),
    ("NtSetUuidSeed", 1),
    ("NtSetValueKey", 6),
    ("NtSetVolumeInformationFile", 5),
    ("NtShutdownSystem", 1),
    ("NtSignalAndWaitForSingleObject", 4),
    ("NtStartProfile", 1),
    ("NtStopProfile", 1),
    ("NtSuspendProcess", 1),
    ("NtSuspendThread", 2),
    ("NtSystemDebugControl", 6),
    ("NtTerminateJobObject", 2),
    ("NtTerminateProcess", 2),
    ("NtTerminateThread", 2),
    ("NtTestAlert", 0),
    ("NtTraceEvent", 4),
    ("NtTranslateFilePath", 4),
    ("NtUnloadDriver", 1),
    ("NtUnloadKey", 1),
    ("NtUnloadKey2", 2),
    ("NtUnloadKeyEx", 2),
    ("NtUnlockFile", 5),
    ("NtUnlockVirtualMemory", 4),
    ("NtUnmapViewOfSection", 2),
    ("NtVdmControl", 2),
    ("NtWaitForDebugEvent", 4),
    ("NtWaitForMultipleObjects", 5),
    ("NtWaitForSingleObject", 3),
    ("NtWaitHighEventPair", 1),
    ("NtWaitLowEventPair", 1),
    ("NtWriteFile", 9),
    ("NtWriteFileGather", 9),
    ("NtWriteRequestData", 6),
    ("NtWriteVirtualMemory", 5),
    ("NtYieldExecution", 0),
    ("NtCreateKeyedEvent", 4),
    ("NtOpenKeyedEvent", 3),
    ("NtReleaseKeyedEvent", 4),
    ("NtWaitForKeyedEvent", 4),
    ("NtQueryPortInformationProcess", 0),
    ("NtGetCurrentProcessorNumber", 0),
    ("NtWaitForMultipleObjects32", 5),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spec_13_3_numbers_are_those_of_the_list() {
        #[rustfmt::skip]
        let listed = [
            (0x0, "NtAcceptConnectPort"), (0xC, "NtAdjustPrivilegesToken"), (0x1B, "NtClose"),
            (0x1F, "NtCompleteConnectPort"), (0x21, "NtConnectPort"), (0x24, "NtCreateDirectoryObject"),
            (0x25, "NtCreateEvent"), (0x2F, "NtCreatePagingFile"), (0x30, "NtCreatePort"),
            (0x34, "NtCreateSection"), (0x36, "NtCreateSymbolicLinkObject"), (0x3D, "NtDelayExecution"),
            (0x44, "NtDeleteValueKey"), (0x46, "NtDisplayString"), (0x47, "NtDuplicateObject"),
            (0x60, "NtInitializeRegistry"), (0x6E, "NtMakeTemporaryObject"), (0x77, "NtOpenDirectoryObject"),
            (0x7A, "NtOpenFile"), (0x7D, "NtOpenKey"), (0x80, "NtOpenProcess"),
            (0x81, "NtOpenProcessToken"), (0x85, "NtOpenSymbolicLinkObject"), (0x98, "NtQueryDirectoryObject"),
            (0x9E, "NtQueryInformationFile"), (0xA1, "NtQueryInformationProcess"), (0xB2, "NtQuerySymbolicLinkObject"),
            (0xB5, "NtQuerySystemInformation"), (0xB9, "NtQueryValueKey"), (0xBB, "NtQueryVolumeInformationFile"),
            (0xBE, "NtRaiseHardError"), (0xCB, "NtReplyWaitReceivePort"), (0xD0, "NtRequestWaitReplyPort"),
            (0xD6, "NtResumeThread"), (0xE4, "NtSetEvent"), (0xE9, "NtSetInformationFile"),
            (0xED, "NtSetInformationProcess"), (0xF9, "NtSetSystemInformation"), (0x100, "NtSetValueKey"),
            (0x10A, "NtTerminateProcess"), (0x118, "NtWaitForMultipleObjects"), (0x119, "NtWaitForSingleObject"),
        ];
        for (number, name) in listed {
            assert_eq!(number_of(name), number, "{name}");
            assert_eq!(service(number).map(|found| found.name), Some(name));
        }
        assert_eq!(listed.len(), 42);
    }

    #[test]
    fn spec_13_3_there_are_296_services() {
        assert_eq!(SERVICES.len(), 296);
        assert_eq!(service(296), None);
        assert!(
            SERVICES.iter().enumerate().all(
                |(place, found)| found.number as usize == place && found.name.starts_with("Nt")
            )
        );
    }

    #[test]
    fn the_list_is_alphabetical_up_to_the_late_additions_and_without_doubles() {
        let late = number_of("NtYieldExecution") as usize;
        let (sorted, added) = SERVICES.split_at(late + 1);
        assert!(sorted.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(
            added
                .iter()
                .all(|late| sorted.iter().all(|early| early.name != late.name))
        );
    }

    #[test]
    fn argument_counts_are_those_of_the_public_prototypes() {
        for (name, arguments) in [
            ("NtClose", 1),
            ("NtCreateFile", 11),
            ("NtMapViewOfSection", 10),
            ("NtTestAlert", 0),
            ("NtConnectPort", 8),
        ] {
            assert_eq!(
                SERVICES[number_of(name) as usize].arguments,
                arguments,
                "{name}"
            );
        }
    }
}
