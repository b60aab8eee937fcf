// SPDX-License-Identifier: GPL-2.0-or-later
//! Builds the images: smss.exe, the shim's ntdll.dll, kernel and programs; strips them and keeps
//! their debug files.
//!
//! What goes on a medium is the stripped copy in `target/images`; the unstripped one lies beside it
//! with the ending `.dbg`, for GDB. `llvm-objcopy` writes a zero CheckSum, so it is computed again
//! after stripping. The programs are one image, copied under every name ([`crate::pe`]).

use crate::arch::Arch;
use crate::cli::BuildOptions;
use crate::{cargo, paths, pe, ui};
use anyhow::{Context, Result, bail};
use object::LittleEndian as LE;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile, PeFile32, PeFile64};
use programs::PROGRAMS;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A budget, not a law of nature: what good Rust gives with unwind tables, status names and every
/// feature in. ReactOS' own smss.exe is 70,656 bytes.
pub const SMSS_BUDGET: u64 = 96 * 1024;

/// How far apart the bases of two programs are: farther than the image with its symbols is long.
const BASE_DISTANCE: usize = 0x0100_0000;

/// Base of the first program: apart from the Session Manager's.
fn first_base(arch: Arch) -> u64 {
    match arch {
        Arch::Amd64 => 0x1_5000_0000,
        Arch::I386 => 0x1000_0000,
    }
}

/// What makes the release images small, as cargo's `--config` takes it. A panic is an illegal
/// instruction without text or place: the exception handler says where, and the debug file has the
/// line. The development images say it in words. And they begin with a DOS header alone.
pub fn small(arch: Arch) -> Result<String> {
    Ok(format!(
        "target.{}.rustflags=['-Zunstable-options', '-Cpanic=immediate-abort', '-Cllvm-args=-disable-machine-licm', '-Clink-arg=-Xlink=/stub:{}']",
        arch.target(),
        dos_header()?
    ))
}

/// Where the linker finds [`dos_header`], as seen from the checkout's top, where cargo lets it work: the
/// flags of a build name no folder of this machine, because what they are is in every symbol.
const DOS_HEADER: &str = "target/dos-header";

/// A DOS header without the program that says on DOS that this is none: then all headers of an image
/// of four sections fit into the first 512 bytes.
fn dos_header() -> Result<&'static str> {
    let mut header = [0; 64];
    header[..2].copy_from_slice(b"MZ");
    let path = paths::root().join(DOS_HEADER);
    std::fs::create_dir_all(paths::root().join("target"))?;
    std::fs::write(&path, header).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(DOS_HEADER)
}

/// What a build gives.
#[derive(Clone)]
pub struct Images {
    /// What they are for.
    pub arch: Arch,
    /// The folder of the stripped images.
    pub folder: PathBuf,
    /// The kernel, an ELF for GRUB and for `qemu -kernel`.
    pub kernel: PathBuf,
    /// Whether they are the development images.
    pub dev: bool,
}

/// Size of the stripped smss.exe in bytes.
pub fn size(images: &Images) -> Result<u64> {
    let smss = images.folder.join("smss.exe");
    Ok(std::fs::metadata(&smss)
        .with_context(|| format!("cannot read {}", smss.display()))?
        .len())
}

/// Runs the verb.
pub fn verb(options: &BuildOptions) -> Result<()> {
    let folder = all(options.arch, options.dev)?.folder;
    let size = report(&folder.join("smss.exe"))?;
    if !options.dev && size > SMSS_BUDGET {
        // A budget is a benchmark, not a test: what is over it is said, and the image is there all
        // the same.
        ui::note(&ui::paint(
            ui::Colour::Yellow,
            &format!("smss.exe is {} bytes over its budget", size - SMSS_BUDGET),
        ));
    }
    ui::verdict(&format!("images in {}", folder.display()));
    Ok(())
}

/// Builds the Session Manager alone; gives the folder with it and its debug file.
pub fn session_manager(arch: Arch, dev: bool) -> Result<PathBuf> {
    ui::step(&format!("building smss.exe for {arch}"));
    nt(arch, cargo::SMSS, dev)?;
    let folder = paths::images(arch, dev)?;
    strip(&built(arch, dev).join("smss.exe"), &folder.join("smss.exe"))?;
    Ok(folder)
}

/// Builds a package for the NT target of a machine.
fn nt(arch: Arch, package: &[&str], dev: bool) -> Result<()> {
    let mut command = cargo::command();
    command.args(["build", "--quiet"]).args(package);
    command.args(cargo::nt_flags(arch, package, !dev)?);
    if !dev {
        command.args(["--release", "--config", &small(arch)?]);
    }
    cargo::succeed(&mut command)
}

/// Where cargo leaves what [`nt()`] builds.
fn built(arch: Arch, dev: bool) -> PathBuf {
    paths::target().join(arch.target()).join(profile(dev))
}

fn profile(dev: bool) -> &'static str {
    if dev { "debug" } else { "release" }
}

