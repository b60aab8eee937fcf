// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask gdb`: boots stopped, attaches GDB with symbols for kernel, ntdll and smss, stops at
//! smss's entry in ring 3.
//!
//! The kernel announces every image it maps by calling a function of its own; the Python beside
//! this crate (`xtask/gdb`) has a breakpoint there and loads symbols at the announced base, so
//! relocated images are found as well. The development images are used, unless the optimised ones
//! are asked for.
//!
//! On a real ReactOS (`--base`) nobody announces images: the scripts wait for smss.exe's entry
//! where the PEB says it is mapped, and check that it is the image mapped there.

use crate::arch::Arch;
use crate::build::Images;
use crate::cli::GdbOptions;
use crate::doctor::{self, Need};
use crate::medium::supplies::Supplies;
use crate::medium::tree::Tree;
use crate::qemu::{Boot, End, INTERRUPTS_ARE_OTHERS, Qemu, Setup};
use crate::reactos::boot::Medium;
use crate::reactos::pack::Replacement;
use crate::serial::Reader;
use crate::symbols::Symbols;
use crate::{build, paths, qemu, reactos, screen, ui, vscode};
use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Runs the verb.
pub fn verb(options: &GdbOptions) -> Result<()> {
    doctor::preflight(false, &[Need::Machine, Need::Debug])?;
    qemu::nobody_in(&paths::target().join("gdb"))?;
    // A batch ends with the machine; an interactive session lasts as long as the user likes.
    let mut session = match &options.base {
        Some(base) => Session::reactos(base, !options.release)?,
        None => {
            let images = build::all(options.arch.unwrap_or_default(), !options.release)?;
            let end = (!options.batch.is_empty()).then_some("exit=settled");
            let words: Vec<&str> = options.supplies.words().chain(end).collect();
            Session::start_with(&images, "gdb", &words.join(" "), &options.supplies)?
        }
    };
    screen::remember(&session.machine.qmp)?;
    if options.vscode {
        let file = session.launch_configuration()?;
        ui::note(&format!("{} is for this machine: press F5", file.display()));
    }
    if options.attach || options.vscode {
        if options.attach {
            for line in session.command_lines()? {
                println!("{line}");
            }
        }
        ui::note("the machine is stopped; leave with Ctrl-C");
        return session.log(Duration::MAX);
    }
    if !options.batch.is_empty() {
        // Where the interactive session begins.
        let commands: Vec<String> = std::iter::once("nt-start".to_owned())
            .chain(options.batch.iter().cloned())
            .collect();
        let output = session.batch(&commands)?;
        print!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        if !output.status.success() {
            bail!("a GDB command failed: see GDB's last lines");
        }
        if session.rest()? {
            return match session.machine.judge()? {
                End::Pass => {
                    ui::verdict("the GDB commands ran, and the machine ended as asked");
                    Ok(())
                }
                end => bail!("the machine ended with {end:?}: see its log above"),
            };
        }
        ui::verdict("the GDB commands ran");
        return Ok(());
    }
    ui::step(
        "GDB stops at smss.exe's entry; `next`, `bt`, `info locals` work there, and `help nt-` and Tab show what is ours",
    );
    INTERRUPTS_ARE_OTHERS.store(true, Ordering::Relaxed);
    let status = session
        .gdb()?
        .args(["-ex", "nt-start"])
        .status()
        .context("cannot run gdb")?;
    INTERRUPTS_ARE_OTHERS.store(false, Ordering::Relaxed);
    session.rest()?;
    if !status.success() {
        bail!("GDB ended with {status}");
    }
    ui::verdict("the session is over");
    Ok(())
}

/// A stopped machine with a GDB stub.
pub struct Session {
    /// The machine.
    pub machine: Qemu,
    port: u16,
    processor: Arch,
    /// What is debugged: on the shim not always what the processor is.
    programs: Arch,
    /// The folder of the images that are debugged.
    folder: PathBuf,
    /// All of the shim's; none on ReactOS.
    shim: Option<Images>,
}

