// SPDX-License-Identifier: GPL-2.0-or-later
//! Paging files: specifications, volume survey, sizing, creation.
#![no_std]
#![forbid(unsafe_code)]
