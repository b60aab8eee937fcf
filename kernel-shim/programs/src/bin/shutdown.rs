// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of shutdown.exe: an initial command that shuts the system down.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("SHUTDOWN: ", programs::logon::shutdown);
