// SPDX-License-Identifier: GPL-2.0-or-later
//! NtQuerySystemInformation: the answer of each class as it lies in the caller's buffer (spec 0.4,
//! 13.4).
//!
//! A class has its own rule for a buffer of the wrong size, and its own idea of the length it
//! reports then; both are kept. A class that NT 5.2 knows and this system does not keep is
//! `NOT_IMPLEMENTED`, one beyond the last is `INVALID_INFO_CLASS`.

mod facts;

use crate::layout::{
    BasicInformation, PageFileInformation, ProcessEntry, ProcessorInformation, ThreadEntry,
    TimeOfDay, UnicodeString, Word,
};
use crate::machine::Architecture;
use crate::services::encode::put_text;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use nt::Status;
use zerocopy::IntoBytes;

/// The first class there is not.
pub const CLASS_LIMIT: u32 = 77;

/// Classes by their numbers.
pub mod class {
    #![allow(missing_docs, reason = "the names are the field's own")]
    pub const BASIC: u32 = 0;
    pub const PROCESSOR: u32 = 1;
    pub const PERFORMANCE: u32 = 2;
    pub const TIME_OF_DAY: u32 = 3;
    pub const PROCESS: u32 = 5;
    pub const FLAGS: u32 = 9;
    pub const MODULE: u32 = 11;
    pub const PAGE_FILE: u32 = 18;
    pub const KERNEL_DEBUGGER: u32 = 35;
    pub const EXTEND_SERVICE_TABLE: u32 = 38;
    pub const SESSION_CREATE: u32 = 47;
    pub const SESSION_DETACH: u32 = 48;
    pub const RANGE_START: u32 = 50;
    pub const SHARED_DATA_ALIGNMENT: u32 = 58;
    pub const OBJECT_SECURITY_MODE: u32 = 70;
}

/// A process and its threads, without what the answer makes of them.
#[derive(Clone, Debug, Default)]
pub struct ProcessFacts {
    /// Everything but the counts, offsets and the name's place.
    pub entry: ProcessEntry,
    /// Name of the image file; empty for the idle process.
    pub name: Vec<u16>,
    /// Its threads.
    pub threads: Vec<ThreadEntry>,
}

/// Pages of memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct PerformanceFacts {
    /// That nobody uses.
    pub available: u32,
    /// In use on behalf of processes.
    pub committed: u32,
    /// Of memory and paging files together.
    pub limit: u32,
}

/// A paging file.
#[derive(Clone, Debug, Default)]
pub struct PageFileFacts {
    /// Its NT path.
    pub path: Vec<u16>,
    /// Its size, pages.
    pub total: u32,
    /// Pages in use.
    pub used: u32,
    /// The most pages ever in use.
    pub peak: u32,
}

/// A loaded system image.
#[derive(Clone, Debug, Default)]
pub struct ModuleFacts {
    /// NT path.
    pub path: String,
    /// Where it is.
    pub base: u64,
    /// Bytes.
    pub size: u32,
}

/// What the answers are made of.
pub trait Facts {
    /// SystemBasicInformation.
    fn basic(&self) -> BasicInformation;
    /// SystemProcessorInformation.
    fn processor(&self) -> ProcessorInformation;
    /// SystemPerformanceInformation, as far as it is kept.
    fn performance(&self) -> PerformanceFacts;
    /// SystemTimeOfDayInformation.
    fn time_of_day(&self) -> TimeOfDay;
    /// NtGlobalFlag.
    fn flags(&self) -> u32;
    /// SystemObjectSecurityMode.
    fn object_security_mode(&self) -> u32;
    /// Processes, the oldest first.
    fn processes(&self) -> Vec<ProcessFacts>;
    /// Loaded system images in load order.
    fn modules(&self) -> Vec<ModuleFacts>;
    /// Paging files in the order they were made.
    fn page_files(&self) -> Vec<PageFileFacts>;
    /// First address of system space.
    fn range_start(&self) -> u64;
}

/// An answer: the status, what to write, and what to say of the length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// NTSTATUS.
    pub status: Status,
    /// For the start of the caller's buffer.
    pub bytes: Vec<u8>,
    /// `ReturnLength`.
    pub length: u32,
}

