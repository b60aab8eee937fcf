// SPDX-License-Identifier: GPL-2.0-or-later
//! FAT volumes: round trips, names, full volumes, damaged volumes.

use super::power_cut::Recorder;
use super::*;
use crate::sectors::MemoryDevice;
use crate::utf16;
use nt::UnicodeStr;
use proptest::prelude::*;
use std::string::String;

const SERIAL: u32 = 0x1234_5678;
/// 2026-11-23 12:00:00.
const NOON: u64 = 134_399_088_000_000_000;

pub(super) fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

pub(super) fn fresh(kind: Kind) -> (MemoryDevice, FatVolume) {
    let mut device = MemoryDevice::new(match kind {
        Kind::Fat12 => 2880,
        Kind::Fat16 => 20_000,
        Kind::Fat32 => 70_000,
    });
    format(&mut device, kind, b"REACTOS    ", SERIAL, 0).unwrap();
    let mut volume = FatVolume::mount(&mut device).unwrap();
    volume.now = NOON;
    (device, volume)
}

pub(super) fn make(
    volume: &mut FatVolume,
    device: &mut dyn Sectors,
    parent: NodeId,
    name: &str,
    content: &[u8],
) -> NodeId {
    let id = volume
        .create(
            device,
            parent,
            UnicodeStr(&utf16(name)),
            FileAttributes::ARCHIVE,
        )
        .unwrap();
    volume.write(device, id, 0, content).unwrap();
    id
}

pub(super) fn make_directory(
    volume: &mut FatVolume,
    device: &mut dyn Sectors,
    parent: NodeId,
    name: &str,
) -> NodeId {
    volume
        .create(
            device,
            parent,
            UnicodeStr(&utf16(name)),
            FileAttributes::DIRECTORY,
        )
        .unwrap()
}

pub(super) fn content(
    volume: &mut FatVolume,
    device: &mut dyn Sectors,
    id: NodeId,
) -> Result<Vec<u8>> {
    let size = usize::try_from(volume.node(id).unwrap().size).unwrap();
    let mut bytes = vec![0; size];
    let read = volume.read(device, id, 0, &mut bytes)?;
    assert_eq!(read, size);
    Ok(bytes)
}

/// Every path of the volume with its content, as a new mount sees it.
pub(super) fn tree(device: &mut dyn Sectors) -> BTreeMap<String, Vec<u8>> {
    let mut volume = FatVolume::mount(device).unwrap();
    let mut found = BTreeMap::new();
    let mut walk = vec![volume.root()];
    while let Some(at) = walk.pop() {
        for child in volume.children(device, at).unwrap() {
            let path = text(&volume.path(child));
            if volume.node(child).unwrap().is_directory() {
                walk.push(child);
                found.insert(path + "\\", Vec::new());
            } else {
                let bytes = content(&mut volume, device, child).unwrap();
                found.insert(path, bytes);
            }
        }
    }
    found
}

pub(super) fn pattern(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 ^ seed).collect()
}

#[test]
fn files_and_directories_survive_a_remount() {
    for kind in [Kind::Fat16, Kind::Fat32] {
        let (mut device, mut volume) = fresh(kind);
        assert_eq!(text(volume.label()), "REACTOS");
        assert_eq!(
            (volume.serial(), volume.is_fat32()),
            (SERIAL, kind == Kind::Fat32)
        );
        let root = volume.root();
        let system = make_directory(&mut volume, &mut device, root, "ReactOS");
        let system32 = make_directory(&mut volume, &mut device, system, "System32");
        make(
            &mut volume,
            &mut device,
            system32,
            "smss.exe",
            &pattern(100_000, 1),
        );
        make(
            &mut volume,
            &mut device,
            system32,
            "A rather long name with \u{4e16}.\u{4e16}text",
            &pattern(3, 2),
        );
        make(&mut volume, &mut device, root, "EXACT.TXT", &[]);
        let found = tree(&mut device);
        let paths: Vec<_> = found.keys().map(String::as_str).collect();
        let long = "\\ReactOS\\System32\\A rather long name with \u{4e16}.\u{4e16}text";
        assert_eq!(
            paths,
            [
                "\\EXACT.TXT",
                "\\ReactOS\\",
                "\\ReactOS\\System32\\",
                long,
                "\\ReactOS\\System32\\smss.exe"
            ]
        );
        assert!(found["\\ReactOS\\System32\\smss.exe"] == pattern(100_000, 1));
        let mut again = FatVolume::mount(&mut device).unwrap();
        let id = again
            .lookup(&mut device, again.root(), &utf16("exact.txt"))
            .unwrap();
        assert_eq!(again.node(id).unwrap().times.write, NOON);
        assert_eq!(again.space(), volume.space());
    }
}

