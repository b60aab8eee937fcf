// SPDX-License-Identifier: GPL-2.0-or-later
//! The words that the public headers have for numbers: bits, classes, kinds; and which parameter of
//! which call they belong to.

/// Names of bits. A name of several bits stands before those of its parts.
pub type Bits = &'static [(u32, &'static str)];

/// What a number is made of.
#[derive(Clone, Copy)]
pub enum Words {
    /// Bits.
    Bits(Bits),
    /// One of these, counted from 0; an empty name is no value.
    One(&'static [&'static str]),
    /// An NTSTATUS.
    Status,
}

/// The words of a parameter, in calls whose name begins with one of these; in any if there is none.
pub struct Rule {
    /// Beginnings of calls' names.
    pub calls: &'static [&'static str],
    /// The parameter's name in the trace.
    pub parameter: &'static str,
    /// What its number is made of.
    pub words: Words,
}

const fn rule(calls: &'static [&'static str], parameter: &'static str, words: Words) -> Rule {
    Rule {
        calls,
        parameter,
        words,
    }
}

const SHARE: Bits = &[(1, "READ"), (2, "WRITE"), (4, "DELETE")];
const OPEN_OPTIONS: Bits = &[
    (0x1, "DIRECTORY_FILE"),
    (0x2, "WRITE_THROUGH"),
    (0x4, "SEQUENTIAL_ONLY"),
    (0x8, "NO_INTERMEDIATE_BUFFERING"),
    (0x10, "SYNCHRONOUS_IO_ALERT"),
    (0x20, "SYNCHRONOUS_IO_NONALERT"),
    (0x40, "NON_DIRECTORY_FILE"),
    (0x200, "NO_EA_KNOWLEDGE"),
    (0x800, "RANDOM_ACCESS"),
    (0x1000, "DELETE_ON_CLOSE"),
    (0x2000, "OPEN_BY_FILE_ID"),
    (0x4000, "OPEN_FOR_BACKUP_INTENT"),
    (0x8000, "NO_COMPRESSION"),
    (0x20_0000, "OPEN_REPARSE_POINT"),
];
const DISPOSITION: &[&str] = &[
    "SUPERSEDE",
    "OPEN",
    "CREATE",
    "OPEN_IF",
    "OVERWRITE",
    "OVERWRITE_IF",
];
const FILE_ATTRIBUTES: Bits = &[
    (0x1, "READONLY"),
    (0x2, "HIDDEN"),
    (0x4, "SYSTEM"),
    (0x10, "DIRECTORY"),
    (0x20, "ARCHIVE"),
    (0x80, "NORMAL"),
    (0x100, "TEMPORARY"),
];
const OBJECT_ATTRIBUTES: Bits = &[
    (0x2, "INHERIT"),
    (0x10, "PERMANENT"),
    (0x20, "EXCLUSIVE"),
    (0x40, "CASE_INSENSITIVE"),
    (0x80, "OPENIF"),
    (0x100, "OPENLINK"),
    (0x200, "KERNEL_HANDLE"),
];
const DUPLICATE: Bits = &[
    (1, "CLOSE_SOURCE"),
    (2, "SAME_ACCESS"),
    (4, "SAME_ATTRIBUTES"),
];
const KEY_OPTIONS: Bits = &[(1, "VOLATILE"), (2, "CREATE_LINK"), (4, "BACKUP_RESTORE")];
const VALUE_TYPES: &[&str] = &[
    "REG_NONE",
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_BINARY",
    "REG_DWORD",
    "REG_DWORD_BIG_ENDIAN",
    "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST",
    "REG_FULL_RESOURCE_DESCRIPTOR",
    "REG_RESOURCE_REQUIREMENTS_LIST",
    "REG_QWORD",
];
const PROTECTION: Bits = &[
    (0x1, "NOACCESS"),
    (0x2, "READONLY"),
    (0x4, "READWRITE"),
    (0x8, "WRITECOPY"),
    (0x10, "EXECUTE"),
    (0x20, "EXECUTE_READ"),
    (0x40, "EXECUTE_READWRITE"),
    (0x80, "EXECUTE_WRITECOPY"),
    (0x100, "GUARD"),
    (0x200, "NOCACHE"),
    (0x400, "WRITECOMBINE"),
];
const ALLOCATION: Bits = &[
    (0x1000, "COMMIT"),
    (0x2000, "RESERVE"),
    (0x4000, "DECOMMIT"),
    (0x8000, "RELEASE"),
    (0x8_0000, "RESET"),
    (0x10_0000, "TOP_DOWN"),
];
const SECTION: Bits = &[
    (0x20_0000, "BASED"),
    (0x40_0000, "NO_CHANGE"),
    (0x80_0000, "FILE"),
    (0x100_0000, "IMAGE"),
    (0x400_0000, "RESERVE"),
    (0x800_0000, "COMMIT"),
    (0x1000_0000, "NOCACHE"),
];
const SECURITY: Bits = &[(1, "OWNER"), (2, "GROUP"), (4, "DACL"), (8, "SACL")];
const FILE_CLASSES: &[&str] = &[
    "",
    "Directory",
    "FullDirectory",
    "BothDirectory",
    "Basic",
    "Standard",
    "Internal",
    "Ea",
    "Access",
    "Name",
    "Rename",
    "Link",
    "Names",
    "Disposition",
    "Position",
    "FullEa",
    "Mode",
    "Alignment",
    "All",
    "Allocation",
    "EndOfFile",
    "AlternateName",
    "Stream",
    "Pipe",
    "PipeLocal",
    "PipeRemote",
    "MailslotQuery",
    "MailslotSet",
    "Compression",
    "ObjectId",
    "Completion",
    "MoveCluster",
    "Quota",
    "ReparsePoint",
    "NetworkOpen",
    "AttributeTag",
    "Tracking",
    "IdBothDirectory",
    "IdFullDirectory",
    "ValidDataLength",
    "ShortName",
];
const VOLUME_CLASSES: &[&str] = &[
    "",
    "Volume",
    "Label",
    "Size",
    "Device",
    "Attribute",
    "Control",
    "FullSize",
    "ObjectId",
];
const PROCESS_CLASSES: &[&str] = &[
    "Basic",
    "QuotaLimits",
    "IoCounters",
    "VmCounters",
    "Times",
    "BasePriority",
    "RaisePriority",
    "DebugPort",
    "ExceptionPort",
    "AccessToken",
    "LdtInformation",
    "LdtSize",
    "DefaultHardErrorMode",
    "IoPortHandlers",
    "PooledUsageAndLimits",
    "WorkingSetWatch",
    "UserModeIOPL",
    "EnableAlignmentFaultFixup",
    "PriorityClass",
    "Wx86",
    "HandleCount",
    "AffinityMask",
    "PriorityBoost",
    "DeviceMap",
    "Session",
    "ForegroundInformation",
    "Wow64",
    "ImageFileName",
    "LUIDDeviceMapsEnabled",
    "BreakOnTermination",
    "DebugObjectHandle",
    "DebugFlags",
    "HandleTracing",
    "IoPriority",
    "ExecuteFlags",
    "TlsInformation",
    "Cookie",
    "ImageInformation",
];
const THREAD_CLASSES: &[&str] = &[
    "Basic",
    "Times",
    "Priority",
    "BasePriority",
    "AffinityMask",
    "ImpersonationToken",
    "DescriptorTableEntry",
    "EnableAlignmentFaultFixup",
    "EventPair",
    "QuerySetWin32StartAddress",
    "ZeroTlsCell",
    "PerformanceCount",
    "AmILastThread",
    "IdealProcessor",
    "PriorityBoost",
    "SetTlsArrayAddress",
    "IsIoPending",
    "HideFromDebugger",
    "BreakOnTermination",
];
const SYSTEM_CLASSES: &[&str] = &[
    "Basic",
    "Processor",
    "Performance",
    "TimeOfDay",
    "Path",
    "Process",
    "CallCount",
    "Device",
    "ProcessorPerformance",
    "Flags",
    "CallTime",
    "Module",
    "Locks",
    "StackTrace",
    "PagedPool",
    "NonPagedPool",
    "Handle",
    "Object",
    "PageFile",
    "VdmInstemul",
    "VdmBop",
    "FileCache",
    "PoolTag",
    "Interrupt",
    "DpcBehavior",
    "FullMemory",
    "LoadGdiDriver",
    "UnloadGdiDriver",
    "TimeAdjustment",
    "SummaryMemory",
    "MirrorMemory",
    "PerformanceTrace",
    "Obsolete",
    "Exception",
    "CrashDumpState",
    "KernelDebugger",
    "ContextSwitch",
    "RegistryQuota",
    "ExtendServiceTable",
    "PrioritySeparation",
    "VerifierAddDriver",
    "VerifierRemoveDriver",
    "ProcessorIdle",
    "LegacyDriver",
    "CurrentTimeZone",
    "Lookaside",
    "TimeSlip",
    "SessionCreate",
    "SessionDetach",
    "Session",
    "RangeStart",
    "Verifier",
    "VerifierThunkExtend",
    "SessionProcess",
];
const OBJECT_CLASSES: &[&str] = &["Basic", "Name", "Type", "Types", "HandleFlag"];
const MEMORY_CLASSES: &[&str] = &["Basic", "WorkingSetList", "SectionName"];
const SECTION_CLASSES: &[&str] = &["Basic", "Image"];
const KEY_CLASSES: &[&str] = &["Basic", "Node", "Full", "Name"];
const VALUE_CLASSES: &[&str] = &["Basic", "Full", "Partial", "FullAlign64", "PartialAlign64"];
const TOKEN_CLASSES: &[&str] = &[
    "",
    "User",
    "Groups",
    "Privileges",
    "Owner",
    "PrimaryGroup",
    "DefaultDacl",
    "Source",
    "Type",
    "ImpersonationLevel",
    "Statistics",
    "RestrictedSids",
    "SessionId",
];
const HARD_ERROR_OPTIONS: &[&str] = &[
    "AbortRetryIgnore",
    "Ok",
    "OkCancel",
    "RetryCancel",
    "YesNo",
    "YesNoCancel",
    "ShutdownSystem",
    "OkNoWait",
    "CancelTryContinue",
];
const SHUTDOWN: &[&str] = &["NoReboot", "Reboot", "PowerOff"];
const EVENT_TYPES: &[&str] = &["Notification", "Synchronization"];
const WAIT_TYPES: &[&str] = &["All", "Any"];
const INHERIT: &[&str] = &["", "Share", "Unmap"];

