// SPDX-License-Identifier: GPL-2.0-or-later
//! The QEMU tests, a table: what is changed on the medium, how the machine must end, what must have been seen.
//!
//! Names are those of the specification's rows (section 17), so that a row finds its test.

use crate::qemu::End;

/// A change to the default medium.
pub enum Change {
    /// Text appended to the `.reg` source of a hive; a value set twice has its last data.
    Registry { hive: &'static str, text: &'static str },
    /// A file that is missing.
    Remove(&'static str),
    /// A file with this content.
    File(&'static str, &'static str),
    /// A copy of a file of the medium.
    Copy(&'static str, &'static str),
    /// A file of zeros.
    Fill(&'static str, usize),
    /// Another size of the disk, in MiB.
    DiskSize(u32),
}

/// Something that must have been seen.
pub enum Want {
    /// A line of the log has this text.
    Log(&'static str),
    /// No line of the log has this text.
    NoLog(&'static str),
    /// The dump has this text.
    Dump(&'static str),
    /// The dump has not this text.
    NoDump(&'static str),
    /// mtools sees this file on the volume.
    Volume(&'static str),
    /// mtools does not see this file on the volume.
    NoVolume(&'static str),
    /// The file on the volume has this content.
    Content(&'static str, &'static str),
}

/// One boot.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What is different from the default medium.
    pub changes: &'static [Change],
    /// Words for the kernel's command line.
    pub arguments: &'static str,
    /// How the machine must end.
    pub end: End,
    /// What must have been seen.
    pub wants: &'static [Want],
}


/// A change of values of the Session Manager key or one of its subkeys.
macro_rules! sm {
    ($subkey:literal, $text:literal) => {
        Change::Registry { hive: "SYSTEM", text: concat!("[\\ControlSet001\\Control\\Session Manager", $subkey, "]\n", $text, "\n") }
    };
}

/// Every case.
pub const CASES: &[Case] = &[
    Case {
        name: "default_boot",
        changes: &[],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Dump("KnownDlls"),
            Want::Dump("Windows"),
            Want::Dump("Sessions"),
            Want::Dump("csrss.exe"),
            Want::Dump("winlogon.exe"),
            Want::Volume("pagefile.sys"),
        ],
    },
    Case {
        name: "object_directories_foo_bar_without_foo",
        changes: &[sm!("", r#""ObjectDirectories"=str(7):"\\Foo\\Bar\0\\Windows\0\\RPC Control\0""#)],
        arguments: "",
        end: End::Pass,
        wants: &[Want::Log("object directory: \\Foo\\Bar: STATUS_OBJECT_PATH_NOT_FOUND"), Want::NoDump("\\Foo\n")],
    },
    Case {
        name: "winlogon_killed_stops_with_c000021a",
        changes: &[],
        arguments: "kill=winlogon",
        end: End::Bugcheck,
        wants: &[Want::Log("C000021A"), Want::Log("Windows Logon Process")],
    },
    Case {
        name: "csrss_killed_stops_with_c000021a",
        changes: &[],
        arguments: "kill=csrss",
        end: End::Bugcheck,
        wants: &[Want::Log("C000021A"), Want::Log("Windows SubSystem")],
    },
];