#[test]
fn short_names_are_unique_and_found() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    for number in 0..30 {
        make(
            &mut volume,
            &mut device,
            root,
            &std::format!("long file name {number}.text"),
            &[number],
        );
    }
    let mut again = FatVolume::mount(&mut device).unwrap();
    for name in ["LONGFI~1.TEX", "longfi~9.tex", "LONGF~30.TEX"] {
        again.lookup(&mut device, root, &utf16(name)).unwrap();
    }
    let id = again
        .lookup(&mut device, root, &utf16("LONG FILE NAME 7.TEXT"))
        .unwrap();
    assert_eq!(content(&mut again, &mut device, id).unwrap(), [7]);
}

#[test]
fn short_names_are_in_the_oem_code_page() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    let id = make(&mut volume, &mut device, root, "\u{c4}B.TXT", b"x");
    assert!(volume.node(id).unwrap().short == *b"\x8EB      TXT");
    volume.settle(&mut device).unwrap();
    let mut volume = FatVolume::mount(&mut device).unwrap();
    for (page, name) in [
        (437, "\u{c4}b.txt"),
        (850, "\u{e4}B.txt"),
        (866, "\u{41e}b.txt"),
    ] {
        volume.set_code_page(CodePage::find(page).unwrap());
        let found = volume.lookup(&mut device, root, &utf16(name)).unwrap();
        assert_eq!(content(&mut volume, &mut device, found).unwrap(), b"x");
    }
    volume.set_code_page(CodePage::find(850).unwrap());
    // Byte E5 marks a free slot and is stored as 05.
    let tilde = make(&mut volume, &mut device, root, "\u{d5}", b"z");
    assert!(volume.node(tilde).unwrap().short == *b"\x05          ");
    let mut again = FatVolume::mount(&mut device).unwrap();
    again.set_code_page(CodePage::find(850).unwrap());
    let found = again.lookup(&mut device, root, &utf16("\u{f5}")).unwrap();
    assert_eq!(
        found,
        again.lookup(&mut device, root, &utf16("\u{d5}")).unwrap()
    );
    assert_eq!(content(&mut again, &mut device, found).unwrap(), b"z");
}

#[test]
fn names_that_cannot_be_are_refused() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    for name in [
        "",
        ".",
        "..",
        "a.",
        "a ",
        "a:b",
        "a*",
        "x?",
        "a/b",
        "\u{1}",
        &"n".repeat(256),
    ] {
        let made = volume.create(&mut device, root, UnicodeStr(&utf16(name)), 0);
        assert_eq!(made, Err(Status::OBJECT_NAME_INVALID), "{name:?}");
    }
    make(&mut volume, &mut device, root, "Name", &[]);
    assert_eq!(
        volume.create(&mut device, root, UnicodeStr(&utf16("nAME")), 0),
        Err(Status::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        volume.lookup(&mut device, root, &utf16("other")),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
}

#[test]
fn reads_and_writes_at_odd_places() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    let id = make(&mut volume, &mut device, root, "f", &pattern(5000, 9));
    let mut expected = pattern(5000, 9);
    for (at, len) in [
        (0, 1),
        (511, 2),
        (512, 512),
        (1000, 3000),
        (4999, 1),
        (4990, 4000),
        (20_000, 10),
    ] {
        let data = pattern(len, at as u8);
        volume.write(&mut device, id, at as u64, &data).unwrap();
        expected.resize(expected.len().max(at + len), 0);
        expected[at..at + len].copy_from_slice(&data);
        assert!(
            content(&mut volume, &mut device, id).unwrap() == expected,
            "write at {at}"
        );
    }
    let mut buffer = [0; 100];
    assert_eq!(
        volume.read(&mut device, id, 20_005, &mut buffer).unwrap(),
        5
    );
    assert_eq!(
        volume.read(&mut device, id, 20_010, &mut buffer).unwrap(),
        0
    );
    assert_eq!(
        volume.read(&mut device, root, 0, &mut buffer),
        Err(Status::FILE_IS_A_DIRECTORY)
    );
}