/// Answers class `class` in the form of the caller, into a buffer of `size` bytes at the caller's address
/// `at` (strings lie behind their structures, so the answer depends on the address).
pub fn query(facts: &dyn Facts, form: Architecture, class: u32, size: u32, at: u64) -> Answer {
    match class {
        class::BASIC => exact(&form.bytes_of(facts.basic()), size),
        class::PROCESSOR => at_least(facts.processor().as_bytes(), size),
        class::PERFORMANCE => at_least(&performance(facts.performance()), size),
        class::TIME_OF_DAY => up_to(facts.time_of_day().as_bytes(), size),
        class::PROCESS => processes(facts, form, size, at),
        class::FLAGS => quiet(exact(facts.flags().as_bytes(), size)),
        class::MODULE => modules(facts, form, size),
        class::PAGE_FILE => page_files(facts, form, size, at),
        // Not enabled, and not present.
        class::KERNEL_DEBUGGER => quiet(at_least(&[0, 1], size)),
        class::RANGE_START => {
            let start = form.bytes_of(Word(facts.range_start()));
            quiet(exact(&start, size))
        }
        class::SHARED_DATA_ALIGNMENT => quiet(exact(64_u32.as_bytes(), size)),
        // It never tells the length.
        class::OBJECT_SECURITY_MODE => Answer {
            length: 0,
            ..exact(facts.object_security_mode().as_bytes(), size)
        },
        class if class < CLASS_LIMIT => Answer {
            status: Status::NOT_IMPLEMENTED,
            bytes: Vec::new(),
            length: 0,
        },
        _ => Answer {
            status: Status::INVALID_INFO_CLASS,
            bytes: Vec::new(),
            length: 0,
        },
    }
}

fn mismatch(length: usize) -> Answer {
    Answer {
        status: Status::INFO_LENGTH_MISMATCH,
        bytes: Vec::new(),
        length: length as u32,
    }
}

fn success(bytes: Vec<u8>) -> Answer {
    let length = bytes.len() as u32;
    Answer {
        status: Status::SUCCESS,
        bytes,
        length,
    }
}

fn exact(bytes: &[u8], size: u32) -> Answer {
    if size as usize == bytes.len() {
        success(bytes.to_vec())
    } else {
        mismatch(bytes.len())
    }
}

fn at_least(bytes: &[u8], size: u32) -> Answer {
    if size as usize >= bytes.len() {
        success(bytes.to_vec())
    } else {
        mismatch(bytes.len())
    }
}

fn up_to(bytes: &[u8], size: u32) -> Answer {
    bytes
        .get(..size as usize)
        .map_or_else(|| mismatch(0), |part| success(part.to_vec()))
}

/// Some classes tell the length only when they have answered.
fn quiet(answer: Answer) -> Answer {
    let length = if answer.status.is_success() {
        answer.length
    } else {
        0
    };
    Answer { length, ..answer }
}

/// SYSTEM_PERFORMANCE_INFORMATION of NT 5.2. What is not kept is 0.
fn performance(facts: PerformanceFacts) -> Vec<u8> {
    const SIZE: usize = 0x138;
    const AVAILABLE_PAGES: usize = 0x2C;
    let mut out = vec![0; SIZE];
    let numbers = [facts.available, facts.committed, facts.limit]
        .map(u32::to_le_bytes)
        .concat();
    out[AVAILABLE_PAGES..][..numbers.len()].copy_from_slice(&numbers);
    out
}

fn processes(facts: &dyn Facts, form: Architecture, size: u32, at: u64) -> Answer {
    let mut out: Vec<u8> = Vec::new();
    let processes = facts.processes();
    let last = processes.len().saturating_sub(1);
    for (index, process) in processes.into_iter().enumerate() {
        let start = out.len();
        let fixed =
            form.size_of::<ProcessEntry>() + process.threads.len() * form.size_of::<ThreadEntry>();
        let name = process.name.len() * 2;
        // NT leaves room for a terminator and rounds up to 8.
        let room = if name == 0 {
            0
        } else {
            (name + 2).next_multiple_of(8)
        };
        let mut entry = process.entry;
        entry.next = if index == last {
            0
        } else {
            (fixed + room) as u32
        };
        entry.threads = process.threads.len() as u32;
        entry.name = UnicodeString {
            length: name as u16,
            maximum_length: room as u16,
            ..UnicodeString::default()
        };
        if name != 0 {
            entry.name.buffer = at.wrapping_add((start + fixed) as u64);
        }
        out.extend(form.bytes_of(entry));
        process
            .threads
            .iter()
            .for_each(|&thread| out.extend(form.bytes_of(thread)));
        put_text(&mut out, &process.name);
        out.resize(start + fixed + room, 0);
    }
    at_least(&out, size)
}

