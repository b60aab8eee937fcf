// SPDX-License-Identifier: GPL-2.0-or-later
//! Object directories, DOS devices and BootDir over the executive, with calls refused one by one:
//! rows of spec 2.2, 2.3 #3, 3.2, 9.2 #1 and 17.

use executive::dump::Snapshot;
use executive::host::Fault;
use nt::failure::{Essential, Stop};
use nt::system::{Registry, RegistryBoot};
use nt::{Status, UnicodeStr};
use objects::Protection;
use std::collections::BTreeMap;
use test_support::host::{Seam, World, below, bytes, object, run, value, wide, world};

const ON: Protection = Protection::from_mode(1);
const SETUP: &str = "\\Registry\\Machine\\Software\\Microsoft\\Windows\\CurrentVersion\\Setup";

type Links = &'static [(&'static str, &'static str)];

/// What one act of the Session Manager leaves behind.
struct Done<T> {
    result: T,
    snapshot: Snapshot,
    /// The handles that are open because of it.
    handles: usize,
    /// The calls it made, by service.
    calls: BTreeMap<&'static str, u64>,
}

fn handles(world: &World) -> usize {
    world.process("smss.exe").unwrap().handles
}

/// Lets the Session Manager do `act`, and compares with a boot in which it does nothing.
fn did<T: Send + 'static>(
    mut world: World,
    act: impl Fn(&'static Seam) -> T + Send + Sync + 'static,
) -> Done<T> {
    let mut idle = test_support::host::world();
    run(&mut idle, |_| ());
    let idle_calls = idle.counts();
    let (result, snapshot) = run(&mut world, act);
    let calls = world.counts().into_iter().map(|(call, count)| {
        let others = idle_calls.get(call).copied().unwrap_or(0);
        (call, count - others)
    });
    Done {
        result,
        snapshot,
        handles: handles(&world) - handles(&idle),
        calls: calls.filter(|&(_, count)| count != 0).collect(),
    }
}

/// A world whose kernel refuses the `nth` call of a service, and those that follow if it persists.
fn refusing(call: &str, nth: u64, persistent: bool, status: Status) -> World {
    let mut world = world();
    world.fault(Fault {
        image: Some("smss.exe".into()),
        call: Some(call.into()),
        nth,
        persistent,
        status,
    });
    world
}

fn directory(name: &'static str, protection: Protection) -> Done<()> {
    let done = did(world(), move |seam| {
        objects::object_directory(seam, protection, UnicodeStr(&wide(name)));
    });
    assert_eq!(done.handles, 0);
    done
}

/// The DACL of a self-relative descriptor, to its last byte; `None` for a NULL DACL.
fn dacl(security: &[u8]) -> Option<Vec<u8>> {
    let at = u32::from_le_bytes(security[16..20].try_into().unwrap()) as usize;
    let length = |at: usize| usize::from(u16::from_le_bytes([security[at + 2], security[at + 3]]));
    (at != 0).then(|| security[at..at + length(at)].to_vec())
}

/// The DACL that a directory has by a descriptor: what counts for the directory itself is in rights
/// of directories, what is only passed on to objects in it is as it was.
fn directory_dacl(security: &[u8]) -> Option<Vec<u8>> {
    const INHERIT_ONLY: u8 = 8;
    // GENERIC_READ, WRITE, EXECUTE and ALL, and what each is for a directory.
    const MAPPING: [(u32, u32); 4] = [
        (0x8000_0000, 0x0002_0003),
        (0x4000_0000, 0x0002_000C),
        (0x2000_0000, 0x0002_0003),
        (0x1000_0000, 0x000F_000F),
    ];
    let mut dacl = dacl(security)?;
    let mut ace = 8;
    while ace < dacl.len() {
        let mask = u32::from_le_bytes(dacl[ace + 4..ace + 8].try_into().unwrap());
        if dacl[ace + 1] & INHERIT_ONLY == 0 {
            let mapped = MAPPING.iter().fold(mask & 0x0FFF_FFFF, |mapped, map| {
                mapped | if mask & map.0 != 0 { map.1 } else { 0 }
            });
            dacl[ace + 4..ace + 8].copy_from_slice(&mapped.to_le_bytes());
        }
        ace += usize::from(u16::from_le_bytes([dacl[ace + 2], dacl[ace + 3]]));
    }
    Some(dacl)
}

fn security<'s>(snapshot: &'s Snapshot, name: &str) -> &'s [u8] {
    object(snapshot, name).unwrap().security.as_deref().unwrap()
}

fn link<'s>(snapshot: &'s Snapshot, name: &str) -> Option<&'s str> {
    object(snapshot, &format!("\\GLOBAL??\\{name}"))?
        .target
        .as_deref()
}

