// SPDX-License-Identifier: GPL-2.0-or-later
//! NtQueryDirectoryFile: a directory's entries, one at a time.
//!
//! A query belongs to the open directory: its pattern is that of the first call, and each entry is
//! given once. The caller takes an entry with [`Executive::next_entry`] and, only if it went into
//! the buffer, moves on with [`Executive::entry_taken`].

use crate::ids::ThreadId;
use crate::io::file::Scan;
use crate::io::volume::FileFacts;
use crate::system::Executive;
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::case::upcase;
use nt::{Handle, Result, Status};

const STAR: u16 = 0x2A;
const QUESTION: u16 = 0x3F;
const DOS_STAR: u16 = 0x3C;
const DOS_QUESTION: u16 = 0x3E;
const DOS_DOT: u16 = 0x22;
const DOT: u16 = 0x2E;

impl Executive {
    /// The next entry that matches. `pattern` counts in the first call and after `restart`; none or
    /// empty means all.
    ///
    /// # Errors
    /// `NO_SUCH_FILE` if nothing at all matches, `NO_MORE_FILES` after the last one,
    /// `INVALID_PARAMETER` for what is no directory, and as [`resolve`](crate::ob::lifetime::Lifetimes::resolve) for
    /// `FILE_LIST_DIRECTORY`.
    pub fn next_entry(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        pattern: Option<&[u16]>,
        restart: bool,
    ) -> Result<FileFacts> {
        let (object, open) = self.file_behind(caller, handle, Access::FILE_READ_DATA)?;
        let (scan, id) = (
            open.scan.clone(),
            open.id().ok_or(Status::INVALID_PARAMETER)?,
        );
        let mut scan = match scan {
            Some(scan) if !restart || pattern.is_none() => Scan {
                next: if restart { 0 } else { scan.next },
                ..scan
            },
            _ => Scan {
                pattern: pattern
                    .unwrap_or_default()
                    .iter()
                    .map(|&unit| upcase(unit))
                    .collect(),
                next: 0,
                after: 0,
                found: false,
            },
        };
        let Self { io, machine, .. } = self;
        let volume = io.volume(id.volume)?;
        if !volume.is_directory(id.node) {
            return Err(Status::INVALID_PARAMETER);
        }
        let dots: Vec<_> = match volume.parent(id.node) {
            Some(parent) => Vec::from([(id.node, "."), (parent, "..")]),
            None => Vec::new(),
        };
        let mut result = Err(if scan.found {
            Status::NO_MORE_FILES
        } else {
            Status::NO_SUCH_FILE
        });
        loop {
            let facts = match dots.get(scan.next) {
                Some(&(node, name)) => {
                    scan.after = scan.next + 1;
                    FileFacts {
                        name: utf16(name),
                        short_name: Vec::new(),
                        ..volume.facts(node)?
                    }
                }
                None => {
                    let from = scan.next - dots.len();
                    let Some((node, behind)) = volume.next_child(&mut **machine, id.node, from)?
                    else {
                        break;
                    };
                    scan.after = behind + dots.len();
                    volume.facts(node)?
                }
            };
            let fits = |name: &[u16]| !name.is_empty() && matches(&scan.pattern, name);
            if scan.pattern.is_empty() || fits(&facts.name) || fits(&facts.short_name) {
                scan.found = true;
                result = Ok(facts);
                break;
            }
            scan.next = scan.after;
        }
        self.file_mut(object)?.scan = Some(scan);
        result
    }

    /// The entry that [`Self::next_entry`] gave is delivered.
    ///
    /// # Errors
    /// As [`resolve`](crate::ob::lifetime::Lifetimes::resolve).
    pub fn entry_taken(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        let (object, _) = self.file_behind(caller, handle, Access::empty())?;
        if let Some(scan) = &mut self.file_mut(object)?.scan {
            scan.next = scan.after;
        }
        Ok(())
    }
}

/// Whether a name matches an upcased pattern with `*`, `?` and their DOS forms `<`, `>`, `"`
/// (FsRtlIsNameInExpression).
fn matches(pattern: &[u16], name: &[u16]) -> bool {
    // Each position of the pattern that can be reached after the units read so far; no recursion,
    // so no pattern takes long.
    let mut reached: Vec<bool> = alloc::vec![false; pattern.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    let last_dot = name.iter().rposition(|&unit| unit == DOT);
    skip_empty(pattern, &mut reached, name.is_empty());
    for (at, &unit) in name.iter().enumerate() {
        let mut next = alloc::vec![false; pattern.len() + 1];
        for (position, &wanted) in pattern.iter().enumerate() {
            if !reached.get(position).copied().unwrap_or(false) {
                continue;
            }
            let (stay, step) = match wanted {
                STAR => (true, false),
                // Matches up to, and with the step also over, the last dot.
                DOS_STAR => (true, last_dot == Some(at)),
                QUESTION => (false, true),
                DOS_QUESTION => (false, unit != DOT),
                DOS_DOT => (false, unit == DOT),
                other => (false, other == upcase(unit)),
            };
            if stay && let Some(here) = next.get_mut(position) {
                *here = true;
            }
            if step && let Some(after) = next.get_mut(position + 1) {
                *after = true;
            }
        }
        reached = next;
        skip_empty(pattern, &mut reached, at + 1 == name.len());
    }
    reached.last().copied().unwrap_or(false)
}

/// Goes past the parts of the pattern that match nothing: stars anywhere, the DOS forms at the end
/// of the name.
fn skip_empty(pattern: &[u16], reached: &mut [bool], at_end: bool) {
    for (position, &wanted) in pattern.iter().enumerate() {
        let empty =
            matches!(wanted, STAR | DOS_STAR) || at_end && matches!(wanted, DOS_QUESTION | DOS_DOT);
        if empty
            && reached.get(position) == Some(&true)
            && let Some(after) = reached.get_mut(position + 1)
        {
            *after = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;
    use formats::utf16;

    #[test]
    fn patterns_match_as_they_always_have() {
        let cases = [
            ("*", "anything", true),
            ("*.*", "a.b", true),
            ("*.*", "a", false),
            ("*.EXE", "smss.exe", true),
            ("*.EXE", "smss.dll", false),
            ("S?SS.EXE", "smss.exe", true),
            ("?", "ab", false),
            ("<\"EXE", "smss.exe", true),
            ("<.EXE", "a.b.exe", true),
            (">>>", "ab", true),
            ("A>>\">>>", "a", true),
            ("", "", true),
            ("***A***", "a", true),
            ("EXACT", "exact", true),
            ("EXACT", "exactly", false),
        ];
        for (pattern, name, expected) in cases {
            let [pattern_units, name_units] = [pattern, name].map(utf16);
            assert_eq!(
                matches(&pattern_units, &name_units),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
