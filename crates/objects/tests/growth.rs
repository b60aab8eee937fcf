// SPDX-License-Identifier: GPL-2.0-or-later
//! What a long list of known DLLs costs: elementary steps, at three sizes.

use nt::{UnicodeBuf, UnicodeStr};
use objects::{KnownDlls, Protection};
use test_support::host::{Watched, watched, wide, world};

/// Steps of making `count` DLLs known, none of which is there.
fn steps(count: usize) -> usize {
    let counted = move |world: &'static Watched| {
        let dlls: Vec<(Vec<u16>, Vec<u16>)> = (0..count)
            .map(|number| {
                (
                    wide(&format!("name{number:04}")),
                    wide(&format!("name{number:04}.dll")),
                )
            })
            .collect();
        let known_dlls = KnownDlls {
            system: world,
            protection: Protection::from_mode(1),
            dlls: dlls
                .iter()
                .map(|(name, file)| (UnicodeStr(name), UnicodeStr(file))),
            is_excluded: |_: UnicodeStr<'_>| false,
        };
        let before = world.steps();
        known_dlls
            .make(
                Some(nt::wide!("C:\\ReactOS\\System32")),
                &mut UnicodeBuf::new(),
            )
            .unwrap();
        world.steps() - before
    };
    watched(&mut world(), counted).0
}

#[test]
fn known_dlls_cost_as_much_as_there_are() {
    let costs = [125, 250, 500].map(steps);
    // Quadratic would be sixteen times as much.
    assert!(costs[2] <= costs[0] * 7, "{costs:?}");
    assert!(costs[2] / 500 <= 250, "{} steps a DLL", costs[2] / 500);
}
