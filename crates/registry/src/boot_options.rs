// SPDX-License-Identifier: GPL-2.0-or-later
//! What the boot options left in the registry, looked at before the pass (spec 2.3).

use nt::access::Access;
use nt::failure::{Attempt, Skippable};
use nt::key::{self, Key};
use nt::system::{Objects, Registry};

const MINI_NT: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\MiniNT";

const DEBUG_PRINT_FILTER: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager\\Debug Print Filter";

/// The mask of message levels that NT's debug-print filter names for the component SMSS: bit 0
/// errors, 1 warnings, 2 trace, 3 information. `None` without the value, and for one that is
/// not a REG_DWORD.
pub fn debug_print_filter<S: Registry + Objects>(system: S) -> Option<u32> {
    let key = Key::open(system, DEBUG_PRINT_FILTER, Access::KEY_READ).ok()?;
    key.number("SMSS")
}

/// Whether this is a boot without a permanent system volume: the kernel made the key
/// `Control\MiniNT`. Then there are neither pending renames nor paging files.
pub fn is_mini_nt<S: Registry + Objects>(system: S) -> bool {
    key::if_there(Key::open(system, MINI_NT, Access::KEY_ALL))
        .or_skip(Skippable::BootOptions, MINI_NT)
        .flatten()
        .is_some()
}
