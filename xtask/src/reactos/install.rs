// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask install --tree DIR`: our image in a ReactOS build tree, in the place of the
//! original, for every build that follows.
//!
//! A tree links its own Session Manager whenever its sources change, so a copy in its place would
//! be gone without a word. Instead the tree itself is told: CMake includes a file of ours behind
//! `project()` (its variable `CMAKE_PROJECT_<NAME>_INCLUDE` is made for that), and that adds the
//! copy to what happens behind the link. It holds for every generator, Ninja and Visual Studio
//! among them, and survives each new run of CMake, because it stands in the tree's cache. ReactOS'
//! sources are not touched.
//!
//! Everything that is ours lies in one folder of the tree; `--undo` takes the variable out of the
//! cache, brings the original back and removes the folder.

use super::image::{self, Kind, short_hash};
use crate::arch::Arch;
use crate::cli::InstallOptions;
use crate::{build, paths, ui};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a ReactOS build tree keeps its Session Manager.
pub const PLACE: &str = "base/system/smss";
/// The folder in the tree that holds what is ours.
const OURS: &str = "smss-rs";
/// What CMake includes.
const INCLUDED: &str = include_str!("after_link.cmake");

/// Runs the verb.
pub fn verb(options: &InstallOptions) -> Result<()> {
    let tree = Tree::at(&options.tree)?;
    if options.undo {
        tree.undo()?;
        ui::verdict(&format!(
            "{} builds its own Session Manager again",
            options.tree.display()
        ));
        return Ok(());
    }
    // What stands in the way is told before anything is built or written.
    tree.may_be_changed()?;
    let (image, debug) = match &options.smss {
        Some(image) => (image.clone(), None),
        None => {
            let folder = build::session_manager(tree.arch()?, false)?;
            (folder.join("smss.exe"), Some(folder.join("smss.exe.dbg")))
        }
    };
    tree.install(&image, debug.as_deref())
}

/// A ReactOS build tree.
struct Tree {
    /// Its folder, absolute: it is written into files that are read elsewhere.
    top: PathBuf,
    /// Its CMake cache; none if this is only a folder with the images of one.
    cache: Option<String>,
}

impl Tree {
    fn at(folder: &Path) -> Result<Self> {
        if !folder.join(PLACE).is_dir() {
            bail!(
                "{} is no ReactOS build tree: it has no folder {PLACE}",
                folder.display()
            );
        }
        let top = std::path::absolute(folder)?;
        let cache = std::fs::read_to_string(top.join("CMakeCache.txt")).ok();
        Ok(Self { top, cache })
    }

    /// The Session Manager that the tree has linked.
    fn smss(&self) -> PathBuf {
        self.top.join(PLACE).join("smss.exe")
    }

    fn ours(&self) -> PathBuf {
        self.top.join(OURS)
    }

    /// The value of a variable in the cache.
    fn cached(&self, name: &str) -> Option<&str> {
        self.cache.as_deref()?.lines().find_map(|line| {
            let (variable, value) = line.split_once('=')?;
            let (variable, _type) = variable.split_once(':')?;
            (variable == name).then_some(value)
        })
    }

    /// The variable by which CMake includes a file behind this tree's `project()`.
    fn variable(&self) -> String {
        let project = self.cached("CMAKE_PROJECT_NAME").unwrap_or("REACTOS");
        format!("CMAKE_PROJECT_{project}_INCLUDE")
    }

    /// The machine that it is built for, if that can be seen.
    fn machine(&self) -> Option<u16> {
        match self.cached("ARCH") {
            Some("amd64") => Some(Arch::Amd64.machine()),
            Some("i386") => Some(Arch::I386.machine()),
            _ => image::machine(&std::fs::read(self.smss()).ok()?),
        }
    }

    /// The machine to build for.
    fn arch(&self) -> Result<Arch> {
        let Some(machine) = self.machine() else {
            return Ok(Arch::default());
        };
        Arch::of(machine).with_context(|| {
            let name = self.cached("ARCH").unwrap_or("another machine");
            format!("the tree is built for {name}: neither amd64 nor i386")
        })
    }

    /// What CMake includes behind `project()` for us.
    fn included(&self) -> PathBuf {
        self.ours().join("install.cmake")
    }

    /// Whether ours could take the place of the Session Manager.
    fn may_be_changed(&self) -> Result<()> {
        let variable = self.variable();
        if let Some(other) = self.cached(&variable)
            && Path::new(other) != self.included()
        {
            bail!("the tree already includes {other} by {variable}: include ours from there");
        }
        let kept = std::fs::read(self.ours().join("smss.exe")).ok();
        match std::fs::read(self.smss()) {
            Ok(old) if Some(&old) != kept.as_ref() => match image::kind(&old) {
                Kind::SessionManager(_) => Ok(()),
                other => bail!("{} is {other}", self.smss().display()),
            },
            _ => Ok(()),
        }
    }

