// SPDX-License-Identifier: GPL-2.0-or-later
//! FAT volumes: round trips, names, full volumes, damaged volumes.

mod check;
mod growth;
mod names;
mod space;
mod whole;

use super::power_cut::Recorder;
use super::*;
use crate::sectors::MemoryDevice;
use crate::utf16;
use alloc::vec;
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
