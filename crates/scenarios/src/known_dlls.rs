// SPDX-License-Identifier: GPL-2.0-or-later
//! Known DLLs (spec 7).

use crate::{Change, End, Scenario, Want, sm};
use nt::Status;

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario::new("spec_7_2_known_dlls_hold_the_import_closure", "7.2, 17").after(&[
        // No value names gdi32.dll; user32.dll imports it.
        Want::Object("\\KnownDlls\\gdi32.dll", "Section"),
        Want::Object("\\KnownDlls\\kernel32.dll", "Section"),
        Want::Link("\\KnownDlls\\KnownDllPath", "C:\\ReactOS\\system32"),
    ]),
    Scenario::new("spec_17_known_dlls_entry_for_a_missing_file", "17, 7.2")
        .before(&[Change::Remove("ReactOS/System32/advapi32.dll")])
        .after(&[
            Want::NoObject("\\KnownDlls\\advapi32.dll"),
            Want::Object("\\KnownDlls\\user32.dll", "Section"),
        ]),
    Scenario::new(
        "spec_7_2_a_dll_that_the_disc_does_not_give_is_left_out",
        "7.2, 13.5",
    )
    .before(&[
        sm!("\\KnownDlls", r#""spoilt"="spoilt.dll""#),
        Change::SpoiltLibrary("spoilt.dll"),
    ])
    .after(&[
        Want::Log("known DLL: spoilt.dll: STATUS_IN_PAGE_ERROR"),
        Want::NoObject("\\KnownDlls\\spoilt.dll"),
        Want::Object("\\KnownDlls\\user32.dll", "Section"),
    ]),
    Scenario::new("spec_17_known_dlls_entry_naming_an_exe", "17, 7.2, 13.5")
        .before(&[sm!("\\KnownDlls", r#""exe"="env.exe""#)])
        .ends(End::Stopped(
            "Non-DLL file included in KnownDLL list.",
            Status::INVALID_IMPORT_OF_NON_DLL,
        )),
    Scenario::new("spec_17_exclude_from_known_dlls", "17, 7.2")
        .before(&[sm!(
            "",
            r#""ExcludeFromKnownDlls"=str(7):"gdi32.dll\0kernel32\0""#
        )])
        .after(&[
            Want::NoObject("\\KnownDlls\\gdi32.dll"),
            Want::NoObject("\\KnownDlls\\kernel32.dll"),
            Want::Object("\\KnownDlls\\user32.dll", "Section"),
        ]),
    Scenario::new("spec_17_known_dlls_without_dll_directory", "17, 13.5")
        .before(&[sm!("\\KnownDlls", r#""DllDirectory"=-"#)])
        .ends(End::Stopped(
            "Session Manager Initialization",
            Status::OBJECT_NAME_INVALID,
        )),
];
