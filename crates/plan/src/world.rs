// SPDX-License-Identifier: GPL-2.0-or-later
//! One boot on the executive's host: the real Session Manager, without a machine.
//!
//! A boot is a function of what it is given: every run begins from the same registry and the same
//! files, on a copy. What it gives is what was said and what was called, in the order in which both
//! happened, and what stands at its end.

use super::assume::Assumptions;
use super::moment::Moment;
use anyhow::{Context, Result, anyhow};
use executive::Version;
use executive::dump::Snapshot;
use executive::host::{RunEnd, VolumeImage, World};
use executive::machine::Architecture;
use executive::trace::Record;
use formats::hive::Hive;
use formats::pe::build::ImageFile;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Where the system is if nothing says otherwise.
pub const SYSTEM_PATH: &str = "\\ReactOS";
/// Size of the volume C: of a plan that was given none, in MiB.
const VOLUME: usize = 1024;
/// What the programs log; of a plan, only the Session Manager's own lines count.
const NOT_OURS: [&str; 2] = ["programs", "executive"];

/// What a boot is given.
pub struct Ground {
    /// What the images of the system are for.
    pub architecture: Architecture,
    /// The NT version that the kernel reports.
    pub version: Version,
    /// The folder of the system on drive C:, from a backslash on, such as [`SYSTEM_PATH`].
    pub root: String,
    /// Hives instead of those of the volume, or the default ones where it has none.
    pub hives: Vec<(&'static str, Hive)>,
    /// A FAT volume as drive C:, instead of an empty one.
    pub volume: Option<Vec<u8>>,
    /// Files on it, by their path from a backslash on; `None` is a folder.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
    /// Whether what is not on it is missing, the programs included that this repository has
    /// stand-ins for.
    pub strict: bool,
}

impl Ground {
    /// Whether a file is there.
    fn has(&self, volume: &mut VolumeImage, path: &str) -> bool {
        let mut files = self.files.iter();
        volume.facts(path).is_ok()
            || files.any(|(file, content)| content.is_some() && file.eq_ignore_ascii_case(path))
    }

    /// What there is a stand-in for and is not on the volume.
    fn missing(&self, volume: &mut VolumeImage) -> Vec<String> {
        let stand_ins = programs::PROGRAMS.iter().map(|program| program.name);
        let paths = stand_ins.map(|name| format!("{}\\System32\\{name}", self.root));
        paths.filter(|path| !self.has(volume, path)).collect()
    }

    /// The hives that are the volume's own.
    fn left(&self, volume: &mut VolumeImage) -> Vec<&'static str> {
        let names = ["SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT"].into_iter();
        let others = names.filter(|name| self.hives.iter().all(|(given, _)| given != name));
        let path = |name: &str| format!("{}\\System32\\config\\{name}", self.root);
        others
            .filter(|name| self.has(volume, &path(name)))
            .collect()
    }
}

/// The result of a boot.
pub struct Boot {
    /// How it ended.
    pub outcome: RunEnd,
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// What stands.
    pub snapshot: Snapshot,
}

/// Boots.
///
/// # Errors
/// The volume holds no FAT file system, or what is to be on it does not fit.
pub fn boot(ground: &Ground, assumptions: &Assumptions) -> Result<Boot> {
    let volume = match &ground.volume {
        None => VolumeImage::new(VOLUME),
        Some(bytes) => VolumeImage::open(bytes.clone()),
    };
    let mut volume = volume.map_err(|status| anyhow!("the volume cannot be used: {status}"))?;
    let missing = match ground.strict {
        true => ground.missing(&mut volume),
        false => Vec::new(),
    };
    let mut world = furnished(ground, assumptions, volume, missing)
        .map_err(|status| anyhow!("the volume has no room for what a boot needs: {status}"))?;
    let recorder = Recorder::claim();
    world.start(|seam| smss::run(seam, Box::leak(Box::new(smss::State::new(seam)))));
    recorder.follow(Box::new(world.trace_length()));
    let outcome = world.run();
    let lines = recorder.release();
    let session_manager = world
        .processes()
        .into_iter()
        .find(|process| process.image.eq_ignore_ascii_case("smss.exe"))
        .context("the kernel has not started smss.exe")?
        .id;
    let moments = in_order(world.trace(), lines, session_manager.into());
    Ok(Boot {
        outcome,
        moments,
        snapshot: world.look(|executive| executive.snapshot()),
    })
}