/// Parameters whose numbers have names; the first rule that fits counts.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule(&[], "share", Words::Bits(SHARE)),
    rule(&["NtCreateFile", "NtOpenFile"], "options", Words::Bits(OPEN_OPTIONS)),
    rule(&["NtCreateFile"], "disposition", Words::One(DISPOSITION)),
    rule(&["NtCreateFile"], "flags", Words::Bits(FILE_ATTRIBUTES)),
    rule(&["NtDuplicateObject", "NtOpenProcessTokenEx", "NtOpenThreadTokenEx"], "attributes",
         Words::Bits(OBJECT_ATTRIBUTES)),
    rule(&["NtDuplicateObject"], "options", Words::Bits(DUPLICATE)),
    rule(&["NtCreateKey"], "options", Words::Bits(KEY_OPTIONS)),
    rule(&["NtSetValueKey"], "type", Words::One(VALUE_TYPES)),
    rule(&[], "protect", Words::Bits(PROTECTION)),
    rule(&["NtAllocateVirtualMemory", "NtFreeVirtualMemory", "NtMapViewOfSection"], "type",
         Words::Bits(ALLOCATION)),
    rule(&["NtMapViewOfSection"], "inherit", Words::One(INHERIT)),
    rule(&["NtCreateSection"], "allocation", Words::Bits(SECTION)),
    rule(&["NtQuerySecurityObject", "NtSetSecurityObject"], "parts", Words::Bits(SECURITY)),
    rule(&["NtQueryInformationFile", "NtSetInformationFile", "NtQueryDirectoryFile"], "class",
         Words::One(FILE_CLASSES)),
    rule(&["NtQueryVolumeInformationFile"], "class", Words::One(VOLUME_CLASSES)),
    rule(&["NtQueryInformationProcess", "NtSetInformationProcess"], "class",
         Words::One(PROCESS_CLASSES)),
    rule(&["NtQueryInformationThread", "NtSetInformationThread"], "class",
         Words::One(THREAD_CLASSES)),
    rule(&["NtQuerySystemInformation", "NtSetSystemInformation"], "class",
         Words::One(SYSTEM_CLASSES)),
    rule(&["NtQueryObject", "NtSetInformationObject"], "class", Words::One(OBJECT_CLASSES)),
    rule(&["NtQueryVirtualMemory"], "class", Words::One(MEMORY_CLASSES)),
    rule(&["NtQuerySection"], "class", Words::One(SECTION_CLASSES)),
    rule(&["NtQueryKey", "NtEnumerateKey"], "class", Words::One(KEY_CLASSES)),
    rule(&["NtQueryValueKey", "NtEnumerateValueKey"], "class", Words::One(VALUE_CLASSES)),
    rule(&["NtQueryInformationToken"], "class", Words::One(TOKEN_CLASSES)),
    rule(&["NtRaiseHardError"], "options", Words::One(HARD_ERROR_OPTIONS)),
    rule(&["NtShutdownSystem"], "action", Words::One(SHUTDOWN)),
    rule(&["NtCreateEvent"], "type", Words::One(EVENT_TYPES)),
    rule(&["NtWaitForMultipleObjects"], "type", Words::One(WAIT_TYPES)),
    rule(&[], "status", Words::Status),
];

