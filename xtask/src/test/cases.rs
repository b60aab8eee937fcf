// SPDX-License-Identifier: GPL-2.0-or-later
//! The QEMU tests, a table: what is changed on the medium, how the machine must end, what must have
//! been seen.
//!
//! Names are those of the specification's rows (section 17), so that a row finds its test.

use crate::qemu::End;

/// A change to the default medium.
pub enum Change {
    /// Text appended to the `.reg` source of a hive; a value set twice has its last data.
    Registry {
        hive: &'static str,
        text: &'static str,
    },
    /// A file that is missing.
    Remove(&'static str),
    /// A file with this content.
    File(&'static str, &'static str),
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
    /// The dump's objects and processes are those of this file in `golden/` (`cargo xtask test
    /// --bless` writes it anew).
    Golden(&'static str),
    /// The dump has this text.
    Dump(&'static str),
    /// The dump has not this text.
    NoDump(&'static str),
    /// mtools sees this file on the volume.
    Volume(&'static str),
    /// mtools does not see this file on the volume.
    NoVolume(&'static str),
    /// The file on the volume has so many bytes.
    Size(&'static str, usize),
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
        Change::Registry {
            hive: "SYSTEM",
            text: concat!(
                "[\\ControlSet001\\Control\\Session Manager",
                $subkey,
                "]\n",
                $text,
                "\n"
            ),
        }
    };
}

/// Command lines that session 0's winlogon.exe gives way to (see script.exe): they are its
/// "debugger".
macro_rules! script {
    ($lines:literal) => {
        Change::Registry {
            hive: "SOFTWARE",
            text: concat!(
                "[\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\winlogon.exe]\n\"Debugger\"=\"script.exe ",
                $lines,
                "; stay;\"\n"
            ),
        }
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
            Want::Dump("  KnownDlls Directory permanent"),
            Want::Dump("  Windows Directory permanent"),
            Want::Dump("  Sessions Directory permanent"),
            Want::Dump("    NUL SymbolicLink -> \"\\\\Device\\\\Null\" permanent"),
            Want::Dump("  SmApiPort Port"),
            Want::Dump("VolumesSafeForWriteAccess Event permanent signalled"),
            Want::Dump("csrss.exe parent=smss.exe session=0"),
            Want::Dump("winlogon.exe parent=smss.exe session=0"),
            Want::Volume("pagefile.sys"),
            Want::Log("screen: autochk"),
            Want::Golden("nt-5.2.txt"),
        ],
    },
    Case {
        name: "known_dlls_hold_the_import_closure",
        changes: &[],
        arguments: "",
        end: End::Pass,
        // No value names gdi32.dll; user32.dll imports it (spec 7.2 #7).
        wants: &[
            Want::Dump("    gdi32.dll Section permanent"),
            Want::Dump("    kernel32.dll Section permanent"),
            Want::Dump("    KnownDllPath SymbolicLink -> \"C:\\\\ReactOS\\\\system32\""),
        ],
    },
    Case {
        name: "known_dlls_entry_for_a_missing_file",
        changes: &[Change::Remove("ReactOS/System32/advapi32.dll")],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::NoDump("advapi32.dll Section"),
            Want::Dump("user32.dll Section"),
        ],
    },
    Case {
        name: "known_dlls_entry_naming_an_exe",
        changes: &[sm!("\\KnownDlls", r#""exe"="env.exe""#)],
        arguments: "",
        end: End::Bugcheck,
        wants: &[
            Want::Log("Non-DLL file included in KnownDLL list."),
            Want::Log("c000021a"),
        ],
    },
    Case {
        name: "exclude_from_known_dlls",
        changes: &[sm!(
            "",
            r#""ExcludeFromKnownDlls"=str(7):"gdi32.dll\0kernel32\0""#
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::NoDump("gdi32.dll Section"),
            Want::NoDump("kernel32.dll Section"),
            Want::Dump("user32.dll Section"),
        ],
    },
    Case {
        name: "known_dlls_without_dll_directory",
        changes: &[sm!("\\KnownDlls", r#""DllDirectory"=-"#)],
        arguments: "",
        end: End::Bugcheck,
        wants: &[
            Want::Log("Session Manager Initialization"),
            Want::Log("0xc0000033"),
        ],
    },
    Case {
        name: "boot_execute_absent",
        changes: &[sm!("", r#""BootExecute"=-"#)],
        arguments: "",
        end: End::Pass,
        wants: &[Want::Log("screen: autochk")],
    },
    Case {
        name: "boot_execute_one_empty_string",
        changes: &[sm!("", r#""BootExecute"=hex(7):00,00,00,00"#)],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::NoLog("screen: autochk"),
            Want::Log("boot command: empty string: STATUS_UNSUCCESSFUL"),
        ],
    },
    Case {
        name: "boot_execute_autocheck_nosuch",
        changes: &[sm!("", r#""BootExecute"=str(7):"autocheck nosuch *\0""#)],
        arguments: "",
        end: End::Pass,
        wants: &[Want::Log("nosuch program not found - skipping AUTOCHECK")],
    },
    Case {
        name: "boot_execute_console_program",
        changes: &[sm!(
            "",
            r#""BootExecute"=str(7):"console.exe\0autocheck autochk *\0""#
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Log("STATUS_INVALID_IMAGE_FORMAT"),
            Want::Log("screen: autochk"),
        ],
    },
    Case {
        name: "boot_execute_nosuch",
        changes: &[sm!("", r#""BootExecute"=str(7):"nosuch x\0""#)],
        arguments: "",
        end: End::Pass,
        wants: &[Want::NoLog("screen: nosuch")],
    },
    Case {
        name: "environment_forward_and_self_references",
        changes: &[
            sm!("", r#""BootExecute"=str(7):"env\0""#),
            sm!(
                "\\Environment",
                "\"A\"=str(2):\"%B%\"\n\"B\"=\"x\"\n\"P2\"=str(2):\"%P2%;y\""
            ),
        ],
        arguments: "",
        end: End::Pass,
        wants: &[Want::Log("A=x"), Want::Log("P2=%P2%;y;y")],
    },
    Case {
        name: "pending_file_renames",
        changes: &[
            Change::File("ReactOS/deleted.txt", "gone"),
            Change::File("ReactOS/from.txt", "new"),
            Change::File("ReactOS/onto.txt", "old"),
            Change::File("ReactOS/kept.txt", "kept"),
            Change::File("ReactOS/stays.txt", "stays"),
            sm!(
                "",
                r#""PendingFileRenameOperations"=str(7):"\\??\\C:\\ReactOS\\deleted.txt\0\0\\??\\C:\\ReactOS\\from.txt\0!\\??\\C:\\ReactOS\\onto.txt\0\\??\\C:\\ReactOS\\kept.txt\0\\??\\C:\\ReactOS\\stays.txt\0""#
            ),
        ],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::NoVolume("ReactOS/deleted.txt"),
            Want::NoVolume("ReactOS/from.txt"),
            Want::Content("ReactOS/onto.txt", "new"),
            Want::Content("ReactOS/kept.txt", "kept"),
            Want::Content("ReactOS/stays.txt", "stays"),
            Want::Log("STATUS_OBJECT_NAME_COLLISION"),
            Want::NoDump("PendingFileRenameOperations"),
        ],
    },
    Case {
        name: "dos_devices_subst_and_removal",
        changes: &[sm!(
            "\\DOS Devices",
            "\"Q:\"=\"\\\\??\\\\C:\\\\ReactOS\"\n\"PRN\"=\"\""
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Dump("    Q: SymbolicLink -> \"\\\\??\\\\C:\\\\ReactOS\" permanent"),
            Want::NoDump("    PRN SymbolicLink"),
        ],
    },
    Case {
        name: "object_directories_foo_bar_without_foo",
        changes: &[sm!(
            "",
            r#""ObjectDirectories"=str(7):"\\Foo\\Bar\0\\Windows\0\\RPC Control\0""#
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Log("object directory: \\Foo\\Bar: STATUS_OBJECT_PATH_NOT_FOUND"),
            Want::NoDump("\n  Foo Directory"),
        ],
    },
    Case {
        name: "paging_file_64_128",
        changes: &[sm!(
            "\\Memory Management",
            r#""PagingFiles"=str(7):"C:\\pagefile.sys 64 128\0""#
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Volume("pagefile.sys"),
            Want::Size("pagefile.sys", 64 << 20),
        ],
    },
    Case {
        name: "paging_file_below_16_mb_becomes_the_emergency_file",
        changes: &[sm!(
            "\\Memory Management",
            r#""PagingFiles"=str(7):"C:\\pagefile.sys 8 8\0""#
        )],
        arguments: "",
        end: End::Pass,
        wants: &[Want::Volume("pagefile.sys")],
    },
    Case {
        name: "paging_files_empty",
        changes: &[sm!("\\Memory Management", r#""PagingFiles"=hex(7):00,00"#)],
        arguments: "",
        end: End::Pass,
        wants: &[Want::NoVolume("pagefile.sys")],
    },
    Case {
        name: "full_volume_goes_on_without_a_paging_file",
        changes: &[Change::DiskSize(64), Change::Fill("filler.bin", 40 << 20)],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::NoVolume("pagefile.sys"),
            Want::Dump("winlogon.exe"),
            Want::Log("paging file"),
        ],
    },
    Case {
        name: "malformed_values",
        changes: &[
            sm!(
                "",
                "\"BootExecute\"=hex(7):61\n\"ProtectionMode\"=hex:01\n\"PendingFileRenameOperations\"=hex(7):5c,00,61\n\"ObjectDirectories\"=dword:00000007"
            ),
            sm!("\\Memory Management", r#""PagingFiles"=hex(7):43"#),
            sm!("\\Environment", r#""Path"=hex(2):25,00,53"#),
        ],
        arguments: "",
        end: End::Pass,
        wants: &[Want::Dump("winlogon.exe")],
    },
    Case {
        name: "required_foo_undefined",
        changes: &[sm!(
            "\\SubSystems",
            r#""Required"=str(7):"Debug\0Windows\0Foo\0""#
        )],
        arguments: "",
        end: End::Pass,
        wants: &[Want::Log("Foo"), Want::Dump("winlogon.exe")],
    },
    Case {
        name: "windows_entry_missing",
        changes: &[sm!("\\SubSystems", r#""Windows"=-"#)],
        arguments: "",
        end: End::Bugcheck,
        wants: &[
            Want::Log("Session Manager ExecuteInitialCommand"),
            Want::Log("0xc0000034"),
        ],
    },
    Case {
        name: "execute_is_the_initial_command",
        changes: &[sm!("", r#""Execute"=str(7):"services.exe\0""#)],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Dump("services.exe parent=smss.exe"),
            Want::NoDump("winlogon.exe parent"),
        ],
    },
    Case {
        name: "verbosity_from_the_registry",
        changes: &[sm!("\\Debug Print Filter", r#""SMSS"=dword:00000003"#)],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::NoLog("SMSS: phase"),
            Want::Log("SMSS: boot directory"),
        ],
    },
    Case {
        // The client is the initial command; when it has done its work and ends, the system stops,
        // as it must.
        name: "sm_protocol_from_ring_3",
        changes: &[sm!("", r#""Execute"=str(7):"smtest.exe\0""#)],
        arguments: "",
        end: End::Bugcheck,
        wants: &[
            Want::Log("cases, 0 failed"),
            Want::NoLog("FAIL"),
            Want::Log("Windows Logon Process"),
        ],
    },
    Case {
        name: "a_new_session_from_ring_3",
        changes: &[script!(
            "smctl.exe start winlogon.exe; smctl exec 1 console.exe; smctl exec 1 sleep.exe; smctl exec 0 console.exe; smctl exec 2 console.exe; smctl list; smctl load Posix; smctl exec 1 smctl.exe load Posix; sleep 1000"
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Log("smctl: session 1 started"),
            Want::Log("winlogon: session 1"),
            Want::Log("smctl: session 1 type 2"),
            Want::Log("script: smctl exec 2 console.exe: STATUS_OBJECT_PATH_NOT_FOUND"),
            Want::Dump("console.exe parent=csrss.exe#2 session=1"),
            Want::Dump("sleep.exe parent=csrss.exe#2 session=1"),
            Want::Dump("console.exe#2 parent=- session=0"),
            Want::Dump("psxss.exe parent=csrss.exe session=0"),
            Want::Dump("psxss.exe#2 parent=csrss.exe#2 session=1"),
        ],
    },
    Case {
        // Twice: the first round makes the threads and touches the tables that are kept for the
        // next.
        name: "sixty_four_sessions_come_and_go",
        changes: &[script!(
            "63*smctl.exe start winlogon.exe; 63*smctl.exe stop $; note; 63*smctl.exe start winlogon.exe; smctl.exe start winlogon.exe; 63*smctl.exe stop $; same"
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Log("smctl: session 63 started"),
            Want::Log("script: smctl.exe start winlogon.exe: STATUS_NO_MEMORY"),
            Want::Log("script: smctl.exe stop 63: STATUS_SUCCESS"),
            Want::Log("script: the same: "),
            Want::NoDump("session=1 "),
        ],
    },
    Case {
        // The way is csrss's in a new session; session 0's keeps the contract.
        name: "a_csrss_that_breaks_the_contract_in_a_new_session_is_undone",
        changes: &[
            sm!(
                "\\SubSystems",
                r#""Windows"="C:\\ReactOS\\system32\\csrss.exe ObjectDirectory=\\Windows Windows=On SubSystemType=Windows Elsewhere=silent,deaf,mute,refuses,leaves,nameless,dies,silent,silent,deaf,mute,refuses,leaves,nameless,dies,silent""#
            ),
            script!(
                "8*smctl.exe start winlogon.exe; note; 8*smctl.exe start winlogon.exe; same; smctl.exe start winlogon.exe; smctl.exe stop 1"
            ),
        ],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Log("script: smctl.exe start winlogon.exe: STATUS_IO_TIMEOUT"),
            Want::Log("script: smctl.exe start winlogon.exe: STATUS_LPC_REPLY_LOST"),
            Want::Log("script: smctl.exe start winlogon.exe: STATUS_NO_MEMORY"),
            Want::Log("script: smctl.exe start winlogon.exe: STATUS_UNSUCCESSFUL"),
            Want::Log("script: smctl.exe start winlogon.exe: STATUS_PORT_DISCONNECTED"),
            Want::Log("script: smctl.exe stop 1: STATUS_SUCCESS"),
            Want::Log("script: the same: "),
            Want::NoLog("NOT THE SAME"),
        ],
    },
    Case {
        name: "clients_that_die_and_clients_that_come_and_go_leave_nothing",
        changes: &[script!(
            "smdie 0; smdie 1; smdie 2; smdie 4; smdie 5; sleep 100; smctl stop 1; smtest churn 2000; note; smdie 0; smdie 1; smdie 2; smdie 4; smdie 5; sleep 100; smctl stop 1; smtest churn 2000; same"
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Log("smtest: churn: pass"),
            Want::Log("script: the same: "),
        ],
    },
    Case {
        name: "a_silent_csrss_of_session_0_is_waited_for_without_end",
        changes: &[sm!(
            "\\SubSystems",
            r#""Windows"="C:\\ReactOS\\system32\\faulty.exe silent""#
        )],
        arguments: "",
        end: End::Pass,
        wants: &[
            Want::Dump("faulty.exe parent=smss.exe session=0"),
            Want::NoDump("winlogon.exe parent"),
            Want::NoLog("IO_TIMEOUT"),
        ],
    },
    Case {
        name: "a_csrss_of_session_0_that_dies_before_it_registers_stops_the_system",
        changes: &[sm!(
            "\\SubSystems",
            r#""Windows"="C:\\ReactOS\\system32\\faulty.exe dies c0000142""#
        )],
        arguments: "",
        end: End::Bugcheck,
        wants: &[
            Want::Log("Session Manager Initialization"),
            Want::Log("0xc0000142"),
        ],
    },
    Case {
        name: "winlogon_killed_stops_with_c000021a",
        changes: &[],
        arguments: "kill=winlogon",
        end: End::Bugcheck,
        wants: &[Want::Log("c000021a"), Want::Log("Windows Logon Process")],
    },
    Case {
        name: "csrss_killed_stops_with_c000021a",
        changes: &[],
        arguments: "kill=csrss",
        end: End::Bugcheck,
        wants: &[Want::Log("c000021a"), Want::Log("Windows SubSystem")],
    },
    Case {
        name: "nt_6_1_the_end_of_winlogon_in_session_1_ends_that_session_only",
        changes: &[],
        arguments: "nt=6.1 kill=winlogon",
        end: End::Pass,
        wants: &[
            Want::Log("session 1: its initial command has ended"),
            Want::Dump("wininit.exe parent=- session=0"),
            Want::Dump("csrss.exe parent=- session=0"),
            Want::NoDump("session=1 "),
        ],
    },
    Case {
        name: "nt_6_1_wininit_killed_stops_with_c000021a",
        changes: &[],
        arguments: "nt=6.1 kill=wininit",
        end: End::Bugcheck,
        wants: &[
            Want::Log("c000021a"),
            Want::Log("initial session process or"),
        ],
    },
    Case {
        name: "nt_6_1_csrss_of_session_0_killed_stops_with_c000021a",
        changes: &[],
        arguments: "nt=6.1 kill=csrss",
        end: End::Bugcheck,
        wants: &[Want::Log("c000021a"), Want::Log("Windows SubSystem")],
    },
    Case {
        name: "nt_6_1_a_later_session_and_a_program_in_it",
        changes: &[sm!(
            "",
            r#""S0InitialCommand"="script.exe smctl start; smctl exec 2 console.exe; smctl exec 1 sleep.exe; smctl list; smctl stop 2; stay""#
        )],
        arguments: "nt=6.1",
        end: End::Pass,
        wants: &[
            Want::Log("smctl: session 2 started"),
            Want::Log("script: smctl exec 2 console.exe: STATUS_SUCCESS"),
            Want::Log("script: smctl stop 2: STATUS_SUCCESS"),
            Want::Dump("sleep.exe parent=csrss.exe#2 session=1"),
            Want::NoDump("console.exe parent"),
        ],
    },
    Case {
        // Spec 12.2 and 6.4: a real reset, then a real power-off; the second boot counts what the
        // first one wrote.
        name: "shutdown_restarts_and_powers_off_and_loses_nothing",
        changes: &[
            Change::Registry {
                hive: "SOFTWARE",
                text: "[\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\winlogon.exe]\n\"Debugger\"=\"shutdown.exe 2\"\n",
            },
            Change::File("ReactOS/from.txt", "moved once"),
            sm!(
                "",
                r#""PendingFileRenameOperations"=str(7):"\\??\\C:\\ReactOS\\from.txt\0\\??\\C:\\ReactOS\\to.txt\0""#
            ),
        ],
        arguments: "",
        end: End::PowerOff,
        wants: &[
            Want::Log("shutdown: boot 1 of 2: Reboot"),
            Want::Log("shutdown: Reboot"),
            Want::Log("shutdown: boot 2 of 2: PowerOff"),
            // The operation was deleted from the hive on the disk with the first boot: the second
            // has nothing to fail at.
            Want::NoLog("SMSS: pending file rename:"),
            Want::NoVolume("ReactOS/from.txt"),
            Want::Content("ReactOS/to.txt", "moved once"),
        ],
    },
    Case {
        name: "nt_6_1_sessions_0_and_1",
        changes: &[],
        arguments: "nt=6.1",
        end: End::Pass,
        wants: &[
            Want::Dump("wininit.exe parent=- session=0"),
            Want::Dump("services.exe parent=wininit.exe session=0"),
            Want::Dump("lsass.exe parent=wininit.exe session=0"),
            Want::Dump("winlogon.exe parent=- session=1"),
            Want::Golden("nt-6.1.txt"),
        ],
    },
];
