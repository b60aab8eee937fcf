// SPDX-License-Identifier: GPL-2.0-or-later
//! FAT volumes: whatever is on the medium, it can be mounted, mended, walked and changed without a
//! panic, and what was changed can be mounted again.
//!
//! The input is taken as a boot sector in front of a sound volume, and as edits of a sound FAT12
//! volume, three bytes each: place and value. The places are those of the tables and directories.
#![no_main]

use formats::fat::{FatVolume, Kind, NodeId, format};
use formats::partitions::partitions;
use formats::sectors::MemoryDevice;
use formats::utf16;
use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;
use nt::system::FileAttributes;
use std::sync::OnceLock;

const SECTORS: usize = 400;
/// Entries looked at: a damaged volume may have no end of them.
const STEPS: usize = 40;

/// A volume with directories, long names, and files of no, one and many clusters.
fn sound() -> &'static [u8] {
    static DEVICE: OnceLock<Vec<u8>> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let mut device = MemoryDevice::new(SECTORS);
        format(&mut device, Kind::Fat12, b"FUZZ       ", 1, 0).expect("a volume");
        let mut volume = FatVolume::mount(&mut device).expect("a volume");
        let mut at = volume.root();
        for (name, size) in [("A.TXT", 0), ("a long file name.text", 700), ("B", 5000)] {
            let id = volume
                .create(
                    &mut device,
                    at,
                    UnicodeStr(&utf16(name)),
                    FileAttributes::ARCHIVE,
                )
                .expect("a file");
            volume
                .write(&mut device, id, 0, &vec![7; size])
                .expect("content");
            at = volume
                .create(
                    &mut device,
                    at,
                    UnicodeStr(&utf16(&format!("directory of {name}"))),
                    FileAttributes::DIRECTORY,
                )
                .expect("a directory");
        }
        device.bytes
    })
}

fn walk(device: &mut MemoryDevice) {
    let _ = partitions(device);
    let Ok(mut volume) = FatVolume::mount_mended(device) else {
        return;
    };
    let _ = volume.crossed_files(device);
    let root = volume.root();
    let mut pending = vec![root];
    let mut seen: Vec<NodeId> = Vec::new();
    while let (Some(at), true) = (pending.pop(), seen.len() < STEPS) {
        seen.push(at);
        let mut buffer = [0; 3000];
        let _ = volume.read(device, at, 100, &mut buffer);
        pending.extend(volume.children(device, at).unwrap_or_default());
    }
    for (number, &id) in seen.iter().enumerate() {
        let name = utf16(&format!("new name {number}"));
        let _ = match number % 4 {
            0 => volume.write(device, id, 300, &[1; 900]),
            1 => volume.rename(device, id, root, UnicodeStr(&name), true),
            2 => volume.set_size(device, id, 10, formats::fat::Fill::Zero),
            _ => volume.delete(device, id),
        };
    }
    let _ = volume.settle(device);
    FatVolume::mount(device).expect("what was changed is still a volume");
}

fuzz_target!(|input: &[u8]| {
    let mut bytes = sound().to_vec();
    let boot = input.len().min(510);
    bytes[..boot].copy_from_slice(&input[..boot]);
    walk(&mut MemoryDevice { bytes });
    let mut bytes = sound().to_vec();
    let places = bytes.len().min(48 * 512);
    for &[low, high, value] in input.as_chunks::<3>().0 {
        let place = 512 + usize::from(u16::from_le_bytes([low, high])) % (places - 512);
        bytes[place] = value;
    }
    walk(&mut MemoryDevice { bytes });
});
