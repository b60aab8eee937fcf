// SPDX-License-Identifier: GPL-2.0-or-later
//! The descriptor that DOS device links are made with (spec 2.2, 3.2), as it is handed over: the
//! kernel does not show it afterwards, because the ACEs that `\GLOBAL??` passes on take the place of
//! a defaulted DACL, and would take that of none.

use nt::UnicodeStr;
use objects::Protection;
use test_support::host::{watched, wide, world};

#[test]
fn spec_3_2_links_are_handed_the_defaulted_descriptor_of_their_mode() {
    for mode in [Protection::from_mode(0), Protection::from_mode(1)] {
        watched(&mut world(), move |world| {
            // The first exists already.
            let links = ["C:", "Z:"].map(|name| (wide(name), wide("\\Device\\Null")));
            let links = links.each_ref();
            let links = links.map(|(name, target)| (UnicodeStr(name), UnicodeStr(target)));
            objects::dos_devices(world, mode, links.into_iter()).unwrap();
            let calls = world.calls().into_iter();
            let made: Vec<_> = calls
                .filter(|call| call.name == "create_symbolic_link")
                .map(|call| (call.about, call.security))
                .collect();
            assert_eq!(made.last().unwrap().0, "Z:");
            for (name, security) in made {
                assert_eq!(
                    security.as_deref(),
                    Some(mode.primary_defaulted()),
                    "{name}"
                );
            }
        });
    }
}
