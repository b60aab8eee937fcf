// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry's surroundings: `keys` are the key objects and the services on them, `hives` the
//! hives' files.

mod hives;
mod keys;

pub use keys::{Disposition, KEY_HOOKS};
