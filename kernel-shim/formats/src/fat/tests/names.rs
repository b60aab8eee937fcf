// SPDX-License-Identifier: GPL-2.0-or-later
//! Names: short and long ones, renames, times and attributes of entries.

use super::*;
use alloc::collections::BTreeSet;

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
    for name in ["LONGFI~1.TEX", "longfi~4.tex"] {
        again.lookup(&mut device, root, &utf16(name)).unwrap();
    }
    let shorts: BTreeSet<_> = again.nodes.values().map(|node| node.short).collect();
    assert_eq!(shorts.len(), 31, "30 files and the root");
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
        assert_eq!(super::super::names::to_fat_time(nt), fat);
    }
    assert_eq!(super::super::names::from_fat_time(0x5D77, 0x6000), NOON);
    assert_eq!(super::super::names::from_fat_time(0, 0), 0);
    // 1980-01-01, and the leap day of 2000.
    assert_eq!(
        super::super::names::from_fat_time(0x21, 0),
        119_600_064_000_000_000
    );
    assert_eq!(
        super::super::names::from_fat_time(20 << 9 | 2 << 5 | 29, 0),
        125_962_560_000_000_000
    );
}
