// SPDX-License-Identifier: GPL-2.0-or-later
//! The server side of the Session Manager against a kernel in the test: protocol, connections,
//! sessions, failures (spec 9 to 12, 17).

mod calls;
mod connections;
mod faults;
mod instances;
mod kernel;
mod port;
mod races;
mod requests;
mod sessions;
mod stages;
mod tables;
