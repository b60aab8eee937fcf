// SPDX-License-Identifier: GPL-2.0-or-later
//! A system to boot: the default medium, changed by a test, and what can be seen of it
//! afterwards.
#![allow(
    dead_code,
    reason = "two test targets use this, each a part of it: the boot tests and the scenarios"
)]

mod booted;

pub use booted::Booted;
use executive::Version;
use executive::ex::hard_errors::Parameter;
use executive::host::{Fault, RunEnd, World};
use executive::trace::{Argument, Record};
use formats::hive::reg_text::{self, string_data};
use formats::pe::build::{DATA_BEHIND_PAGE, ImageFile, PAGE_OF_CODE};
use formats::sectors::SECTOR;
use formats::utf16;
use nt::system::ShutdownAction;
use nt::system::ValueType;
use nt::{Status, UnicodeStr};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Prints what the programs log, if `SMSS_TEST_LOG` is set.
struct Printer;

impl log::Log for Printer {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!(
            "{:5} {}: {}",
            record.level(),
            record.target(),
            record.args()
        );
    }

    fn flush(&self) {}
}

/// How a boot ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Everybody waits.
    Settled,
    /// Hard error C000021A: parameters 0 and 1, and the texts among the rest.
    Stopped {
        text: String,
        status: Status,
        rest: Vec<String>,
    },
    /// Another bugcheck.
    Bugcheck(u32),
    /// Shut down.
    Shutdown(ShutdownAction),
}

impl End {
    /// The hard error with the parameters that most have.
    pub fn stopped(text: &str, status: Status) -> Self {
        Self::Stopped {
            text: text.to_owned(),
            status,
            rest: Vec::new(),
        }
    }
}

impl From<RunEnd> for End {
    fn from(outcome: RunEnd) -> Self {
        let check = match outcome {
            RunEnd::Settled => return Self::Settled,
            RunEnd::Shutdown(action) => return Self::Shutdown(action),
            RunEnd::Stopped(check) => check,
        };
        match &check.hard_error {
            Some((Status::SYSTEM_PROCESS_TERMINATED, parameters)) => {
                let (Some(Parameter::Text(text, _)), Some(Parameter::Number(status))) =
                    (parameters.first(), parameters.get(1))
                else {
                    panic!("parameters of the hard error: {parameters:?}");
                };
                // Spec 12.4: four of them, the last two zero, or for a known DLL three, the last
                // one its name.
                match parameters.get(2..) {
                    Some([Parameter::Number(0), Parameter::Number(0)] | [Parameter::Text(..)]) => {}
                    _ => panic!("parameters of the hard error: {parameters:?}"),
                }
                let rest = parameters
                    .iter()
                    .skip(2)
                    .filter_map(|parameter| match parameter {
                        Parameter::Text(text, _) => Some(text.clone()),
                        Parameter::Number(_) => None,
                    });
                Self::Stopped {
                    text: text.clone(),
                    status: Status::new(*status as u32),
                    rest: rest.collect(),
                }
            }
            _ => Self::Bugcheck(check.code),
        }
    }
}

/// Size of the volume C:, in MiB, unless a test wants another.
pub const VOLUME: usize = 256;

/// A system that has not booted yet.
pub struct Setup {
    world: World,
    traced: bool,
}

impl Setup {
    /// The default medium under a kernel of NT 5.2.
    pub fn new() -> Self {
        Self::of(Version::V5_2, VOLUME)
    }

    /// The same under a kernel of NT 6.1.
    pub fn nt6() -> Self {
        Self::of(Version::V6_1, VOLUME)
    }

    /// The same on a volume of `mebibytes` MiB.
    pub fn of(version: Version, mebibytes: usize) -> Self {
        if std::env::var_os("SMSS_TEST_LOG").is_some() && log::set_logger(&Printer).is_ok() {
            nt::logging::install_log();
            nt::logging::limit(log::LevelFilter::Debug);
        }
        let mut world = World::with_volume(version, mebibytes);
        programs::host::install(&mut world);
        Self {
            world,
            traced: false,
        }
    }

    /// Everything that the disk of C: is asked to do is recorded.
    pub fn recorded(mut self) -> Self {
        self.world.record_disk();
        self
    }

    /// Every call is recorded.
    pub fn traced(mut self) -> Self {
        self.traced = true;
        self
    }

    /// A value below the Session Manager key.
    pub fn value(mut self, key: &str, name: &str, kind: ValueType, data: &[u8]) -> Self {
        self.world.set_value(key, name, kind.0, data);
        self
    }

    pub fn sz(self, key: &str, name: &str, text: &str) -> Self {
        self.value(key, name, ValueType::SZ, &string_data(text))
    }

    pub fn expand(self, key: &str, name: &str, text: &str) -> Self {
        self.value(key, name, ValueType::EXPAND_SZ, &string_data(text))
    }

