// SPDX-License-Identifier: GPL-2.0-or-later
//! What each service may answer when it does not do what it was asked for.
//!
//! A fault is a number; which status it is depends on the call that it hits, so that no call answers
//! with what it cannot give.

use nt::Status;

/// The services that smss calls; the end of its own threads is not among them, which nothing could
/// follow.
pub const SERVICES: &[&str] = &[
    "NtAcceptConnectPort",
    "NtAdjustPrivilegesToken",
    "NtAllocateVirtualMemory",
    "NtClose",
    "NtCompleteConnectPort",
    "NtConnectPort",
    "NtCreateDirectoryObject",
    "NtCreateEvent",
    "NtCreateFile",
    "NtCreateKey",
    "NtCreatePagingFile",
    "NtCreatePort",
    "NtCreateProcess",
    "NtCreateSection",
    "NtCreateSymbolicLinkObject",
    "NtCreateThread",
    "NtDelayExecution",
    "NtDeleteValueKey",
    "NtDisplayString",
    "NtDuplicateObject",
    "NtEnumerateValueKey",
    "NtFlushBuffersFile",
    "NtFlushKey",
    "NtFreeVirtualMemory",
    "NtFsControlFile",
    "NtInitializeRegistry",
    "NtMakeTemporaryObject",
    "NtMapViewOfSection",
    "NtOpenDirectoryObject",
    "NtOpenFile",
    "NtOpenKey",
    "NtOpenProcess",
    "NtOpenProcessToken",
    "NtOpenSymbolicLinkObject",
    "NtOpenThreadToken",
    "NtQueryAttributesFile",
    "NtQueryDirectoryObject",
    "NtQueryInformationFile",
    "NtQueryInformationProcess",
    "NtQueryInformationThread",
    "NtQuerySection",
    "NtQuerySymbolicLinkObject",
    "NtQuerySystemInformation",
    "NtQueryValueKey",
    "NtQueryVolumeInformationFile",
    "NtRaiseHardError",
    "NtReadFile",
    "NtReplyWaitReceivePort",
    "NtRequestWaitReplyPort",
    "NtResumeThread",
    "NtSetEvent",
    "NtSetInformationFile",
    "NtSetInformationProcess",
    "NtSetInformationThread",
    "NtSetSystemInformation",
    "NtSetValueKey",
    "NtTerminateProcess",
    "NtUnmapViewOfSection",
    "NtWaitForMultipleObjects",
    "NtWaitForSingleObject",
    "NtWriteFile",
    "NtWriteVirtualMemory",
];

/// What any call may say: no memory, no quota, a handle that is none, and what a driver or filter
/// below it comes up with.
const ANY: &[Status] = &[
    Status::NO_MEMORY,
    Status::INSUFFICIENT_RESOURCES,
    Status::INVALID_HANDLE,
    Status::ACCESS_DENIED,
    Status::UNSUCCESSFUL,
];

const NAMED: &[Status] = &[
    Status::OBJECT_NAME_NOT_FOUND,
    Status::OBJECT_PATH_NOT_FOUND,
    Status::OBJECT_NAME_COLLISION,
    Status::OBJECT_TYPE_MISMATCH,
    Status::OBJECT_NAME_INVALID,
];

const DISK: &[Status] = &[
    Status::IO_DEVICE_ERROR,
    Status::DISK_FULL,
    Status::SHARING_VIOLATION,
    Status::MEDIA_WRITE_PROTECTED,
    Status::DEVICE_NOT_READY,
    Status::FILE_CORRUPT_ERROR,
    Status::DELETE_PENDING,
    Status::CANNOT_DELETE,
    Status::NOT_SAME_DEVICE,
];

const REGISTRY: &[Status] = &[
    Status::KEY_DELETED,
    Status::REGISTRY_CORRUPT,
    Status::NO_MORE_ENTRIES,
];

