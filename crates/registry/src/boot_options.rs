// SPDX-License-Identifier: GPL-2.0-or-later
//! What the boot options left in the registry, looked at before the pass (spec 2.3).

use crate::reader::open_key;
use nt::access::Access;
use nt::failure::{Step, judge};
use nt::system::{Objects, Registry, ValueType};
use nt::{Handle, UnicodeStr, wide};

const MINI_NT: UnicodeStr<'_> =
    wide!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\MiniNT");

const DEBUG_PRINT_FILTER: UnicodeStr<'_> = wide!(
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager\\Debug Print Filter"
);

/// The mask of message levels that NT's debug-print filter names for the component SMSS: bit 0
/// errors, 1 warnings, 2 trace, 3 information. `None` without the value, and for one that is no
/// REG_DWORD.
pub fn debug_print_filter<S: Registry + Objects>(system: &S) -> Option<u32> {
    let key = open_key(system, Handle::NULL, DEBUG_PRINT_FILTER, Access::KEY_READ)
        .ok()
        .flatten()?;
    let mut data = [0; 4];
    let value = system
        .query_value(key.get(), wide!("SMSS"), &mut data)
        .ok()?;
    (value.kind == ValueType::DWORD && value.data_bytes == data.len())
        .then(|| u32::from_le_bytes(data))
}

/// Whether this is a boot without a permanent system volume: the kernel made the key
/// `Control\MiniNT`. Then there are neither pending renames nor paging files.
pub fn is_mini_nt<S: Registry + Objects>(system: &S) -> bool {
    match open_key(system, Handle::NULL, MINI_NT, Access::KEY_ALL) {
        Ok(key) => key.is_some(),
        Err(status) => {
            // The table says that this never stops the boot.
            let _ = judge(Step::BootOptions, MINI_NT, status);
            false
        }
    }
}