#[test]
fn sizes_change_and_clusters_come_back() {
    let (mut device, mut volume) = fresh(Kind::Fat32);
    let root = volume.root();
    let (cluster, _, free) = volume.space();
    let id = make(&mut volume, &mut device, root, "f", &[]);
    volume
        .set_size(&mut device, id, 10 * cluster + 1, Fill::Zero)
        .unwrap();
    assert_eq!(volume.allocation(id).unwrap(), 11 * cluster);
    assert!(
        content(&mut volume, &mut device, id)
            .unwrap()
            .iter()
            .all(|&byte| byte == 0)
    );
    volume
        .set_size(&mut device, id, cluster, Fill::Zero)
        .unwrap();
    assert_eq!(volume.allocation(id).unwrap(), cluster);
    volume.set_size(&mut device, id, 0, Fill::Zero).unwrap();
    assert_eq!(volume.space().2, free);
    volume.delete(&mut device, id).unwrap();
    assert!(volume.node(id).is_none());
    assert_eq!(FatVolume::mount(&mut device).unwrap().space().2, free);
}

#[test]
fn a_paging_file_takes_few_writes() {
    let (device, mut volume) = fresh(Kind::Fat32);
    let mut device = Recorder {
        inner: device,
        log: Vec::new(),
    };
    let root = volume.root();
    let id = volume
        .create(
            &mut device,
            root,
            UnicodeStr(&utf16("pagefile.sys")),
            FileAttributes::SYSTEM,
        )
        .unwrap();
    volume
        .set_size(&mut device, id, 24 << 20, Fill::Nothing)
        .unwrap();
    let tables = 2 * ((24 << 20) / volume.space().0 * 4).div_ceil(512);
    assert!(
        (device.log.len() as u64) < tables + 16,
        "{} sectors",
        device.log.len()
    );
    assert_eq!(volume.node(id).unwrap().size, 24 << 20);
}

#[test]
fn a_full_volume_refuses_and_changes_nothing() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    let (cluster, _, free) = volume.space();
    let big = make(&mut volume, &mut device, root, "big", &[1]);
    let most = u64::from(free) * cluster;
    assert_eq!(
        volume.set_size(&mut device, big, most + 1, Fill::Nothing),
        Err(Status::DISK_FULL)
    );
    volume
        .set_size(&mut device, big, most, Fill::Nothing)
        .unwrap();
    assert_eq!(volume.space().2, 0);
    let small = volume
        .create(&mut device, root, UnicodeStr(&utf16("small")), 0)
        .unwrap();
    assert_eq!(
        volume.write(&mut device, small, 0, &[1]),
        Err(Status::DISK_FULL)
    );
    let directory = volume.create(
        &mut device,
        root,
        UnicodeStr(&utf16("dir")),
        FileAttributes::DIRECTORY,
    );
    assert_eq!(directory, Err(Status::DISK_FULL));
    assert_eq!(tree(&mut device).len(), 2);
}

#[test]
fn the_fixed_root_directory_fills_up_and_others_grow() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    let sub = make_directory(&mut volume, &mut device, root, "SUB");
    let mut made = 0;
    while volume
        .create(
            &mut device,
            root,
            UnicodeStr(&utf16(&std::format!("F{made}"))),
            0,
        )
        .is_ok()
    {
        made += 1;
    }
    assert_eq!(made, 510, "512 slots but the label's and SUB's");
    for number in 0..600 {
        make(
            &mut volume,
            &mut device,
            sub,
            &std::format!("file number {number}"),
            &[],
        );
    }
    assert_eq!(tree(&mut device).len(), 510 + 1 + 600);
}

