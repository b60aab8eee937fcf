// SPDX-License-Identifier: GPL-2.0-or-later
//! The two LPC protocols of the Session Manager, byte for byte (spec 10).
//!
//! * [`sm`]: what clients send to `\SmApiPort` (SM_API_MSG);
//! * [`sb`]: what smss sends to a subsystem server's call-back port (SB_API_MSG);
//! * [`message`]: what the messages of both have in common;
//! * [`client`]: the client side of `\SmApiPort`.
//!
//! The Session Manager and the stand-ins of the shim both speak through this crate, so an error in
//! a layout would hide itself: one side would write what the other expects. Two things stand
//! against that: the table of sizes and offsets beside each layout, for both pointer widths, and
//! `tests/golden.rs`, whose bytes were written by hand from the specification.
//!
//! Layouts only: nothing in here decides whether a message is to be believed. Handles, ids and
//! lengths in a message are what its sender claims.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod client;
pub mod message;
pub mod sb;
pub mod sm;

pub use message::{ApiHeader, ApiMessage, Request, body_in, counted, request, result_of};