fn modules(facts: &dyn Facts, form: Architecture, size: u32) -> Answer {
    // Three words, then size, flags, two indices, two counts, and room for the path.
    let word = form.size_of::<Word>();
    let numbers = 3 * word;
    let path_at = numbers + 0x10;
    let whole = path_at + 0x100;
    let modules = facts.modules();
    let mut out = vec![0; word];
    out[..4].copy_from_slice(&(modules.len() as u32).to_le_bytes());
    for (index, module) in modules.iter().enumerate() {
        let mut entry = vec![0; whole];
        let path = module.path.as_bytes();
        let path = path.get(..path.len().min(255)).unwrap_or_default();
        let file = path
            .iter()
            .rposition(|&byte| byte == b'\\')
            .map_or(0, |slash| slash + 1);
        let mut put = |at: usize, bytes: &[u8]| {
            if let Some(place) = entry.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        };
        put(2 * word, &form.bytes_of(Word(module.base)));
        put(numbers, &module.size.to_le_bytes());
        put(numbers + 8, &(index as u16).to_le_bytes());
        put(numbers + 0xC, &1_u16.to_le_bytes());
        put(numbers + 0xE, &(file as u16).to_le_bytes());
        put(path_at, path);
        out.extend(entry);
    }
    let mut answer = at_least(&out, size);
    if !answer.status.is_success() {
        // As many whole entries as fit are there, and the count of all.
        let fits = (size as usize)
            .checked_sub(word)
            .map_or(0, |room| word + room / whole * whole);
        answer.bytes = out.get(..fits).unwrap_or_default().to_vec();
    }
    answer
}

