// SPDX-License-Identifier: GPL-2.0-or-later
//! The ntdll.dll of the shim.
#![no_std]
