// SPDX-License-Identifier: GPL-2.0-or-later
//! The Session Manager key: what its values mean.
#![no_std]
#![forbid(unsafe_code)]
