// SPDX-License-Identifier: GPL-2.0-or-later
//! The machine layer of the shim.
#![no_std]