fn devices(seam: &'static Seam, links: Links) -> Result<(), Stop> {
    let links: Vec<(Vec<u16>, Vec<u16>)> = links
        .iter()
        .map(|(name, target)| (wide(name), wide(target)))
        .collect();
    objects::dos_devices(
        seam,
        ON,
        links
            .iter()
            .map(|(name, target)| (UnicodeStr(name), UnicodeStr(target))),
    )
    .map(drop)
}

/// The links of a former boot, then those of this one.
fn replaced(former: Links, links: Links) -> Done<Result<(), Stop>> {
    let done = did(world(), move |seam| {
        devices(seam, former).unwrap();
        devices(seam, links)
    });
    assert_eq!(done.handles, 0);
    done
}

#[test]
fn spec_2_3_directories_are_permanent_and_two_of_them_liberal() {
    for (name, liberal) in [
        ("\\RPC CONTROL", true),
        ("\\windows", true),
        ("\\Other", false),
    ] {
        let snapshot = directory(name, ON).snapshot;
        assert!(object(&snapshot, name).unwrap().permanent);
        let wanted = if liberal { ON.liberal() } else { ON.primary() };
        assert_eq!(
            dacl(security(&snapshot, name)),
            directory_dacl(wanted),
            "{name}"
        );
    }
    let twice = did(world(), |seam| {
        for _ in 0..2 {
            objects::object_directory(seam, ON, nt::wide!("\\Other"));
        }
    });
    assert_eq!(twice.handles, 0);
    assert!(object(&twice.snapshot, "\\Other").unwrap().permanent);
}

#[test]
fn spec_2_3_an_empty_string_among_the_directories_names_nothing() {
    assert_eq!(directory("", ON).calls, BTreeMap::new());
}

#[test]
fn spec_2_2_protection_off_is_open_to_everyone() {
    let snapshot = directory("\\Windows", Protection::from_mode(0)).snapshot;
    assert_eq!(dacl(security(&snapshot, "\\Windows")), None);
}

#[test]
fn spec_17_a_directory_below_a_missing_one_is_reported_and_the_boot_goes_on() {
    let snapshot = directory("\\Foo\\Bar", ON).snapshot;
    assert!(object(&snapshot, "\\Foo").is_none());
    assert!(below(&snapshot, "\\Foo").is_empty());
}

#[test]
fn spec_14_17_sessions_stays_open_and_its_failure_is_fatal() {
    let kept = did(world(), |seam| {
        objects::sessions(seam, ON).map(std::mem::forget)
    });
    assert_eq!((kept.result, kept.handles), (Ok(()), 1));
    let made = security(&kept.snapshot, "\\Sessions");
    assert_eq!(dacl(made), directory_dacl(ON.primary()));
    let refused = did(
        refusing("NtCreateDirectoryObject", 1, true, Status::NO_MEMORY),
        |seam| objects::sessions(seam, ON).map(drop),
    );
    let stop = Stop {
        step: Essential::Sessions,
        status: Status::NO_MEMORY,
    };
    assert_eq!((refused.result, refused.handles), (Err(stop), 0));
}

#[test]
fn spec_3_2_links_are_permanent_and_replace_what_stands_there() {
    let done = replaced(
        &[("NUL", "\\Device\\Old")],
        &[
            ("NUL", "\\Device\\Null"),
            ("AUX", "\\DosDevices\\COM1"),
            ("Z:", "\\??\\C:\\some\\dir"),
        ],
    );
    done.result.unwrap();
    let target = |name| link(&done.snapshot, name);
    assert_eq!(target("NUL"), Some("\\Device\\Null"));
    assert_eq!(target("AUX"), Some("\\DosDevices\\COM1"));
    assert_eq!(target("Z:"), Some("\\??\\C:\\some\\dir"));
    for name in ["\\GLOBAL??\\NUL", "\\GLOBAL??\\Z:"] {
        assert!(object(&done.snapshot, name).unwrap().permanent);
        // The descriptor is defaulted: what the directory passes on comes before it.
        let kernels = security(&done.snapshot, "\\GLOBAL??\\C:");
        assert_eq!(dacl(security(&done.snapshot, name)), dacl(kernels));
    }
}

#[test]
fn spec_17_empty_data_removes_a_link_and_d27_makes_none() {
    let before = did(world(), |_| ()).snapshot;
    let done = replaced(&[("NUL", "\\Device\\Null")], &[("NUL", ""), ("NEVER", "")]);
    done.result.unwrap();
    let names = |snapshot| below(snapshot, "\\GLOBAL??");
    assert_eq!(names(&done.snapshot), names(&before));
}

#[test]
fn spec_3_2_a_link_that_cannot_be_made_is_fatal() {
    let done = did(world(), |seam| {
        objects::object_directory(seam, ON, nt::wide!("\\GLOBAL??\\X"));
        devices(seam, &[("A", "\\x"), ("X", "\\y"), ("B", "\\z")])
    });
    let stop = Stop {
        step: Essential::DosDevices,
        status: Status::OBJECT_TYPE_MISMATCH,
    };
    assert_eq!((done.result, done.handles), (Err(stop), 0));
    assert!(link(&done.snapshot, "A").is_some() && link(&done.snapshot, "B").is_none());
}

