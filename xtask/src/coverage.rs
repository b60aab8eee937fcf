// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask coverage`: which lines of the Session Manager the host tests reach, file by file.
//!
//! The crates below `crates/` are built once more with the compiler's own counters, in a target
//! folder of their own, and their tests run; the toolchain's llvm-tools turn the counters into
//! lines. What no test reached stands in `target/coverage/uncovered.txt`, to be read beside the
//! sources. The figures say what ran, not what was held against anything. A run over all crates
//! fails when fewer lines ran than are wanted, in all or in any one file.

use crate::cli::CoverageOptions;
use crate::{build, cargo, paths, ui};
use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is below `crates/` and does not build for the host with the workspace's flags.
const NOT_HERE: [&str; 2] = ["fuzz", "ntdll"];

/// Sources that no counter can say anything about, and why.
const NOT_MEASURED: [(&str, &str); 4] = [
    (
        "crates/nt-macros/src/lib.rs",
        "runs inside the compiler; the template that it reads is parsed in template.rs",
    ),
    (
        "crates/scenarios/src/builder.rs",
        "evaluated by the compiler, in the constants that the scenarios are",
    ),
    (
        "crates/simulation/src/main.rs",
        "a command line, and what is printed; the histories are played in the library",
    ),
    (
        "crates/simulation/src/blocks.rs",
        "the command line's processes of its own, which no test starts",
    ),
];

/// Files of which fewer lines run than of the others, how many per cent are to run all the same,
/// and why the rest does not.
const ARGUED: [(&str, f64, &str); 6] = [
    (
        "crates/nt/src/system/system_wide.rs",
        85.0,
        "what a world does not say otherwise is the image's own, and every world of the host does",
    ),
    (
        "crates/subsystems/src/watchdog.rs",
        94.0,
        "a clone that only a copy's trait bound asks for, and one place more than there are threads",
    ),
    ("crates/simulation/src/course.rs", 80.0, BROKEN),
    ("crates/simulation/src/lib.rs", 80.0, BROKEN),
    ("crates/simulation/src/recovery.rs", 70.0, BROKEN),
    ("crates/simulation/src/stage.rs", 90.0, BROKEN),
];
const BROKEN: &str = "the rest tells of a broken promise, which no history of a sound Session Manager has; it runs when a \
     fault is put back";

/// Per cent of lines that must have run, in all and in each file.
const WANTED: (f64, f64) = (98.0, 95.0);

/// Lines of a source that can run, and how often each did.
pub type Lines = BTreeMap<u32, u64>;

/// Runs the verb.
pub fn verb(options: &CoverageOptions) -> Result<()> {
    let counters = Counters::new(paths::target().join("coverage"))?;
    ui::step("building the tests of crates/ with counters");
    let crates = chosen(options)?;
    let programs = programs(&counters, &crates)?;
    ui::step("running them: slower than without counters");
    cargo::succeed(test(&counters, &crates).args(["--quiet", "--no-fail-fast"]))?;
    let mut files = counters.files(&programs)?;
    // A crate's own tests are what it is measured by, not those of a crate above it.
    files.retain(|file, _| {
        crates
            .iter()
            .any(|name| file.starts_with(&format!("crates/{name}/")))
    });
    let mut unmeasured = Vec::new();
    for (file, _) in NOT_MEASURED {
        if files.remove(file).is_some() {
            unmeasured.push(file);
        }
    }
    if files.is_empty() {
        bail!("the counters name no source below crates/");
    }
    let uncovered = counters.folder.join("uncovered.txt");
    std::fs::write(&uncovered, gaps(&files))?;
    print!("{}", table(&files));
    for (file, why) in NOT_MEASURED {
        if unmeasured.contains(&file) {
            ui::note(&format!("{file} is not measured: {why}"));
        }
    }
    for (file, wanted, why) in ARGUED {
        if files.contains_key(file) {
            ui::note(&format!("{file} is held to {wanted:.0} %: {why}"));
        }
    }
    ui::note(&format!(
        "lines that no test reached: {}",
        uncovered.display()
    ));
    let all = percent(files.values());
    if options.crates.is_empty() {
        let missing = missing(&files);
        if !missing.is_empty() {
            bail!("{all:.1} % of all lines; {missing}");
        }
    }
    ui::verdict(&format!("{all:.1} % of all lines"));
    Ok(())
}

/// The crates that can be measured, in the order of their names.
fn measurable() -> std::io::Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(paths::root().join("crates"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !NOT_HERE.contains(&name.as_str()) {
            all.push(name);
        }
    }
    all.sort();
    Ok(all)
}