impl Session {
    /// Makes the disk and starts QEMU stopped, with these words on the kernel's command line.
    pub fn start(images: &Images, name: &str, arguments: &str) -> Result<Self> {
        Self::start_with(images, name, arguments, &Supplies::default())
    }

    /// The same with the user's own hives, files and disk.
    fn start_with(
        images: &Images,
        name: &str,
        arguments: &str,
        supplies: &Supplies,
    ) -> Result<Self> {
        let folder = paths::folder(paths::target().join(name))?;
        let made =
            supplies.make_disk(&folder.join("disk.img"), &mut Tree::system(images)?, images)?;
        let words = made.root.word();
        let words: Vec<&str> = [arguments].into_iter().chain(words.as_deref()).collect();
        let boot = Boot::Direct(&images.kernel);
        let setup = Setup {
            processor: Arch::Amd64,
            boot,
            disk: Some(&made.image),
            unreadable: None,
            memory: 512,
            arguments: images.arch.kernel_words(&words.join(" ")),
            window: false,
            restarts: false,
            more: Vec::new(),
        };
        Self::stopped(setup, &folder, images.folder.clone(), Some(images.clone()))
    }

    /// Puts our image for its machine into a copy of `base`, a ReactOS CD or disk image, and starts
    /// that stopped.
    pub fn reactos(base: &Path, dev: bool) -> Result<Self> {
        let folder = paths::folder(paths::target().join("gdb"))?;
        let smss = Replacement::ours(dev);
        let medium = Medium::with(base, &folder, &smss)?;
        // Packing fails where there is nothing to replace.
        let processor = smss.needed_for().unwrap_or_default();
        let setup = Setup {
            processor,
            boot: medium.boot(),
            disk: None,
            unreadable: None,
            memory: reactos::boot::MEMORY,
            arguments: String::new(),
            window: false,
            restarts: false,
            more: Vec::new(),
        };
        Self::stopped(setup, &folder, paths::images(processor, dev)?, None)
    }

    fn stopped(
        mut setup: Setup<'_>,
        folder: &Path,
        images: PathBuf,
        shim: Option<Images>,
    ) -> Result<Self> {
        // Asked of the system and given back at once: nobody else takes it in between on a
        // developer's machine.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        setup
            .more
            .extend(["-S".into(), "-gdb".into(), format!("tcp:127.0.0.1:{port}")]);
        let machine = Qemu::start(&setup, &folder.join("boot.log"))?;
        Ok(Self {
            machine,
            port,
            processor: setup.processor,
            programs: shim.as_ref().map_or(setup.processor, |images| images.arch),
            folder: images,
            shim,
        })
    }

    /// Shows the machine's log until its end, or until `limit` after its start.
    fn log(&mut self, limit: Duration) -> Result<()> {
        let mut reader = Reader::default();
        let mut symbols = self.shim.as_ref().map(Symbols::new);
        while let Some(line) = self.machine.line(limit)? {
            let shown = reader.take(&line);
            let symbols = symbols.iter_mut();
            let places = symbols.flat_map(|symbols| symbols.follow(&line, &reader));
            for text in shown.into_iter().chain(places) {
                println!("{text}");
            }
        }
        Ok(())
    }

    /// Shows what the machine has said by now; returns whether it has ended.
    fn rest(&mut self) -> Result<bool> {
        ui::step("the machine's log");
        let limit = self.machine.started.elapsed() + Duration::from_millis(500);
        // A machine that still runs is no error here: it ends with the session.
        match self.log(limit) {
            Ok(()) => Ok(true),
            Err(_) => self.machine.drain().map(|_| false),
        }
    }

    fn arguments(&self) -> Vec<String> {
        let scripts = paths::root().join("xtask/gdb");
        let execute = |command: String| ["-ex".to_owned(), command];
        let mut arguments: Vec<String> = vec!["-q".into(), "-nx".into()];
        if let Some(images) = &self.shim {
            // Where the machine is seen as one of 32 bits as well, the kernel's symbols must not decide
            // which it is.
            if self.programs != self.processor {
                arguments.push("-s".into());
            }
            arguments.push(images.kernel.display().to_string());
        }
        arguments.extend(execute("set pagination off".into()));
        arguments.extend(execute("set confirm off".into()));
        arguments.extend(execute(format!(
            "set architecture {}",
            self.processor.gdb()
        )));
        arguments.extend(execute(format!("target remote 127.0.0.1:{}", self.port)));
        arguments.extend(execute(format!(
            "source {}",
            scripts.join("start.py").display()
        )));
        arguments
    }

