// SPDX-License-Identifier: GPL-2.0-or-later
//! Object directories, DOS devices and BootDir over a namespace in memory: rows of spec 2.2, 2.3
//! #3, 3.2, 9.2 #1 and 17.

#[path = "../../nt/tests/support/mod.rs"]
mod support;

use nt::failure::{Essential, Stop};
use nt::{Status, UnicodeStr};
use objects::Protection;
use support::{Kind, World, bytes, wide};

const ON: Protection = Protection::from_mode(1);
const SETUP: &str = "\\Registry\\Machine\\Software\\Microsoft\\Windows\\CurrentVersion\\Setup";

fn directory(world: &World, name: &str, protection: Protection) {
    objects::object_directory(world, protection, UnicodeStr(&wide(name)));
    assert_eq!(world.open_handles(), 0);
}

fn security(world: &World, name: &str) -> Option<Vec<u8>> {
    world.state().objects[&name.to_lowercase()].security.clone()
}

fn devices(world: &'static World, links: &[(&str, &str)]) -> Result<(), Stop> {
    let links: Vec<(Vec<u16>, Vec<u16>)> = links
        .iter()
        .map(|(name, target)| (wide(name), wide(target)))
        .collect();
    let made = objects::dos_devices(
        world,
        ON,
        links
            .iter()
            .map(|(name, target)| (UnicodeStr(name), UnicodeStr(target))),
    )
    .map(drop);
    assert_eq!(world.open_handles(), 0);
    made
}

#[test]
fn spec_2_3_directories_are_permanent_and_two_of_them_liberal() {
    let world = World::new();
    for (name, liberal) in [
        ("\\RPC CONTROL", true),
        ("\\windows", true),
        ("\\Other", false),
    ] {
        directory(world, name, ON);
        assert!(world.state().objects[&name.to_lowercase()].permanent);
        assert_eq!(
            security(world, name).unwrap(),
            if liberal { ON.liberal() } else { ON.primary() },
            "{name}"
        );
    }
    // Once more: it is there already.
    directory(world, "\\Other", ON);
}

#[test]
fn spec_2_3_an_empty_string_among_the_directories_names_nothing() {
    let world = World::new();
    directory(world, "", ON);
    assert!(world.state().calls.is_empty());
}

#[test]
fn spec_2_2_protection_off_is_open_to_everyone() {
    let world = World::new();
    directory(world, "\\Windows", Protection::from_mode(0));
    assert_eq!(security(world, "\\Windows").unwrap().len(), 20);
}

#[test]
fn spec_17_a_directory_below_a_missing_one_is_reported_and_the_boot_goes_on() {
    let world = World::new();
    directory(world, "\\Foo\\Bar", ON);
    directory(world, "", ON);
    assert!(world.names("\\Foo").is_empty());
}

#[test]
fn spec_14_17_sessions_stays_open_and_its_failure_is_fatal() {
    let world = World::new();
    let sessions = objects::sessions(world, ON).unwrap();
    assert_eq!(world.open_handles(), 1);
    drop(sessions);
    assert_eq!(security(world, "\\Sessions").unwrap(), ON.primary());
    let world = World::new();
    world.state().fault = Some((0, Status::NO_MEMORY, true));
    assert_eq!(
        objects::sessions(world, ON).err(),
        Some(Stop {
            step: Essential::Sessions,
            status: Status::NO_MEMORY
        })
    );
}

#[test]
fn spec_3_2_links_are_permanent_and_replace_what_stands_there() {
    let world = World::new();
    world.object("\\GLOBAL??\\NUL", Kind::Link("\\Device\\Old".into()));
    devices(
        world,
        &[
            ("NUL", "\\Device\\Null"),
            ("AUX", "\\DosDevices\\COM1"),
            ("Z:", "\\??\\C:\\some\\dir"),
        ],
    )
    .unwrap();
    assert_eq!(
        world.link("\\GLOBAL??\\NUL").as_deref(),
        Some("\\Device\\Null")
    );
    assert_eq!(
        world.link("\\GLOBAL??\\AUX").as_deref(),
        Some("\\DosDevices\\COM1")
    );
    assert_eq!(
        world.link("\\GLOBAL??\\Z:").as_deref(),
        Some("\\??\\C:\\some\\dir")
    );
    for name in ["\\GLOBAL??\\NUL", "\\GLOBAL??\\Z:"] {
        assert!(world.state().objects[&name.to_lowercase()].permanent);
        assert_eq!(security(world, name).unwrap(), ON.primary_defaulted());
    }
}

