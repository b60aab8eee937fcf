// SPDX-License-Identifier: GPL-2.0-or-later
//! NTSTATUS values: an open set of 32-bit codes, with names for those this project meets.
//!
//! A `Status` is any 32-bit value, never a closed enum: the kernel may answer with a code nobody
//! here has listed, and that code must be carried and printed as it is. Values are those of the
//! public headers; a host test holds every constant against the `ntstatus` crate.

use crate::Word;
use crate::text::nth;
use core::fmt;

/// What a seam call gives: the value, or the NTSTATUS that says why not.
pub type Result<T, E = Status> = core::result::Result<T, E>;

/// One NTSTATUS. Bits 30-31 are the severity: 0 success, 1 informational, 2 warning, 3 error (spec
/// 0.4).
///
/// It is as wide as a pointer: so a [`Result`] of a handle, a size or a reference has both of its
/// values in one place, and a function gives it back in registers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Status(Word);

impl Status {
    /// The status with this code.
    #[allow(
        clippy::cast_lossless,
        clippy::unnecessary_cast,
        reason = "a word is as wide as what this is compiled for"
    )]
    pub const fn new(code: u32) -> Self {
        Self(code as Word)
    }

    /// Its code.
    #[allow(
        clippy::unnecessary_cast,
        reason = "a word is as wide as what this is compiled for"
    )]
    pub const fn code(self) -> u32 {
        self.0 as u32
    }

    /// `NT_SUCCESS`: success and informational codes.
    pub const fn is_success(self) -> bool {
        self.code() < 0x8000_0000
    }

    /// `NT_ERROR`: severity 3 only; warnings such as `BUFFER_OVERFLOW` are neither success nor
    /// error.
    pub const fn is_error(self) -> bool {
        self.code() >= 0xC000_0000
    }

    /// The result of a call that gives something: `Ok` if it has succeeded and come to its end.
    /// `TIMEOUT`, `PENDING`, `USER_APC` and `ALERTED` are codes of success and say that it has not;
    /// they become `UNSUCCESSFUL`, because the receiver of an error, perhaps in another process,
    /// must not take it for a success.
    #[inline(never)]
    pub const fn ended(self) -> Result<()> {
        match self {
            Self::TIMEOUT | Self::PENDING | Self::USER_APC | Self::ALERTED => {
                Err(Self::UNSUCCESSFUL)
            }
            other => other.ok(),
        }
    }

    /// `Ok` for success and informational codes, `Err` for warnings and errors.
    pub const fn ok(self) -> Result<()> {
        if self.is_success() { Ok(()) } else { Err(self) }
    }
}

impl From<Result<()>> for Status {
    fn from(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::SUCCESS,
            Err(status) => status,
        }
    }
}

macro_rules! statuses {
    ($($name:ident = $value:literal;)*) => {
        #[allow(missing_docs, reason = "the names are the field's own")]
        impl Status {
            $(pub const $name: Self = Self::new($value);)*

            /// The name without its `STATUS_` prefix, if this code is listed here.
            pub fn name(self) -> Option<&'static str> {
                str::from_utf8(self.letters()?).ok()
            }

            /// The same in bytes.
            pub(crate) fn letters(self) -> Option<&'static [u8]> {
                let listed = CODES.iter().position(|&code| code == self.code())?;
                Some(nth(NAMES, listed))
            }
        }

        /// Every code listed; two tables are far smaller than a `match`.
        static CODES: &[u32] = &[$($value),*];
        /// Their names in the same order.
        static NAMES: &[u8] = concat!($(stringify!($name), "\0"),*).as_bytes();

        #[cfg(test)]
        const LISTED: &[(&str, u32)] = &[$((stringify!($name), $value)),*];
    };
}