#[test]
fn renames_move_files_and_directories() {
    for kind in [Kind::Fat16, Kind::Fat32] {
        let (mut device, mut volume) = fresh(kind);
        let root = volume.root();
        let one = make_directory(&mut volume, &mut device, root, "one");
        let two = make_directory(&mut volume, &mut device, one, "two");
        let file = make(&mut volume, &mut device, two, "file.txt", b"content");
        make(&mut volume, &mut device, root, "target", b"old");
        let rename =
            |volume: &mut FatVolume, device: &mut MemoryDevice, id, parent, name: &str, replace| {
                volume.rename(device, id, parent, UnicodeStr(&utf16(name)), replace)
            };
        assert_eq!(
            rename(&mut volume, &mut device, one, two, "inside", false),
            Err(Status::INVALID_PARAMETER)
        );
        assert_eq!(
            rename(&mut volume, &mut device, file, root, "TARGET", false),
            Err(Status::OBJECT_NAME_COLLISION)
        );
        assert_eq!(
            rename(&mut volume, &mut device, file, root, "one", true),
            Err(Status::OBJECT_NAME_COLLISION)
        );
        rename(&mut volume, &mut device, file, root, "TARGET", true).unwrap();
        rename(
            &mut volume,
            &mut device,
            two,
            root,
            "Moved Directory",
            false,
        )
        .unwrap();
        rename(
            &mut volume,
            &mut device,
            two,
            root,
            "moved directory",
            false,
        )
        .unwrap();
        let sub = make(&mut volume, &mut device, two, "sub", b"x");
        rename(&mut volume, &mut device, sub, one, "sub2", false).unwrap();
        let found = tree(&mut device);
        let paths: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            ["\\moved directory\\", "\\one\\", "\\one\\sub2", "\\target"]
        );
        assert_eq!(found["\\target"], b"content");
        assert_eq!(text(&volume.path(file)), "\\target");
        let free = FatVolume::mount(&mut device).unwrap().space().2;
        assert_eq!(free, volume.space().2);
        let read_only = make(&mut volume, &mut device, root, "ro", &[]);
        volume
            .set_basic(
                &mut device,
                read_only,
                Some(FileAttributes::READONLY),
                [None; 3],
            )
            .unwrap();
        assert_eq!(
            rename(&mut volume, &mut device, file, root, "ro", true),
            Err(Status::OBJECT_NAME_COLLISION)
        );
        assert_eq!(
            volume.delete(&mut device, one),
            Err(Status::DIRECTORY_NOT_EMPTY)
        );
        assert_eq!(volume.delete(&mut device, root), Err(Status::CANNOT_DELETE));
    }
}

#[test]
fn a_directory_without_clusters_is_not_moved() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    let broken = make_directory(&mut volume, &mut device, root, "BROKEN");
    let other = make_directory(&mut volume, &mut device, root, "OTHER");
    volume.get_mut(broken).unwrap().first_cluster = 1;
    volume.get_mut(broken).unwrap().runs = None;
    assert_eq!(
        volume.rename(&mut device, broken, other, UnicodeStr(&utf16("B")), false),
        Err(Status::FILE_CORRUPT_ERROR)
    );
}

#[test]
fn attributes_and_times_are_kept() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    let id = make(&mut volume, &mut device, root, "pagefile.sys", &[]);
    let wanted = FileAttributes::SYSTEM | FileAttributes::HIDDEN;
    volume
        .set_basic(
            &mut device,
            id,
            Some(wanted),
            [None, None, Some(NOON + 20_000_000)],
        )
        .unwrap();
    let mut again = FatVolume::mount(&mut device).unwrap();
    let id = again
        .lookup(&mut device, root, &utf16("PAGEFILE.SYS"))
        .unwrap();
    let node = again.node(id).unwrap();
    assert_eq!(node.attributes, wanted);
    assert_eq!(
        (node.times.creation, node.times.write),
        (NOON, NOON + 20_000_000)
    );
}

