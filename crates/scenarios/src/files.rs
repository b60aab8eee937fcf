// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending file renames and paging files (spec 4, 6).

use crate::{Change, End, Scenario, Want, instead_of_winlogon, sm};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario::new("spec_17_pending_file_renames", "17, 6.2")
        .before(&[
            Change::File("ReactOS/deleted.txt", "gone"),
            Change::File("ReactOS/from.txt", "new"),
            Change::File("ReactOS/onto.txt", "old"),
            Change::File("ReactOS/kept.txt", "kept"),
            Change::File("ReactOS/stays.txt", "stays"),
            sm!(
                "",
                r#""PendingFileRenameOperations"=str(7):"\\??\\C:\\ReactOS\\deleted.txt\0\0\\??\\C:\\ReactOS\\from.txt\0!\\??\\C:\\ReactOS\\onto.txt\0\\??\\C:\\ReactOS\\kept.txt\0\\??\\C:\\ReactOS\\stays.txt\0""#
            ),
        ])
        .after(&[
            Want::NoFile("ReactOS/deleted.txt"),
            Want::NoFile("ReactOS/from.txt"),
            Want::Content("ReactOS/onto.txt", "new"),
            Want::Content("ReactOS/kept.txt", "kept"),
            Want::Content("ReactOS/stays.txt", "stays"),
            Want::Log("STATUS_OBJECT_NAME_COLLISION"),
            Want::NoValue("PendingFileRenameOperations"),
        ]),
    Scenario::new("spec_17_paging_file_64_128", "17, 4.3")
        .before(&[sm!(
            "\\Memory Management",
            r#""PagingFiles"=str(7):"C:\\pagefile.sys 64 128\0""#
        )])
        .after(&[Want::Size("pagefile.sys", 64 << 20)]),
    Scenario::new(
        "spec_17_paging_file_below_16_mb_becomes_the_emergency_file",
        "17, 4.6",
    )
    .before(&[sm!(
        "\\Memory Management",
        r#""PagingFiles"=str(7):"C:\\pagefile.sys 8 8\0""#
    )])
    .after(&[Want::File("pagefile.sys")]),
    Scenario::new("spec_17_paging_files_empty", "17, 4.1")
        .before(&[sm!("\\Memory Management", r#""PagingFiles"=hex(7):00,00"#)])
        .after(&[Want::NoFile("pagefile.sys")]),
    Scenario::new(
        "spec_17_full_volume_goes_on_without_a_paging_file",
        "17, 4.4",
    )
    .before(&[
        Change::DiskSize(64),
        Change::Fill("filler.bin", 40 << 20),
    ])
    .after(&[
        Want::NoFile("pagefile.sys"),
        Want::Process("winlogon.exe", "smss.exe", 0),
        Want::Log("paging file"),
    ]),
    // A real reset, then a real power-off; the second boot counts what the first one wrote. The
    // operation was deleted from the hive on the disk with the first boot: the second has nothing
    // to fail at.
    Scenario::new(
        "spec_12_2_shutdown_restarts_and_powers_off_and_loses_nothing",
        "12.2, 6.4",
    )
    .before(&[
        instead_of_winlogon!("shutdown.exe 2"),
        Change::File("ReactOS/from.txt", "moved once"),
        sm!(
            "",
            r#""PendingFileRenameOperations"=str(7):"\\??\\C:\\ReactOS\\from.txt\0\\??\\C:\\ReactOS\\to.txt\0""#
        ),
    ])
    .ends(End::PowerOff)
    .after(&[
        Want::Screen("shutdown: boot 1 of 2: Reboot"),
        Want::Screen("shutdown: boot 2 of 2: PowerOff"),
        Want::NoLog("SMSS: pending file rename:"),
        Want::NoFile("ReactOS/from.txt"),
        Want::Content("ReactOS/to.txt", "moved once"),
    ]),
];