    pub fn multi(self, key: &str, name: &str, texts: &[&str]) -> Self {
        let data: Vec<u8> = texts
            .iter()
            .flat_map(|text| string_data(text))
            .chain([0, 0])
            .collect();
        self.value(key, name, ValueType::MULTI_SZ, &data)
    }

    pub fn without_value(mut self, key: &str, name: &str) -> Self {
        self.world.delete_value(key, name);
        self
    }

    /// Without a key below the Session Manager key.
    pub fn without_key(mut self, key: &str) -> Self {
        let hive = self.world.hive("SYSTEM");
        let path = utf16(&format!("ControlSet001\\Control\\Session Manager\\{key}"));
        let at = hive
            .find(hive.root(), UnicodeStr(&path))
            .expect("the key is in the default hive");
        hive.delete_key(at, 0).expect("it has no subkeys");
        self
    }

    /// A string below HKLM\SOFTWARE.
    pub fn software_sz(mut self, key: &str, name: &str, text: &str) -> Self {
        let hive = self.world.hive("SOFTWARE");
        let path = utf16(key);
        let name = utf16(name);
        let at = hive
            .create_path(hive.root(), UnicodeStr(&path), false, 0)
            .expect("the key can be made");
        hive.set_value(at, UnicodeStr(&name), ValueType::SZ.0, string_data(text), 0)
            .expect("the value can be set");
        self
    }

    /// The loader's options.
    pub fn boot_options(mut self, options: &str) -> Self {
        self.world.boot_options(options);
        self
    }

    /// A file on C:.
    pub fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.world.file(path, content);
        self
    }

    /// A file less on C:.
    pub fn without_file(mut self, path: &str) -> Self {
        self.world.remove_file(path);
        self
    }

    /// A DLL in System32 that imports from others.
    pub fn library(mut self, name: &str, imports: &[&str]) -> Self {
        self.world.library(name, imports);
        self
    }

    /// A DLL in System32 whose headers can be read, but not the sector with its import table.
    pub fn spoilt_library(mut self, name: &str) -> Self {
        let image = ImageFile {
            name,
            dll: true,
            code: PAGE_OF_CODE,
            imports: &[("gdi32.dll", "Function")],
            ..ImageFile::default()
        }
        .bytes();
        self.world
            .file(&format!("\\ReactOS\\System32\\{name}"), &image);
        self.world.spoil(&image[DATA_BEHIND_PAGE..][..SECTOR]);
        self
    }

    /// `.reg` text on top of a hive.
    pub fn reg_text(mut self, hive: &str, text: &str) -> Self {
        let text = format!("Windows Registry Editor Version 5.00\n\n{text}");
        reg_text::apply(self.world.hive(hive), &text, "", 0).expect("the text is sound");
        self
    }

    /// Attributes of a file on C:.
    pub fn attributes(mut self, path: &str, attributes: u32) -> Self {
        self.world.file_attributes(path, attributes);
        self
    }

    /// Every file of C: with its content, as it is before the boot.
    pub fn files(mut self) -> BTreeMap<String, Vec<u8>> {
        self.world.files()
    }

    fn fault(mut self, call: Option<&str>, nth: u64, status: Status, persistent: bool) -> Self {
        let call = call.map(str::to_owned);
        self.world.fault(Fault {
            image: Some("smss.exe".to_owned()),
            call,
            nth,
            persistent,
            status,
        });
        self
    }

    /// The `nth` call of smss fails, whatever it is.
    pub fn fail_nth(self, nth: u64, status: Status, persistent: bool) -> Self {
        self.fault(None, nth, status, persistent)
    }

    /// The `nth` call of this service by smss fails.
    pub fn fail(self, call: &str, nth: u64, status: Status) -> Self {
        self.fault(Some(call), nth, status, false)
    }

    /// Every call of this service by smss fails.
    pub fn fail_always(self, call: &str, status: Status) -> Self {
        self.fault(Some(call), 1, status, true)
    }

    /// The first call of this service by smss that names `text` in a default boot fails.
    pub fn fail_on(self, call: &str, text: &str, status: Status) -> Self {
        static REFERENCE: OnceLock<Vec<Record>> = OnceLock::new();
        let reference = REFERENCE.get_or_init(|| Self::new().traced().boot().trace_of("smss.exe"));
        let named = |record: &&Record| {
            record.arguments.iter().any(
                |(_, argument)| matches!(argument, Argument::Text(found) if found.ends_with(text)),
            )
        };
        let calls = reference.iter().filter(|record| record.call == call);
        let nth = calls
            .clone()
            .position(|record| named(&record))
            .unwrap_or_else(|| panic!("no {call} names {text}"));
        self.fail(call, nth as u64 + 1, status)
    }

    /// Boots.
    pub fn boot(mut self) -> Booted {
        if !self.traced {
            self.world.no_trace();
        }
        self.world
            .start(|seam| smss::run(seam, Box::leak(Box::new(smss::State::new(seam)))));
        Booted::settled(self.world)
    }
}
