// SPDX-License-Identifier: GPL-2.0-or-later
//! Fatal or not: the matrix of spec 13.5, row by row, as the system shows it.

use crate::system::{End, Setup};
use nt::Status;
use nt::failure::{Essential, Skippable};

/// What a row expects.
enum Expected {
    /// The boot goes on.
    Settles,
    /// Hard error "Session Manager Initialization".
    Stops(Status),
    /// Hard error "Session Manager ExecuteInitialCommand".
    StopsAtInitialCommand(Status),
    /// A hard error of its own, with the file.
    Own(&'static str, Status, &'static str),
}

/// Name, step by its name in the log, what is wrong, what is expected.
type Row = (&'static str, &'static str, fn(Setup) -> Setup, Expected);

const DENIED: Status = Status::ACCESS_DENIED;

fn rows() -> Vec<Row> {
    use Expected::{Own, Settles, Stops, StopsAtInitialCommand};
    vec![
        (
            "critical flag",
            Skippable::ProcessSettings.text(),
            |s| s.fail("NtSetInformationProcess", 1, DENIED),
            Settles,
        ),
        (
            "critical thread",
            Skippable::ProcessSettings.text(),
            |s| s.fail("NtSetInformationThread", 1, DENIED),
            Settles,
        ),
        (
            "base priority",
            Skippable::ProcessSettings.text(),
            |s| s.fail("NtSetInformationProcess", 2, DENIED),
            Settles,
        ),
        (
            "hard-error mode",
            Skippable::ProcessSettings.text(),
            |s| s.fail("NtSetInformationProcess", 3, DENIED),
            Settles,
        ),
        (
            "SM API port",
            Essential::ApiPort.text(),
            |s| s.fail("NtCreatePort", 1, DENIED),
            Stops(DENIED),
        ),
        (
            "SM API thread",
            Essential::ApiThread.text(),
            |s| s.fail("NtCreateThread", 1, Status::NO_MEMORY),
            Stops(Status::NO_MEMORY),
        ),
        (
            "volumes event",
            Skippable::VolumesEvent.text(),
            |s| s.fail("NtCreateEvent", 1, DENIED),
            Settles,
        ),
        (
            "environment",
            Essential::Environment.text(),
            |s| s.fail("NtAllocateVirtualMemory", 3, Status::NO_MEMORY),
            Stops(Status::NO_MEMORY),
        ),
        (
            "MiniNT probe",
            Skippable::BootOptions.text(),
            |s| s.fail_on("NtOpenKey", "MiniNT", DENIED),
            Settles,
        ),
        (
            "no Session Manager key",
            Essential::RegistryPass.text(),
            |s| s.fail_on("NtOpenKey", "Session Manager", DENIED),
            Stops(DENIED),
        ),
        (
            "no KnownDlls key",
            Essential::RegistryPass.text(),
            |s| s.without_key("KnownDlls"),
            Stops(Status::OBJECT_NAME_NOT_FOUND),
        ),
        (
            "no SubSystems key",
            Essential::RegistryPass.text(),
            |s| s.without_key("SubSystems"),
            Stops(Status::OBJECT_NAME_NOT_FOUND),
        ),
        (
            "bad environment name",
            Essential::RegistryPass.text(),
            |s| s.sz("Environment", "A=B", "x"),
            Stops(Status::INVALID_PARAMETER),
        ),
        (
            "object directory",
            Skippable::ObjectDirectory.text(),
            |s| {
                s.multi(
                    "",
                    "ObjectDirectories",
                    &["\\Foo\\Bar", "\\Windows", "\\RPC Control"],
                )
            },
            Settles,
        ),
        (
            "DOS devices directory",
            Essential::DosDevices.text(),
            |s| s.fail("NtOpenDirectoryObject", 1, DENIED),
            Stops(DENIED),
        ),
        (
            "DOS device",
            Essential::DosDevices.text(),
            |s| s.fail("NtCreateSymbolicLinkObject", 2, DENIED),
            Stops(DENIED),
        ),
        (
            "sessions directory",
            Essential::Sessions.text(),
            |s| s.fail_on("NtCreateDirectoryObject", "\\Sessions", DENIED),
            Stops(DENIED),
        ),
        (
            "boot command",
            Skippable::BootExecute.text(),
            |s| s.multi("", "BootExecute", &["nosuch x"]),
            Settles,
        ),
        (
            "pending rename",
            Skippable::PendingRename.text(),
            |s| s.multi("", "PendingFileRenameOperations", &["\\??\\C:\\nosuch", ""]),
            Settles,
        ),
        (
            "known DLLs directory",
            Essential::KnownDlls.text(),
            |s| s.fail_on("NtCreateDirectoryObject", "\\KnownDlls", DENIED),
            Stops(DENIED),
        ),
        (
            "missing known DLL",
            Skippable::KnownDll.text(),
            |s| s.sz("KnownDlls", "nosuch", "nosuch.dll"),
            Settles,
        ),
        (
            "known DLL unreadable",
            Essential::KnownDlls.text(),
            |s| {
                s.sz("KnownDlls", "bad", "bad.dll")
                    .file("\\ReactOS\\System32\\bad.dll", b"this is no image")
            },
            Own(
                "Verification of a KnownDLL failed.",
                Status::IMAGE_CHECKSUM_MISMATCH,
                "bad.dll",
            ),
        ),
        (
            "paging file",
            Skippable::PagingFile.text(),
            |s| s.fail_always("NtCreatePagingFile", DENIED),
            Settles,
        ),
        (
            "remaining hives",
            Skippable::InitializeRegistry.text(),
            |s| s.fail("NtInitializeRegistry", 1, DENIED),
            Settles,
        ),
        (
            "computed environment",
            Essential::ComputedEnvironment.text(),
            |s| s.fail_on("NtSetValueKey", "OS", DENIED),
            Stops(DENIED),
        ),
        (
            "BootDir",
            Skippable::BootDirectory.text(),
            |s| s.fail_on("NtOpenKey", "\\Setup", DENIED),
            Settles,
        ),
        (
            "set-up command",
            Skippable::SetupExecute.text(),
            |s| s.multi("", "SetupExecute", &["nosuch"]),
            Settles,
        ),
        (
            "session space",
            Essential::SessionSpace.text(),
            |s| s.fail("NtSetSystemInformation", 1, DENIED),
            Stops(DENIED),
        ),
        (
            "win32k",
            Essential::SessionSpace.text(),
            |s| s.fail("NtSetSystemInformation", 2, DENIED),
            Stops(DENIED),
        ),
        (
            "required subsystem",
            Essential::RequiredSubsystem.text(),
            |s| s.expand("SubSystems", "Windows", "nosuch.exe"),
            Stops(Status::OBJECT_NAME_NOT_FOUND),
        ),
        (
            "undefined subsystem",
            Skippable::UndefinedSubsystem.text(),
            |s| s.multi("SubSystems", "Required", &["Debug", "Windows", "Foo"]),
            Settles,
        ),
        (
            "command",
            Skippable::Execute.text(),
            |s| s.multi("", "Execute", &["nosuch", "sleep.exe"]),
            Settles,
        ),
        (
            "initial command",
            Essential::InitialCommand.text(),
            |s| s.multi("", "Execute", &["nosuch.exe"]),
            StopsAtInitialCommand(Status::OBJECT_NAME_NOT_FOUND),
        ),
        (
            "initial command not taken over",
            Essential::InitialCommand.text(),
            |s| s.fail("NtRequestWaitReplyPort", 1, Status::PORT_DISCONNECTED),
            StopsAtInitialCommand(Status::PORT_DISCONNECTED),
        ),
        (
            "session detach",
            Skippable::SessionDetach.text(),
            |s| s.fail("NtSetSystemInformation", 3, DENIED),
            Settles,
        ),
    ]
}

