// SPDX-License-Identifier: GPL-2.0-or-later
//! Native stand-ins for csrss, winlogon, autochk and the others.
#![no_std]
#![forbid(unsafe_code)]
