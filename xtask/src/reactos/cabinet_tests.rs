// SPDX-License-Identifier: GPL-2.0-or-later
//! Tests of the cabinet with one file replaced: read back by a reader that is not ours.

use super::*;
use cab::{CabinetBuilder, CompressionType};
use std::io::Write;

/// Replaces the file named `leaf` whose content `is_it` with `new`.
fn replace<'n>(
    cabinet: &[u8],
    leaf: &str,
    new: &'n [u8],
    is_it: impl Fn(&[u8]) -> bool,
) -> Result<Option<Change<'n>>> {
    super::replace(cabinet, leaf, |old| Ok(is_it(old).then_some(new)))
}

/// A cabinet of folders of files.
fn cabinet(folders: &[&[(&str, &[u8])]]) -> Vec<u8> {
    let mut builder = CabinetBuilder::new();
    for files in folders {
        let folder = builder.add_folder(CompressionType::MsZip);
        files.iter().for_each(|(name, _)| {
            folder.add_file(*name).set_is_read_only(true);
        });
    }
    let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
    let mut contents = folders.iter().flat_map(|files| files.iter());
    while let Some(mut file) = writer.next_file().unwrap() {
        file.write_all(contents.next().unwrap().1).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Bytes that compress a little, the same every time.
fn sample(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 0x1F
    };
    (0..length).map(|_| next()).collect()
}

fn content(cabinet: &[u8], name: &str) -> Vec<u8> {
    let mut have = Vec::new();
    Cabinet::new(Cursor::new(cabinet))
        .unwrap()
        .read_file(name)
        .unwrap()
        .read_to_end(&mut have)
        .unwrap();
    have
}

/// The data of a folder, as it is stored.
fn stored(cabinet: &[u8], folder: usize) -> &[u8] {
    let layout = Layout::read(cabinet).unwrap();
    let entry = layout.folders + folder * layout.folder_size;
    let start = get32(cabinet, entry).unwrap() as usize;
    let mut end = start;
    for _ in 0..get16(cabinet, entry + 4).unwrap() {
        end += 8 + layout.data_reserve + usize::from(get16(cabinet, end + 4).unwrap());
    }
    &cabinet[start..end]
}

#[test]
fn only_the_wanted_file_changes() {
    let before = cabinet(&[&[
        ("a.txt", b"one"),
        ("SMSS.EXE", b"old image"),
        ("z.txt", b"two"),
    ]]);
    let change = replace(&before, "smss.exe", b"new", |bytes| {
        bytes.starts_with(b"old")
    })
    .unwrap()
    .unwrap();
    assert_eq!(
        (&*change.name, &*change.old),
        ("SMSS.EXE", &b"old image"[..])
    );
    for (name, wanted) in [
        ("a.txt", &b"one"[..]),
        ("SMSS.EXE", b"new"),
        ("z.txt", b"two"),
    ] {
        assert_eq!(content(&change.cabinet, name), wanted, "{name}");
    }
    let after = Cabinet::new(Cursor::new(&change.cabinet)).unwrap();
    assert!(
        after
            .folder_entries()
            .flat_map(|folder| folder.file_entries())
            .all(|file| file.is_read_only())
    );
    // What was replaced can be replaced again.
    let again = replace(&change.cabinet, "smss.exe", b"newer", |bytes| {
        bytes == b"new"
    })
    .unwrap()
    .unwrap();
    assert_eq!(content(&again.cabinet, "SMSS.EXE"), b"newer");
}

#[test]
fn a_cabinet_without_it_is_left_alone() {
    let before = cabinet(&[&[("smss.exe", b"setup program")]]);
    assert!(
        replace(&before, "smss.exe", b"new", |_| false)
            .unwrap()
            .is_none()
    );
    assert!(
        replace(&before, "csrss.exe", b"new", |_| true)
            .unwrap()
            .is_none()
    );
}

/// The size of a boot CD's cabinet is tens of megabytes; folders that are not meant stay as they
/// are.
#[test]
fn large_folders_stay_byte_for_byte() {
    let large: Vec<Vec<u8>> = (0..6).map(|seed| sample(seed, 8 << 20)).collect();
    let old = sample(7, 100_000);
    let first = [
        ("system32\\ntdll.dll", &*large[0]),
        ("system32\\win32k.sys", &*large[1]),
    ];
    let second = [
        ("system32\\kernel32.dll", &*large[2]),
        ("system32\\smss.exe", &*old),
        ("system32\\user32.dll", &*large[3]),
    ];
    let third = [("fonts\\a.ttf", &*large[4]), ("fonts\\b.ttf", &*large[5])];
    let before = cabinet(&[&first, &second, &third]);
    assert!(before.len() > 20 << 20);
    let new = sample(8, 140_800);
    let change = replace(&before, "smss.exe", &new, |bytes| bytes == old)
        .unwrap()
        .unwrap();
    for folder in 0..3 {
        assert!(
            stored(&before, folder) == stored(&change.cabinet, folder),
            "folder {folder} differs"
        );
    }
    for (name, wanted) in
        first
            .iter()
            .chain(&third)
            .chain([&second[0], &second[2], &("system32\\smss.exe", &*new)])
    {
        assert!(content(&change.cabinet, name) == *wanted, "{name} differs");
    }
}

/// ReactOS' setup inflates each block with nothing before it.
#[test]
fn each_block_stands_by_itself() {
    let content = sample(3, BLOCK).repeat(3);
    let change = replace(
        &cabinet(&[&[("smss.exe", b"old")]]),
        "smss.exe",
        &content,
        |_| true,
    )
    .unwrap()
    .unwrap();
    let mut rest = stored(&change.cabinet, 1);
    for _ in 0..3 {
        let size = usize::from(get16(rest, 4).unwrap());
        let mut block = Vec::with_capacity(BLOCK);
        assert_eq!(&rest[8..10], b"CK");
        flate2::Decompress::new(false)
            .decompress_vec(
                &rest[10..8 + size],
                &mut block,
                flate2::FlushDecompress::Finish,
            )
            .unwrap();
        assert!(block == content[..BLOCK]);
        rest = &rest[8 + size..];
    }
    assert!(rest.is_empty());
}

#[test]
fn what_is_no_whole_cabinet_is_refused() {
    let whole = cabinet(&[&[("smss.exe", b"old")]]);
    for length in 0..whole.len() {
        assert!(
            replace(&whole[..length], "smss.exe", b"new", |_| true).is_err(),
            "{length} bytes"
        );
    }
    let mut neighbour = whole.clone();
    neighbour[30] = 2;
    assert!(replace(&neighbour, "smss.exe", b"new", |_| true).is_err());
}

#[test]
fn a_malformed_cabinet_is_an_error_wherever_it_is_malformed() {
    let good = cabinet(&[
        &[("a\\smss.exe", &sample(1, 40_000)), ("b.txt", b"text")],
        &[("c.txt", &sample(2, 3000))],
    ]);
    let layout = Layout::read(&good).unwrap();
    let (folders, files) = (layout.folders, layout.file_table);
    // A folder of no blocks; a file beyond its folder's end; a folder that is not there; data that
    // are not there.
    for (at, bytes) in [
        (folders + 4, &[0, 0][..]),
        (files + 4, &[0xFF, 0xFF, 0xFF, 0x7F]),
        (files + 8, &[9, 0]),
        (folders, &[0xFF, 0xFF, 0xFF, 0xFF]),
    ] {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        assert!(replace(&bad, "smss.exe", b"new", |_| true).is_err(), "{at}");
    }
    // Any byte of the tables, and every length.
    for at in 0..files + 64 {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut bad = good.clone();
            bad[at] = value;
            let _ = replace(&bad, "smss.exe", b"new", |_| true);
        }
    }
    for length in (0..good.len()).step_by(97) {
        assert!(replace(&good[..length], "smss.exe", b"new", |_| true).is_err());
    }
}
