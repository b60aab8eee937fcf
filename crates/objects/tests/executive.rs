// SPDX-License-Identifier: GPL-2.0-or-later
//! Object directories, DOS devices, known DLLs and BootDir over the executive: what the kernel
//! makes of them.

use nt::UnicodeStr;
use objects::{KnownDlls, Protection};
use test_support::host::{Seam, below, object, run, text, wide, world};

const ON: Protection = Protection::from_mode(1);

fn directory(seam: &'static Seam, protection: Protection, name: &str) {
    objects::object_directory(seam, protection, UnicodeStr(&wide(name)));
}

/// The ACEs of a self-relative descriptor: flags, mask, and the SID's last sub-authority.
fn aces(security: &[u8]) -> Vec<(u8, u32, u32)> {
    let at = |at: usize| u32::from_le_bytes(security[at..at + 4].try_into().unwrap());
    let acl = at(16) as usize;
    if acl == 0 {
        return Vec::new();
    }
    let count = usize::from(u16::from_le_bytes(
        security[acl + 4..acl + 6].try_into().unwrap(),
    ));
    let mut aces = Vec::new();
    let mut next = acl + 8;
    for _ in 0..count {
        let size = usize::from(u16::from_le_bytes(
            security[next + 2..next + 4].try_into().unwrap(),
        ));
        aces.push((security[next + 1], at(next + 4), at(next + size - 4)));
        next += size;
    }
    aces
}

const WORLD: u32 = 0;

#[test]
fn spec_2_3_directories_are_permanent_with_their_descriptors() {
    let mut world = world();
    let ((), snapshot) = run(&mut world, |seam| {
        directory(seam, ON, "\\Windows");
        directory(seam, ON, "\\Other");
        directory(seam, Protection::from_mode(0), "\\Open");
        directory(seam, ON, "\\Foo\\Bar");
    });
    for name in ["\\Windows", "\\Other", "\\Open"] {
        assert!(object(&snapshot, name).unwrap().permanent, "{name}");
    }
    assert!(object(&snapshot, "\\Foo").is_none() && object(&snapshot, "\\Foo\\Bar").is_none());
    let own = |name: &str| {
        let security = object(&snapshot, name).unwrap().security.clone().unwrap();
        aces(&security)
            .into_iter()
            .filter(|(flags, ..)| flags & 8 == 0)
            .collect::<Vec<_>>()
    };
    let world_of = |name: &str| {
        own(name)
            .into_iter()
            .find(|(_, _, sid)| *sid == WORLD)
            .map(|(_, mask, _)| mask)
    };
    // Directory rights: query 1, traverse 2, create 4 and 8.
    let (liberal, primary) = (world_of("\\Windows").unwrap(), world_of("\\Other").unwrap());
    assert_ne!(
        liberal & 0xC,
        0,
        "everyone may make objects in \\Windows: {liberal:#x}"
    );
    assert_eq!(primary & 0xC, 0, "but not in another: {primary:#x}");
    assert_eq!(own("\\Open"), [], "protection off is a NULL DACL");
}

