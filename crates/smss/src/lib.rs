// SPDX-License-Identifier: GPL-2.0-or-later
//! The Session Manager: the boot sequence in order, and the wait at its end.
#![no_std]
#![forbid(unsafe_code)]