    fn environment(&self) -> Result<[(&'static str, String); 4]> {
        let output = Command::new("rustc")
            .current_dir(paths::root())
            .args(["--print", "sysroot"])
            .output()
            .context("cannot run rustc")?;
        let rust = Path::new(String::from_utf8(output.stdout)?.trim()).join("lib/rustlib/etc");
        let images = self.folder.display().to_string();
        let kernel = if self.shim.is_some() {
            "shim"
        } else {
            "reactos"
        };
        Ok([
            ("SMSS_IMAGES", images),
            ("SMSS_KERNEL", kernel.to_owned()),
            ("SMSS_ARCH", self.programs.to_string()),
            ("SMSS_RUST", rust.display().to_string()),
        ])
    }

    /// What a user types to attach their own debugger.
    pub fn command_lines(&self) -> Result<Vec<String>> {
        let variables = self
            .environment()?
            .map(|(name, value)| format!("{name}='{value}'"))
            .join(" ");
        let words: Vec<String> = self
            .arguments()
            .iter()
            .map(|word| {
                if word.contains(' ') {
                    format!("'{word}'")
                } else {
                    word.clone()
                }
            })
            .collect();
        Ok(vec![format!("{variables} gdb {}", words.join(" "))])
    }

    /// Writes the launch configuration of an editor; gives its path.
    fn launch_configuration(&self) -> Result<PathBuf> {
        let smss = self.folder.join("smss.exe.dbg");
        vscode::write(&vscode::Target {
            port: self.port,
            program: self.shim.as_ref().map_or(&smss, |images| &images.kernel),
            architecture: self.processor.gdb(),
            smss: &smss,
            script: &paths::root().join("xtask/gdb/start.py"),
            environment: &self.environment()?,
        })
    }

    fn gdb(&self) -> Result<Command> {
        let mut command = Command::new("gdb");
        command.args(self.arguments()).envs(self.environment()?);
        Ok(command)
    }

    /// Runs GDB with these commands until the first that fails, then ends it.
    pub fn batch(&mut self, commands: &[String]) -> Result<Output> {
        let mut gdb = self.gdb()?;
        gdb.args(["-batch", "-ex", "python import batch"]);
        for command in commands {
            // A JSON string is one of Python's as well.
            let text = serde_json::to_string(command)?;
            gdb.args(["-ex", &format!("python batch.run({text})")]);
        }
        gdb.stdin(Stdio::null()).output().context("cannot run gdb")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mistyped command must not pass, whatever comes behind it.
    #[test]
    fn a_batch_ends_at_the_first_command_that_fails() {
        if which::which("gdb").is_err() {
            println!("skipped: there is no gdb here");
            return;
        }
        let run = |commands: &[&str]| {
            let folder = paths::root().join("xtask/gdb");
            let mut gdb = Command::new("gdb");
            gdb.args(["-q", "-nx", "-batch", "-ex"]).arg(format!(
                "python import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {:?}); import batch",
                folder.display().to_string()
            ));
            for command in commands {
                gdb.args(["-ex", &format!("python batch.run({command:?})")]);
            }
            gdb.stdin(Stdio::null()).output().unwrap()
        };
        let good = run(&["print 6 * 7"]);
        assert!(good.status.success());
        assert!(String::from_utf8_lossy(&good.stdout).contains("42"));
        let bad = run(&["btt", "print 6 * 7"]);
        assert_eq!(bad.status.code(), Some(1));
        let said = String::from_utf8_lossy(&bad.stdout);
        assert!(said.contains("`btt` failed"), "{said}");
        assert!(!said.contains("42"), "{said}");
    }
}
