// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, full paths of DOS paths: no system call, but what ntdll.dll knows of this process's current directory.

use crate::Native;
use crate::imports::RtlGetFullPathName_U;
use nt::path::{FullPaths, MAX_DOS};
use nt::{Result, Status, UnicodeBuf, UnicodeStr};

impl FullPaths for Native {
    fn full_path(self, dos: UnicodeStr<'_>, full: &mut UnicodeBuf<MAX_DOS>) -> Result<()> {
        // With the NUL that the routine looks for.
        full.clear();
        full.push(dos)?;
        full.push_unit(0)?;
        let mut answer = [0; MAX_DOS];
        // SAFETY: a terminated text, and a buffer of another, as long as said; both are live. Nothing else is asked for.
        let bytes = unsafe {
            RtlGetFullPathName_U(
                full.as_str().units().as_ptr(),
                size_of_val(&answer) as u32,
                answer.as_mut_ptr(),
                core::ptr::null_mut(),
            )
        };
        if bytes == 0 {
            return Err(Status::OBJECT_NAME_INVALID);
        }
        // What does not fit is not written, and its length given.
        let units = answer
            .get(..bytes as usize / 2)
            .ok_or(Status::NAME_TOO_LONG)?;
        full.clear();
        full.push(UnicodeStr(units))
    }
}
