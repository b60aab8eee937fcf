// SPDX-License-Identifier: GPL-2.0-or-later
//! The machine of a history: its volumes, the renames that are pending on them, and how its power
//! goes.

use crate::random::Random;
use executive::host::{DiskEvent, MemoryDisk, VolumeImage, World, after_power_cut};
use executive::machine::DiskKind;
use formats::hive::reg_text::string_data;
use formats::sectors::SECTOR;

/// Where the files are that are to be renamed, and where to.
const FROM: &str = "\\from";
const TO: &str = "\\to";

/// Another disk than that of C:.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// A FAT volume.
    Formatted,
    /// The same, but nothing can be written.
    ReadOnly,
    /// The same, on a medium that can be taken out.
    Removable,
    /// A disk that nobody has formatted.
    Blank,
    /// A disc without a file system.
    CdRom,
}

/// The disks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// MiB of C: beyond the least.
    pub more: usize,
    /// Part of C:'s least size that is full, in eighths.
    pub full: usize,
    /// The others.
    pub others: Vec<Other>,
}

/// MiB of the least C:.
pub const LEAST: usize = 10;

impl Machine {
    /// The disks of a history.
    pub fn draw(random: &mut Random) -> Self {
        const OTHERS: &[Other] = &[
            Other::Formatted,
            Other::ReadOnly,
            Other::Removable,
            Other::Blank,
            Other::CdRom,
        ];
        let more = if random.one_in(12) { 48 } else { 0 };
        let full = if random.one_in(4) {
            random.below(7) as usize
        } else {
            0
        };
        let others = if random.one_in(4) {
            (0..=random.below(2))
                .map(|_| *random.pick(OTHERS))
                .collect()
        } else {
            Vec::new()
        };
        Self { more, full, others }
    }

    /// How much there is in it.
    pub fn size(&self) -> usize {
        self.more / 16 + self.full + self.others.len()
    }

    /// MiB of C:.
    pub const fn mebibytes(&self) -> usize {
        LEAST + self.more
    }

    /// Fills C: and adds the other disks.
    pub fn furnish(&self, world: &mut World) {
        if self.full > 0 {
            let filler = vec![0xE5; self.full * (LEAST << 20) / 8];
            world.file("\\filler.bin", &filler);
        }
        for other in &self.others {
            world.disk(other.disk());
        }
    }
}

impl Other {
    fn disk(self) -> MemoryDisk {
        let formatted = || {
            let volume = VolumeImage::new(9).and_then(VolumeImage::into_bytes);
            MemoryDisk::fixed(volume.expect("a volume of 9 MiB can be made"))
        };
        match self {
            Self::Formatted => formatted(),
            Self::ReadOnly => {
                let mut disk = formatted();
                disk.disk.read_only = true;
                disk
            }
            Self::Removable => {
                let mut disk = formatted();
                disk.disk.kind = DiskKind::Removable;
                disk
            }
            Self::Blank => MemoryDisk::fixed(vec![0; 1 << 20]),
            Self::CdRom => MemoryDisk::cd_rom(vec![0; 1 << 20]),
        }
    }
}

/// A pending operation on a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rename {
    /// To another directory.
    Move,
    /// The same over a file that stands there.
    Replace,
    /// The file that stands there is deleted by an operation of its own before: to repeat that once
    /// the other is done would lose both contents.
    Clear,
    /// The file goes.
    Delete,
}

impl Rename {
    /// One of them.
    pub fn draw(random: &mut Random) -> Self {
        *random.pick(&[
            Self::Move,
            Self::Move,
            Self::Replace,
            Self::Clear,
            Self::Delete,
        ])
    }

    /// Where file `number` is, and where it is to be.
    pub fn paths(number: usize) -> (String, String) {
        let name = format!("{number}.txt");
        (format!("{FROM}\\{name}"), format!("{TO}\\{name}"))
    }