/// A crate that can be measured.
///
/// # Errors
/// It is none, with those that are.
pub fn known(name: &str) -> Result<String, String> {
    let all = measurable().map_err(|error| error.to_string())?;
    match all.iter().any(|known| known == name) {
        true => Ok(name.to_owned()),
        false => Err(format!("the crates are {}", all.join(", "))),
    }
}

/// The crates that were asked for, or all.
fn chosen(options: &CoverageOptions) -> Result<Vec<String>> {
    match options.crates.is_empty() {
        true => Ok(measurable()?),
        false => Ok(options.crates.clone()),
    }
}

/// Programs with counters: where they are built, and what they count.
pub struct Counters {
    folder: PathBuf,
}

impl Counters {
    /// Counters in this folder. Those of an older run are of an older source, and go.
    ///
    /// # Errors
    /// What the host says.
    pub fn new(folder: PathBuf) -> Result<Self> {
        let folder = paths::folder(folder)?;
        let _ = std::fs::remove_dir_all(folder.join("profiles"));
        std::fs::create_dir_all(folder.join("profiles"))?;
        Ok(Self { folder })
    }

    /// The target folder.
    pub fn build(&self) -> PathBuf {
        self.folder.join("build")
    }

    /// Has this cargo build with counters, and what it runs count.
    pub fn count(&self, command: &mut Command) {
        command
            .env("CARGO_TARGET_DIR", self.build())
            .env("RUSTFLAGS", "-Cinstrument-coverage")
            .env(
                "LLVM_PROFILE_FILE",
                self.folder.join("profiles/%p-%m.profraw"),
            );
    }

    /// The lines below `crates/` that `programs` have, and how often each ran.
    ///
    /// # Errors
    /// The toolchain's llvm-tools are not there, or fail.
    pub fn files(&self, programs: &[PathBuf]) -> Result<BTreeMap<String, Lines>> {
        let report = report(&self.folder, &self.folder.join("profiles"), programs)?;
        Ok(parse(&report, paths::root()))
    }
}

/// Cargo with the counters, for these crates.
fn test(counters: &Counters, crates: &[String]) -> Command {
    let mut command = cargo::command();
    command.arg("test");
    for name in crates {
        command.args(["-p", name]);
    }
    command.args(["--lib", "--tests"]);
    counters.count(&mut command);
    command
}