#[test]
fn spec_3_2_dos_devices_replace_remove_and_persist() {
    let mut world = world();
    let ((), snapshot) = run(&mut world, |seam| {
        let make = |links: &[(&str, &str)]| {
            let links: Vec<_> = links
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
        };
        make(&[
            ("NUL", "\\Device\\Null"),
            ("PRN", "\\DosDevices\\LPT1"),
            ("Q:", "\\??\\C:\\ReactOS"),
            ("GONE", "\\x"),
        ])
        .unwrap();
        make(&[("NUL", "\\Device\\Other"), ("GONE", ""), ("NEVER", "")]).unwrap();
    });
    let target = |name: &str| {
        object(&snapshot, &format!("\\GLOBAL??\\{name}")).and_then(|link| link.target.clone())
    };
    assert_eq!(target("NUL").as_deref(), Some("\\Device\\Other"));
    assert_eq!(target("PRN").as_deref(), Some("\\DosDevices\\LPT1"));
    assert_eq!(target("Q:").as_deref(), Some("\\??\\C:\\ReactOS"));
    assert_eq!((target("GONE"), target("NEVER")), (None, None));
    assert!(object(&snapshot, "\\GLOBAL??\\NUL").unwrap().permanent);
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

fn known(seam: &'static Seam, dlls: &[&str], excluded: &[&str]) -> Result<(), String> {
    let dlls: Vec<(Vec<u16>, Vec<u16>)> = dlls
        .iter()
        .map(|name| (wide(name), wide(&format!("{name}.dll"))))
        .collect();
    let excluded: Vec<Vec<u16>> = excluded.iter().map(|name| wide(name)).collect();
    let known_dlls = KnownDlls {
        system: seam,
        protection: ON,
        dlls: dlls
            .iter()
            .map(|(name, file)| (UnicodeStr(name), UnicodeStr(file))),
        excluded: excluded.iter().map(|name| UnicodeStr(name)),
    };
    known_dlls
        .make(Some(nt::wide!("C:\\ReactOS\\system32")))
        .map_err(|failure| format!("{failure:?}"))
}

#[test]
fn spec_7_known_dlls_are_the_closure_without_the_excluded_and_the_missing() {
    let mut world = world();
    world
        .library("kernel32.dll", &["ntdll.dll"])
        .library("user32.dll", &["GDI32.dll", "KERNEL32.dll", "nowhere.dll"]);
    world
        .library("gdi32.dll", &["kernel32.dll"])
        .library("lz32.dll", &[]);
    let (made, snapshot) = run(&mut world, |seam| {
        known(seam, &["user32", "missing", "lz32"], &["lz32.dll"])
    });
    made.unwrap();
    assert_eq!(
        below(&snapshot, "\\KnownDlls"),
        ["GDI32.dll", "KERNEL32.dll", "KnownDllPath", "user32.dll"]
    );
    assert_eq!(
        object(&snapshot, "\\KnownDlls\\KnownDllPath")
            .unwrap()
            .target
            .as_deref(),
        Some("C:\\ReactOS\\system32")
    );
    for name in ["user32.dll", "GDI32.dll", "KnownDllPath"] {
        assert!(
            object(&snapshot, &format!("\\KnownDlls\\{name}"))
                .unwrap()
                .permanent,
            "{name}"
        );
    }
}

#[test]
fn spec_2_2_the_world_ends_up_with_map_write_on_a_known_dll() {
    let mut world = world();
    world.library("kernel32.dll", &[]);
    let (made, snapshot) = run(&mut world, |seam| known(seam, &["kernel32"], &[]));
    made.unwrap();
    let section = object(&snapshot, "\\KnownDlls\\kernel32.dll").unwrap();
    let aces = aces(section.security.as_deref().unwrap());
    let mask = aces
        .iter()
        .find(|(flags, _, sid)| flags & 8 == 0 && *sid == WORLD)
        .map(|(_, mask, _)| *mask)
        .unwrap();
    // SECTION_MAP_WRITE 2, SECTION_MAP_READ 4, SECTION_MAP_EXECUTE 8.
    assert_eq!(mask & 0xE, 0xE, "{mask:#x}");
}

#[test]
fn spec_17_an_executable_among_the_known_dlls_stops_the_system() {
    let mut world = world();
    world.program("fake.dll", nt::system::ImageSubsystem::NATIVE, |_| {
        nt::Status::SUCCESS
    });
    let (made, _) = run(&mut world, |seam| known(seam, &["fake"], &[]));
    assert!(made.unwrap_err().contains("INVALID_IMPORT_OF_NON_DLL"));
}

#[test]
fn spec_9_2_boot_dir_needs_the_key_and_a_match() {
    const SETUP: &str = "\\Registry\\Machine\\Software\\Microsoft\\Windows\\CurrentVersion\\Setup";
    let mut world = world();
    world.registry("[\\Setup]\n\"SystemPartition\"=\"\\\\Device\\\\HarddiskVolume1\"\n");
    let (written, _) = run(&mut world, |seam| {
        use nt::system::{Registry, RegistryBoot};
        let devices = objects::dos_devices(seam, ON, std::iter::empty()).unwrap();
        // SOFTWARE is not there yet: reported, nothing written.
        objects::write_boot_directory(seam, devices.get());
        seam.initialize_registry(RegistryBoot::Smss).unwrap();
        objects::write_boot_directory(seam, devices.get());
        text(seam, SETUP, "BootDir")
    });
    assert_eq!(written.as_deref(), Some("C:\\"));
}
