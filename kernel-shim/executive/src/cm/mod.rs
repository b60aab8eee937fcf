// SPDX-License-Identifier: GPL-2.0-or-later
//! The configuration manager: the registry and its services.

pub mod boot;
pub mod registry;
#[cfg(test)]
mod tests;