/// Builds the tests; the programs, in which the counters are described.
fn programs(counters: &Counters, crates: &[String]) -> Result<Vec<PathBuf>> {
    let output = test(counters, crates)
        .args(["--no-run", "--message-format=json-render-diagnostics"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the tests cannot be built: see the messages above");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let programs: Vec<PathBuf> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok())
        .filter_map(|message| Some(message["executable"].as_str()?.into()))
        .collect();
    match programs.is_empty() {
        true => bail!("cargo names no test program"),
        false => Ok(programs),
    }
}

/// The counters of all runs as LCOV text.
fn report(folder: &Path, profiles: &Path, programs: &[PathBuf]) -> Result<String> {
    let merged = folder.join("merged.profdata");
    let mut merge = Command::new(build::llvm_tool("llvm-profdata")?);
    merge.args(["merge", "--sparse", "--output"]).arg(&merged);
    for entry in std::fs::read_dir(profiles)? {
        merge.arg(entry?.path());
    }
    cargo::succeed(&mut merge)?;
    let mut export = Command::new(build::llvm_tool("llvm-cov")?);
    export
        .args(["export", "--format=lcov", "--instr-profile"])
        .arg(&merged);
    for program in programs {
        export.arg("--object").arg(program);
    }
    let output = export.output().context("cannot run llvm-cov")?;
    if !output.status.success() {
        bail!(
            "llvm-cov: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The sources of the crates in LCOV text: `SF:` opens a file, `DA:` is a line and its count.
fn parse(report: &str, root: &Path) -> BTreeMap<String, Lines> {
    let mut files = BTreeMap::<String, Lines>::new();
    let mut file = None;
    for line in report.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = Path::new(path)
                .strip_prefix(root)
                .ok()
                .and_then(|path| path.to_str())
                .filter(|path| path.starts_with("crates/") && path.contains("/src/"))
                .map(str::to_owned);
        } else if let Some(data) = line.strip_prefix("DA:")
            && let Some(file) = &file
            && let Some((line, count)) = data.split_once(',')
            && let (Ok(line), Ok(count)) = (line.parse(), count.parse::<u64>())
        {
            *files
                .entry(file.clone())
                .or_default()
                .entry(line)
                .or_default() += count;
        }
    }
    files
}

/// How many of the lines ran.
pub fn percent<'l>(files: impl IntoIterator<Item = &'l Lines>) -> f64 {
    let (mut all, mut run) = (0usize, 0usize);
    for lines in files {
        all += lines.len();
        run += lines.values().filter(|count| **count > 0).count();
    }
    100.0 * run as f64 / all.max(1) as f64
}

/// What the figures fall short of; nothing if they are as wanted.
fn missing(files: &BTreeMap<String, Lines>) -> String {
    let (in_all, in_each) = WANTED;
    let mut text = String::new();
    let wanted = |file: &str| {
        ARGUED
            .iter()
            .find(|(argued, ..)| *argued == file)
            .map_or(in_each, |(_, wanted, _)| *wanted)
    };
    let below = files
        .iter()
        .filter(|(file, lines)| percent([*lines]) < wanted(file));
    match below.count() {
        0 => {}
        1 => text = format!("one file is below {in_each:.0} % or what is argued for it"),
        count => {
            text = format!("{count} files are below {in_each:.0} % or what is argued for them")
        }
    }
    if percent(files.values()) < in_all {
        let and = if text.is_empty() { "" } else { " and " };
        // A string takes everything.
        let _ = write!(text, "{and}{in_all:.0} % are wanted in all");
    }
    text
}

/// The files, those with most to do first.
fn table(files: &BTreeMap<String, Lines>) -> String {
    let mut rows: Vec<(f64, usize, &str)> = files
        .iter()
        .map(|(file, lines)| (percent([lines]), lines.len(), file.as_str()))
        .collect();
    rows.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut text = String::new();
    for (percent, lines, file) in rows {
        // A string takes everything.
        let _ = writeln!(text, "{percent:6.1} %  {lines:5} lines  {file}");
    }
    text
}

/// Lines that did not run, by file, as ranges.
pub fn gaps(files: &BTreeMap<String, Lines>) -> String {
    let mut text = String::new();
    for (file, lines) in files {
        let mut start = None;
        let mut end = 0;
        for (line, count) in lines.iter().map(|(line, count)| (*line, *count)) {
            match (start, count) {
                (None, 0) => (start, end) = (Some(line), line),
                (Some(_), 0) => end = line,
                (Some(first), _) => {
                    let _ = writeln!(text, "{file}:{first}-{end}");
                    start = None;
                }
                (None, _) => {}
            }
        }
        if let Some(first) = start {
            let _ = writeln!(text, "{file}:{first}-{end}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "SF:/top/crates/a/src/x.rs\nDA:1,5\nDA:2,0\nDA:3,0\nDA:7,1\nDA:9,0\nend_of_record\n\
        SF:/top/crates/a/src/y.rs\nDA:1,1\nend_of_record\n\
        SF:/top/crates/a/tests/z.rs\nDA:1,0\nend_of_record\nSF:/elsewhere/src/w.rs\nDA:1,0\nend_of_record\n";

    #[test]
    fn lines_are_counted_by_file_of_the_crates() {
        let files = parse(REPORT, Path::new("/top"));
        assert_eq!(files.len(), 2);
        assert!((percent(files.values()) - 50.0).abs() < 0.01);
        assert!(table(&files).starts_with("  40.0 %      5 lines  crates/a/src/x.rs\n"));
        assert_eq!(
            gaps(&files),
            "crates/a/src/x.rs:2-3\ncrates/a/src/x.rs:9-9\n"
        );
    }

    #[test]
    fn what_falls_short_is_told() {
        let mut files = parse(REPORT, Path::new("/top"));
        assert_eq!(
            missing(&files),
            "one file is below 95 % or what is argued for it and 98 % are wanted in all"
        );
        for count in files.values_mut().flat_map(BTreeMap::values_mut) {
            *count = 1;
        }
        assert_eq!(missing(&files), "");
    }

    #[test]
    fn what_is_not_measured_or_argued_exists() {
        let argued = ARGUED.map(|(file, ..)| file);
        for file in NOT_MEASURED.map(|(file, _)| file).iter().chain(&argued) {
            assert!(paths::root().join(file).is_file(), "{file}");
        }
    }

    #[test]
    fn a_line_that_several_programs_have_ran_if_it_ran_in_one() {
        let files = parse(
            &format!("{REPORT}SF:/top/crates/a/src/x.rs\nDA:2,4\n"),
            Path::new("/top"),
        );
        assert_eq!(files["crates/a/src/x.rs"][&2], 4);
    }
}
