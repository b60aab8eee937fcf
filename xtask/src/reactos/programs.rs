// SPDX-License-Identifier: GPL-2.0-or-later
//! `run --from REACTOS.iso --with PROGRAM`: programs of ReactOS, unmodified, in the place of the
//! stand-ins that the shim has for them.
//!
//! csrss.exe comes with csrsrv.dll, basesrv.dll and kernel32.dll, but without winsrv.dll, which is
//! nothing without the driver win32k.sys. One thing only is asked of that side: csrsrv.dll does not
//! serve its port before `ClientThreadSetup` of a user32.dll in its process says that it may. The
//! stand-in for user32.dll says so, and is loaded as a server DLL to be in the process.

use super::image::short_hash;
use super::live_cd::LiveCd;
use crate::arch::Arch;
use crate::medium::supplies;
use crate::medium::tree::{self, Tree};
use crate::medium::{dll, hive_file};
use crate::ui;
use anyhow::{Result, bail};
use clap::ValueEnum;
use std::path::Path;

/// A program of ReactOS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// Checks the volume, instead of the stand-in that only looks whether it can be read.
    Autochk,
    /// Serves the Windows subsystem, with kernel32.dll for its programs.
    Csrss,
}

impl Program {
    const fn text(self) -> &'static str {
        match self {
            Self::Autochk => "autochk",
            Self::Csrss => "csrss",
        }
    }

    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Autochk => &["autochk.exe"],
            Self::Csrss => &["csrss.exe", "csrsrv.dll", "basesrv.dll", "kernel32.dll"],
        }
    }
}

/// The command line of the Windows subsystem, as the hive of a live CD has it but for its server
/// DLLs.
const SUBSYSTEM: &str = "Windows Registry Editor Version 5.00\n\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\SubSystems]\n\
    \"Windows\"=str(2):\"%SystemRoot%\\\\system32\\\\csrss.exe ObjectDirectory=\\\\Windows \
    SharedSection=1024,12288,512 Windows=On SubSystemType=Windows ServerDll=basesrv,1 \
    ServerDll=user32,2 ProfileControl=Off MaxRequestThreads=16\"\n";

/// Looks whether a live CD has these programs, with all that they need.
///
/// # Errors
/// What the CD lacks.
pub fn look(iso: &Path, programs: &[Program]) -> Result<()> {
    if programs.is_empty() {
        return Ok(());
    }
    let cd = LiveCd::open(iso)?;
    for program in programs {
        if let Some(file) = program.files().iter().find(|name| !cd.has(name)) {
            bail!(
                "{} has no {file}, which --with {} wants: leave it out of --with",
                iso.display(),
                program.text()
            );
        }
    }
    Ok(())
}

/// Puts programs of a live CD on a volume that has its ntdll.dll.
///
/// # Errors
/// What the CD lacks.
pub fn put_on(arch: Arch, tree: &mut Tree, iso: &Path, programs: &[Program]) -> Result<()> {
    if programs.is_empty() {
        return Ok(());
    }
    let cd = LiveCd::open(iso)?;
    for name in programs.iter().flat_map(|program| program.files()) {
        let bytes = cd.required(name)?;
        ui::note(&format!(
            "{name}: ReactOS' own, {} bytes {}",
            bytes.len(),
            short_hash(&bytes)
        ));
        tree.put_in_system32(name, bytes);
    }
    if programs.contains(&Program::Csrss) {
        tree.put_in_system32("user32.dll", dll::build(arch, "user32.dll", &[]));
        let mut hive = hive_file::of_tree(tree, "SYSTEM")?;
        supplies::merge(&mut hive, "SYSTEM", SUBSYSTEM)?;
        let place = tree.hive_path("SYSTEM");
        tree.files.insert(place, Some(hive.serialise(tree::NOW)));
    }
    Ok(())
}
