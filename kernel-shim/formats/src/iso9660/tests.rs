// SPDX-License-Identifier: GPL-2.0-or-later
//! Discs: names, extents, damage.

use super::build::disc;
use super::*;
use crate::sectors::MemoryDevice;
use crate::utf16;
use proptest::prelude::*;
use std::string::String;

#[test]
fn plain_and_joliet_names_are_found() {
    for (joliet, long, label) in [
        (false, "longfi_1.txt", "DISC"),
        (true, "LONG FILE NAME.TXT", "CD"),
    ] {
        let mut device = disc(joliet);
        let mut volume = IsoVolume::mount(&mut device).unwrap();
        assert_eq!(String::from_utf16_lossy(volume.label()), label);
        let file = volume.lookup(&mut device, ROOT, &utf16(long)).unwrap();
        assert_eq!(
            volume.node(file).unwrap().size,
            5010,
            "two extents are one file"
        );
        let mut buffer = vec![0; 6000];
        assert_eq!(
            volume.read(&mut device, file, 4990, &mut buffer).unwrap(),
            20
        );
        assert_eq!(buffer[..20], [[0xAB; 10], [0xCD; 10]].concat());
        assert_eq!(
            volume.read(&mut device, file, 5010, &mut buffer).unwrap(),
            0
        );
        let directory = volume.lookup(&mut device, ROOT, &utf16("ReactOS")).unwrap();
        let inner = volume
            .lookup(&mut device, directory, &utf16("FILE"))
            .unwrap();
        assert_eq!(
            String::from_utf16_lossy(&volume.path(inner)).to_lowercase(),
            "\\reactos\\file"
        );
        assert!(volume.node(inner).unwrap().hidden);
        // 2026-11-23 13:00 one hour east of Greenwich.
        assert_eq!(volume.node(inner).unwrap().time, 134_399_088_000_000_000);
        assert_eq!(
            volume.lookup(&mut device, file, &utf16("x")),
            Err(Status::NOT_A_DIRECTORY)
        );
        assert_eq!(
            volume.lookup(&mut device, ROOT, &utf16("x")),
            Err(Status::OBJECT_NAME_NOT_FOUND)
        );
    }
}

#[test]
fn something_else_is_no_disc() {
    assert_eq!(
        IsoVolume::mount(&mut MemoryDevice::new(400)).unwrap_err(),
        Status::UNRECOGNIZED_VOLUME
    );
    assert_eq!(
        IsoVolume::mount(&mut MemoryDevice::new(1)).unwrap_err(),
        Status::UNRECOGNIZED_VOLUME
    );
}

proptest! {
    #[test]
    fn damaged_discs_never_panic(damage in prop::collection::vec((32768usize..48000, any::<u8>()), 1..80)) {
        let mut device = disc(true);
        for (at, byte) in damage {
            device.bytes[at] = byte;
        }
        let Ok(mut volume) = IsoVolume::mount(&mut device) else { return Ok(()) };
        let mut walk = vec![ROOT];
        let mut steps = 0;
        while let (Some(at), 0..200) = (walk.pop(), steps) {
            steps += 1;
            let mut buffer = vec![0; 5000];
            let _ = volume.read(&mut device, at, 100, &mut buffer);
            walk.extend(volume.children(&mut device, at).unwrap_or_default());
        }
    }
}
