// SPDX-License-Identifier: GPL-2.0-or-later
//! Fatal or not: the matrix of spec 13.5, row by row, as the system shows it.

use crate::system::{End, Setup};
use nt::Status;
use nt::failure::{Consequence, Step};

/// What a row expects.
enum Outcome {
    /// The boot goes on.
    Settles,
    /// Hard error "Session Manager Initialization".
    Stops(Status),
    /// Hard error "Session Manager ExecuteInitialCommand".
    StopsAtInitialCommand(Status),
    /// A hard error of its own, with the file.
    Own(&'static str, Status, &'static str),
}

type Row = (&'static str, Step, fn(Setup) -> Setup, Outcome);

const DENIED: Status = Status::ACCESS_DENIED;

fn rows() -> Vec<Row> {
    use Outcome::{Own, Settles, Stops, StopsAtInitialCommand};
    vec![
        (
            "critical flag",
            Step::ProcessSettings,
            |s| s.fail("NtSetInformationProcess", 1, DENIED),
            Settles,
        ),
        (
            "critical thread",
            Step::ProcessSettings,
            |s| s.fail("NtSetInformationThread", 1, DENIED),
            Settles,
        ),
        (
            "base priority",
            Step::ProcessSettings,
            |s| s.fail("NtSetInformationProcess", 2, DENIED),
            Settles,
        ),
        (
            "hard-error mode",
            Step::ProcessSettings,
            |s| s.fail("NtSetInformationProcess", 3, DENIED),
            Settles,
        ),
        (
            "SM API port",
            Step::ApiPort,
            |s| s.fail("NtCreatePort", 1, DENIED),
            Stops(DENIED),
        ),
        (
            "SM API thread",
            Step::ApiThread,
            |s| s.fail("NtCreateThread", 1, Status::NO_MEMORY),
            Stops(Status::NO_MEMORY),
        ),
        (
            "volumes event",
            Step::VolumesEvent,
            |s| s.fail("NtCreateEvent", 1, DENIED),
            Settles,
        ),
        (
            "environment",
            Step::Environment,
            |s| s.fail("NtAllocateVirtualMemory", 3, Status::NO_MEMORY),
            Stops(Status::NO_MEMORY),
        ),
        (
            "MiniNT probe",
            Step::BootOptions,
            |s| s.fail_on("NtOpenKey", "MiniNT", DENIED),
            Settles,
        ),
        (
            "no Session Manager key",
            Step::RegistryPass,
            |s| s.fail_on("NtOpenKey", "Session Manager", DENIED),
            Stops(DENIED),
        ),
        (
            "no KnownDlls key",
            Step::RegistryPass,
            |s| s.without_key("KnownDlls"),
            Stops(Status::OBJECT_NAME_NOT_FOUND),
        ),
        (
            "no SubSystems key",
            Step::RegistryPass,
            |s| s.without_key("SubSystems"),
            Stops(Status::OBJECT_NAME_NOT_FOUND),
        ),
        (
            "bad environment name",
            Step::RegistryPass,
            |s| s.sz("Environment", "A=B", "x"),
            Stops(Status::INVALID_PARAMETER),
        ),
        (
            "object directory",
            Step::ObjectDirectory,
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
            Step::DosDevices,
            |s| s.fail("NtOpenDirectoryObject", 1, DENIED),
            Stops(DENIED),
        ),
        (
            "DOS device",
            Step::DosDevices,
            |s| s.fail("NtCreateSymbolicLinkObject", 2, DENIED),
            Stops(DENIED),
        ),
        (
            "sessions directory",
            Step::Sessions,
            |s| s.fail_on("NtCreateDirectoryObject", "\\Sessions", DENIED),
            Stops(DENIED),
        ),
        (
            "boot command",
            Step::BootExecute,
            |s| s.multi("", "BootExecute", &["nosuch x"]),
            Settles,
        ),
        (
            "pending rename",
            Step::PendingRename,
            |s| s.multi("", "PendingFileRenameOperations", &["\\??\\C:\\nosuch", ""]),
            Settles,
        ),
        (
            "known DLLs directory",
            Step::KnownDlls,
            |s| s.fail_on("NtCreateDirectoryObject", "\\KnownDlls", DENIED),
            Stops(DENIED),
        ),
        (
            "missing known DLL",
            Step::KnownDll,
            |s| s.sz("KnownDlls", "nosuch", "nosuch.dll"),
            Settles,
        ),
        (
            "known DLL unreadable",
            Step::KnownDlls,
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
            Step::PagingFile,
            |s| s.fail_always("NtCreatePagingFile", DENIED),
            Settles,
        ),
        (
            "remaining hives",
            Step::InitializeRegistry,
            |s| s.fail("NtInitializeRegistry", 1, DENIED),
            Settles,
        ),
        (
            "computed environment",
            Step::ComputedEnvironment,
            |s| s.fail_on("NtSetValueKey", "OS", DENIED),
            Stops(DENIED),
        ),
        (
            "BootDir",
            Step::BootDirectory,
            |s| s.fail_on("NtOpenKey", "\\Setup", DENIED),
            Settles,
        ),
        (
            "set-up command",
            Step::SetupExecute,
            |s| s.multi("", "SetupExecute", &["nosuch"]),
            Settles,
        ),
        (
            "session space",
            Step::SessionSpace,
            |s| s.fail("NtSetSystemInformation", 1, DENIED),
            Stops(DENIED),
        ),
        (
            "win32k",
            Step::SessionSpace,
            |s| s.fail("NtSetSystemInformation", 2, DENIED),
            Stops(DENIED),
        ),
        (
            "required subsystem",
            Step::RequiredSubsystem,
            |s| s.expand("SubSystems", "Windows", "nosuch.exe"),
            Stops(Status::OBJECT_NAME_NOT_FOUND),
        ),
        (
            "undefined subsystem",
            Step::UndefinedSubsystem,
            |s| s.multi("SubSystems", "Required", &["Debug", "Windows", "Foo"]),
            Settles,
        ),
        (
            "command",
            Step::Execute,
            |s| s.multi("", "Execute", &["nosuch", "sleep.exe"]),
            Settles,
        ),
        (
            "initial command",
            Step::InitialCommand,
            |s| s.multi("", "Execute", &["nosuch.exe"]),
            StopsAtInitialCommand(Status::OBJECT_NAME_NOT_FOUND),
        ),
        (
            "initial command not taken over",
            Step::InitialCommand,
            |s| s.fail("NtRequestWaitReplyPort", 1, Status::PORT_DISCONNECTED),
            StopsAtInitialCommand(Status::PORT_DISCONNECTED),
        ),
        (
            "session detach",
            Step::SessionDetach,
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
            Outcome::Settles => End::Settled,
            Outcome::Stops(status) => End::stopped("Session Manager Initialization", status),
            Outcome::StopsAtInitialCommand(status) => {
                End::stopped("Session Manager ExecuteInitialCommand", status)
            }
            Outcome::Own(text, status, file) => End::Stopped {
                text: text.into(),
                status,
                rest: vec![file.into()],
            },
        };
        if system.end != wanted {
            wrong.push(format!(
                "{name} ({}): {:?} instead of {wanted:?}",
                step.text(),
                system.end
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_step_of_the_table_has_a_row_or_a_test_elsewhere() {
    // A value that is no text, a section that cannot be made, the 32-bit directory: with the crates
    // they belong to. Client requests: with the server. None of them stops anything.
    const ELSEWHERE: [Step; 3] = [Step::RegistryValue, Step::KnownDlls32, Step::ApiRequest];
    for &step in Step::ALL {
        let here = rows().iter().any(|(_, row, _, _)| *row == step);
        assert!(
            here || ELSEWHERE.contains(&step) && step.consequence() == Consequence::Skipped,
            "{step:?}"
        );
    }
}
