// SPDX-License-Identifier: GPL-2.0-or-later
//! ISO 9660 discs: whatever is on the disc, it can be mounted and walked without a panic, and a walk
//! ends.
//!
//! The input is edits of a sound disc, three bytes each: place and value. The places are those of
//! the descriptors and directories.
#![no_main]

use formats::iso9660::build::disc;
use formats::iso9660::{BLOCK, IsoVolume};
use libfuzzer_sys::fuzz_target;

/// The first descriptor, and the end of the last directory.
const PLACES: std::ops::Range<usize> = 16 * BLOCK..24 * BLOCK;
/// Entries looked at: a damaged disc may have no end of them.
const STEPS: usize = 500;

fn walk(joliet: bool, input: &[u8]) {
    let mut device = disc(joliet);
    for &[low, high, value] in input.as_chunks::<3>().0 {
        let place = usize::from(u16::from_le_bytes([low, high])) % PLACES.len();
        device.bytes[PLACES.start + place] = value;
    }
    let Ok(mut volume) = IsoVolume::mount(&mut device) else {
        return;
    };
    let mut pending = vec![volume.root()];
    for _ in 0..STEPS {
        let Some(at) = pending.pop() else { break };
        let mut buffer = [0; 3000];
        let _ = volume.read(&mut device, at, 4990, &mut buffer);
        let _ = volume.path(at);
        pending.extend(volume.children(&mut device, at).unwrap_or_default());
    }
}

fuzz_target!(|input: &[u8]| {
    walk(false, input);
    walk(true, input);
});
