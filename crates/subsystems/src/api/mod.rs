// SPDX-License-Identifier: GPL-2.0-or-later
//! `\SmApiPort`: from a message to a verb and back to a reply (spec 10).
//!
//! Bottom up: the threads ([`pool`]), who may connect ([`connections`]), the requests ([`requests`],
//! with the one that only reads in [`query`]), and the port itself ([`port`]).

mod connections;
mod pool;
pub(crate) mod port;
mod query;
mod requests;
