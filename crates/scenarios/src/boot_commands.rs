// SPDX-License-Identifier: GPL-2.0-or-later
//! Boot commands and the environment that they get (spec 5, 8).

use crate::{Scenario, Want, sm};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario::new("spec_17_boot_execute_absent_runs_autochk", "17, 2.3")
        .before(&[sm!("", r#""BootExecute"=-"#)])
        .after(&[Want::Screen("autochk: *")]),
    Scenario::new("spec_17_boot_execute_one_empty_string", "17, 8.1")
        .before(&[sm!("", r#""BootExecute"=hex(7):00,00,00,00"#)])
        .after(&[
            Want::NoScreen("autochk"),
            Want::Log("boot command: empty string: STATUS_UNSUCCESSFUL"),
        ]),
    Scenario::new("spec_17_boot_execute_autocheck_nosuch", "17, 8.4")
        .before(&[sm!("", r#""BootExecute"=str(7):"autocheck nosuch *\0""#)])
        .after(&[Want::Screen(
            "nosuch program not found - skipping AUTOCHECK",
        )]),
    Scenario::new("spec_17_boot_execute_console_program_is_not_run", "17, 8.2")
        .before(&[sm!(
            "",
            r#""BootExecute"=str(7):"console.exe\0autocheck autochk *\0""#
        )])
        .after(&[
            Want::Log("STATUS_INVALID_IMAGE_FORMAT"),
            Want::NoProcess("console.exe"),
            Want::Screen("autochk: *"),
        ]),
    Scenario::new(
        "spec_17_boot_execute_nosuch_says_nothing_on_the_screen",
        "17, 8.2",
    )
    .before(&[sm!("", r#""BootExecute"=str(7):"nosuch x\0""#)])
    .after(&[Want::NoScreen("nosuch"), Want::NoScreen("autochk")]),
    Scenario::new("spec_17_environment_forward_and_self_references", "17, 5.1")
        .before(&[
            sm!("", r#""BootExecute"=str(7):"env\0""#),
            sm!(
                "\\Environment",
                "\"A\"=str(2):\"%B%\"\n\"B\"=\"x\"\n\"P2\"=str(2):\"%P2%;y\""
            ),
        ])
        .after(&[Want::Screen("A=x"), Want::Screen("P2=%P2%;y;y")]),
];
