// SPDX-License-Identifier: GPL-2.0-or-later
//! What the host asked to be told: the trace of system calls, and what stands.

use crate::announce;
use crate::cpu::user::Registers;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use executive::ids::{ProcessId, ThreadId};
use executive::{Executive, dump};

/// The parts `trace` and `trace-json`: one line a call or event, in the text with the name of the
/// process's image in front. Nothing if none was asked for.
pub fn trace(executive: &Executive, images: &BTreeMap<ProcessId, String>) {
    let records = executive.trace().records();
    if records.is_empty() {
        return;
    }
    let image = |id: u64| {
        u32::try_from(id)
            .ok()
            .and_then(|id| images.get(&ProcessId(id)))
            .map_or("?", String::as_str)
    };
    let mut lines: Vec<(u64, String, String)> = Vec::new();
    for record in records {
        let text = format!("{} {record}", image(record.client.process));
        lines.push((record.time, text, record.json()));
    }
    for event in executive.trace().events() {
        let text = format!("{} {event}", image(event.client.process));
        lines.push((event.time, text, event.json()));
    }
    // The sort is stable: calls of one moment stay in their order.
    lines.sort_by_key(|&(time, ..)| time);
    announce::part("trace", lines.iter().map(|(_, text, _)| text.as_str()));
    announce::part("trace-json", lines.iter().map(|(_, _, json)| json.as_str()));
}

/// The part `before-json`: what stands before the first process runs.
pub fn before(executive: &mut Executive) {
    let snapshot = executive.snapshot();
    announce::part("before-json", dump::json(&snapshot).lines());
}

/// The parts `dump` and `dump-json`.
pub fn dump(executive: &mut Executive) {
    let snapshot = executive.snapshot();
    announce::part("dump", dump::text(&snapshot).lines());
    announce::part("dump-json", dump::json(&snapshot).lines());
}

/// How much of a stack is shown, in bytes: the Session Manager alone puts some 100 KiB on its own.
const STACK: u64 = 160 * 1024;
/// Bytes a line.
const STACK_LINE: usize = 64;

/// The part `user-stack`: who it was, the registers, and the stack from its pointer upwards, for
/// the host to walk.
pub fn user_stack(executive: &mut Executive, thread: ThreadId, registers: &Registers) {
    let Ok(process) = executive.process_of(thread) else {
        return;
    };
    let (id, name) = (process.id, String::from_utf16_lossy(&process.image));
    let mut lines = Vec::from([format!("{name}, {thread:?}"), format!("{registers}")]);
    for address in (registers.rsp..registers.rsp.saturating_add(STACK)).step_by(STACK_LINE) {
        let mut bytes = [0; STACK_LINE];
        if executive.read_process(id, address, &mut bytes).is_err() {
            break;
        }
        // Lines of zeros are left out.
        if bytes == [0; STACK_LINE] {
            continue;
        }
        let mut line = format!("{address:#x} ");
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = write!(line, "{byte:02x}");
        }
        lines.push(line);
    }
    announce::part("user-stack", lines.iter().map(String::as_str));
}
