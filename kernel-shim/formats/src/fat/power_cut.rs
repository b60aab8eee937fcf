// SPDX-License-Identifier: GPL-2.0-or-later
//! The power goes at any write of any operation, and the writes since the last flush reach the
//! medium in any order: after the next mount the volume is as it was before the operation, or as it
//! is after it, and no cluster has two owners.

use super::tests::{content, fresh, make, make_directory, pattern, text, tree};
use super::*;
use crate::sectors::{MemoryDevice, Overlay};
use crate::utf16;
use alloc::vec;
use nt::UnicodeStr;
use std::string::String;

/// What a disk was asked to do.
#[derive(Clone)]
pub(super) enum Event {
    Write(u64, Vec<u8>),
    Flush,
}

/// A device that keeps every sector written to it, and every flush, in order.
pub(super) struct Recorder<D = MemoryDevice> {
    pub inner: D,
    pub log: Vec<Event>,
}

impl<D: Sectors> Sectors for Recorder<D> {
    fn count(&self) -> u64 {
        self.inner.count()
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<()> {
        self.inner.read(sector, buffer)
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<()> {
        for (at, bytes) in (sector..).zip(data.chunks_exact(SECTOR)) {
            self.log.push(Event::Write(at, bytes.to_vec()));
        }
        self.inner.write(sector, data)
    }

    fn flush(&mut self) -> Result<()> {
        self.log.push(Event::Flush);
        Ok(())
    }
}

/// One call, and what it is called.
type Step = fn(&mut FatVolume, &mut dyn Sectors) -> Result<()>;

fn find(volume: &mut FatVolume, device: &mut dyn Sectors, path: &str) -> NodeId {
    path.split('\\')
        .filter(|name| !name.is_empty())
        .fold(volume.root(), |at, name| {
            volume.lookup(device, at, &utf16(name)).unwrap()
        })
}

fn create(v: &mut FatVolume, d: &mut dyn Sectors, name: &str, attributes: u32) -> Result<()> {
    v.create(d, ROOT, UnicodeStr(&utf16(name)), attributes)
        .map(|_| ())
}

fn rename(v: &mut FatVolume, d: &mut dyn Sectors, from: &str, to: &str, name: &str) -> Result<()> {
    let (id, to) = (find(v, d, from), find(v, d, to));
    v.rename(d, id, to, UnicodeStr(&utf16(name)), true)
}

const STEPS: &[(&str, Step)] = &[
    ("create", |v, d| {
        create(v, d, "a new file with a long name", FileAttributes::ARCHIVE)
    }),
    ("write", |v, d| {
        let id = find(v, d, "a new file with a long name");
        v.write(d, id, 0, &pattern(3000, 5))
    }),
    ("extend", |v, d| {
        let id = find(v, d, "dir\\moved");
        v.write(d, id, 5000, &pattern(9000, 3))
    }),
    ("extend with a gap", |v, d| {
        let id = find(v, d, "dir\\moved");
        v.write(d, id, 20_000, &pattern(100, 3))
    }),
    ("create directory", |v, d| {
        create(v, d, "a new directory", FileAttributes::DIRECTORY)
    }),
    ("create paging file", |v, d| {
        create(v, d, "pagefile.sys", FileAttributes::SYSTEM)
    }),
    ("extend paging file", |v, d| {
        let id = find(v, d, "pagefile.sys");
        v.set_size(d, id, 1 << 18, Fill::Zero)
    }),
    ("truncate", |v, d| {
        let id = find(v, d, "dir\\moved");
        v.set_size(d, id, 3000, Fill::Zero)
    }),
    ("rename", |v, d| {
        rename(v, d, "dir\\moved", "dir", "another long name")
    }),
    ("rename to a short name", |v, d| {
        rename(v, d, "dir\\another long name", "dir", "B.TXT")
    }),
    ("move", |v, d| rename(v, d, "dir\\B.TXT", "", "moved here")),
    ("replace", |v, d| rename(v, d, "moved here", "", "replaced")),
    ("replace by an empty file", |v, d| {
        rename(v, d, "an empty file", "dir", "second one")
    }),
    ("move an empty file", |v, d| {
        rename(v, d, "dir\\second one", "", "empty again")
    }),
    ("move directory", |v, d| {
        rename(v, d, "dir", "kept directory", "dir under another")
    }),
    ("truncate to nothing", |v, d| {
        let id = find(v, d, "replaced");
        v.set_size(d, id, 0, Fill::Zero)
    }),
    ("set attributes", |v, d| {
        let id = find(v, d, "replaced");
        v.set_basic(d, id, Some(FileAttributes::HIDDEN), [None; 3])
    }),
    ("delete", |v, d| {
        let id = find(v, d, "a new file with a long name");
        v.delete(d, id)
    }),
    ("delete directory", |v, d| {
        let id = find(v, d, "a new directory");
        v.delete(d, id)
    }),
    ("settle", |v, d| v.settle(d)),
];

/// What the steps begin with. `dir` is so full that one more long name makes it grow.
fn start(kind: Kind) -> (MemoryDevice, FatVolume) {
    let (mut device, mut volume) = fresh(kind);
    let d = &mut device;
    let dir = make_directory(&mut volume, d, ROOT, "dir");
    make(&mut volume, d, dir, "moved", &pattern(5000, 1));
    make(&mut volume, d, dir, "second one", &pattern(700, 9));
    make(&mut volume, d, ROOT, "kept file", &pattern(5000, 2));
    make(&mut volume, d, ROOT, "replaced", &pattern(700, 3));
    make(&mut volume, d, ROOT, "an empty file", &[]);
    make_directory(&mut volume, d, ROOT, "kept directory");
    for number in 0..9 {
        make(&mut volume, d, ROOT, &std::format!("{number}"), b"x");
    }
    volume.settle(d).unwrap();
    (device, volume)
}

/// Our own check: every cluster has one owner, and every chain is long enough for its file.
fn check(device: &mut dyn Sectors) {
    let mut volume = FatVolume::mount(device).unwrap();
    let mut owners: BTreeMap<u32, String> = BTreeMap::new();
    let mut walk = vec![ROOT];
    while let Some(at) = walk.pop() {
        let path = text(&volume.path(at));
        let node = volume.node(at).unwrap();
        let (directory, size) = (node.is_directory(), node.size);
        let runs = volume.runs(at).unwrap().to_vec();
        for cluster in runs.iter().flat_map(|run| run.first..run.first + run.count) {
            if let Some(other) = owners.insert(cluster, path.clone()) {
                panic!("cluster {cluster} belongs to {other} and to {path}");
            }
        }
        if directory {
            walk.extend(volume.children(device, at).unwrap());
            for child in volume.children(device, at).unwrap() {
                assert_eq!(volume.mark(child), 0, "a mark stays in {path}");
            }
        } else {
            assert!(volume.allocation(at).unwrap() >= size, "{path}");
            content(&mut volume, device, at).unwrap();
        }
    }
}

/// `fsck.fat`'s opinion, where it is installed: lost space is all it may find.
fn check_independently(bytes: &[u8], what: &str) {
    let path = std::env::temp_dir().join(std::format!("power-cut-{}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let out = std::process::Command::new("fsck.fat")
        .args(["-n", "-v"])
        .arg(&path)
        .output();
    let Ok(out) = out else { return };
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let bad = [
        "share",
        "ontains a free",
        "ad file name",
        "oop",
        "uplicate",
        "ATs differ",
        "tart does not point",
        "does point to root",
        "bad start",
        "xpected",
    ];
    let found = bad.iter().find(|bad| said.contains(**bad));
    assert!(found.is_none(), "{what}: {said}");
}

/// Numbers that look like chance, the same every time.
struct Chance(u64);

impl Chance {
    fn coin(&mut self) -> bool {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 40 & 1 == 1
    }
}

/// The medium after a cut: everything up to the last flush before it, and of what came later some.
fn cut<'m>(start: &Overlay<'m>, log: &[Event], mut keep: impl FnMut() -> bool) -> Overlay<'m> {
    let mut device = start.clone();
    let safe = log
        .iter()
        .rposition(|event| matches!(event, Event::Flush))
        .unwrap_or(0);
    for (at, event) in log.iter().enumerate() {
        if let Event::Write(sector, bytes) = event
            && (at < safe || keep())
        {
            device.write(*sector, bytes).unwrap();
        }
    }
    device
}

/// Cuts every step after every event; the writes of a cut are drawn `draws` times.
fn any_cut(kind: Kind, draws: usize, independent: bool) {
    let (mut before, mut volume) = start(kind);
    let mut cuts = 0;
    for (what, step) in STEPS {
        let start = before.clone();
        let trees = tree(&mut before);
        let mut recorder = Recorder {
            inner: before,
            log: Vec::new(),
        };
        step(&mut volume, &mut recorder).unwrap();
        let after = tree(&mut recorder.inner);
        let mut chance = Chance(cuts as u64);
        for end in 0..=recorder.log.len() {
            let log = &recorder.log[..end];
            for draw in 0..=draws {
                let mut device = cut(&Overlay::of(&start.bytes), log, || {
                    draw == 0 || chance.coin()
                });
                let mut mended = FatVolume::mount_mended(&mut device).unwrap();
                check(&mut device);
                let found = tree(&mut device);
                assert!(
                    found == trees || found == after,
                    "{what}, cut after {end} of {}, draw {draw}: {:?}",
                    recorder.log.len(),
                    found
                        .iter()
                        .map(|(path, bytes)| (path, bytes.len()))
                        .collect::<Vec<_>>()
                );
                if independent && draw <= 1 {
                    mended.settle(&mut device).unwrap();
                    check_independently(&device.bytes(), what);
                }
                cuts += 1;
            }
        }
        before = recorder.inner;
    }
    assert!(cuts > 300, "{cuts}");
}

#[test]
fn a_power_cut_at_any_write_leaves_the_state_before_or_after_on_fat12() {
    any_cut(Kind::Fat12, 6, true);
}

#[test]
fn a_power_cut_at_any_write_leaves_the_state_before_or_after_on_fat16() {
    any_cut(Kind::Fat16, 3, false);
}

#[test]
fn a_power_cut_at_any_write_leaves_the_state_before_or_after_on_fat32() {
    any_cut(Kind::Fat32, 1, false);
}

#[test]
fn a_cut_while_a_cut_is_mended_is_mended() {
    let (mut medium, mut volume) = start(Kind::Fat12);
    let before = tree(&mut medium);
    let start = Overlay::of(&medium.bytes);
    let mut recorder = Recorder {
        inner: start.clone(),
        log: Vec::new(),
    };
    rename(&mut volume, &mut recorder, "dir", "kept directory", "d").unwrap();
    let trees = [before, tree(&mut recorder.inner)];
    for end in 0..=recorder.log.len() {
        let torn = cut(&start, &recorder.log[..end], || true);
        let mut mending = Recorder {
            inner: torn.clone(),
            log: Vec::new(),
        };
        FatVolume::mount_mended(&mut mending).unwrap();
        for second in 0..=mending.log.len() {
            let mut device = cut(&torn, &mending.log[..second], || true);
            FatVolume::mount_mended(&mut device).unwrap();
            check(&mut device);
            assert!(trees.contains(&tree(&mut device)), "{end}, {second}");
        }
    }
}