fn page_files(facts: &dyn Facts, form: Architecture, size: u32, at: u64) -> Answer {
    let mut out: Vec<u8> = Vec::new();
    let files = facts.page_files();
    let head = form.size_of::<PageFileInformation>();
    if files.is_empty() && (size as usize) < head {
        return mismatch(head);
    }
    let last = files.len().saturating_sub(1);
    for (index, file) in files.iter().enumerate() {
        let start = out.len();
        let text = file.path.len() * 2;
        let whole = (head + text + 2).next_multiple_of(8);
        let name = UnicodeString {
            length: text as u16,
            maximum_length: (text + 2) as u16,
            buffer: at.wrapping_add((start + head) as u64),
            ..UnicodeString::default()
        };
        let next = if index == last { 0 } else { whole as u32 };
        out.extend(form.bytes_of(PageFileInformation {
            next,
            total: file.total,
            used: file.used,
            peak: file.peak,
            name,
        }));
        put_text(&mut out, &file.path);
        out.resize(start + whole, 0);
    }
    at_least(&out, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::utf16;

    struct Some;

    impl Facts for Some {
        fn basic(&self) -> BasicInformation {
            BasicInformation {
                page_size: 0x1000,
                physical_pages: 0x8000,
                processors: 1,
                ..BasicInformation::default()
            }
        }
        fn processor(&self) -> ProcessorInformation {
            ProcessorInformation {
                architecture: 9,
                level: 15,
                revision: 0x6B01,
                ..ProcessorInformation::default()
            }
        }
        fn performance(&self) -> PerformanceFacts {
            PerformanceFacts {
                available: 5,
                committed: 6,
                limit: 7,
            }
        }
        fn time_of_day(&self) -> TimeOfDay {
            TimeOfDay {
                now: 7,
                ..TimeOfDay::default()
            }
        }
        fn flags(&self) -> u32 {
            4
        }
        fn object_security_mode(&self) -> u32 {
            1
        }
        fn processes(&self) -> Vec<ProcessFacts> {
            let process = |id, name: &str| ProcessFacts {
                entry: ProcessEntry {
                    process: id,
                    ..ProcessEntry::default()
                },
                name: utf16(name),
                threads: vec![ThreadEntry::default()],
            };
            vec![process(0, ""), process(4, "System")]
        }
        fn modules(&self) -> Vec<ModuleFacts> {
            vec![ModuleFacts {
                path: "\\SystemRoot\\System32\\win32k.sys".into(),
                base: 0xFFFF_F97F_FF00_0000,
                size: 0x1000,
            }]
        }
        fn page_files(&self) -> Vec<PageFileFacts> {
            vec![
                PageFileFacts {
                    path: utf16("\\??\\C:\\pagefile.sys"),
                    total: 256,
                    ..PageFileFacts::default()
                };
                2
            ]
        }
        fn range_start(&self) -> u64 {
            0xFFFF_0800_0000_0000
        }
    }

    fn of(class: u32, size: u32) -> (Status, usize, u32) {
        let answer = query(&Some, Architecture::Amd64, class, size, 0x10000);
        (answer.status, answer.bytes.len(), answer.length)
    }

    #[test]
    fn spec_0_4_each_class_has_its_rule_for_the_size() {
        let mismatch = Status::INFO_LENGTH_MISMATCH;
        assert_eq!(of(class::BASIC, 0x40), (Status::SUCCESS, 0x40, 0x40));
        assert_eq!(of(class::BASIC, 0x41), (mismatch, 0, 0x40));
        assert_eq!(of(class::PROCESSOR, 0x10), (Status::SUCCESS, 0xC, 0xC));
        assert_eq!(of(class::PROCESSOR, 0xB), (mismatch, 0, 0xC));
        assert_eq!(
            of(class::PERFORMANCE, 0x138),
            (Status::SUCCESS, 0x138, 0x138)
        );
        assert_eq!(of(class::PERFORMANCE, 0x137), (mismatch, 0, 0x138));
        assert_eq!(
            query(&Some, Architecture::Amd64, class::PERFORMANCE, 0x138, 0).bytes[0x2C..0x38],
            [5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0]
        );
        assert_eq!(of(class::TIME_OF_DAY, 0x20), (Status::SUCCESS, 0x20, 0x20));
        assert_eq!(of(class::TIME_OF_DAY, 0x31), (mismatch, 0, 0));
        assert_eq!(of(class::FLAGS, 4), (Status::SUCCESS, 4, 4));
        assert_eq!(of(class::FLAGS, 8), (mismatch, 0, 0));
        assert_eq!(of(class::KERNEL_DEBUGGER, 1), (mismatch, 0, 0));
        assert_eq!(of(class::OBJECT_SECURITY_MODE, 4), (Status::SUCCESS, 4, 0));
        assert_eq!(of(class::OBJECT_SECURITY_MODE, 8), (mismatch, 0, 0));
        assert_eq!(
            query(
                &Some,
                Architecture::Amd64,
                class::OBJECT_SECURITY_MODE,
                4,
                0
            )
            .bytes,
            [1, 0, 0, 0]
        );
        assert_eq!(of(4, 0x1000).0, Status::NOT_IMPLEMENTED);
        assert_eq!(of(CLASS_LIMIT, 0).0, Status::INVALID_INFO_CLASS);
        assert_eq!(of(u32::MAX, 0).0, Status::INVALID_INFO_CLASS);
    }

    #[test]
    fn processes_are_chained_and_their_names_lie_behind_them() {
        let whole = 0x100 + 0x50 + 0x100 + 0x50 + 0x10;
        assert_eq!(
            of(class::PROCESS, whole - 1),
            (Status::INFO_LENGTH_MISMATCH, 0, whole)
        );
        let answer = query(&Some, Architecture::Amd64, class::PROCESS, whole, 0x10000).bytes;
        assert_eq!(answer[0..4], 0x150_u32.to_le_bytes());
        assert_eq!(answer[0x150..0x154], 0_u32.to_le_bytes());
        assert_eq!(answer[0x150 + 0x38..][..4], [12, 0, 16, 0]);
        assert_eq!(
            answer[0x150 + 0x40..][..8],
            (0x10000_u64 + 0x2A0).to_le_bytes()
        );
        assert_eq!(answer[0x2A0..0x2A4], [0x53, 0, 0x79, 0]);
    }

    #[test]
    fn spec_14_21_paging_files_are_listed_with_their_paths() {
        let answer = query(
            &Some,
            Architecture::Amd64,
            class::PAGE_FILE,
            0x1000,
            0x10000,
        );
        let whole = (0x20_usize + 2 * 19 + 2).next_multiple_of(8);
        assert_eq!(
            (answer.status, answer.bytes.len()),
            (Status::SUCCESS, 2 * whole)
        );
        assert_eq!(answer.bytes[..4], (whole as u32).to_le_bytes());
        assert_eq!(answer.bytes[4..8], 256_u32.to_le_bytes());
        assert_eq!(answer.bytes[0x18..0x20], 0x10020_u64.to_le_bytes());
    }

    #[test]
    fn spec_14_28_a_module_list_gives_what_fits_and_the_length_of_all() {
        assert_eq!(of(class::MODULE, 0x130), (Status::SUCCESS, 0x130, 0x130));
        assert_eq!(
            of(class::MODULE, 0x12F),
            (Status::INFO_LENGTH_MISMATCH, 8, 0x130)
        );
        assert_eq!(
            of(class::MODULE, 4),
            (Status::INFO_LENGTH_MISMATCH, 0, 0x130)
        );
        let answer = query(&Some, Architecture::Amd64, class::MODULE, 0x130, 0).bytes;
        assert_eq!((answer[0], answer[8 + 0x26]), (1, 21));
    }
}
