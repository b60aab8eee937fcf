// SPDX-License-Identifier: GPL-2.0-or-later
//! Bringing a hive file up to date from its logs, `.LOG`, `.LOG1` and `.LOG2`.
//!
//! NT writes what has changed to a log first and to the hive's file then; a file that was not
//! written to its end says so in its base block, and a log has what is missing. There are two
//! formats: one bitmap of dirty pages (`DIRT`, until NT 6.2), and a list of entries with numbers and
//! hashes (`HvLE`, from then on). Source: M. Suhanov's specification of the file format.
//!
//! Invariants: a log that is not whole, or not this hive's, changes nothing; of a list of entries
//! everything up to the first bad one counts, in the order of the numbers and without a gap.

use super::read::checksum;
use super::{BASE_BLOCK, Hive, HiveError};
use crate::bytes::u32_at;
use alloc::vec::Vec;

/// Bytes of a base block that a log has, and the unit of its parts.
const SECTOR: usize = 512;
const SEQUENCE: [usize; 2] = [4, 8];
const TIME: core::ops::Range<usize> = 0xC..0x14;
const KIND: usize = 0x1C;
const BINS_BYTES: usize = 0x28;
const CHECKSUM: usize = 0x1FC;
/// Kinds of files: a hive itself, logs of the old format, a log of the new one.
const PRIMARY: u32 = 0;
const OLD_LOG: [u32; 2] = [1, 2];
const NEW_LOG: u32 = 6;
/// Bytes of an entry in front of its page references.
const ENTRY: usize = 40;
/// The largest hive, of which the numbers in a log may speak: 2 GB.
const LARGEST: usize = 0x7FFF_F000;
/// What NT seeds the hashes of log entries with.
const SEED: [u32; 2] = [0x7A4E_55C5, 0x82EF_4D88];

impl Hive {
    /// Whether a hive file was not written to its end: [`Hive::parse`] refuses it, and its logs may
    /// have what is missing.
    pub fn is_dirty(file: &[u8]) -> bool {
        let [first, second] = SEQUENCE.map(|at| u32_at(file, at));
        file.get(..4) == Some(b"regf") && (first != second || !is_sound(file))
    }

    /// Reads a hive file that may be dirty; `logs` are those of its logs that there are: `.LOG`,
    /// `.LOG1` and `.LOG2`. Whether they were needed.
    ///
    /// # Errors
    /// As [`Hive::parse`], which refuses a dirty file that no log applies to.
    pub fn parse_with_logs(file: &[u8], logs: &[&[u8]]) -> Result<(Self, bool), HiveError> {
        if !Self::is_dirty(file) {
            return Self::parse(file).map(|hive| (hive, false));
        }
        let recovered = logs
            .iter()
            .find_map(|log| old_log(file, log))
            .or_else(|| new_logs(file, logs));
        Self::parse(recovered.as_deref().unwrap_or(file)).map(|hive| (hive, true))
    }
}

fn is_sound(base: &[u8]) -> bool {
    let part = base.get(..SECTOR).unwrap_or_default();
    part.get(..4) == Some(b"regf") && u32_at(part, CHECKSUM) == checksum(part)
}

/// The base block of a log that was written to its end, and its kind.
fn header(log: &[u8]) -> Option<(&[u8], u32)> {
    let base = log.get(..SECTOR).filter(|base| is_sound(base))?;
    let [first, second] = SEQUENCE.map(|at| u32_at(base, at));
    (first == second).then(|| (base, u32_at(base, KIND)))
}