/// A world with all that is on this ground and assumed; what is `missing` there is taken away again.
fn furnished(
    ground: &Ground,
    assumptions: &Assumptions,
    mut volume: VolumeImage,
    missing: Vec<String>,
) -> nt::Result<World> {
    let left = ground.left(&mut volume);
    let root = format!("C:{}", ground.root);
    let mut world = World::at(ground.architecture, ground.version, volume, &root)?;
    for name in left {
        world.leave_hive(name);
    }
    for (name, hive) in &ground.hives {
        *world.hive(name) = hive.clone();
    }
    for (path, content) in &ground.files {
        match content {
            Some(bytes) => world.put(path, bytes)?,
            None => drop(world.directory(path)),
        }
    }
    world.write_hives()?;
    // In the place of a system's own, which is for another kernel, or for another machine.
    for program in programs::PROGRAMS {
        let image = ImageFile {
            subsystem: program.subsystem,
            i386: ground.architecture == Architecture::I386,
            ..ImageFile::default()
        };
        world.put_system_file(program.name, &image.bytes())?;
        world.code(program.name, programs::host::code(program));
    }
    for path in missing {
        world.remove_file(&path);
    }
    assumptions.put_on(&mut world)?;
    Ok(world)
}

/// Calls of one process and the lines that were logged before the call of each number.
fn in_order(
    trace: Vec<Record>,
    lines: Vec<(usize, log::Level, String)>,
    process: u64,
) -> Vec<Moment> {
    let mut moments = Vec::with_capacity(trace.len() + lines.len());
    let mut lines = lines.into_iter().peekable();
    for (number, record) in trace.into_iter().enumerate() {
        while let Some((_, level, text)) = lines.next_if(|(before, ..)| *before <= number) {
            moments.push(Moment::Said(level, text));
        }
        if record.client.process == process {
            moments.push(Moment::Called(record));
        }
    }
    moments.extend(lines.map(|(_, level, text)| Moment::Said(level, text)));
    moments
}

/// How many calls there have been.
type Position = Box<dyn Fn() -> usize + Send>;

/// What the logger of this process keeps while a boot is recorded.
#[derive(Default)]
struct Kept {
    position: Option<Position>,
    lines: Vec<(usize, log::Level, String)>,
}

/// The process's logger: the `log` crate has one for all. Two boots at a time would mix their
/// lines, so there is one claim.
struct Recorder {
    _claim: std::sync::MutexGuard<'static, ()>,
}

static KEPT: Mutex<Kept> = Mutex::new(Kept {
    position: None,
    lines: Vec::new(),
});

fn kept() -> std::sync::MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    fn claim() -> Self {
        static CLAIM: Mutex<()> = Mutex::new(());
        static LOGGER: Logger = Logger;
        let claim = CLAIM.lock().unwrap_or_else(PoisonError::into_inner);
        // The second time it is there already.
        let _ = log::set_logger(&LOGGER);
        nt::logging::install_log();
        nt::logging::limit(log::LevelFilter::Debug);
        *kept() = Kept::default();
        Self { _claim: claim }
    }

    fn follow(&self, position: Position) {
        kept().position = Some(position);
    }

    /// The lines, each with the number of calls before it.
    fn release(self) -> Vec<(usize, log::Level, String)> {
        std::mem::take(&mut *kept()).lines
    }
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        !NOT_OURS
            .iter()
            .any(|crates| metadata.target().starts_with(crates))
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = record.args().to_string();
            let mut kept = kept();
            let before = kept.position.as_ref().map_or(0, |position| position());
            kept.lines.push((before, record.level(), text));
        }
    }

    fn flush(&self) {}
}