/// Builds everything: the programs for a machine, and the kernel, which runs those of either.
pub fn all(arch: Arch, dev: bool) -> Result<Images> {
    ui::step(&format!(
        "building smss.exe, the programs and the shim's ntdll.dll (NT target, {arch})"
    ));
    for package in cargo::NT {
        nt(arch, package, dev)?;
    }
    ui::step("building the shim's kernel");
    let mut command = cargo::command();
    command
        .args(["build", "--quiet"])
        .args(cargo::KERNEL)
        .args(cargo::bare_flags());
    if !dev {
        command.arg("--release");
    }
    cargo::succeed(&mut command)?;

    let folder = paths::images(arch, dev)?;
    let built = built(arch, dev);
    // What an older build left under a name no longer in use must not end up on a medium.
    for entry in std::fs::read_dir(&folder)? {
        std::fs::remove_file(entry?.path())?;
    }
    for (from, to) in [("smss.exe", "smss.exe"), ("shim-ntdll.exe", "ntdll.dll")] {
        strip(&built.join(from), &folder.join(to))?;
    }
    copy_programs(arch, &built.join("programs.exe"), &folder)?;
    let kernel = paths::target()
        .join("x86_64-unknown-none")
        .join(profile(dev))
        .join("kernel");
    Ok(Images {
        arch,
        folder,
        kernel,
        dev,
    })
}

/// The image of all programs under each of their names, and their debug files.
fn copy_programs(arch: Arch, built: &Path, folder: &Path) -> Result<()> {
    let stripped = built.with_extension("stripped");
    strip(built, &stripped)?;
    let image = std::fs::read(&stripped)?;
    let bases = (first_base(arch)..).step_by(BASE_DISTANCE);
    for (program, base) in PROGRAMS.iter().zip(bases) {
        // The numbers of the seam are the header's.
        let subsystem = u16::try_from(program.subsystem.0)?;
        let copy = pe::copy_for(&image, subsystem, base)
            .with_context(|| format!("cannot make {} of the programs' image", program.name))?;
        std::fs::write(folder.join(program.name), copy)?;
        let debug = folder.join(format!("{}.dbg", program.name));
        std::fs::copy(built, &debug)
            .with_context(|| format!("cannot write {}", debug.display()))?;
    }
    Ok(())
}

/// A user's program, ready for a medium: stripped, at a base that none of ours has. Its debug
/// file goes into `folder`, under its name.
pub fn put_aside(arch: Arch, built: &Path, folder: &Path, name: &str) -> Result<Vec<u8>> {
    let stripped = built.with_extension("stripped");
    strip(built, &stripped)?;
    let debug = folder.join(format!("{name}.dbg"));
    std::fs::copy(built, &debug).with_context(|| format!("cannot write {}", debug.display()))?;
    let image = std::fs::read(&stripped)?;
    let base = first_base(arch) + (PROGRAMS.len() * BASE_DISTANCE) as u64;
    pe::copy_for(&image, pe::subsystem(&image)?, base)
}

/// A tool of the toolchain's llvm-tools component.
pub fn llvm_tool(name: &str) -> Result<PathBuf> {
    let output = Command::new("rustc")
        .current_dir(paths::root())
        .args(["--print", "target-libdir"])
        .output()
        .context("cannot run rustc")?;
    let libdir = String::from_utf8(output.stdout)?;
    let tool = Path::new(libdir.trim())
        .parent()
        .context("rustc prints a strange target-libdir")?
        .join("bin")
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    if !tool.exists() {
        bail!("{name} is not installed; run `rustup toolchain install` in the checkout");
    }
    Ok(tool)
}

/// Strips an image; what it was with its symbols lies beside the result, with the ending `.dbg`.
pub fn strip(from: &Path, to: &Path) -> Result<()> {
    let debug = to.with_extension(format!(
        "{}.dbg",
        to.extension().unwrap_or_default().to_string_lossy()
    ));
    std::fs::copy(from, &debug)
        .with_context(|| format!("cannot copy {} to {}", from.display(), debug.display()))?;
    let status = Command::new(llvm_tool("llvm-objcopy")?)
        .arg("--strip-all")
        .arg(from)
        .arg(to)
        .status()?;
    if !status.success() {
        bail!("llvm-objcopy cannot strip {}", from.display());
    }
    let mut image = std::fs::read(to)?;
    pe::set_checksum(&mut image).with_context(|| format!("{} is no PE image", to.display()))?;
    std::fs::write(to, image)?;
    Ok(())
}

/// Prints size and imports of an image; gives its size in bytes.
fn report(path: &Path) -> Result<u64> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    match PeFile64::parse(&*bytes) {
        Ok(image) => told(&image, path, bytes.len())?,
        Err(_) => told(&PeFile32::parse(&*bytes)?, path, bytes.len())?,
    }
    Ok(bytes.len() as u64)
}

/// Prints a line about an image of `size` bytes.
fn told<Pe: ImageNtHeaders>(image: &PeFile<'_, Pe>, path: &Path, size: usize) -> Result<()> {
    let mut imports = Vec::new();
    if let Some(table) = image.import_table()? {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            let name = String::from_utf8_lossy(table.name(descriptor.name.get(LE))?).into_owned();
            let mut thunks = table.thunks(descriptor.original_first_thunk.get(LE))?;
            let mut count = 0;
            while thunks.next::<Pe>()?.is_some() {
                count += 1;
            }
            imports.push(format!("{count} from {name}"));
        }
    }
    let header = image.nt_headers().optional_header();
    ui::note(&format!(
        "{}: {size} bytes (budget {SMSS_BUDGET}), imports {}, subsystem {} {}.{:02}, checksum {:#x}",
        path.file_name().unwrap_or_default().to_string_lossy(),
        imports.join(", "),
        header.subsystem(),
        header.major_subsystem_version(),
        header.minor_subsystem_version(),
        header.check_sum(),
    ));
    Ok(())
}
