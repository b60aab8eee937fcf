// SPDX-License-Identifier: GPL-2.0-or-later
//! What the executive answers NtQuerySystemInformation with.

use super::{Facts, ModuleFacts, PageFileFacts, PerformanceFacts, ProcessFacts};
use crate::Executive;
use crate::layout::{BasicInformation, ProcessEntry, ProcessorInformation, ThreadEntry, TimeOfDay};
use crate::machine::{Architecture, PAGE};
use alloc::vec::Vec;

/// Longest tick of the clock, 100 ns.
pub const TIMER_RESOLUTION: u32 = 156_250;
/// Bytes.
const ALLOCATION_GRANULARITY: u32 = 0x1_0000;
/// KTHREAD_STATE: running or ready, waiting. KWAIT_REASON: UserRequest, Suspended.
const RUNNING: u32 = 2;
const WAITING: u32 = 5;
const USER_REQUEST: u32 = 6;
const SUSPENDED: u32 = 5;

impl Facts for Executive {
    fn basic(&self) -> BasicInformation {
        let pages = self.machine().physical_pages() as u32;
        let processors = self.machine().processor().count;
        BasicInformation {
            timer_resolution: TIMER_RESOLUTION,
            page_size: PAGE as u32,
            physical_pages: pages,
            lowest_physical_page: 1,
            highest_physical_page: pages,
            allocation_granularity: ALLOCATION_GRANULARITY,
            minimum_user_address: u64::from(ALLOCATION_GRANULARITY),
            maximum_user_address: Executive::architecture(self).user_end() - 1,
            affinity: (1_u64 << processors.clamp(1, 63)) - 1,
            processors,
            ..BasicInformation::default()
        }
    }

    fn processor(&self) -> ProcessorInformation {
        let processor = self.machine().processor();
        ProcessorInformation {
            architecture: processor.architecture,
            level: processor.level,
            revision: processor.revision,
            reserved: 0,
            features: processor.features,
        }
    }

    fn performance(&self) -> PerformanceFacts {
        let files: u64 = self
            .io()
            .page_files()
            .iter()
            .map(|file| file.minimum / PAGE as u64)
            .sum();
        PerformanceFacts {
            available: self.machine().available_pages() as u32,
            committed: self.machine().committed_pages() as u32,
            limit: (self.machine().physical_pages() + files) as u32,
        }
    }

    fn time_of_day(&self) -> TimeOfDay {
        TimeOfDay {
            boot: self.machine().start_time(),
            now: self.now(),
            ..TimeOfDay::default()
        }
    }

    fn flags(&self) -> u32 {
        self.global_flag()
    }

    fn object_security_mode(&self) -> u32 {
        self.object_security_mode()
    }

    fn processes(&self) -> Vec<ProcessFacts> {
        let idle = ProcessFacts::default();
        let living = Self::processes(self)
            .filter(|process| !process.ended)
            .map(|process| {
                let threads = process
                    .threads
                    .iter()
                    .filter_map(|thread| self.thread(*thread).ok())
                    .map(|thread| {
                        let waits = thread.wait.is_some() || thread.suspended > 0;
                        ThreadEntry {
                            create_time: thread.create_time,
                            start_address: thread.start_address,
                            client: self.client_id(thread.id).unwrap_or_default(),
                            priority: process.base_priority.into(),
                            base_priority: process.base_priority.into(),
                            state: if waits { WAITING } else { RUNNING },
                            wait_reason: if thread.wait.is_some() {
                                USER_REQUEST
                            } else {
                                SUSPENDED
                            },
                            ..ThreadEntry::default()
                        }
                    });
                let entry = ProcessEntry {
                    create_time: process.create_time,
                    base_priority: process.base_priority.into(),
                    process: process.id.0.into(),
                    parent: process.parent.0.into(),
                    handles: process.handles.as_ref().map_or(0, |table| table.len()) as u32,
                    session: self.session_of(process.id).unwrap_or(0),
                    ..ProcessEntry::default()
                };
                ProcessFacts {
                    entry,
                    name: process.image.clone(),
                    threads: threads.collect(),
                }
            });
        core::iter::once(idle).chain(living).collect()
    }

    fn modules(&self) -> Vec<ModuleFacts> {
        // The kernel itself is no loaded image with an address of its own; drivers are.
        self.sessions()
            .drivers()
            .iter()
            .map(|path| ModuleFacts {
                path: path.clone(),
                base: 0,
                size: 0,
            })
            .collect()
    }

    fn page_files(&self) -> Vec<PageFileFacts> {
        let pages = |bytes: u64| (bytes / PAGE as u64) as u32;
        // Nothing is ever paged out here: a paging file is there, and empty.
        let facts = |file: &crate::io::PageFile| PageFileFacts {
            path: file.name.clone(),
            total: pages(file.minimum),
            used: 0,
            peak: 0,
        };
        self.io().page_files().iter().map(facts).collect()
    }

    fn range_start(&self) -> u64 {
        // `MmSystemRangeStart` of NT 5.2.
        match Executive::architecture(self) {
            Architecture::Amd64 => 0xFFFF_0800_0000_0000,
            Architecture::I386 => 0x8000_0000,
        }
    }
}
