// SPDX-License-Identifier: GPL-2.0-or-later
//! The default boot, object directories, DOS devices.

use crate::{Scenario, Want, World, sm};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario::new("default_boot", "14").after(&[
        Want::Object("\\KnownDlls", "Directory"),
        Want::Object("\\Windows", "Directory"),
        Want::Object("\\Sessions", "Directory"),
        Want::Link("\\GLOBAL??\\NUL", "\\Device\\Null"),
        Want::Temporary("\\SmApiPort", "Port"),
        Want::Object("\\Device\\VolumesSafeForWriteAccess", "Event"),
        Want::Signalled("\\Device\\VolumesSafeForWriteAccess"),
        Want::Process("csrss.exe", "smss.exe", 0),
        Want::Process("winlogon.exe", "smss.exe", 0),
        Want::File("pagefile.sys"),
        Want::Screen("autochk: *"),
    ]),
    Scenario::new("spec_17_dos_devices_subst_and_removal", "17, 3.2")
        .before(&[sm!(
            "\\DOS Devices",
            "\"Q:\"=\"\\\\??\\\\C:\\\\ReactOS\"\n\"PRN\"=\"\""
        )])
        .after(&[
            Want::Link("\\GLOBAL??\\Q:", "\\??\\C:\\ReactOS"),
            Want::NoObject("\\GLOBAL??\\PRN"),
        ]),
    Scenario::new("spec_17_object_directories_foo_bar_without_foo", "17, 2.3")
        .before(&[sm!(
            "",
            r#""ObjectDirectories"=str(7):"\\Foo\\Bar\0\\Windows\0\\RPC Control\0""#
        )])
        .after(&[
            Want::Log("object directory: \\Foo\\Bar: STATUS_OBJECT_PATH_NOT_FOUND"),
            Want::NoObject("\\Foo"),
            Want::Object("\\RPC Control", "Directory"),
        ]),
    Scenario::new("spec_17_malformed_values_are_passed_over", "17, 2.1")
        .before(&[
            sm!(
                "",
                "\"BootExecute\"=hex(7):61\n\"ProtectionMode\"=hex:01\n\"PendingFileRenameOperations\"=hex(7):5c,00,61\n\"ObjectDirectories\"=dword:00000007"
            ),
            sm!("\\Memory Management", r#""PagingFiles"=hex(7):43"#),
            sm!("\\Environment", r#""Path"=hex(2):25,00,53"#),
        ])
        .after(&[Want::Process("winlogon.exe", "smss.exe", 0)]),
    Scenario::new("verbosity_comes_from_the_registry", "13.1")
        .before(&[
            sm!("\\Debug Print Filter", r#""SMSS"=dword:00000003"#),
            sm!("\\KnownDLLs", r#""notadll"=dword:00000001"#),
        ])
        .after(&[
            Want::NoLog("SMSS: phase"),
            Want::Log("SMSS: registry value"),
        ])
        .only(World::Qemu, "the filter stands in crates/ntdll"),
    Scenario::new("nt_6_1_sessions_0_and_1", "11.5")
        .nt6()
        .after(&[
            Want::Process("wininit.exe", "-", 0),
            Want::Process("services.exe", "wininit.exe", 0),
            Want::Process("lsass.exe", "wininit.exe", 0),
            Want::Process("winlogon.exe", "-", 1),
        ]),
];
