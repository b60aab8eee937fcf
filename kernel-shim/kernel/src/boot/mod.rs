// SPDX-License-Identifier: GPL-2.0-or-later
//! How the kernel starts: the two boot doors, what the loader tells, the command line.

core::arch::global_asm!(include_str!("start.s"));
