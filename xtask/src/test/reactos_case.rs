// SPDX-License-Identifier: GPL-2.0-or-later
//! ReactOS' own programs on the shim, under our Session Manager and ReactOS' ntdll.dll.
//!
//! They are on a live CD, which [`ISO`] names; without one these cases are skipped, which one line
//! says. What is damaged on a volume is damaged here, byte by byte, and looked at by `fsck.fat`
//! afterwards where autochk.exe leaves it alone. Where it mends, only what it says is held: that of
//! 2025-08 writes part of a sector to the sector behind it, on any kernel.

use crate::build::Images;
use crate::guest::{self, Booted, UnattendedBoot};
use crate::medium::tree::{self, Tree};
use crate::medium::{disk, supplies, windows_program};
use crate::paths;
use crate::qemu::{self, End};
use crate::reactos::extract::Originals;
use crate::reactos::programs::{self, Program};
use anyhow::{Context, Result, anyhow, bail};
use formats::hive::Hive;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that names the live CD.
pub const ISO: &str = "SMSS_REACTOS_ISO";

/// The live CD, if there is one to test with.
pub fn iso() -> Option<PathBuf> {
    std::env::var_os(ISO).map(PathBuf::from)
}

/// One case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name among the tests.
    pub name: &'static str,
    with: &'static [Program],
    /// `.reg` text merged over the SYSTEM hive.
    changes: &'static str,
    /// Words for the kernel's command line besides `trace` and `dump`.
    arguments: &'static str,
    damage: Option<fn(&mut Volume) -> Result<()>>,
    judge: fn(&Booted) -> Result<()>,
}

const CHECK_ALWAYS: &str = "Windows Registry Editor Version 5.00\n\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager]\n\
    \"BootExecute\"=str(7):\"autocheck autochk /p *\\0\"\n";

const BOOT_STATUS_FILE: &str = "ReactOS/bootstat.dat";

const READER: &str = "Windows Registry Editor Version 5.00\n\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager]\n\
    \"Execute\"=str(7):\"reader.exe\\0\"\n";

/// Boot status data as ReactOS' ntdll.dll makes them, of a boot that went wrong: neither *boot
/// good* (byte 10) nor *boot shutdown* (byte 11).
const BOOT_STATUS: [u8; 64] = {
    let mut data = [0; 64];
    data[0] = 64;
    data[4] = 1;
    data[8] = 1;
    data[9] = 30;
    data
};

/// All of them.
pub const CASES: [Case; 7] = [
    Case {
        name: "reactos_autochk_leaves_a_clean_volume_alone",
        with: &[Program::Autochk],
        changes: "",
        arguments: "exit=settled",
        damage: None,
        judge: |booted| {
            ended(booted, End::Pass)?;
            says(booted, "screen: Verifying the file system on C:")?;
            says(booted, "screen:   The file system type is FAT32.")?;
            if dirty_queries(booted)? != 1 {
                bail!("it asked again whether the volume is dirty");
            }
            boot_status_is_kept(booted)?;
            fsck(&booted.disk)
        },
    },
    Case {
        name: "reactos_autochk_is_told_that_a_volume_is_dirty",
        with: &[Program::Autochk],
        changes: "",
        arguments: "exit=settled",
        damage: Some(Volume::mark_dirty),
        judge: |booted| {
            ended(booted, End::Pass)?;
            // On a clean volume it asks once.
            match dirty_queries(booted)? {
                2.. => Ok(()),
                _ => bail!("it was told that the volume is clean"),
            }
        },
    },
    Case {
        name: "reactos_autochk_reclaims_lost_clusters",
        with: &[Program::Autochk],
        changes: CHECK_ALWAYS,
        arguments: "exit=settled",
        damage: Some(Volume::lose_clusters),
        judge: |booted| {
            says(booted, "screen: A volume check has been scheduled.")?;
            says(booted, "screen: Reclaimed 3 unused clusters")?;
            says(booted, "screen: Performing changes.")
        },
    },
    Case {
        name: "reactos_autochk_finds_crossed_chains",
        with: &[Program::Autochk],
        changes: CHECK_ALWAYS,
        arguments: "exit=settled",
        damage: Some(Volume::cross_chains),
        judge: |booted| {
            says(booted, "screen:   share clusters.")?;
            says(booted, "screen: Performing changes.")
        },
    },
    Case {
        name: "reactos_csrss_serves_the_windows_subsystem",
        with: &[Program::Csrss],
        changes: "",
        arguments: "exit=settled",
        damage: None,
        judge: |booted| {
            ended(booted, End::Pass)?;
            says(booted, "serves image type 2")?;
            says(booted, "initial command winlogon.exe")?;
            // winlogon.exe was handed over with SbCreateSession: csrss.exe has resumed it.
            says(booted, "image winlogon.exe")?;
            let dump = part(booted, "dump")?;
            for object in ["SbApiPort", "ApiPort", "BaseNamedObjects"] {
                if !dump.contains(object) {
                    bail!("the dump has no {object}");
                }
            }
            Ok(())
        },
    },
    Case {
        name: "reactos_csrss_takes_the_system_with_it",
        with: &[Program::Csrss],
        changes: "",
        arguments: "exit=settled kill=csrss",
        damage: None,
        judge: |booted| {
            ended(booted, End::Bugcheck)?;
            says(booted, "STOP: c000021a")?;
            says(
                booted,
                "The Windows SubSystem system process terminated unexpectedly",
            )
        },
    },
    Case {
        name: "reactos_kernel32_runs_a_windows_program",
        with: &[Program::Csrss],
        changes: READER,
        arguments: "exit=settled",
        damage: None,
        judge: |booted| {
            // The initial command ends with the first four bytes of the file: `OKAY`.
            ended(booted, End::Bugcheck)?;
            says(
                booted,
                "terminated unexpectedly with a status of 0x59414b4f",
            )
        },
    },
];

