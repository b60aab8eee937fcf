// SPDX-License-Identifier: GPL-2.0-or-later
//! The image that stands for win32k.sys. A session manager has the kernel load a driver of that
//! name; the shim reads the image, holds it to what a native image must be, and keeps it in its
//! module list, but it has no ring-0 drivers to run, so there is nothing in this one.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("WIN32K: ", programs::commands::exit);
