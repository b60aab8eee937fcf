// SPDX-License-Identifier: GPL-2.0-or-later
//! DOS paths on their way to NT paths.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt::{UnicodeStr, path, wide};

fuzz_target!(|units: Vec<u16>| {
    let dos = UnicodeStr(&units);
    let _ = path::kind(dos);
    assert!(path::directory(dos).len() + path::file_name(dos).len() <= dos.len() + 1);
    if let Ok(nt) = path::to_nt(dos, path::CurrentDirectory(wide!("C:\\ReactOS\\"))) {
        assert!(nt.as_str().starts_with_ascii("\\??\\"));
    }
});
