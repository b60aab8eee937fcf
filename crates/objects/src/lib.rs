// SPDX-License-Identifier: GPL-2.0-or-later
//! The object namespace: object directories, DOS devices, known DLLs, security descriptors.
#![no_std]
#![forbid(unsafe_code)]
