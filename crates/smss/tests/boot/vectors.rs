// SPDX-License-Identifier: GPL-2.0-or-later
//! The vectors of spec 17 that the whole system is needed for.

use crate::system::{End, Setup};
use nt::Status;
use nt::system::ShutdownAction;

#[test]
fn boot_execute_absent_runs_autochk_with_a_star() {
    let system = Setup::new().without_value("", "BootExecute").boot();
    assert_eq!(system.end, End::Settled);
    assert!(system.screen.contains("autochk: *"), "{}", system.screen);
}

#[test]
fn boot_execute_autocheck_nosuch_says_so_on_the_screen() {
    let system = Setup::new()
        .multi("", "BootExecute", &["autocheck nosuch *"])
        .boot();
    assert_eq!(system.end, End::Settled);
    assert!(
        system
            .screen
            .contains("nosuch program not found - skipping AUTOCHECK\r\n"),
        "{}",
        system.screen
    );
}

#[test]
fn boot_execute_of_a_character_mode_program_is_killed_and_the_boot_goes_on() {
    let system = Setup::new()
        .multi("", "BootExecute", &["console.exe"])
        .boot();
    assert_eq!(system.end, End::Settled);
    assert!(!system.runs("console.exe"));
}

#[test]
fn boot_execute_async_does_not_wait() {
    let system = Setup::new()
        .multi(
            "",
            "BootExecute",
            &["async sleep.exe 10000", "autocheck autochk *"],
        )
        .traced()
        .boot();
    assert_eq!(system.end, End::Settled);
    let shown = system
        .time_of("autochk.exe", "NtDisplayString")
        .expect("autochk has shown nothing");
    assert!(shown < 100_000_000, "{shown}");
}

#[test]
fn children_get_the_environment_with_forward_references_resolved() {
    let system = Setup::new()
        .expand("Environment", "A", "%B%")
        .sz("Environment", "B", "x")
        .expand("Environment", "P2", "%P2%;y")
        .multi("", "BootExecute", &["env.exe"])
        .boot();
    assert!(
        system.screen.contains("\r\nA=x\r\n") || system.screen.starts_with("A=x\r\n"),
        "{}",
        system.screen
    );
    assert!(
        system.screen.contains("P2=%P2%;y;y\r\n"),
        "{}",
        system.screen
    );
}

#[test]
fn windows_entry_missing_stops_at_the_initial_command() {
    let system = Setup::new().without_value("SubSystems", "Windows").boot();
    assert_eq!(
        system.end,
        End::stopped(
            "Session Manager ExecuteInitialCommand",
            Status::OBJECT_NAME_NOT_FOUND
        )
    );
}

#[test]
fn execute_foo_is_the_initial_command_after_five_seconds() {
    let system = Setup::new()
        .multi("", "Execute", &["sleep.exe"])
        .traced()
        .boot();
    assert_eq!(system.end, End::Settled);
    assert_eq!(system.children("smss.exe"), ["csrss.exe", "sleep.exe"]);
    assert!(!system.runs("winlogon.exe"));
    let delayed = system
        .trace
        .iter()
        .any(|record| record.call == "NtDelayExecution" && record.time >= 50_000_000);
    assert!(delayed);
}

#[test]
fn ifeo_debugger_stands_before_winlogon() {
    let system = Setup::new().software_sz(
        "Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\winlogon.exe",
        "Debugger",
        "console.exe",
    );
    let system = system.boot();
    assert_eq!(system.end, End::Settled);
    assert_eq!(
        system.process("console.exe").command_line,
        "console.exe winlogon.exe"
    );
}

#[test]
fn csrss_killed_after_clearing_its_critical_flag_stops_the_system() {
    let mut system = Setup::new().boot();
    system.kill("csrss.exe", Status(0x1234));
    assert_eq!(
        system.end,
        End::stopped("Windows SubSystem", Status(0x1234))
    );
}

#[test]
fn winlogon_killed_after_clearing_its_critical_flag_stops_the_system() {
    let mut system = Setup::new().boot();
    system.kill("winlogon.exe", Status(0x1234));
    assert_eq!(
        system.end,
        End::stopped("Windows Logon Process", Status(0x1234))
    );
}

#[test]
fn an_initial_command_that_ends_cleanly_stops_the_system_all_the_same() {
    let system = Setup::new().multi("", "Execute", &["logoff.exe 0"]).boot();
    assert_eq!(
        system.end,
        End::stopped("Windows Logon Process", Status::SUCCESS)
    );
}

#[test]
fn spec_12_2_a_normal_shutdown_is_the_initial_commands_and_what_was_written_is_there_at_the_next_boot()
 {
    let image = "Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\winlogon.exe";
    let renames = ["\\??\\C:\\from.txt", "\\??\\C:\\to.txt"];
    let setup = Setup::new()
        .software_sz(image, "Debugger", "shutdown.exe 2")
        .file("\\from.txt", b"moved once");
    let first = setup
        .multi("", "PendingFileRenameOperations", &renames)
        .boot();
    assert_eq!(
        first.end,
        End::Shutdown(ShutdownAction::Reboot),
        "{}",
        first.screen
    );
    assert!(
        first.screen.contains("shutdown: boot 1 of 2"),
        "{}",
        first.screen
    );
    let second = first.reboot();
    assert_eq!(
        second.end,
        End::Shutdown(ShutdownAction::PowerOff),
        "{}",
        second.screen
    );
    assert!(
        second.screen.contains("shutdown: boot 2 of 2"),
        "{}",
        second.screen
    );
    assert!(second.file_exists("\\to.txt") && !second.file_exists("\\from.txt"));
}

#[test]
fn sm_clients_get_the_answers_of_the_table() {
    let mut system = Setup::new().boot();
    let status = system.start_program("smtest.exe");
    assert_eq!(status, Status::SUCCESS, "{}", system.screen);
    assert!(
        system.screen.contains(" cases, 0 failed"),
        "{}",
        system.screen
    );
}
