// SPDX-License-Identifier: GPL-2.0-or-later
//! Whole volumes: through a remount, damaged, against a model, and against an independent checker.

use super::*;

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