#[test]
fn every_failing_call_while_links_are_made_is_fatal_and_leaks_nothing() {
    let act = |seam: &'static Seam| {
        devices(
            seam,
            &[
                // The kernel's own link stands there.
                ("C:", "\\Device\\Null"),
                ("AUX", ""),
                ("PRN", "\\DosDevices\\LPT1"),
            ],
        )
    };
    let smooth = did(world(), act);
    smooth.result.unwrap();
    // Nothing can be done about a handle that the kernel refuses to close.
    let calls = smooth.calls.iter().filter(|(call, _)| **call != "NtClose");
    let mut tried = 0;
    for (call, &count) in calls {
        for nth in 1..=count {
            let refused = did(
                refusing(call, nth, false, Status::INSUFFICIENT_RESOURCES),
                act,
            );
            let stop = Stop {
                step: Essential::DosDevices,
                status: Status::INSUFFICIENT_RESOURCES,
            };
            assert_eq!(refused.result, Err(stop), "{call} {nth}");
            assert_eq!(refused.handles, 0, "{call} {nth}");
            tried += 1;
        }
    }
    assert!(tried >= 6, "{:?}", smooth.calls);
}

/// What `BootDir` is after a boot with this system partition and these links.
fn boot_directory(partition: (u32, &str), links: Links) -> Option<(u32, Vec<u8>)> {
    let mut world = world();
    let hive = world.hive("SYSTEM");
    let setup = hive
        .create_path(hive.root(), nt::wide!("Setup"), false, 0)
        .unwrap();
    let name = nt::wide!("SystemPartition");
    hive.set_value(setup, name, partition.0, bytes(partition.1), 0)
        .unwrap();
    let done = did(world, move |seam| {
        seam.initialize_registry(RegistryBoot::Smss).unwrap();
        devices(seam, links).unwrap();
        let opened = objects::dos_devices(seam, ON, std::iter::empty()).unwrap();
        objects::write_boot_directory(seam, opened.get());
        drop(opened);
        value(seam, SETUP, "BootDir")
    });
    assert_eq!(done.handles, 0);
    done.result
}

const SZ: u32 = 1;
const PARTITION: (u32, &str) = (SZ, "\\Device\\Harddisk0\\Partition1\0");

#[test]
fn spec_9_2_boot_dir_is_the_letter_of_the_system_partition() {
    let written = boot_directory(
        PARTITION,
        &[
            ("A:", "\\Device\\Floppy0"),
            ("AB", "\\Device\\Harddisk0\\Partition1"),
            ("CON", "\\Device\\Harddisk0\\Partition1"),
            ("D:", "\\Device\\Harddisk0\\Partition12"),
            ("E:", "\\DEVICE\\Harddisk0\\Partition1"),
            ("ZZ", "\\Device\\Harddisk0\\Partition1"),
        ],
    );
    assert_eq!(written, Some((SZ, bytes("E:\\\0"))));
}

#[test]
fn spec_9_2_boot_dir_of_a_link_below_the_partition() {
    let written = boot_directory(PARTITION, &[("C:", "\\Device\\Harddisk0\\Partition1\\sub")]);
    assert_eq!(written, Some((SZ, bytes("C:\\\0"))));
}

#[test]
fn spec_9_2_boot_dir_is_not_written_without_a_match_or_a_sound_value() {
    const OTHER: Links = &[("C:", "\\Device\\HarddiskVolume1")];
    for partition in [PARTITION, (4, "x"), (SZ, "\0"), (SZ, "")] {
        assert_eq!(boot_directory(partition, OTHER), None);
    }
    let long = format!("{}\0", "x".repeat(300));
    assert_eq!(boot_directory((SZ, &long), OTHER), None);
}

#[test]
fn spec_17_a_substituted_drive_lists_its_directory_and_is_calculated() {
    use nt::system::{Files, Processes};
    let mut world = world();
    let ((there, map), _) = run(&mut world, |seam| {
        let (name, target) = (wide("Q:"), wide("\\??\\C:\\ReactOS"));
        objects::dos_devices(
            seam,
            ON,
            std::iter::once((UnicodeStr(&name), UnicodeStr(&target))),
        )
        .unwrap();
        let smss = nt::ObjectAttributes::named(nt::wide!("\\??\\Q:\\System32\\smss.exe"));
        (
            seam.query_attributes(&smss).is_ok(),
            seam.query_device_map().unwrap(),
        )
    });
    assert!(there);
    assert_ne!(map.drives & (1 << 16), 0);
    assert_eq!(map.types[16].0, 1, "CALCULATE");
}