#[test]
fn fat_times_and_nt_times() {
    for (nt, fat) in [
        (NOON, (0x5D77, 0x6000)),
        (0, (0x21, 0)),
        (u64::MAX / 2, (0xFF9F, 0xBF7D)),
    ] {
        assert_eq!(names::to_fat_time(nt), fat);
    }
    assert_eq!(names::from_fat_time(0x5D77, 0x6000), NOON);
    assert_eq!(names::from_fat_time(0, 0), 0);
    // 1980-01-01, and the leap day of 2000.
    assert_eq!(names::from_fat_time(0x21, 0), 119_600_064_000_000_000);
    assert_eq!(
        names::from_fat_time(20 << 9 | 2 << 5 | 29, 0),
        125_962_560_000_000_000
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_volumes_never_panic(damage in prop::collection::vec((0usize..60_000, any::<u8>()), 1..60)) {
        let (mut device, mut volume) = fresh(Kind::Fat16);
        let root = volume.root();
        let sub = make_directory(&mut volume, &mut device, root, "sub directory");
        make(&mut volume, &mut device, sub, "some file", &pattern(9000, 1));
        for (at, byte) in damage {
            device.bytes[at] = byte;
        }
        let Ok(mut volume) = FatVolume::mount(&mut device) else { return Ok(()) };
        let mut walk = vec![volume.root()];
        let mut steps = 0;
        while let (Some(at), 0..200) = (walk.pop(), steps) {
            steps += 1;
            let mut buffer = vec![0; 20_000];
            let _ = volume.read(&mut device, at, 0, &mut buffer);
            walk.extend(volume.children(&mut device, at).unwrap_or_default());
            let _ = volume.rename(&mut device, at, root, UnicodeStr(&utf16("new name")), true);
            let _ = volume.write(&mut device, at, 5, &[1; 3000]);
            let _ = volume.delete(&mut device, at);
        }
    }

    #[test]
    fn arbitrary_boot_sectors_never_panic(boot in prop::collection::vec(any::<u8>(), 64), total in 0usize..3) {
        let mut device = MemoryDevice::new(total * 100 + 1);
        device.bytes[..64].copy_from_slice(&boot);
        device.bytes[11..13].copy_from_slice(&512u16.to_le_bytes());
        device.bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
        let _ = FatVolume::mount(&mut device);
        let _ = crate::partitions::partitions(&mut device);
    }

    #[test]
    fn any_sequence_of_changes_matches_a_map(steps in prop::collection::vec((0u8..6, 0usize..6, 0usize..6, 0usize..3000), 1..40)) {
        let (mut device, mut volume) = fresh(Kind::Fat16);
        let root = volume.root();
        let names = ["a", "Second name.txt", "THIRD.BIN", "a much longer name of a file.data", "x y", "\u{e9}t\u{e9}"];
        let mut model: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        let mut ids: BTreeMap<usize, NodeId> = BTreeMap::new();
        for (step, which, other, len) in steps {
            let Some(&id) = ids.get(&which) else {
                ids.insert(which, make(&mut volume, &mut device, root, names[which], &pattern(len, which as u8)));
                model.insert(which, pattern(len, which as u8));
                continue;
            };
            match step {
                0 => {
                    volume.delete(&mut device, id).unwrap();
                    ids.remove(&which);
                    model.remove(&which);
                }
                1 | 2 => {
                    let renamed = volume.rename(&mut device, id, root, UnicodeStr(&utf16(names[other])), step == 2);
                    let possible = which == other || step == 2 || !ids.contains_key(&other);
                    prop_assert_eq!(renamed.is_ok(), possible);
                    if possible {
                        let bytes = model.remove(&which).unwrap();
                        ids.remove(&which);
                        model.insert(other, bytes);
                        ids.insert(other, id);
                    }
                }
                3 => {
                    volume.set_size(&mut device, id, len as u64, Fill::Zero).unwrap();
                    model.get_mut(&which).unwrap().resize(len, 0);
                }
                _ => {
                    volume.write(&mut device, id, len as u64, &[7; 700]).unwrap();
                    let bytes = model.get_mut(&which).unwrap();
                    bytes.resize(bytes.len().max(len + 700), 0);
                    bytes[len..len + 700].fill(7);
                }
            }
        }
        let expected: BTreeMap<_, _> = model.into_iter().map(|(which, bytes)| (std::format!("\\{}", names[which]), bytes)).collect();
        prop_assert!(tree(&mut device) == expected);
        prop_assert_eq!(FatVolume::mount(&mut device).unwrap().space(), volume.space());
    }
}

/// Another program's opinion of what we write: `fsck.fat` of Debian's `dosfstools`.
#[test]
fn an_independent_checker_finds_nothing_wrong() {
    for kind in [Kind::Fat12, Kind::Fat16, Kind::Fat32] {
        let (mut device, mut volume) = fresh(kind);
        let root = volume.root();
        let directory = make_directory(&mut volume, &mut device, root, "ReactOS");
        for number in 0..200u8 {
            let id = make(
                &mut volume,
                &mut device,
                directory,
                &std::format!("a file with number {number}"),
                &pattern(usize::from(number) * 49, 0),
            );
            if number % 3 == 0 {
                volume.delete(&mut device, id).unwrap();
            } else if number % 3 == 1 {
                volume
                    .rename(
                        &mut device,
                        id,
                        root,
                        UnicodeStr(&utf16(&std::format!("r{number}"))),
                        false,
                    )
                    .unwrap();
            }
        }
        let other = make_directory(&mut volume, &mut device, root, "Other place");
        volume
            .rename(
                &mut device,
                directory,
                other,
                UnicodeStr(&utf16("moved here")),
                false,
            )
            .unwrap();
        volume.settle(&mut device).unwrap();
        let path = std::env::temp_dir().join(std::format!("fat-{}-{kind:?}", std::process::id()));
        std::fs::write(&path, &device.bytes).unwrap();
        let out = std::process::Command::new("fsck.fat")
            .arg("-nv")
            .arg(&path)
            .output();
        std::fs::remove_file(&path).unwrap();
        let Ok(out) = out else {
            std::eprintln!("SKIPPED: fsck.fat is not installed (Debian's dosfstools)");
            return;
        };
        assert!(
            out.status.success(),
            "{}{}",
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
    }
}
