// SPDX-License-Identifier: GPL-2.0-or-later
//! The structures that calls take and give, held against the layouts of NT 5.2 at compile time.
//!
//! `ntapi` declares them for the functions it declares; that they lie as NT 5.2 has them is shown
//! here, field by field of those that are used.

use abi::{Native, file, key, object, port, process, system};
use core::mem::offset_of;
use nt::system::{SectionImageInformation, UserProcessInformation};
use ntapi::ntexapi::{SYSTEM_BASIC_INFORMATION, SYSTEM_PROCESSOR_INFORMATION};
use ntapi::ntioapi::{
    FILE_BASIC_INFORMATION, FILE_DISPOSITION_INFORMATION, FILE_FS_DEVICE_INFORMATION,
    FILE_FS_SIZE_INFORMATION, FILE_RENAME_INFORMATION, FILE_STANDARD_INFORMATION, IO_STATUS_BLOCK,
};
use ntapi::ntlpcapi::{PORT_MESSAGE, REMOTE_PORT_VIEW};
use ntapi::ntobapi::OBJECT_DIRECTORY_INFORMATION;
use ntapi::ntpebteb::{PEB, TEB};
use ntapi::ntpsapi::{PROCESS_BASIC_INFORMATION, THREAD_BASIC_INFORMATION};
use ntapi::ntregapi::{KEY_VALUE_FULL_INFORMATION, KEY_VALUE_PARTIAL_INFORMATION};
use ntapi::ntrtl::{RTL_USER_PROCESS_INFORMATION, RTL_USER_PROCESS_PARAMETERS};
use winapi::shared::ntdef::{LARGE_INTEGER, OBJECT_ATTRIBUTES, UNICODE_STRING};
use winapi::um::winnt::SECURITY_QUALITY_OF_SERVICE;

/// Asserts that fields of a structure lie where the layout has them, and that the two are of one
/// size where that is asked.
macro_rules! same {
    ($theirs:ty, whole = $ours:ty { $($field:ident = $layout:ident),* }) => {
        const _: () = assert!(size_of::<$theirs>() == size_of::<$ours>());
        same!($theirs = $ours { $($field = $layout),* });
    };
    ($theirs:ty = $ours:ty { $($field:ident = $layout:ident),* }) => {
        $(const _: () = assert!(offset_of!($theirs, $field) == offset_of!($ours, $layout));)*
    };
}

