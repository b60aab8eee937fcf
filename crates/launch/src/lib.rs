// SPDX-License-Identifier: GPL-2.0-or-later
//! From a command line to a process: grammar, search, process parameters.
#![no_std]
#![forbid(unsafe_code)]