statuses! {
    SUCCESS = 0x0000_0000;
    TIMEOUT = 0x0000_0102;
    PENDING = 0x0000_0103;
    NOT_ALL_ASSIGNED = 0x0000_0106;
    OBJECT_NAME_EXISTS = 0x4000_0000;
    NO_YIELD_PERFORMED = 0x4000_0024;
    IMAGE_NOT_AT_BASE = 0x4000_0003;
    BUFFER_OVERFLOW = 0x8000_0005;
    PARTIAL_COPY = 0x8000_000D;
    NO_MORE_FILES = 0x8000_0006;
    DATATYPE_MISALIGNMENT = 0x8000_0002;
    BREAKPOINT = 0x8000_0003;
    NO_MORE_ENTRIES = 0x8000_001A;
    UNSUCCESSFUL = 0xC000_0001;
    NOT_IMPLEMENTED = 0xC000_0002;
    INVALID_INFO_CLASS = 0xC000_0003;
    INFO_LENGTH_MISMATCH = 0xC000_0004;
    ACCESS_VIOLATION = 0xC000_0005;
    IN_PAGE_ERROR = 0xC000_0006;
    STACK_OVERFLOW = 0xC000_00FD;
    INVALID_HANDLE = 0xC000_0008;
    INVALID_CID = 0xC000_000B;
    INVALID_PARAMETER = 0xC000_000D;
    NO_SUCH_DEVICE = 0xC000_000E;
    NO_SUCH_FILE = 0xC000_000F;
    INVALID_DEVICE_REQUEST = 0xC000_0010;
    END_OF_FILE = 0xC000_0011;
    NO_MEDIA_IN_DEVICE = 0xC000_0013;
    NO_MEMORY = 0xC000_0017;
    CONFLICTING_ADDRESSES = 0xC000_0018;
    UNABLE_TO_FREE_VM = 0xC000_001A;
    INVALID_SYSTEM_SERVICE = 0xC000_001C;
    ILLEGAL_INSTRUCTION = 0xC000_001D;
    INVALID_VIEW_SIZE = 0xC000_001F;
    INVALID_FILE_FOR_SECTION = 0xC000_0020;
    ALREADY_COMMITTED = 0xC000_0021;
    ACCESS_DENIED = 0xC000_0022;
    BUFFER_TOO_SMALL = 0xC000_0023;
    OBJECT_TYPE_MISMATCH = 0xC000_0024;
    NONCONTINUABLE_EXCEPTION = 0xC000_0025;
    NOT_COMMITTED = 0xC000_002D;
    INVALID_PARAMETER_MIX = 0xC000_0030;
    DISK_CORRUPT_ERROR = 0xC000_0032;
    OBJECT_NAME_INVALID = 0xC000_0033;
    OBJECT_NAME_NOT_FOUND = 0xC000_0034;
    OBJECT_NAME_COLLISION = 0xC000_0035;
    PORT_DISCONNECTED = 0xC000_0037;
    OBJECT_PATH_INVALID = 0xC000_0039;
    OBJECT_PATH_NOT_FOUND = 0xC000_003A;
    OBJECT_PATH_SYNTAX_BAD = 0xC000_003B;
    PORT_ALREADY_SET = 0xC000_0048;
    SECTION_TOO_BIG = 0xC000_0040;
    PORT_CONNECTION_REFUSED = 0xC000_0041;
    INVALID_PORT_HANDLE = 0xC000_0042;
    SHARING_VIOLATION = 0xC000_0043;
    INVALID_PAGE_PROTECTION = 0xC000_0045;
    DELETE_PENDING = 0xC000_0056;
    PRIVILEGE_NOT_HELD = 0xC000_0061;
    UNKNOWN_REVISION = 0xC000_0058;
    INVALID_ACL = 0xC000_0077;
    INVALID_SID = 0xC000_0078;
    INVALID_SECURITY_DESCR = 0xC000_0079;
    PROCEDURE_NOT_FOUND = 0xC000_007A;
    CANT_TERMINATE_SELF = 0xC000_00DB;
    INVALID_IMAGE_FORMAT = 0xC000_007B;
    NO_TOKEN = 0xC000_007C;
    DISK_FULL = 0xC000_007F;
    SECTION_NOT_IMAGE = 0xC000_0049;
    FILE_INVALID = 0xC000_0098;
    TOO_MANY_PAGING_FILES = 0xC000_0097;
    INSUFFICIENT_RESOURCES = 0xC000_009A;
    DEVICE_NOT_READY = 0xC000_00A3;
    MEDIA_WRITE_PROTECTED = 0xC000_00A2;
    FILE_IS_A_DIRECTORY = 0xC000_00BA;
    NOT_SUPPORTED = 0xC000_00BB;
    NOT_SAME_DEVICE = 0xC000_00D4;
    FILE_RENAMED = 0xC000_00D5;
    EAS_NOT_SUPPORTED = 0xC000_004F;
    UNEXPECTED_IO_ERROR = 0xC000_00E9;
    INVALID_PARAMETER_1 = 0xC000_00EF;
    INVALID_PARAMETER_2 = 0xC000_00F0;
    INVALID_PARAMETER_3 = 0xC000_00F1;
    INVALID_PARAMETER_4 = 0xC000_00F2;
    INVALID_PARAMETER_8 = 0xC000_00F6;
    NO_SUCH_PACKAGE = 0xC000_00FE;
    DIRECTORY_NOT_EMPTY = 0xC000_0101;
    FILE_CORRUPT_ERROR = 0xC000_0102;
    NOT_A_DIRECTORY = 0xC000_0103;
    NAME_TOO_LONG = 0xC000_0106;
    PROCESS_IS_TERMINATING = 0xC000_010A;
    CANNOT_DELETE = 0xC000_0121;
    FILE_DELETED = 0xC000_0123;
    THREAD_IS_TERMINATING = 0xC000_004B;
    SUSPEND_COUNT_EXCEEDED = 0xC000_004A;
    INSUFF_SERVER_RESOURCES = 0xC000_0205;
    DLL_NOT_FOUND = 0xC000_0135;
    ORDINAL_NOT_FOUND = 0xC000_0138;
    ENTRYPOINT_NOT_FOUND = 0xC000_0139;
    DLL_INIT_FAILED = 0xC000_0142;
    UNHANDLED_EXCEPTION = 0xC000_0144;
    NOT_REGISTRY_FILE = 0xC000_015C;
    REGISTRY_CORRUPT = 0xC000_014C;
    KEY_DELETED = 0xC000_017C;
    CHILD_MUST_BE_VOLATILE = 0xC000_0181;
    KEY_HAS_CHILDREN = 0xC000_0180;
    INVALID_IMAGE_NOT_MZ = 0xC000_012F;
    INVALID_IMAGE_PROTECT = 0xC000_0130;
    INVALID_IMAGE_WIN_16 = 0xC000_0131;
    INVALID_IMAGE_LE_FORMAT = 0xC000_012E;
    SECTION_PROTECTION = 0xC000_004E;
    MAPPED_ALIGNMENT = 0xC000_0220;
    NOT_MAPPED_VIEW = 0xC000_0019;
    GUARD_PAGE_VIOLATION = 0x8000_0001;
    MEMORY_NOT_ALLOCATED = 0xC000_00A0;
    UNABLE_TO_DELETE_SECTION = 0xC000_001B;
    FREE_VM_NOT_AT_BASE = 0xC000_009F;
    INVALID_PARAMETER_5 = 0xC000_00F3;
    MAPPED_FILE_SIZE_ZERO = 0xC000_011E;
    USER_MAPPED_FILE = 0xC000_0243;
    INVALID_PARAMETER_6 = 0xC000_00F4;
    NOT_FOUND = 0xC000_0225;
    UNABLE_TO_DECOMMIT_VM = 0xC000_002C;
    NOT_LOCKED = 0xC000_002A;
    INVALID_ADDRESS = 0xC000_0141;
    UNRECOGNIZED_VOLUME = 0xC000_014F;
    FLOPPY_VOLUME = 0xC000_0164;
    PORT_MESSAGE_TOO_LONG = 0xC000_002F;
    INVALID_PORT_ATTRIBUTES = 0xC000_002E;
    REPLY_MESSAGE_MISMATCH = 0xC000_021F;
    INVALID_BUFFER_SIZE = 0xC000_0206;
    CANNOT_LOAD_REGISTRY_FILE = 0xC000_0218;
    SYSTEM_PROCESS_TERMINATED = 0xC000_021A;
    LPC_REPLY_LOST = 0xC000_0253;
    SERVER_SID_MISMATCH = 0xC000_02A0;
    IMAGE_CHECKSUM_MISMATCH = 0xC000_0221;
    INVALID_IMPORT_OF_NON_DLL = 0xC000_036F;
    IO_DEVICE_ERROR = 0xC000_0185;
    IO_TIMEOUT = 0xC000_00B5;
    VARIABLE_NOT_FOUND = 0xC000_0100;
    ABANDONED = 0x0000_0080;
    USER_APC = 0x0000_00C0;
    ALERTED = 0x0000_0101;
    MORE_ENTRIES = 0x0000_0105;
    SOME_NOT_MAPPED = 0x0000_0107;
    INVALID_OWNER = 0xC000_005A;
    INVALID_PRIMARY_GROUP = 0xC000_005B;
    NO_IMPERSONATION_TOKEN = 0xC000_005C;
    NO_SUCH_PRIVILEGE = 0xC000_0060;
    MUTANT_NOT_OWNED = 0xC000_0046;
    SEMAPHORE_LIMIT_EXCEEDED = 0xC000_0047;
    BAD_IMPERSONATION_LEVEL = 0xC000_00A5;
    BAD_TOKEN_TYPE = 0xC000_00A8;
    NO_SECURITY_ON_OBJECT = 0xC000_00D7;
    HANDLE_NOT_CLOSABLE = 0xC000_0235;
    PORT_NOT_SET = 0xC000_0353;
    PROCESS_NOT_IN_JOB = 0x0000_0123;
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(out, "STATUS_{name} ({:08X})", self.code()),
            None => write!(out, "NTSTATUS {:08X}", self.code()),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_code_of_success_that_is_no_end_is_an_error_to_everybody() {
        assert_eq!(Status::SUCCESS.ended(), Ok(()));
        assert_eq!(Status::IMAGE_NOT_AT_BASE.ended(), Ok(()));
        assert_eq!(
            Status::BUFFER_OVERFLOW.ended(),
            Err(Status::BUFFER_OVERFLOW)
        );
        for endless in [
            Status::TIMEOUT,
            Status::PENDING,
            Status::USER_APC,
            Status::ALERTED,
        ] {
            assert!(endless.is_success());
            assert_eq!(endless.ended(), Err(Status::UNSUCCESSFUL));
        }
    }

    #[test]
    fn every_constant_has_its_name_in_the_public_listing() {
        for &(name, value) in LISTED {
            let listed = ntstatus::ntstatus::NtStatus::from_u32(value);
            assert_eq!(
                listed,
                Some(format!("STATUS_{name}").as_str()),
                "{value:#010x}"
            );
        }
    }

    #[test]
    fn every_name_is_spelled_as_it_is_and_nothing_else_is() {
        for &(name, value) in LISTED {
            assert_eq!(Status::new(value).name(), Some(name));
        }
        assert_eq!(Status::new(0xC001_0034).name(), None);
    }

    #[test]
    fn severity_is_bits_30_and_31() {
        assert!(Status::OBJECT_NAME_EXISTS.is_success());
        assert!(!Status::BUFFER_OVERFLOW.is_success());
        assert!(!Status::BUFFER_OVERFLOW.is_error());
        assert!(Status::OBJECT_NAME_NOT_FOUND.is_error());
        assert_eq!(Status::BUFFER_OVERFLOW.ok(), Err(Status::BUFFER_OVERFLOW));
    }

    #[test]
    fn a_status_prints_its_name_and_its_hex() {
        assert_eq!(
            format!("{}", Status::OBJECT_NAME_NOT_FOUND),
            "STATUS_OBJECT_NAME_NOT_FOUND (C0000034)"
        );
        assert_eq!(format!("{}", Status::new(0xC0FF_EE00)), "NTSTATUS C0FFEE00");
    }
}
