// SPDX-License-Identifier: GPL-2.0-or-later
//! Paths on a volume, put together from the file upwards.

use alloc::vec::Vec;

const BACKSLASH: u16 = 0x5C;

/// The path from the root to `id`, with backslashes; `\` for the root itself. `above` gives the
/// directory that a node is in, and its name there; none for the root.
pub fn upwards<'n, I>(id: I, above: impl Fn(I) -> Option<(I, &'n [u16])>) -> Vec<u16> {
    let mut names = Vec::new();
    let mut at = above(id);
    while let Some((parent, name)) = at {
        names.push(name);
        at = above(parent);
    }
    if names.is_empty() {
        return Vec::from([BACKSLASH]);
    }
    let mut path = Vec::new();
    for name in names.iter().rev() {
        path.push(BACKSLASH);
        path.extend_from_slice(name);
    }
    path
}
