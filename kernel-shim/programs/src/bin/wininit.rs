// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of wininit.exe: initial command of session 0 in NT 6.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("WININIT: ", programs::logon::wininit);
