// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam on the real thing: the traits of `nt` over `ntdll.dll`.
#![no_std]