    /// What is in file `number`, and what was in the one that it replaces.
    pub fn contents(number: usize) -> (Vec<u8>, Vec<u8>) {
        let content = |what: &str| format!("the {what} content of file {number}").into_bytes();
        (content("new"), content("old"))
    }

    /// Puts the files there.
    pub fn furnish(self, number: usize, world: &mut World) {
        let ((from, to), (new, old)) = (Self::paths(number), Self::contents(number));
        world.directory(TO);
        world.file(&from, &new);
        if matches!(self, Self::Replace | Self::Clear) {
            world.file(&to, &old);
        }
    }

    /// The strings of the registry, two an operation.
    pub fn strings(self, number: usize) -> Vec<String> {
        let (from, to) = Self::paths(number);
        let (from, to) = (format!("\\??\\C:{from}"), format!("\\??\\C:{to}"));
        match self {
            Self::Move => vec![from, to],
            Self::Replace => vec![from, format!("!{to}")],
            Self::Clear => vec![to.clone(), String::new(), from, to],
            Self::Delete => vec![from, String::new()],
        }
    }

    /// What of file `number` is wrong, as its two places hold these contents. `done`: the work must
    /// be done, and has not been disturbed.
    pub fn fault(
        self,
        number: usize,
        from: Option<Vec<u8>>,
        to: Option<Vec<u8>>,
        done: bool,
    ) -> Option<String> {
        let (new, old) = Self::contents(number);
        let (from, to) = (from.as_deref(), to.as_deref());
        let (new, old) = (Some(&new[..]), Some(&old[..]));
        let right = match self {
            Self::Move if done => from.is_none() && to == new,
            Self::Move => (from == new && to.is_none()) || (from.is_none() && to == new),
            Self::Replace | Self::Clear if done => from.is_none() && to == new,
            // Replaced by removing the old one first: it may be gone before the new one is there.
            Self::Replace | Self::Clear => {
                (from == new && (to == old || to.is_none())) || (from.is_none() && to == new)
            }
            Self::Delete if done => from.is_none(),
            Self::Delete => from.is_none() || from == new,
        };
        let text = |bytes: Option<&[u8]>| match bytes {
            None => "nothing".to_owned(),
            Some(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        };
        (!right).then(|| {
            format!(
                "{self:?} of file {number}: {} at its old place, {} at its new one",
                text(from),
                text(to)
            )
        })
    }
}

/// A list of strings as a value's data.
pub fn multi(texts: &[String]) -> Vec<u8> {
    texts
        .iter()
        .flat_map(|text| string_data(text))
        .chain([0, 0])
        .collect()
}

/// How the power goes in a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerCut {
    /// After which part of what the disk is asked to do in that boot, in thousandths.
    pub after: u64,
    /// Which of the writes since the last flush have reached the medium is drawn from this.
    pub seed: u64,
    /// Bytes of one more sector that have.
    pub torn: usize,
}

impl PowerCut {
    /// One of them.
    pub const fn draw(random: &mut Random) -> Self {
        Self {
            after: random.below(1001),
            seed: random.bits(),
            torn: if random.one_in(2) {
                random.below(SECTOR as u64) as usize
            } else {
                0
            },
        }
    }

    /// What is on a medium that began as `start` and was asked for `journal`.
    pub fn medium(&self, start: &[u8], journal: &[DiskEvent]) -> Vec<u8> {
        let until = (journal.len() as u64 * self.after / 1000) as usize;
        let (before, after) = journal.split_at(until);
        let mut random = Random::new(self.seed);
        let mut bytes = after_power_cut(start, before, || random.one_in(2)).bytes();
        if let Some(DiskEvent::Write(sector, data)) = after.first() {
            let torn = self.torn.min(data.len());
            let at = *sector as usize * SECTOR;
            bytes[at..at + torn].copy_from_slice(&data[..torn]);
        }
        bytes
    }
}
