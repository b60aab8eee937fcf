// SPDX-License-Identifier: GPL-2.0-or-later
//! What the host asked to be told: the trace of system calls, and what stands.

use crate::announce;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use executive::ids::ProcessId;
use executive::{Executive, dump};

/// The part `trace`: one line a call, with the name of the caller's image in front. Nothing if none was asked for.
pub fn trace(executive: &Executive, images: &BTreeMap<ProcessId, String>) {
    let records = executive.trace.records();
    if records.is_empty() {
        return;
    }
    let image = |id: u64| u32::try_from(id).ok().and_then(|id| images.get(&ProcessId(id))).map_or("?", String::as_str);
    let lines: Vec<String> = records.iter().map(|record| format!("{} {record}", image(record.client.process))).collect();
    announce::part("trace", lines.iter().map(String::as_str));
}

/// The parts `dump` and `dump-json`.
pub fn dump(executive: &mut Executive) {
    let snapshot = executive.snapshot();
    announce::part("dump", dump::text(&snapshot).lines());
    announce::part("dump-json", dump::json(&snapshot).lines());
}
