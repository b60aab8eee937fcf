// SPDX-License-Identifier: GPL-2.0-or-later
//! How a scenario is written down: from a boot of the default medium, a difference a call. The
//! scenarios are constants, so all of this is evaluated by the compiler.

use crate::{Change, End, Scenario, Version, Want, World};

impl Scenario {
    /// A boot of the default medium that settles.
    pub(crate) const fn new(name: &'static str, rows: &'static str) -> Self {
        Self {
            name,
            rows,
            before: &[],
            version: Version::Nt5_2,
            kill: None,
            end: End::Settled,
            after: &[],
            only: None,
        }
    }

    /// What is different from the default medium.
    pub(crate) const fn before(mut self, before: &'static [Change]) -> Self {
        self.before = before;
        self
    }

    /// On NT 6.1.
    pub(crate) const fn nt6(mut self) -> Self {
        self.version = Version::Nt6_1;
        self
    }

    /// `image` is ended once the system has settled.
    pub(crate) const fn kill(mut self, image: &'static str) -> Self {
        self.kill = Some(image);
        self
    }

    /// How it ends, if not settled.
    pub(crate) const fn ends(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// What is so afterwards.
    pub(crate) const fn after(mut self, after: &'static [Want]) -> Self {
        self.after = after;
        self
    }

    /// Only `world` can show it, and why.
    pub(crate) const fn only(mut self, world: World, why: &'static str) -> Self {
        self.only = Some((world, why));
        self
    }
}