same!(UNICODE_STRING, whole = abi::UnicodeString<Native> { Buffer = buffer });
same!(crate::convert::Counted, whole = abi::UnicodeString<Native> { buffer = buffer });
same!(OBJECT_ATTRIBUTES, whole = abi::ObjectAttributes<Native> {
    RootDirectory = root, ObjectName = name, Attributes = attributes, SecurityDescriptor = security
});
same!(IO_STATUS_BLOCK, whole = abi::IoStatusBlock<Native> { Information = information });
same!(SECURITY_QUALITY_OF_SERVICE, whole = abi::QualityOfService {
    ImpersonationLevel = level, ContextTrackingMode = tracking, EffectiveOnly = effective_only
});
same!(PORT_MESSAGE, whole = port::PortMessage<Native> {});
same!(nt::system::PortHeader, whole = port::PortMessage<Native> {
    data_length = data_length, kind = kind, client = client, message_id = message_id
});
same!(REMOTE_PORT_VIEW, whole = port::RemotePortView<Native> { ViewSize = size, ViewBase = base });
same!(OBJECT_DIRECTORY_INFORMATION, whole = object::DirectoryEntry<Native> {
    Name = name, TypeName = kind
});
same!(SYSTEM_BASIC_INFORMATION, whole = system::BasicInformation<Native> {
    PageSize = page_size, NumberOfPhysicalPages = physical_pages, NumberOfProcessors = processors
});
same!(SYSTEM_PROCESSOR_INFORMATION, whole = system::ProcessorInformation {
    ProcessorArchitecture = architecture, ProcessorLevel = level, ProcessorRevision = revision
});
same!(PROCESS_BASIC_INFORMATION, whole = process::ProcessBasic<Native> {
    ExitStatus = exit_status, UniqueProcessId = process, InheritedFromUniqueProcessId = parent
});
same!(THREAD_BASIC_INFORMATION, whole = process::ThreadBasic<Native> { ClientId = client });
same!(FILE_BASIC_INFORMATION, whole = file::FileBasic { FileAttributes = attributes });
same!(FILE_STANDARD_INFORMATION, whole = file::FileStandard {
    AllocationSize = allocation, EndOfFile = end_of_file, Directory = directory
});
same!(FILE_DISPOSITION_INFORMATION, whole = u8 {});
same!(FILE_RENAME_INFORMATION = file::FileRename<Native> {
    RootDirectory = root, FileNameLength = name_length
});
same!(FILE_FS_SIZE_INFORMATION, whole = file::FsSize {
    TotalAllocationUnits = total, AvailableAllocationUnits = available,
    SectorsPerAllocationUnit = sectors_per_unit, BytesPerSector = bytes_per_sector
});
same!(FILE_FS_DEVICE_INFORMATION, whole = file::FsDevice {
    DeviceType = kind, Characteristics = characteristics
});
same!(KEY_VALUE_PARTIAL_INFORMATION = key::ValuePartial { Type = kind, DataLength = data_length });
same!(KEY_VALUE_FULL_INFORMATION = key::ValueFull {
    Type = kind, DataOffset = data_offset, DataLength = data_length, NameLength = name_length
});
same!(RTL_USER_PROCESS_INFORMATION, whole = process::UserProcess<Native> {
    Process = process, Thread = thread, ImageInformation = image
});
same!(UserProcessInformation, whole = process::UserProcess<Native> {
    process = process, thread = thread, client = client, image = image
});
same!(SectionImageInformation, whole = process::SectionImage<Native> {
    subsystem = subsystem, machine = machine
});
same!(RTL_USER_PROCESS_PARAMETERS = process::ProcessParameters<Native> {
    Flags = flags, DebugFlags = debug_flags, CurrentDirectory = current_directory,
    DllPath = dll_path, ImagePathName = image_path_name, CommandLine = command_line,
    Environment = environment
});
same!(PEB = process::Peb<Native> {
    ProcessParameters = parameters, NtGlobalFlag = global_flag, OSMajorVersion = os_major_version
});
same!(TEB = process::Teb<Native> { ClientId = client, ProcessEnvironmentBlock = peb });
const _: () =
    assert!(offset_of!(FILE_RENAME_INFORMATION, FileName) == size_of::<file::FileRename<Native>>());
const _: () =
    assert!(offset_of!(KEY_VALUE_PARTIAL_INFORMATION, Data) == size_of::<key::ValuePartial>());
const _: () = assert!(offset_of!(KEY_VALUE_FULL_INFORMATION, Name) == size_of::<key::ValueFull>());

/// A fixed structure that the kernel fills and that has no invalid value.
///
/// # Safety
/// Every bit pattern, all zeros among them, must be a value of the type.
pub(crate) unsafe trait Plain: Sized {
    /// All zeros.
    fn zero() -> Self {
        // SAFETY: the trait's contract: all zeros are a value of this type.
        unsafe { core::mem::zeroed() }
    }

    /// Size in bytes, as the calls take it.
    const SIZE: u32 = {
        assert!(size_of::<Self>() < 0x1000);
        size_of::<Self>() as u32
    };
}

macro_rules! plain {
    ($($type:ty)*) => {
        $(
            // SAFETY: made of integers, raw pointers and handles (pointers, too) only.
            unsafe impl Plain for $type {}
        )*
    };
}

plain! {
    u32 u64 [u8; 0x28]
    UNICODE_STRING OBJECT_ATTRIBUTES IO_STATUS_BLOCK SYSTEM_BASIC_INFORMATION SYSTEM_PROCESSOR_INFORMATION PROCESS_BASIC_INFORMATION
    THREAD_BASIC_INFORMATION
    FILE_BASIC_INFORMATION FILE_STANDARD_INFORMATION FILE_DISPOSITION_INFORMATION FILE_FS_SIZE_INFORMATION FILE_FS_DEVICE_INFORMATION
    REMOTE_PORT_VIEW RTL_USER_PROCESS_INFORMATION LARGE_INTEGER
}
