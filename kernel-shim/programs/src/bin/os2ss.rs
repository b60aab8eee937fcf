// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of os2ss.exe: OS/2 subsystem server.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("OS2SS: ", programs::csrss::main_os2);