const PORT: &[Status] = &[
    Status::PORT_DISCONNECTED,
    Status::PORT_CONNECTION_REFUSED,
    Status::LPC_REPLY_LOST,
    Status::REPLY_MESSAGE_MISMATCH,
    Status::INVALID_CID,
    Status::PORT_MESSAGE_TOO_LONG,
];

const PROCESS: &[Status] = &[
    Status::PROCESS_IS_TERMINATING,
    Status::THREAD_IS_TERMINATING,
    Status::INVALID_PARAMETER,
    Status::INVALID_CID,
    Status::PRIVILEGE_NOT_HELD,
];

const IMAGE: &[Status] = &[
    Status::INVALID_IMAGE_FORMAT,
    Status::IMAGE_CHECKSUM_MISMATCH,
    Status::CONFLICTING_ADDRESSES,
    Status::IN_PAGE_ERROR,
];

/// How a wait may end without what was waited for: success codes, all of them.
const WAIT: &[Status] = &[
    Status::TIMEOUT,
    Status::ALERTED,
    Status::USER_APC,
    Status::PENDING,
];

/// What `call` may give, in groups.
fn groups(call: &str) -> [&'static [Status]; 3] {
    match call {
        "NtWaitForSingleObject" | "NtWaitForMultipleObjects" | "NtDelayExecution" => {
            [WAIT, WAIT, ANY]
        }
        "NtOpenKey" | "NtCreateKey" => [ANY, NAMED, REGISTRY],
        "NtQueryValueKey"
        | "NtEnumerateValueKey"
        | "NtSetValueKey"
        | "NtDeleteValueKey"
        | "NtFlushKey" => [ANY, REGISTRY, DISK],
        "NtOpenFile" | "NtCreateFile" => [ANY, NAMED, DISK],
        "NtReadFile"
        | "NtWriteFile"
        | "NtSetInformationFile"
        | "NtQueryInformationFile"
        | "NtQueryVolumeInformationFile"
        | "NtFlushBuffersFile"
        | "NtCreatePagingFile"
        | "NtFsControlFile"
        | "NtQueryAttributesFile" => [ANY, DISK, &[]],
        "NtCreatePort" | "NtConnectPort" | "NtRequestWaitReplyPort" => [ANY, PORT, &[]],
        // What else they may say is that the client has gone to whom they answer. Only the kernel can
        // say so, of a client that has.
        "NtReplyWaitReceivePort" | "NtAcceptConnectPort" | "NtCompleteConnectPort" => {
            [ANY, &[], &[]]
        }
        "NtCreateSection" | "NtMapViewOfSection" => [ANY, IMAGE, NAMED],
        "NtCreateProcess"
        | "NtCreateThread"
        | "NtResumeThread"
        | "NtOpenProcess"
        | "NtQueryInformationThread"
        | "NtQueryInformationProcess"
        | "NtSetInformationProcess"
        | "NtSetInformationThread" => [ANY, PROCESS, IMAGE],
        "NtCreateDirectoryObject"
        | "NtOpenDirectoryObject"
        | "NtCreateSymbolicLinkObject"
        | "NtOpenSymbolicLinkObject"
        | "NtCreateEvent" => [ANY, NAMED, &[]],
        _ => [ANY, &[], &[]],
    }
}

/// The status that `choice` means for `call`.
pub fn of(call: &str, choice: u64) -> Status {
    let all: Vec<Status> = groups(call).concat();
    all[(choice % all.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_waits_for_its_answer_is_never_said_to_be_gone() {
        for choice in 0..100 {
            for call in ["NtReplyWaitReceivePort", "NtAcceptConnectPort"] {
                assert!(!PORT.contains(&of(call, choice)));
            }
        }
    }

    #[test]
    fn a_call_that_is_no_wait_never_gives_a_success_code() {
        for choice in 0..100 {
            assert!(of("NtOpenKey", choice).ok().is_err());
            assert!(of("NtClose", choice).ok().is_err());
        }
        assert!((0..100).any(|choice| of("NtWaitForSingleObject", choice) == Status::ALERTED));
    }
}
