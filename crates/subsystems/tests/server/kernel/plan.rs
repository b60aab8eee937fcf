// SPDX-License-Identifier: GPL-2.0-or-later
//! The configuration that a test gives the Session Manager.

use super::Kernel;
use nt::UnicodeStr;
use nt::environment::Environment;
use nt::pages::PageVec;
use subsystems::{Plan, Subsystem};

/// A configuration made of texts.
pub struct TestPlan {
    pub system: &'static Kernel,
    pub kmode: Vec<Vec<u16>>,
    pub required: Vec<(Vec<u16>, Vec<u16>)>,
    pub optional: Vec<(Vec<u16>, Vec<u16>)>,
    pub execute: Vec<Vec<u16>>,
    pub single_posix: bool,
    pub initial_sessions: Option<u32>,
    environment: Environment<&'static Kernel>,
    library_path: PageVec<&'static Kernel, u16>,
}

pub fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

impl TestPlan {
    /// The default hive's: Kmode, Debug, Windows, and an optional Posix.
    pub fn new(system: &'static Kernel) -> Self {
        let path = (nt::wide!("Path"), nt::wide!("C:\\ReactOS\\System32"));
        let environment = Environment::of(system, std::iter::once(path)).unwrap();
        let pair = |name: &str, command: &str| (units(name), units(command));
        Self {
            system,
            kmode: vec![units("C:\\ReactOS\\system32\\win32k.sys")],
            required: vec![
                pair("Debug", ""),
                pair("Windows", "csrss.exe SubSystemType=Windows Windows=On"),
            ],
            optional: vec![pair("Posix", "psxss.exe"), pair("Odd", "nosuch.exe")],
            execute: vec![],
            single_posix: false,
            initial_sessions: None,
            environment,
            library_path: PageVec::new(system),
        }
    }

    pub fn windows(mut self, command: &str) -> Self {
        self.required[1].1 = units(command);
        self
    }

    pub fn leak(self) -> &'static Self {
        Box::leak(Box::new(self))
    }
}

fn entry((name, command): &(Vec<u16>, Vec<u16>)) -> Subsystem<'_> {
    Subsystem {
        name: UnicodeStr(name),
        command: UnicodeStr(command),
    }
}

impl Plan<&'static Kernel> for TestPlan {
    fn kmode(&self, index: usize) -> Option<UnicodeStr<'_>> {
        self.kmode.get(index).map(|text| UnicodeStr(text))
    }

    fn required(&self, index: usize) -> Option<Subsystem<'_>> {
        self.required.get(index).map(entry)
    }

    fn optional(&self, index: usize) -> Option<Subsystem<'_>> {
        self.optional.get(index).map(entry)
    }

    fn execute(&self, index: usize) -> Option<UnicodeStr<'_>> {
        self.execute.get(index).map(|text| UnicodeStr(text))
    }

    fn posix_single_instance(&self) -> bool {
        self.single_posix
    }

    fn session0_command(&self) -> Option<UnicodeStr<'_>> {
        None
    }

    fn initial_sessions(&self) -> Option<u32> {
        self.initial_sessions
    }

    fn launcher(&self) -> launch::Launcher<'_, &'static Kernel> {
        launch::Launcher {
            system: self.system,
            environment: &self.environment,
            library_path: self.library_path.as_str(),
            debug: false,
        }
    }
}