    fn install(&self, image: &Path, debug: Option<&Path>) -> Result<()> {
        let new =
            std::fs::read(image).with_context(|| format!("cannot read {}", image.display()))?;
        let ours =
            image::machine(&new).with_context(|| format!("{} is no PE image", image.display()))?;
        if let Some(theirs) = self.machine()
            && theirs != ours
        {
            bail!(
                "the tree is built for {}, {} is for {}: give an image for that machine with --smss",
                image::machine_name(theirs),
                image.display(),
                image::machine_name(ours),
            );
        }
        let folder = paths::folder(self.ours())?;
        let (kept, original) = (folder.join("smss.exe"), folder.join("smss.exe.original"));
        if let Ok(old) = std::fs::read(self.smss()) {
            let is_ours = std::fs::read(&kept).is_ok_and(|kept| kept == old);
            if !is_ours {
                std::fs::write(&original, &old)?;
            }
            ui::note(&format!(
                "{}: {} bytes {} -> {} bytes {}",
                self.smss().display(),
                old.len(),
                short_hash(&old),
                new.len(),
                short_hash(&new)
            ));
            std::fs::write(self.smss(), &new)?;
        }
        std::fs::write(&kept, &new)?;
        if let Some(debug) = debug {
            std::fs::copy(debug, folder.join("smss.exe.dbg"))?;
        }
        if self.cache.is_none() {
            ui::warning(
                "the tree has no CMakeCache.txt: a build that links smss again puts the original back",
            );
            ui::verdict("installed in place of the original (`--undo` brings it back)");
            return Ok(());
        }
        self.include(&kept)?;
        ui::verdict(
            "installed: this and every later build of the tree has our smss.exe (`--undo` takes it out)",
        );
        Ok(())
    }

    /// Has CMake include our file.
    fn include(&self, image: &Path) -> Result<()> {
        let file = self.included();
        let variable = self.variable();
        let text = INCLUDED.replace("@IMAGE@", &for_cmake(image));
        std::fs::write(&file, text)?;
        self.configure(&format!("-D{variable}:FILEPATH={}", for_cmake(&file)))
    }

    fn undo(&self) -> Result<()> {
        if !self.ours().is_dir() {
            bail!(
                "there is nothing to undo: {} is not there",
                self.ours().display()
            );
        }
        let variable = self.variable();
        if self.cached(&variable).is_some() {
            self.configure(&format!("-U{variable}"))?;
        }
        let original = self.ours().join("smss.exe.original");
        if original.exists() {
            std::fs::rename(&original, self.smss())?;
        } else if self.smss().exists() {
            // It was built with ours in its place: the next build links the original.
            std::fs::remove_file(self.smss())?;
        }
        std::fs::remove_dir_all(self.ours())?;
        Ok(())
    }

