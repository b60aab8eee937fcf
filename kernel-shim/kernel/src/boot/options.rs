// SPDX-License-Identifier: GPL-2.0-or-later
//! The kernel's command line: words, separated by blanks, each `name` or `name=value`, in any case,
//! with or without a leading slash.
//!
//! An unknown word is reported and skipped. The whole line becomes `Control\SystemStartOptions`
//! (spec 1.1 fact 12).

use executive::machine::Architecture;
use heapless::String;

/// Where the system is on its volume, unless the command line says otherwise.
const SYSTEM_PATH: &str = r"\ReactOS";

/// `SAFEBOOT:` (spec 1.1 fact 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafeBoot {
    /// `OptionValue` 1.
    Minimal,
    /// `OptionValue` 2.
    Network,
    /// `OptionValue` 3.
    DsRepair,
}

/// When a run ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitAt {
    /// Never: only a shutdown or a bugcheck ends it.
    Never,
    /// As soon as every thread waits and no timer runs, or by a shutdown.
    Settled,
    /// By a shutdown only.
    Shutdown,
}

/// Who is killed once the system has settled, to show what becomes of it (spec 12.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// `csrss.exe`.
    Csrss,
    /// `winlogon.exe`.
    Winlogon,
    /// `wininit.exe`.
    Wininit,
}

/// The parsed command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// `nt=5.2` (default) or `nt=6.1`: the version the kernel reports.
    pub version: (u32, u32),
    /// `arch=amd64` (default) or `arch=i386`: what the programs are made for.
    pub architecture: Architecture,
    /// `trace`: every system call on the serial port.
    pub trace: bool,
    /// `steps=smss.exe`: the first process with this image runs by single steps, and how often each of
    /// its instructions has run is printed at the end.
    pub steps: Option<String<16>>,
    /// `dump`: what stands, printed when settled. `dump=json` prints JSON.
    pub dump: bool,
    /// Whether the dump is JSON.
    pub json: bool,
    /// `exit=settled` or `exit=shutdown`.
    pub exit: ExitAt,
    /// `minint`.
    pub mini_nt: bool,
    /// `safeboot=minimal|network|dsrepair`.
    pub safe_boot: Option<SafeBoot>,
    /// `kill=csrss|winlogon|wininit`.
    pub kill: Option<Kill>,
    /// `gdbwait`: wait before the first process until a debugger sets `GDB_GO`.
    pub gdb_wait: bool,
    /// `hold`, `hold=<seconds>`: how long the stop screen stays before the run ends.
    pub hold: Hold,
    /// `log=error|warn|info|debug|trace`.
    pub log: log::LevelFilter,
    /// `image=\SystemRoot\...`: the first process, by default smss (spec 1.1 fact 1).
    pub image: String<128>,
    /// `systemroot=\WINDOWS`: the folder of the system on its volume, as a real loader tells it by
    /// its own way.
    pub system_path: String<64>,
    /// `timeout=<seconds>`: end with failure if the system has not settled by then.
    pub timeout: Option<u32>,
}

/// How long the stop screen stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Not at all: the run ends.
    No,
    /// This long.
    Seconds(u32),
    /// Until the machine is switched off.
    Forever,
}

impl Options {
    /// Parses the line; `unknown` sees every word that means nothing here.
    pub fn parse(line: &str, mut unknown: impl FnMut(&str)) -> Self {
        let mut options = Self {
            version: (5, 2),
            architecture: Architecture::Amd64,
            trace: false,
            steps: None,
            dump: false,
            json: false,
            exit: ExitAt::Never,
            mini_nt: false,
            safe_boot: None,
            kill: None,
            gdb_wait: false,
            hold: Hold::No,
            log: log::LevelFilter::Info,
            image: String::new(),
            system_path: String::new(),
            timeout: None,
        };
        for word in line.split_ascii_whitespace() {
            if options.word(word).is_none() {
                unknown(word);
            }
        }
        options
    }

    /// Where the system is, as programs see it: `C:\ReactOS`.
    pub fn system_root(&self) -> alloc::string::String {
        let path = match self.system_path.as_str() {
            "" => SYSTEM_PATH,
            path => path,
        };
        alloc::format!("C:{path}")
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let word = word.strip_prefix('/').unwrap_or(word);
        let (name, value) = word.split_once(['=', ':']).unwrap_or((word, ""));
        let is = |text: &str| value.eq_ignore_ascii_case(text);
        let mut lower: String<16> = String::new();
        for letter in name.chars() {
            lower.push(letter.to_ascii_lowercase()).ok()?;
        }
        match lower.as_str() {
            "nt" if is("5.2") => self.version = (5, 2),
            "nt" if is("6.1") => self.version = (6, 1),
            "arch" if is("amd64") => self.architecture = Architecture::Amd64,
            "arch" if is("i386") => self.architecture = Architecture::I386,
            "trace" => self.trace = true,
            "steps" => self.steps = Some(String::try_from(value).ok()?),
            "dump" if value.is_empty() || is("text") => self.dump = true,
            "dump" if is("json") => (self.dump, self.json) = (true, true),
            "exit" if is("settled") => self.exit = ExitAt::Settled,
            "exit" if is("shutdown") => self.exit = ExitAt::Shutdown,
            "minint" => self.mini_nt = true,
            "safeboot" if is("minimal") => self.safe_boot = Some(SafeBoot::Minimal),
            "safeboot" if is("network") => self.safe_boot = Some(SafeBoot::Network),
            "safeboot" if is("dsrepair") => self.safe_boot = Some(SafeBoot::DsRepair),
            "kill" if is("csrss") => self.kill = Some(Kill::Csrss),
            "kill" if is("winlogon") => self.kill = Some(Kill::Winlogon),
            "kill" if is("wininit") => self.kill = Some(Kill::Wininit),
            "hold" if value.is_empty() => self.hold = Hold::Forever,
            "hold" => self.hold = Hold::Seconds(value.parse().ok()?),
            "gdbwait" => self.gdb_wait = true,
            "log" => self.log = value.parse().ok()?,
            "image" => self.image = String::try_from(value).ok()?,
            "systemroot" if value.starts_with('\\') => {
                self.system_path = String::try_from(value).ok()?;
            }
            "timeout" => self.timeout = Some(value.parse().ok()?),
            _ => return None,
        }
        Some(())
    }
}
