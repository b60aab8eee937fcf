// SPDX-License-Identifier: GPL-2.0-or-later
//! NT 6: a child instance of smss for every session (spec 11.5).
//!
//! The resident instance creates the child with two hexadecimal words as arguments: the session's
//! number (FFFFFFFF for any) and the number of the instance. The child makes the session and
//! reports over `\SmApiPort` what it creates, before it lets it run, so that the resident instance
//! has the records of the servers and can adopt their clients; when the session stands, the child
//! ends with success. A child that ends otherwise, or not in time, takes what it had made with it.

pub mod instance;
mod orphans;
pub(crate) mod resident;
