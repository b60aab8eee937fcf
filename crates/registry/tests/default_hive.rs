// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry pass over the executive's registry: the default hive, and what of it reaches the
//! disk when.

use nt::UnicodeStr;
use nt::system::{Objects, Processes, Registry, RegistryBoot};
use registry::Configuration;
use test_support::host::{SM, Seam, World, bytes, run, value, world};

const MULTI: u32 = 7;
const RENAMES: &str = "PendingFileRenameOperations";

#[derive(Debug, PartialEq, Eq, Default)]
struct Read {
    boot_execute: Vec<String>,
    devices: Vec<String>,
    required: Vec<String>,
    directories: Vec<String>,
    renames: Vec<String>,
    library_path: String,
    windir: String,
    dll_directory: String,
    paging_files: Vec<String>,
}

fn read(seam: &'static Seam) -> Read {
    let mut directories = Vec::new();
    let mut configuration = Configuration::new(seam);
    let mut make_directory = |_, name: UnicodeStr<'_>| directories.push(name.to_string());
    let own = seam.own_environment();
    registry::read(seam, own, false, &mut make_directory, &mut configuration).unwrap();
    let texts = |list: &mut dyn Iterator<Item = UnicodeStr<'_>>| {
        list.map(|text| text.to_string()).collect::<Vec<_>>()
    };
    Read {
        boot_execute: texts(&mut configuration.boot_execute()),
        devices: configuration
            .dos_devices()
            .map(|(name, target)| format!("{name}={target}"))
            .collect(),
        required: configuration
            .required()
            .map(|(name, _)| name.to_string())
            .collect(),
        directories,
        renames: configuration
            .renames
            .iter()
            .flatten()
            .flat_map(|value| texts(&mut value.strings()))
            .collect(),
        library_path: configuration.library_search_path().to_string(),
        windir: configuration
            .environment
            .get(nt::wide!("windir"))
            .unwrap_or_default()
            .to_string(),
        dll_directory: configuration
            .dll_directory()
            .unwrap_or_default()
            .to_string(),
        paging_files: texts(&mut configuration.paging_files()),
    }
}

#[test]
fn the_default_hive_is_what_it_says() {
    let mut world = world();
    let (read, _) = run(&mut world, read);
    assert_eq!(read.boot_execute, ["autocheck autochk *"]);
    assert_eq!(
        read.devices[..2],
        ["AUX=\\DosDevices\\COM1", "MAILSLOT=\\Device\\MailSlot"]
    );
    assert_eq!(read.required, ["Debug", "Windows"]);
    assert_eq!(read.directories, ["\\Windows", "\\RPC Control"]);
    assert_eq!(read.windir, "C:\\ReactOS");
    assert_eq!(read.dll_directory, "C:\\ReactOS\\system32");
    assert_eq!(
        read.library_path,
        "C:\\ReactOS\\bin;C:\\ReactOS\\System32;C:\\ReactOS;C:\\ReactOS\\System32\\Wbem"
    );
    let trace = world.trace();
    let calls = |name: &str| trace.iter().filter(|record| record.call == name).count();
    // SM key with nine values and six subkeys, one of them enumerated for two passes.
    assert_eq!(calls("NtOpenKey"), 6);
    assert_eq!(calls("NtQueryValueKey"), 10);
    assert!(calls("NtAllocateVirtualMemory") <= 6);
}

#[test]
fn every_handle_of_the_pass_is_closed() {
    let mut without = world();
    run(&mut without, |_| ());
    let mut with = world();
    run(&mut with, |seam| drop(read(seam)));
    let handles = |world: &World| world.process("smss.exe").unwrap().handles;
    assert_eq!(handles(&with), handles(&without));
}

#[test]
fn spec_6_4_a_deleted_value_is_gone_from_memory_and_still_on_the_disk_until_the_registry_is_initialised()
 {
    let mut world = world();
    world.set_value("", RENAMES, MULTI, &bytes("\\??\\C:\\a\0\0\0"));
    let ((before, first, after), _) = run(&mut world, |seam| {
        (
            value(seam, SM, RENAMES),
            read(seam),
            value(seam, SM, RENAMES),
        )
    });
    assert_eq!(first.renames, ["\\??\\C:\\a", ""]);
    assert!(before.is_some() && after.is_none());
    // The power goes before NtInitializeRegistry.
    let mut world = world.reboot();
    let (second, _) = run(&mut world, |seam| {
        let done = read(seam);
        seam.initialize_registry(RegistryBoot::Smss).unwrap();
        // Time for the lazy flush.
        seam.delay(60_000).unwrap();
        done
    });
    assert_eq!(second.renames, first.renames, "the work is repeated");
    let mut world = world.reboot();
    assert_eq!(run(&mut world, read).0.renames, [""; 0], "and is done then");
}

#[test]
fn the_boot_option_minint_is_seen() {
    let mut ordinary = world();
    assert!(!run(&mut ordinary, registry::is_mini_nt).0);
    let mut mini = world();
    mini.boot_options("MININT");
    assert!(run(&mut mini, registry::is_mini_nt).0);
}

#[test]
fn safeboot_option_of_the_last_boot_is_forgotten() {
    let mut world = world();
    world.set_value("Environment", "SAFEBOOT_OPTION", 1, &bytes("MINIMAL\0"));
    let key = format!("{SM}\\Environment");
    let ((before, after), _) = run(&mut world, move |seam| {
        let before = value(seam, &key, "SAFEBOOT_OPTION");
        read(seam);
        (before, value(seam, &key, "SAFEBOOT_OPTION"))
    });
    assert!(before.is_some() && after.is_none());
}
