// SPDX-License-Identifier: GPL-2.0-or-later
//! The mark that asks for a check, and volumes that somebody else has written.

use super::*;

#[test]
fn a_volume_asks_for_a_check_by_a_bit_of_its_boot_sector() {
    for (kind, at) in [
        (Kind::Fat12, None),
        (Kind::Fat16, Some(0x25)),
        (Kind::Fat32, Some(0x41)),
    ] {
        let (mut device, volume) = fresh(kind);
        assert_eq!(volume.wants_check(&mut device), Ok(false), "{kind:?}");
        let before = device.bytes.clone();
        volume.mark_for_check(&mut device).unwrap();
        let changed: Vec<usize> = (0..before.len())
            .filter(|&at| before[at] != device.bytes[at])
            .collect();
        assert_eq!(changed, Vec::from_iter(at), "{kind:?}");
        let again = FatVolume::mount(&mut device).unwrap();
        assert_eq!(again.wants_check(&mut device), Ok(at.is_some()), "{kind:?}");
    }
}

#[test]
fn a_volume_that_somebody_else_wrote_is_read_again_and_paths_keep_their_numbers() {
    for kind in [Kind::Fat12, Kind::Fat16, Kind::Fat32] {
        let (mut device, mut ours) = fresh(kind);
        let root = ours.root();
        let folder = make_directory(&mut ours, &mut device, root, "a folder");
        let kept = make(&mut ours, &mut device, folder, "kept.txt", b"old");
        let gone = make(&mut ours, &mut device, folder, "gone.txt", b"gone");
        let replaced = make(&mut ours, &mut device, root, "file or folder", b"file");

        let mut theirs = FatVolume::mount(&mut device).unwrap();
        let folder_of_theirs = theirs
            .lookup(&mut device, root, &utf16("a folder"))
            .unwrap();
        for (directory, name) in [
            (folder_of_theirs, "gone.txt"),
            (folder_of_theirs, "kept.txt"),
            (root, "file or folder"),
        ] {
            let node = theirs.lookup(&mut device, directory, &utf16(name)).unwrap();
            theirs.delete(&mut device, node).unwrap();
        }
        make_directory(&mut theirs, &mut device, root, "file or folder");
        make(&mut theirs, &mut device, root, "found.000", b"lost");
        let new = pattern(5000, 7);
        make(&mut theirs, &mut device, folder_of_theirs, "kept.txt", &new);

        ours.reread(&mut device).unwrap();
        let name = |name: &str| utf16(name);
        assert_eq!(
            ours.lookup(&mut device, root, &name("a folder")),
            Ok(folder)
        );
        assert_eq!(
            ours.lookup(&mut device, folder, &name("kept.txt")),
            Ok(kept)
        );
        assert_eq!(content(&mut ours, &mut device, kept).unwrap(), new);
        for id in [gone, replaced] {
            assert!(ours.node(id).is_none(), "no number leads to another file");
        }
        let found = ours.lookup(&mut device, root, &name("found.000")).unwrap();
        assert_eq!(content(&mut ours, &mut device, found).unwrap(), b"lost");
        assert_eq!(ours.space(), theirs.space());
        // And it can be written again.
        make(&mut ours, &mut device, folder, "after.txt", b"after");
        assert_eq!(tree(&mut device).len(), 5);
    }
}