#[test]
fn spec_13_5_every_row_of_the_matrix() {
    let mut wrong = Vec::new();
    for (name, step, change, expected) in rows() {
        let system = change(Setup::new()).boot();
        let wanted = match expected {
            Expected::Settles => End::Settled,
            Expected::Stops(status) => End::stopped("Session Manager Initialization", status),
            Expected::StopsAtInitialCommand(status) => {
                End::stopped("Session Manager ExecuteInitialCommand", status)
            }
            Expected::Own(text, status, file) => End::Stopped {
                text: text.into(),
                status,
                rest: vec![file.into()],
            },
        };
        if system.end != wanted {
            wrong.push(format!(
                "{name} ({}): {:?} instead of {wanted:?}",
                step, system.end
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_step_of_the_table_has_a_row_or_a_test_elsewhere() {
    // A value that is not text, the 32-bit directory: with the crates they belong to. Client
    // requests: with the server.
    const ELSEWHERE: [Skippable; 3] = [
        Skippable::RegistryValue,
        Skippable::KnownDlls32,
        Skippable::ApiRequest,
    ];
    let has_row = |step: &str| rows().iter().any(|(_, row, _, _)| *row == step);
    for &step in Skippable::ALL {
        assert!(
            has_row(step.text()) || ELSEWHERE.contains(&step),
            "{step:?}"
        );
    }
    for &step in Essential::ALL {
        assert!(has_row(step.text()), "{step:?}");
    }
}
