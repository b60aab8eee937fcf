// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of winlogon.exe: initial command of a logon session.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("WINLOGON: ", programs::logon::winlogon);
