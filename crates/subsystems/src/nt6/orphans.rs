// SPDX-License-Identifier: GPL-2.0-or-later
//! What a child instance had created and not yet reported when it came to its end (spec 11.5).
//!
//! Nobody else knows of such a process: it is suspended, in a session that is about to be undone,
//! and would keep that session's space for ever. It is found by its parent's id, which the kernel
//! gives to no other process while the resident instance holds a handle to the child.

use crate::kernel::terminate;
use crate::manager::Manager;
use crate::state::ids::ProcessId;
use nt::Word;
use nt::access::Access;
use nt::failure::persist;
use nt::system::System;
use nt::{ClientId, Owned, Result, Status};

/// SystemProcessInformation.
const PROCESSES: u32 = 5;
/// Where an entry has its process id; the parent's follows.
const PROCESS_ID: usize = if size_of::<Word>() == 8 { 0x50 } else { 0x44 };
/// What is looked at of an entry.
const ENTRY: usize = PROCESS_ID + 2 * size_of::<Word>();
/// Bytes asked for at first, and at most.
const FIRST: usize = 0x1_0000;
const MOST: usize = 0x40_0000;

/// Ends every child of the process `parent` that no record stands for. Blocks for some seconds at most.
pub(super) fn end_of<S: System>(sm: &Manager<S>, parent: ProcessId) {
    let mut ends = move || end_once(sm, parent);
    if let Err(refused) = persist(sm.system, &mut ends, |_| false) {
        nt::warn!("child instance {parent}: {refused}: what it left stays");
    }
}

/// The same, with the first failure.
fn end_once<S: System>(sm: &Manager<S>, parent: ProcessId) -> Result<()> {
    let (pages, length) = list(sm.system)?;
    let list = pages.as_ref().get(..length).unwrap_or_default();
    for (process, _) in entries(list).filter(|(_, of)| *of == parent.number()) {
        let client = ClientId { process, thread: 0 };
        let id = ProcessId::of(client);
        if id.is_none_or(|id| sm.tables.lock().knows(id)) {
            continue;
        }
        match sm.system.open_process(client, Access::PROCESS_TERMINATE) {
            Ok(handle) => {
                let handle = Owned::new(sm.system, handle);
                nt::warn!("process {process}: its child instance {parent} is gone: it is ended");
                terminate(sm.system, handle.get(), id, Status::IO_TIMEOUT);
            }
            // It has ended by itself.
            Err(Status::INVALID_CID | Status::INVALID_PARAMETER) => {}
            Err(refused) => return Err(refused),
        }
    }
    Ok(())
}

/// All processes, as the kernel lists them, and how many bytes of the pages that is.
fn list<S: System>(system: S) -> Result<(S::Pages, usize)> {
    let mut wanted = FIRST;
    loop {
        let mut pages = system.allocate_pages(wanted)?;
        match system.query_raw(PROCESSES, pages.as_mut()) {
            Ok(length) => return Ok((pages, length)),
            Err(Status::INFO_LENGTH_MISMATCH) if wanted < MOST => wanted *= 2,
            Err(status) => return Err(status),
        }
    }
}

/// Process id and parent's process id of every entry; the list ends where it makes no sense.
fn entries(list: &[u8]) -> impl Iterator<Item = (Word, Word)> + '_ {
    let mut rest = Some(list);
    core::iter::from_fn(move || {
        let whole = rest.take()?;
        let entry: &[u8] = whole.first_chunk::<ENTRY>()?;
        let (next, _) = entry.split_first_chunk()?;
        let next = u32::from_le_bytes(*next) as usize;
        let (process, after) = entry.get(PROCESS_ID..)?.split_first_chunk()?;
        let (parent, _) = after.split_first_chunk()?;
        rest = if next == 0 { None } else { whole.get(next..) };
        Some((Word::from_le_bytes(*process), Word::from_le_bytes(*parent)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn entry(next: u32, process: Word, parent: Word) -> Vec<u8> {
        let mut bytes = vec![0; 0x100];
        bytes[..4].copy_from_slice(&next.to_le_bytes());
        let ids = [process.to_le_bytes(), parent.to_le_bytes()].concat();
        bytes[PROCESS_ID..][..ids.len()].copy_from_slice(&ids);
        bytes
    }

    #[test]
    fn a_list_is_followed_to_its_end_and_no_further() {
        let whole = [entry(0x100, 4, 0), entry(0, 8, 4), entry(0, 12, 4)].concat();
        let found: Vec<_> = entries(&whole).collect();
        assert_eq!(found, [(4, 0), (8, 4)]);
        assert_eq!(entries(&whole[..0x140]).count(), 1);
        assert_eq!(entries(&entry(u32::MAX, 4, 0)).count(), 1);
        assert_eq!(entries(&[]).count(), 0);
    }
}