#[test]
fn spec_17_empty_data_removes_a_link_and_d27_makes_none() {
    let world = World::new();
    world.object("\\GLOBAL??\\NUL", Kind::Link("\\Device\\Null".into()));
    devices(world, &[("NUL", ""), ("NEVER", "")]).unwrap();
    assert!(world.names("\\GLOBAL??").is_empty());
}

#[test]
fn spec_3_2_a_link_that_cannot_be_made_is_fatal() {
    let world = World::new();
    world.object("\\GLOBAL??\\X", Kind::Directory);
    let stop = Stop {
        step: Essential::DosDevices,
        status: Status::OBJECT_TYPE_MISMATCH,
    };
    assert_eq!(
        devices(world, &[("A", "\\x"), ("X", "\\y"), ("B", "\\z")]),
        Err(stop)
    );
    assert!(world.link("\\GLOBAL??\\A").is_some() && world.link("\\GLOBAL??\\B").is_none());
    let world = World::new();
    world.state().objects.remove("\\global??");
    assert_eq!(
        devices(world, &[]).map_err(|stop| stop.step),
        Err(Essential::DosDevices)
    );
}

#[test]
fn every_failing_call_while_links_are_made_is_fatal_and_leaks_nothing() {
    let prepare = || {
        let world = World::new();
        world.object("\\GLOBAL??\\NUL", Kind::Link("\\Device\\Old".into()));
        world
    };
    let run = |world| {
        devices(
            world,
            &[
                ("NUL", "\\Device\\Null"),
                ("AUX", ""),
                ("PRN", "\\DosDevices\\LPT1"),
            ],
        )
    };
    let world = prepare();
    run(world).unwrap();
    let calls = world.state().calls.len();
    for number in 0..calls {
        let world = prepare();
        world.state().fault = Some((number, Status::INSUFFICIENT_RESOURCES, false));
        assert_eq!(
            run(world),
            Err(Stop {
                step: Essential::DosDevices,
                status: Status::INSUFFICIENT_RESOURCES
            }),
            "call {number}"
        );
    }
}

fn boot_directory(partition: (u32, &str), links: &[(&str, &str)]) -> &'static World {
    let world = World::new();
    world.key(
        "\\Registry\\Machine\\System\\Setup",
        &[("SystemPartition", partition.0, bytes(partition.1))],
    );
    world.key(SETUP, &[]);
    for (name, target) in links {
        world.object(
            &format!("\\GLOBAL??\\{name}"),
            Kind::Link((*target).to_string()),
        );
    }
    let devices = objects::dos_devices(world, ON, std::iter::empty()).unwrap();
    objects::write_boot_directory(world, devices.get());
    drop(devices);
    assert_eq!(world.open_handles(), 0);
    world
}

const PARTITION: (u32, &str) = (1, "\\Device\\Harddisk0\\Partition1\0");

#[test]
fn spec_9_2_boot_dir_is_the_letter_of_the_system_partition() {
    let world = boot_directory(
        PARTITION,
        &[
            ("A:", "\\Device\\Floppy0"),
            ("CON", "\\Device\\Harddisk0\\Partition1"),
            ("D:", "\\Device\\Harddisk0\\Partition12"),
            ("E:", "\\DEVICE\\Harddisk0\\Partition1"),
        ],
    );
    assert_eq!(world.text_value(SETUP, "BootDir").as_deref(), Some("E:\\"));
    assert_eq!(world.value(SETUP, "BootDir").unwrap().1.len(), 8);
}

#[test]
fn spec_9_2_boot_dir_of_a_link_below_the_partition() {
    let world = boot_directory(PARTITION, &[("C:", "\\Device\\Harddisk0\\Partition1\\sub")]);
    assert_eq!(world.text_value(SETUP, "BootDir").as_deref(), Some("C:\\"));
}

#[test]
fn spec_9_2_boot_dir_is_not_written_without_a_match_or_a_sound_value() {
    for partition in [PARTITION, (4, "x"), (1, "\0"), (1, "")] {
        let world = boot_directory(partition, &[("C:", "\\Device\\HarddiskVolume1")]);
        assert_eq!(world.value(SETUP, "BootDir"), None);
    }
    let long = format!("{}\0", "x".repeat(300));
    assert_eq!(
        boot_directory((1, &long), &[]).value(SETUP, "BootDir"),
        None
    );
}
