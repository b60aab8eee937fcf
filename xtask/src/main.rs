// SPDX-License-Identifier: GPL-2.0-or-later
//! The only door: one module per verb.
fn main() {}
