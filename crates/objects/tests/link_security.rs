// SPDX-License-Identifier: GPL-2.0-or-later
//! The descriptor that DOS device links are made with (spec 2.2, 3.2), as it is handed over.
//!
//! Over a namespace in memory, because a real one does not show it: the ACEs that `\GLOBAL??` passes
//! on take the place of a defaulted DACL, and would take that of none.

#[path = "../../nt/tests/support/mod.rs"]
mod support;

use nt::UnicodeStr;
use objects::Protection;
use support::{Kind, World, wide};

#[test]
fn spec_3_2_links_are_handed_the_defaulted_descriptor_of_their_mode() {
    for mode in [Protection::from_mode(0), Protection::from_mode(1)] {
        let world = World::new();
        world.object("\\GLOBAL??\\NUL", Kind::Link("\\Device\\Old".into()));
        let links = ["NUL", "Z:"].map(|name| (wide(name), wide("\\Device\\Null")));
        let links = links.each_ref();
        let links = links.map(|(name, target)| (UnicodeStr(name), UnicodeStr(target)));
        objects::dos_devices(world, mode, links.into_iter()).unwrap();
        for name in ["\\global??\\nul", "\\global??\\z:"] {
            let security = world.state().objects[name].security.clone();
            assert_eq!(security.as_deref(), Some(mode.primary_defaulted()));
        }
    }
}