fn put32(file: &mut [u8], at: usize, value: u32) {
    file[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// A copy of the file with room for this many bytes of bins.
fn resized(file: &[u8], bins: usize) -> Option<Vec<u8>> {
    if file.len() < BASE_BLOCK || bins > LARGEST {
        return None;
    }
    let mut file = file.to_vec();
    file.resize(file.len().max(BASE_BLOCK + bins), 0);
    Some(file)
}

/// Gives the file a base block that is sound: both numbers the same, a file of bins so large.
fn finish(file: &mut [u8], sequence: u32, bins: u32) {
    for at in SEQUENCE {
        put32(file, at, sequence);
    }
    put32(file, KIND, PRIMARY);
    put32(file, BINS_BYTES, bins);
    let sum = checksum(file);
    put32(file, CHECKSUM, sum);
}

/// The file with the pages of a log of the old format, if it is the log of this very file.
fn old_log(file: &[u8], log: &[u8]) -> Option<Vec<u8>> {
    let (base, kind) = header(log)?;
    // Without a base block of its own the file has its time in its first bin.
    let time = if is_sound(file) {
        file.get(TIME)?
    } else {
        file.get(BASE_BLOCK + 0x14..BASE_BLOCK + 0x1C)?
    };
    if !OLD_LOG.contains(&kind) || base.get(TIME)? != time {
        return None;
    }
    let bins = u32_at(base, BINS_BYTES) as usize;
    let vector = log.get(SECTOR..)?.strip_prefix(b"DIRT")?;
    let bitmap = vector.get(..bins.div_ceil(8 * SECTOR))?;
    let mut pages = log
        .get((SECTOR + 4 + bitmap.len()).next_multiple_of(SECTOR)..)?
        .chunks_exact(SECTOR);
    let mut out = resized(file, bins)?;
    for page in 0..bins / SECTOR {
        if bitmap.get(page / 8)? >> (page % 8) & 1 == 1 {
            let at = BASE_BLOCK + page * SECTOR;
            out.get_mut(at..at + SECTOR)?.copy_from_slice(pages.next()?);
        }
    }
    out.get_mut(..SECTOR)?.copy_from_slice(base);
    finish(&mut out, u32_at(base, SEQUENCE[0]), bins as u32);
    Some(out)
}

/// An entry of a log of the new format, found whole.
#[derive(Clone, Copy)]
struct Entry<'l> {
    sequence: u32,
    bins: u32,
    count: usize,
    /// References to pages, and the pages.
    rest: &'l [u8],
}

impl<'l> Entry<'l> {
    /// The entry at the start of `bytes`, and its size.
    fn read(bytes: &'l [u8]) -> Option<(Self, usize)> {
        let size = u32_at(bytes, 4) as usize;
        let entry = bytes.get(..size).filter(|entry| entry.len() >= ENTRY)?;
        if entry.get(..4)? != b"HvLE" || !size.is_multiple_of(SECTOR) {
            return None;
        }
        let rest = entry.get(ENTRY..)?;
        let hashes = [marvin(rest), marvin(entry.get(..32)?)];
        if entry.get(24..40)? != hashes.concat() {
            return None;
        }
        let this = Self {
            sequence: u32_at(entry, 12),
            bins: u32_at(entry, 16),
            count: u32_at(entry, 20) as usize,
            rest,
        };
        Some((this, size))
    }

    /// Writes the pages into a file that is large enough.
    fn apply(&self, file: &mut [u8]) -> Option<()> {
        let mut pages = self.rest.get(self.count.checked_mul(8)?..)?;
        for reference in self.rest.chunks_exact(8).take(self.count) {
            let (at, size) = (u32_at(reference, 0) as usize, u32_at(reference, 4) as usize);
            let (page, others) = pages.split_at_checked(size)?;
            let at = BASE_BLOCK.checked_add(at)?;
            file.get_mut(at..at.checked_add(size)?)?
                .copy_from_slice(page);
            pages = others;
        }
        Some(())
    }
}

/// The file with the entries of all logs of the new format that come after it, if there are any.
fn new_logs(file: &[u8], logs: &[&[u8]]) -> Option<Vec<u8>> {
    let whole = |log: &&[u8]| header(log).is_some_and(|(_, kind)| kind == NEW_LOG);
    let mut entries = Vec::new();
    for log in logs.iter().copied().filter(whole) {
        let mut rest = log.get(SECTOR..)?;
        while let Some((entry, size)) = Entry::read(rest) {
            entries.push(entry);
            rest = rest.get(size..)?;
        }
    }
    entries.sort_by_key(|entry| entry.sequence);
    let mut out = file.to_vec();
    let mut next = if is_sound(file) {
        u32_at(file, SEQUENCE[0])
    } else {
        let (base, _) = header(logs.iter().copied().find(whole)?)?;
        out.get_mut(..SECTOR)?.copy_from_slice(base);
        entries.first()?.sequence
    };
    let first = next;
    let mut applied = None;
    for entry in entries.iter().filter(|entry| entry.sequence >= first) {
        let mut with = resized(&out, entry.bins as usize)?;
        // The first may have a higher number than the file's own; then there is no gap.
        let follows = applied.is_none() || entry.sequence == next;
        if !follows || entry.apply(&mut with).is_none() {
            break;
        }
        out = with;
        next = entry.sequence.wrapping_add(1);
        applied = Some((entry.sequence, entry.bins));
    }
    let (sequence, bins) = applied?;
    finish(&mut out, sequence, bins);
    Some(out)
}

/// The Marvin32 hash of some bytes, with NT's seed for hives.
fn marvin(bytes: &[u8]) -> [u8; 8] {
    let [mut low, mut high] = SEED;
    let mut mix = |word: u32| {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    let words = bytes.chunks_exact(4);
    let end = words
        .remainder()
        .iter()
        .rev()
        .fold(0x80, |end, &byte| end << 8 | u32::from(byte));
    words.for_each(|word| mix(u32_at(word, 0)));
    mix(end);
    mix(0);
    let mut hash = [0; 8];
    hash[..4].copy_from_slice(&low.to_le_bytes());
    hash[4..].copy_from_slice(&high.to_le_bytes());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::utf16;
    use alloc::vec;
    use nt::{UnicodeStr, wide};

    /// A hive whose values say which state it is.
    fn state(number: u8, values: usize) -> Vec<u8> {
        let mut hive = Hive::new(wide!("R"));
        hive.minor_version = 5;
        hive.sequence = u32::from(number);
        // The root stays where it is, whatever is below it.
        let key = hive.create_path(hive.root(), wide!("K"), false, 0).unwrap();
        for at in 0..values {
            let name = utf16(&std::format!("v{at}"));
            let data = vec![number; 1000];
            hive.set_value(key, UnicodeStr(&name), 3, data, 0).unwrap();
        }
        hive.serialise(99)
    }

    fn dirty(file: &[u8]) -> Vec<u8> {
        let mut file = file.to_vec();
        let sequence = u32_at(&file, 4) + 1;
        put32(&mut file, 4, sequence);
        let sum = checksum(&file);
        put32(&mut file, CHECKSUM, sum);
        file
    }

    fn log_base(file: &[u8], kind: u32) -> Vec<u8> {
        let mut base = file[..SECTOR].to_vec();
        put32(&mut base, KIND, kind);
        let sum = checksum(&base);
        put32(&mut base, CHECKSUM, sum);
        base
    }

    fn old(file: &[u8]) -> Vec<u8> {
        let bins = &file[BASE_BLOCK..];
        let mut log = log_base(file, 1);
        log.extend(b"DIRT");
        log.resize(log.len() + bins.len() / SECTOR / 8, 0xFF);
        log.resize(log.len().next_multiple_of(SECTOR), 0);
        log.extend(bins);
        log
    }

    /// An entry with these pages of the file's bins.
    fn entry(file: &[u8], sequence: u32, pages: core::ops::Range<usize>) -> Vec<u8> {
        let bins = &file[BASE_BLOCK..];
        let mut rest = Vec::new();
        for page in pages.clone() {
            rest.extend((page as u32 * 4096).to_le_bytes());
            rest.extend(4096u32.to_le_bytes());
        }
        for page in pages.clone() {
            rest.extend(&bins[page * 4096..][..4096]);
        }
        rest.resize((ENTRY + rest.len()).next_multiple_of(SECTOR) - ENTRY, 0);
        let mut entry = b"HvLE".to_vec();
        let count = pages.len() as u32;
        for word in [
            (ENTRY + rest.len()) as u32,
            0,
            sequence,
            bins.len() as u32,
            count,
        ] {
            entry.extend(word.to_le_bytes());
        }
        entry.extend(marvin(&rest));
        entry.extend(marvin(&entry));
        entry.extend(rest);
        entry
    }

    fn value(file: &[u8], logs: &[&[u8]]) -> Option<(usize, u8)> {
        let (hive, _) = Hive::parse_with_logs(file, logs).ok()?;
        let key = hive.find(hive.root(), wide!("K"))?;
        let values = hive.key(key)?.values();
        Some((values.len(), values[0].data[0]))
    }

    #[test]
    fn the_hash_is_marvin32() {
        for (text, folded) in [
            ("", 0xB008_92AC_u32),
            ("h", 0xF41A_608E),
            ("he", 0x1110_7C6B),
            ("hel", 0x2405_6A46),
            ("hello, world!", 0x00C1_8515),
        ] {
            let hash = marvin(text.as_bytes());
            assert_eq!(u32_at(&hash, 0) ^ u32_at(&hash, 4), folded, "{text}");
        }
    }

    #[test]
    fn a_log_of_dirty_pages_brings_the_file_up_to_date() {
        let (before, after) = (state(1, 3), state(2, 40));
        let log = old(&after);
        let file = dirty(&before);
        assert_eq!(value(&file, &[]), None, "it is refused without a log");
        assert_eq!(value(&file, &[&log]), Some((40, 2)));
        assert_eq!(value(&before, &[&log]), Some((3, 1)), "it is not needed");
        let mut without_base = file.clone();
        without_base[CHECKSUM] ^= 1;
        without_base[BASE_BLOCK + 0x14..][..8].copy_from_slice(&99u64.to_le_bytes());
        assert_eq!(value(&without_base, &[&log]), Some((40, 2)));
        let mut of_another_time = log.clone();
        of_another_time[0xC] ^= 1;
        let sum = checksum(&of_another_time);
        put32(&mut of_another_time, CHECKSUM, sum);
        assert_eq!(value(&file, &[&of_another_time]), None);
        for length in (0..log.len()).step_by(SECTOR) {
            assert_eq!(value(&file, &[&log[..length]]), None, "{length} bytes");
        }
    }

    #[test]
    fn log_entries_are_applied_in_their_order_up_to_the_first_bad_one() {
        let (first, second, third) = (state(1, 3), state(2, 40), state(3, 60));
        let pages = |file: &[u8]| 0..(file.len() - BASE_BLOCK) / 4096;
        let base = log_base(&second, NEW_LOG);
        let old_entry = entry(&first, 1, pages(&first));
        let one = [&base[..], &old_entry, &entry(&second, 2, pages(&second))].concat();
        let two = [&base[..], &entry(&third, 3, pages(&third))].concat();
        let file = dirty(&first);
        assert_eq!(value(&file, &[&one, &two]), Some((60, 3)));
        assert_eq!(value(&file, &[&two, &one]), Some((60, 3)));
        assert_eq!(value(&file, &[&one]), Some((40, 2)));
        let mut bad = two.clone();
        *bad.last_mut().unwrap() ^= 1;
        assert_eq!(value(&file, &[&one, &bad]), Some((40, 2)));
        let mut without_base = file.clone();
        without_base[CHECKSUM] ^= 1;
        assert_eq!(value(&without_base, &[&one, &two]), Some((60, 3)));
        let gap = [&base[..], &entry(&third, 5, pages(&third))].concat();
        assert_eq!(value(&file, &[&one, &gap]), Some((40, 2)));
    }
}
