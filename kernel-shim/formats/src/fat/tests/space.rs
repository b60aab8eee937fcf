// SPDX-License-Identifier: GPL-2.0-or-later
//! What files and directories take of a volume, up to a full one.

use super::*;

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