impl Case {
    /// Runs it; a failure says how QEMU was run.
    pub fn run(&self, images: &Images, iso: &Path) -> Result<()> {
        let folder = paths::folder(paths::target().join("qemu-tests").join(self.name))?;
        self.boot(images, iso, &folder).map_err(|error| {
            let log = folder.join("boot.log");
            anyhow!("{error:#}\n{}\nlog: {}", qemu::how(&log), log.display())
        })
    }

    fn boot(&self, images: &Images, iso: &Path, folder: &Path) -> Result<()> {
        let mut tree = Tree::system(images)?;
        let originals = Originals::from_iso(iso)?;
        let arch = originals.machine(Some(images.arch))?;
        Originals {
            smss: None,
            ..originals
        }
        .put_on(&mut tree);
        programs::put_on(arch, &mut tree, iso, self.with)?;
        if !self.changes.is_empty() {
            let place = tree.hive_path("SYSTEM");
            let old = tree.files.get(&place).and_then(Option::as_ref);
            let mut hive = Hive::parse(old.context("there is no SYSTEM hive")?)?;
            supplies::merge(&mut hive, "SYSTEM", self.changes)?;
            tree.files.insert(place, Some(hive.serialise(tree::NOW)));
        }
        let path = "C:\\ReactOS\\TEMP\\read.txt";
        tree.files.insert(
            tree.system32("reader.exe"),
            Some(windows_program::reader(arch, path)?),
        );
        tree.files.insert(
            "ReactOS/TEMP/read.txt".to_owned(),
            Some(b"OKAY, and more".to_vec()),
        );
        tree.files
            .insert(BOOT_STATUS_FILE.to_owned(), Some(BOOT_STATUS.to_vec()));
        for name in ["FIRST.BIN", "SECOND.BIN"] {
            tree.files.insert(name.to_owned(), Some(vec![7; 40_000]));
        }
        let image = folder.join("disk.img");
        disk::make(&image, disk::DEFAULT_SIZE, &tree)?;
        if let Some(damage) = self.damage {
            damage(&mut Volume::open(&image)?)?;
        }
        let arguments = format!("trace dump {}", self.arguments);
        let booted = guest::boot_disk(
            &UnattendedBoot {
                arguments: &arguments,
                ..UnattendedBoot::until_settled(images, &tree, folder)
            },
            image,
        )?;
        (self.judge)(&booted)
    }
}

fn ended(booted: &Booted, wanted: End) -> Result<()> {
    if booted.end == wanted {
        return Ok(());
    }
    bail!("the machine ended with {:?}, not {wanted:?}", booted.end)
}

fn says(booted: &Booted, text: &str) -> Result<()> {
    let mut lines = booted.reader.shown.iter();
    lines
        .find(|line| line.contains(text))
        .with_context(|| format!("no line of the log has `{text}`"))
        .map(|_| ())
}

fn part<'b>(booted: &'b Booted, name: &str) -> Result<&'b str> {
    booted
        .reader
        .part(name)
        .with_context(|| format!("the boot printed no {name}"))
}

/// How often autochk.exe asked whether the volume is dirty (FSCTL_IS_VOLUME_DIRTY).
fn dirty_queries(booted: &Booted) -> Result<usize> {
    let asks = |line: &&str| line.starts_with("autochk.exe") && line.contains("code=0x90078");
    Ok(part(booted, "trace")?.lines().filter(asks).count())
}

