// SPDX-License-Identifier: GPL-2.0-or-later
//! The run-time library: what ReactOS' exports under the same names does, as far as native programs
//! need it.

mod bootstatus;
mod convert;
mod critical;
mod environment;
mod parameters;
mod path;
mod privilege;
mod process;
mod registry;
mod security;
mod string;
mod thread;

pub(crate) use bootstatus::io_status;
pub(crate) use parameters::RtlNormalizeProcessParams;
pub(crate) use process::image_section;
pub(crate) use string::upcase;
pub(crate) use thread::LOADER_LOCK;