    /// Runs the tree's own CMake over it with a change to its cache.
    fn configure(&self, change: &str) -> Result<()> {
        let cmake = self.cached("CMAKE_COMMAND").unwrap_or("cmake");
        ui::step(&format!("{cmake} {change} {}", self.top.display()));
        let output = Command::new(cmake)
            .arg(change)
            .arg(&self.top)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {cmake}"))?;
        if !output.status.success() {
            bail!(
                "CMake failed:\n{}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }
}

/// A path as CMake's language takes it, on every system.
fn for_cmake(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::windows::session_manager;

    fn options(tree: &Path, smss: &Path, undo: bool) -> InstallOptions {
        InstallOptions {
            tree: tree.to_owned(),
            smss: Some(smss.to_owned()),
            undo,
        }
    }

    #[test]
    fn a_copy_is_taken_out_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("tree").join(PLACE)).unwrap();
        let smss = path("tree").join(PLACE).join("smss.exe");
        std::fs::write(&smss, session_manager("theirs")).unwrap();
        for version in ["ours", "ours again"] {
            std::fs::write(path("smss.exe"), session_manager(version)).unwrap();
            verb(&options(&path("tree"), &path("smss.exe"), false)).unwrap();
            assert_eq!(std::fs::read(&smss).unwrap(), session_manager(version));
        }
        verb(&options(&path("tree"), &path("smss.exe"), true)).unwrap();
        assert_eq!(std::fs::read(&smss).unwrap(), session_manager("theirs"));
        assert!(!path("tree").join(OURS).exists());
        assert!(verb(&options(&path("tree"), &path("smss.exe"), true)).is_err());
    }

    #[test]
    fn a_tree_for_another_machine_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path(PLACE)).unwrap();
        std::fs::write(path("CMakeCache.txt"), "ARCH:STRING=i386\n").unwrap();
        std::fs::write(path("smss.exe"), session_manager("ours")).unwrap();
        let error = verb(&options(folder.path(), &path("smss.exe"), false)).unwrap_err();
        assert!(error.to_string().contains("built for i386"), "{error:#}");
        assert!(!path(OURS).exists());
    }

    /// Nothing is built for it, and nothing is left in it.
    #[test]
    fn a_tree_that_cannot_be_changed_is_told_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path(PLACE)).unwrap();
        let options = InstallOptions {
            tree: folder.path().to_owned(),
            smss: None,
            undo: false,
        };
        let told = || verb(&options).unwrap_err().to_string();
        std::fs::write(path(PLACE).join("smss.exe"), "no image").unwrap();
        assert!(told().contains("smss.exe is "), "{}", told());
        std::fs::remove_file(path(PLACE).join("smss.exe")).unwrap();
        let cache = "CMAKE_PROJECT_REACTOS_INCLUDE:FILEPATH=/theirs.cmake\n";
        std::fs::write(path("CMakeCache.txt"), cache).unwrap();
        assert!(told().contains("already includes /theirs.cmake"));
        assert!(!path(OURS).exists());
    }

    /// A build tree of real CMake and Ninja, with a program called smss in it.
    struct Build {
        folder: tempfile::TempDir,
    }

    impl Build {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let this = Self { folder };
            let source = this.path("source");
            std::fs::create_dir_all(source.join(PLACE)).unwrap();
            let write = |name: &str, text: &str| std::fs::write(source.join(name), text).unwrap();
            write(
                "CMakeLists.txt",
                "cmake_minimum_required(VERSION 3.17.0)\nproject(REACTOS C)\nadd_subdirectory(base/system/smss)\n",
            );
            write(
                "base/system/smss/CMakeLists.txt",
                "add_executable(smss smss.c)\nset_target_properties(smss PROPERTIES SUFFIX .exe)\ntarget_link_libraries(smss m)\n\
                 add_custom_command(TARGET smss POST_BUILD COMMAND ${CMAKE_COMMAND} -E echo fixed >> $<TARGET_FILE:smss>)\n",
            );
            write("base/system/smss/smss.c", "int main(void) { return 0; }\n");
            // Twice: the first run looks for the compiler, and what it reads for that stands in the
            // rules until the next.
            for _ in 0..2 {
                this.run("cmake", &["-G", "Ninja", "-S", "source", "-B", "tree"]);
            }
            this
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn run(&self, program: &str, arguments: &[&str]) {
            let mut command = Command::new(program);
            let output = command
                .args(arguments)
                .current_dir(self.folder.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{program}: {output:?}");
        }

        fn ninja(&self) -> Vec<u8> {
            self.run("ninja", &["-C", "tree"]);
            std::fs::read(self.path("tree/base/system/smss/smss.exe")).unwrap()
        }

        fn change_source(&self, value: u32) {
            // Ninja goes by the time, which file systems keep exactly enough.
            let text = format!("int main(void) {{ return {value}; }}\n");
            std::fs::write(self.path("source/base/system/smss/smss.c"), text).unwrap();
        }
    }

    #[test]
    fn ours_survives_ninja_and_goes_without_a_trace() {
        if let Some(missing) = ["cmake", "ninja", "cc"]
            .into_iter()
            .find(|tool| which::which(tool).is_err())
        {
            println!("skipped: there is no {missing} here");
            return;
        }
        let build = Build::new();
        let cache = || {
            let text = std::fs::read_to_string(build.path("tree/CMakeCache.txt")).unwrap();
            let rules = std::fs::read_to_string(build.path("tree/build.ninja")).unwrap();
            (text, rules)
        };
        let before = cache();
        let ours = |version: &str| {
            std::fs::write(build.path("smss.exe"), session_manager(version)).unwrap();
            verb(&options(
                &build.path("tree"),
                &build.path("smss.exe"),
                false,
            ))
            .unwrap();
        };
        ours("first");
        assert_eq!(build.ninja(), session_manager("first"));
        build.change_source(1);
        assert_eq!(build.ninja(), session_manager("first"), "linked anew");
        ours("second");
        assert_eq!(build.ninja(), session_manager("second"));
        std::fs::write(build.path("source/CMakeLists.txt"), {
            let text = std::fs::read_to_string(build.path("source/CMakeLists.txt")).unwrap();
            text + "# a change\n"
        })
        .unwrap();
        assert_eq!(build.ninja(), session_manager("second"), "configured anew");
        verb(&options(&build.path("tree"), &build.path("smss.exe"), true)).unwrap();
        let after = cache();
        assert!(after.0 == before.0, "a trace is left in the cache");
        assert!(after.1 == before.1, "a trace is left in the rules");
        assert!(!build.path("tree").join(OURS).exists());
        let linked = build.ninja();
        assert!(linked != session_manager("second") && linked.ends_with(b"fixed\n"));
    }
}