/// Access rights of every kind of object, and the four generic ones.
pub const STANDARD_RIGHTS: Bits = &[
    (0x1_0000, "DELETE"),
    (0x2_0000, "READ_CONTROL"),
    (0x4_0000, "WRITE_DAC"),
    (0x8_0000, "WRITE_OWNER"),
    (0x10_0000, "SYNCHRONIZE"),
    (0x100_0000, "ACCESS_SYSTEM_SECURITY"),
    (0x200_0000, "MAXIMUM_ALLOWED"),
    (0x1000_0000, "GENERIC_ALL"),
    (0x2000_0000, "GENERIC_EXECUTE"),
    (0x4000_0000, "GENERIC_WRITE"),
    (0x8000_0000, "GENERIC_READ"),
];

/// What an access mask of these calls may ask for besides: rights of one kind of object.
pub const RIGHTS: &[(&[&str], Bits)] = &[
    (
        &["NtCreateFile", "NtOpenFile"],
        &[
            (0x1F_01FF, "FILE_ALL_ACCESS"),
            (0x1, "READ_DATA"),
            (0x2, "WRITE_DATA"),
            (0x4, "APPEND_DATA"),
            (0x8, "READ_EA"),
            (0x10, "WRITE_EA"),
            (0x20, "EXECUTE"),
            (0x40, "DELETE_CHILD"),
            (0x80, "READ_ATTRIBUTES"),
            (0x100, "WRITE_ATTRIBUTES"),
        ],
    ),
    (
        &["NtCreateKeyedEvent", "NtOpenKeyedEvent"],
        &[(1, "WAIT"), (2, "WAKE")],
    ),
    (
        &["NtCreateKey", "NtOpenKey"],
        &[
            (0xF_003F, "KEY_ALL_ACCESS"),
            (0x2_0019, "KEY_READ"),
            (0x2_0006, "KEY_WRITE"),
            (0x1, "QUERY_VALUE"),
            (0x2, "SET_VALUE"),
            (0x4, "CREATE_SUB_KEY"),
            (0x8, "ENUMERATE_SUB_KEYS"),
            (0x10, "NOTIFY"),
            (0x20, "CREATE_LINK"),
        ],
    ),
    (
        &["NtCreateDirectoryObject", "NtOpenDirectoryObject"],
        &[
            (0xF_000F, "DIRECTORY_ALL_ACCESS"),
            (1, "QUERY"),
            (2, "TRAVERSE"),
            (4, "CREATE_OBJECT"),
            (8, "CREATE_SUBDIRECTORY"),
        ],
    ),
    (
        &["NtCreateSymbolicLinkObject", "NtOpenSymbolicLinkObject"],
        &[(0xF_0001, "SYMBOLIC_LINK_ALL_ACCESS"), (1, "QUERY")],
    ),
    (
        &["NtCreateSection", "NtOpenSection"],
        &[
            (0xF_001F, "SECTION_ALL_ACCESS"),
            (1, "QUERY"),
            (2, "MAP_WRITE"),
            (4, "MAP_READ"),
            (8, "MAP_EXECUTE"),
            (0x10, "EXTEND_SIZE"),
        ],
    ),
    (
        &["NtCreateEvent", "NtOpenEvent"],
        &[
            (0x1F_0003, "EVENT_ALL_ACCESS"),
            (1, "QUERY_STATE"),
            (2, "MODIFY_STATE"),
        ],
    ),
    (
        &["NtCreateSemaphore", "NtOpenSemaphore"],
        &[
            (0x1F_0003, "SEMAPHORE_ALL_ACCESS"),
            (1, "QUERY_STATE"),
            (2, "MODIFY_STATE"),
        ],
    ),
    (
        &["NtCreateMutant", "NtOpenMutant"],
        &[(0x1F_0001, "MUTANT_ALL_ACCESS"), (1, "QUERY_STATE")],
    ),
    (
        &[
            "NtOpenProcessToken",
            "NtOpenThreadToken",
            "NtDuplicateToken",
        ],
        &[
            (0xF_01FF, "TOKEN_ALL_ACCESS"),
            (1, "ASSIGN_PRIMARY"),
            (2, "DUPLICATE"),
            (4, "IMPERSONATE"),
            (8, "QUERY"),
            (0x10, "QUERY_SOURCE"),
            (0x20, "ADJUST_PRIVILEGES"),
            (0x40, "ADJUST_GROUPS"),
            (0x80, "ADJUST_DEFAULT"),
            (0x100, "ADJUST_SESSIONID"),
        ],
    ),
    (
        &["NtCreateProcess", "NtOpenProcess"],
        &[
            (0x1F_0FFF, "PROCESS_ALL_ACCESS"),
            (0x1, "TERMINATE"),
            (0x2, "CREATE_THREAD"),
            (0x4, "SET_SESSIONID"),
            (0x8, "VM_OPERATION"),
            (0x10, "VM_READ"),
            (0x20, "VM_WRITE"),
            (0x40, "DUP_HANDLE"),
            (0x80, "CREATE_PROCESS"),
            (0x100, "SET_QUOTA"),
            (0x200, "SET_INFORMATION"),
            (0x400, "QUERY_INFORMATION"),
            (0x800, "SUSPEND_RESUME"),
        ],
    ),
    (
        &["NtCreateThread", "NtOpenThread"],
        &[
            (0x1F_03FF, "THREAD_ALL_ACCESS"),
            (0x1, "TERMINATE"),
            (0x2, "SUSPEND_RESUME"),
            (0x4, "ALERT"),
            (0x8, "GET_CONTEXT"),
            (0x10, "SET_CONTEXT"),
            (0x20, "SET_INFORMATION"),
            (0x40, "QUERY_INFORMATION"),
            (0x80, "SET_THREAD_TOKEN"),
            (0x100, "IMPERSONATE"),
            (0x200, "DIRECT_IMPERSONATION"),
        ],
    ),
];

/// `LPC_` message types.
pub const MESSAGES: &[&str] = &[
    "NEW",
    "REQUEST",
    "REPLY",
    "DATAGRAM",
    "LOST_REPLY",
    "PORT_CLOSED",
    "CLIENT_DIED",
    "EXCEPTION",
    "DEBUG_EVENT",
    "ERROR_EVENT",
    "CONNECTION_REQUEST",
];