/// autochk.exe ended with success. While it ran the boot status data said that all is well, and
/// afterwards they are what they were (spec 8.4).
fn boot_status_is_kept(booted: &Booted) -> Result<()> {
    let trace = part(booted, "trace")?;
    let position = |from: usize, what: &dyn Fn(&str) -> bool| {
        let mut lines = trace.lines().enumerate().skip(from);
        lines.find(|(_, line)| what(line)).map(|(index, _)| index)
    };
    let wrote = |line: &str| line.starts_with("smss.exe") && line.contains("NtWriteFile");
    let ended = |line: &str| {
        line.starts_with("autochk.exe")
            && line.contains("NtTerminateProcess")
            && line.contains("status=SUCCESS")
    };
    let end = position(0, &ended).context("autochk.exe did not end with success")?;
    let before = trace.lines().take(end).filter(|line| wrote(line)).count();
    if before < 2 || position(end, &wrote).is_none() {
        bail!("the boot status data were not written before and after autochk.exe");
    }
    if disk::read(&booted.disk, BOOT_STATUS_FILE)?.as_deref() != Some(&BOOT_STATUS[..]) {
        bail!("the boot status data are not what they were before autochk.exe");
    }
    Ok(())
}

/// `fsck.fat` of a disk's volume, which must be as it should be.
fn fsck(image: &Path) -> Result<()> {
    let volume = image.with_extension("volume");
    let mut disk = File::open(image)?;
    disk.seek(SeekFrom::Start(disk::range(image)?.start * 512))?;
    std::io::copy(&mut disk, &mut File::create(&volume)?)?;
    let output = Command::new("fsck.fat")
        .arg("-n")
        .arg(&volume)
        .output()
        .context("cannot run fsck.fat: install dosfstools")?;
    if output.status.success() {
        return Ok(());
    }
    bail!("fsck.fat: {}", String::from_utf8_lossy(&output.stdout))
}

/// The FAT32 volume of a disk image, to be damaged.
struct Volume {
    file: File,
    start: u64,
    /// Bytes in a cluster.
    cluster: u64,
    /// Where the copies of the table are.
    tables: Vec<u64>,
    /// Where cluster 2 is.
    data: u64,
}

const END: u32 = 0x0FFF_FFFF;

impl Volume {
    fn open(image: &Path) -> Result<Self> {
        let start = disk::range(image)?.start * 512;
        let mut file = File::options().read(true).write(true).open(image)?;
        let mut boot = [0; 512];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut boot)?;
        let reserved = u64::from(u16::from_le_bytes([boot[14], boot[15]]));
        let copies = u64::from(boot[16]);
        let size = u64::from(u32::from_le_bytes([boot[36], boot[37], boot[38], boot[39]]));
        let first = start + reserved * 512;
        Ok(Self {
            file,
            start,
            cluster: u64::from(boot[13]) * 512,
            tables: (0..copies).map(|copy| first + copy * size * 512).collect(),
            data: first + copies * size * 512,
        })
    }

    fn entry(&mut self, cluster: u32) -> Result<u32> {
        let mut bytes = [0; 4];
        let at = self.tables[0] + u64::from(cluster) * 4;
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes) & END)
    }

    fn set(&mut self, cluster: u32, value: u32) -> Result<()> {
        for table in self.tables.clone() {
            let at = table + u64::from(cluster) * 4;
            self.file.seek(SeekFrom::Start(at))?;
            self.file.write_all(&value.to_le_bytes())?;
        }
        Ok(())
    }

    /// The bit by which a volume asks for a check.
    fn mark_dirty(&mut self) -> Result<()> {
        self.file.seek(SeekFrom::Start(self.start + 0x41))?;
        self.file.write_all(&[1])?;
        Ok(())
    }

    /// Three clusters in a chain that no file owns.
    fn lose_clusters(&mut self) -> Result<()> {
        let mut next = END;
        for cluster in [100_002, 100_001, 100_000] {
            if self.entry(cluster)? != 0 {
                bail!("cluster {cluster} is in use");
            }
            self.set(cluster, next)?;
            next = cluster;
        }
        Ok(())
    }

    /// The second file goes on in the clusters of the first.
    fn cross_chains(&mut self) -> Result<()> {
        let first = self.first_cluster(b"FIRST   BIN")?;
        let second = self.first_cluster(b"SECOND  BIN")?;
        let rest = self.entry(first)?;
        self.set(second, rest)
    }

    /// The first cluster of a file in the first cluster of the root directory.
    fn first_cluster(&mut self, name: &[u8; 11]) -> Result<u32> {
        let mut root = vec![0; usize::try_from(self.cluster)?];
        self.file.seek(SeekFrom::Start(self.data))?;
        self.file.read_exact(&mut root)?;
        let entry = root
            .chunks_exact(32)
            .find(|entry| entry.starts_with(name))
            .context("the file is not in the root directory")?;
        let half = |at: usize| u32::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
        Ok(half(20) << 16 | half(26))
    }
}
