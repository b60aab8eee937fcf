// SPDX-License-Identifier: GPL-2.0-or-later
//! The default boot: what stands when it has settled (spec 14).

use crate::system::{End, Setup};

#[test]
fn the_default_boot_settles_with_csrss_and_winlogon_as_children_of_smss() {
    let system = Setup::new().boot();
    assert_eq!(system.end, End::Settled);
    assert_eq!(system.children("smss.exe"), ["csrss.exe", "winlogon.exe"]);
    assert_eq!(
        system.children("winlogon.exe"),
        ["services.exe", "lsass.exe"]
    );
    for image in ["smss.exe", "csrss.exe", "winlogon.exe"] {
        assert!(system.process(image).critical, "{image}");
        assert_eq!(system.process(image).session, 0, "{image}");
    }
    assert_eq!(system.process("smss.exe").priority, 11);
    // Main thread and two API threads (spec 14 #7).
    assert_eq!(system.process("smss.exe").threads, 3);
}

#[test]
fn the_default_boot_leaves_the_namespace_of_the_specification() {
    let system = Setup::new().boot();
    for (path, kind) in [
        ("\\SmApiPort", "Port"),
        ("\\Windows", "Directory"),
        ("\\RPC Control", "Directory"),
        ("\\Sessions", "Directory"),
        ("\\Sessions\\0", "Directory"),
        ("\\Sessions\\0\\DosDevices", "Directory"),
        ("\\Sessions\\BNOLINKS\\0", "SymbolicLink"),
        ("\\Windows\\ApiPort", "Port"),
        ("\\Windows\\SbApiPort", "Port"),
        ("\\KnownDlls", "Directory"),
        ("\\KnownDlls\\KnownDllPath", "SymbolicLink"),
        ("\\Device\\VolumesSafeForWriteAccess", "Event"),
    ] {
        assert_eq!(system.object(path).kind, kind, "{path}");
    }
    for (name, target) in [
        ("AUX", "\\DosDevices\\COM1"),
        ("MAILSLOT", "\\Device\\MailSlot"),
        ("NUL", "\\Device\\Null"),
        ("PIPE", "\\Device\\NamedPipe"),
        ("PRN", "\\DosDevices\\LPT1"),
    ] {
        let link = system.object(&format!("\\GLOBAL??\\{name}"));
        assert_eq!(link.target.as_deref(), Some(target), "{name}");
        assert!(link.permanent, "{name}");
    }
    assert_eq!(
        system.object("\\KnownDlls\\KnownDllPath").target.as_deref(),
        Some("C:\\ReactOS\\system32")
    );
    assert_eq!(
        system
            .object("\\Device\\VolumesSafeForWriteAccess")
            .detail
            .as_deref(),
        Some("signalled")
    );
}

#[test]
fn smss_has_the_handles_of_the_specification_in_steady_state() {
    let system = Setup::new().boot();
    let handles = &system.process("smss.exe").handles;
    let of = |kind: &str| {
        handles
            .iter()
            .find(|(name, _)| name == kind)
            .map_or(0, |(_, count)| *count)
    };
    // Spec 14, below the table, without a connection of smss to itself: the port, csrss'
    // server-side port, the call-back port; `\GLOBAL??` and `\Sessions`; csrss twice (from its
    // creation and from its connection) and winlogon; csrss' event; no thread, no section.
    assert_eq!(
        (of("Port"), of("Directory"), of("Process"), of("Event")),
        (3, 2, 3, 1),
        "{handles:?}"
    );
    assert_eq!(
        (of("Thread"), of("Section"), of("Key"), of("Token")),
        (0, 0, 0, 0),
        "{handles:?}"
    );
}

#[test]
fn two_default_boots_take_the_same_course() {
    let text = || {
        let system = Setup::new().traced().boot();
        system
            .trace
            .iter()
            .map(|record| {
                format!(
                    "{} {} {:?}\n",
                    { record.client.thread },
                    record.call,
                    record.outcome
                )
            })
            .collect::<String>()
    };
    assert_eq!(text(), text());
}
