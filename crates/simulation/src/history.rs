// SPDX-License-Identifier: GPL-2.0-or-later
//! A history: everything that is decided before it is played, as plain data.
//!
//! Nothing in it depends on anything else in it, so that any part can be left out and what is left
//! is a history still: that is what makes shrinking possible.

use crate::machine::{Machine, PowerCut, Rename};
use crate::random::Random;
use crate::settings::Setting;
use crate::statuses;
use executive::Version;
use nt::Status;

/// What a client does; each is a program that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Starts a session with this initial command, or the default one.
    Start(Option<&'static str>),
    /// Ends the session with this number.
    Stop(u32),
    /// Lists the sessions.
    List,
    /// Has a program run in a session.
    Exec(u32, &'static str),
    /// Starts an optional subsystem.
    Load(&'static str),
    /// A client that ends in the middle of something, at this step.
    Die(u32),
    /// A client that breaks the protocol in this way.
    Break(&'static str),
}

impl Operation {
    /// The program's command line.
    pub fn command_line(&self) -> String {
        match self {
            Self::Start(None) => "smctl.exe start".to_owned(),
            Self::Start(Some(command)) => format!("smctl.exe start {command}"),
            Self::Stop(session) => format!("smctl.exe stop {session}"),
            Self::List => "smctl.exe list".to_owned(),
            Self::Exec(session, program) => format!("smctl.exe exec {session} {program}"),
            Self::Load(name) => format!("smctl.exe load {name}"),
            Self::Die(step) => format!("smdie.exe {step}"),
            Self::Break(case) => format!("smtest.exe {case}"),
        }
    }
}

/// A call of smss that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedCall {
    /// Which of smss' calls, from 0.
    pub call: u64,
    /// With what: a choice among what that call can give.
    pub choice: u64,
}

impl FailedCall {
    /// What `call` gives.
    pub fn status(&self, call: &str) -> Status {
        statuses::of(call, self.choice)
    }
}

/// A call that takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowCall {
    /// The image.
    pub image: &'static str,
    /// Which call of all processes of that image, from 0.
    pub call: u64,
    /// How long, in seconds of virtual time.
    pub seconds: u64,
}

/// A process that ends at one of its own calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// The image.
    pub image: &'static str,
    /// Which call of all processes of that image, from 0.
    pub call: u64,
}

/// A place where the running thread gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preemption {
    /// Which point of all processes, from 0: a call, or a lock of smss' own that is taken.
    pub point: u64,
    /// Which of those that are ready goes on: this number modulo how many there are.
    pub next: u64,
}

/// In which order threads run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At some of the points the next thread is drawn at random from those that are ready.
    Drawn {
        /// The seed of the draws.
        seed: u64,
        /// How often.
        one_in: u64,
    },
    /// First come, first served, but for these.
    Listed(Vec<Preemption>),
}

/// A whole history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The kernel's version.
    pub version: Version,
    /// How the subsystem servers of new sessions behave, one after the other, then honestly.
    pub servers: Vec<&'static str>,
    /// How many programs the registry asks to run before the subsystems, and which.
    pub boot_commands: Vec<&'static str>,
    /// The disks.
    pub machine: Machine,
    /// What else the registry says.
    pub settings: Vec<Setting>,
    /// Pending renames.
    pub renames: Vec<Rename>,
    /// What clients do: those of one round at the same time, the rounds one after the other.
    pub rounds: Vec<Vec<Operation>>,
    /// Which calls fail.
    pub faults: Vec<FailedCall>,
    /// Which calls are slow.
    pub slow: Vec<SlowCall>,
    /// Which requests for a frame of memory are refused, counted from the first boot's start.
    pub frames: Vec<u64>,
    /// Which processes die.
    pub deaths: Vec<Death>,
    /// Who runs.
    pub schedule: Schedule,
    /// The power cuts of the first boots, one a boot.
    pub power_cuts: Vec<PowerCut>,
}

/// Ways of the server of a new session (`Elsewhere=` of the stand-in csrss).
const WAYS: &[&str] = &[
    "honest", "silent", "deaf", "mute", "refuses", "leaves", "nameless", "dies", "wordy", "twice",
];

const COMMANDS: &[&str] = &["sleep.exe", "logoff.exe", "winlogon.exe", "nosuch.exe"];
const PROGRAMS: &[&str] = &["sleep.exe", "console.exe", "winlogon.exe", "nosuch.exe"];
const BOOT_COMMANDS: &[&str] = &["autocheck autochk *", "exit.exe", "nosuch.exe"];
const MORTALS: &[&str] = &["csrss.exe", "winlogon.exe", "smctl.exe", "psxss.exe"];
const SLOW: &[&str] = &[
    "csrss.exe",
    "smss.exe",
    "smctl.exe",
    "psxss.exe",
    "winlogon.exe",
];
/// Cases of smtest that a Session Manager in any state must outlive.
const BROKEN: &[&str] = &[
    "unknown-numbers",
    "foreign-sessions",
    "session-complete",
    "deferred-names",
    "stop-csr",
    "short-messages",
    "long-connection-data",
    "forged-headers",
    "exec-pgm",
    "query",
];

/// Roughly how many calls smss makes in a boot: faults are drawn below this, and beyond it those
/// that hit what clients ask for.
const BOOT_CALLS: u64 = 500;
/// Roughly how many it makes in all.
const ALL_CALLS: u64 = 1500;
/// Roughly how many frames of memory are asked for in a boot and what follows.
const FRAMES: u64 = 3000;

impl History {
    /// The history of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let random = &mut random;
        let version = *random.pick(&[Version::V5_2, Version::V6_1]);
        let servers = many(random, 4, |random| *random.pick(WAYS));
        let boot_commands = many(random, 2, |random| *random.pick(BOOT_COMMANDS));
        let renames = if random.one_in(3) {
            many(random, 5, Rename::draw)
        } else {
            Vec::new()
        };
        let machine = Machine::draw(random);
        let settings = if random.one_in(2) {
            many(random, 6, Setting::draw)
        } else {
            Vec::new()
        };
        let rounds = many(random, 5, |random| {
            let mut round = many(random, 3, operation);
            round.push(operation(random));
            round
        });
        let disturbed_boot = random.one_in(3);
        let faults = match random.below(4) {
            0 => Vec::new(),
            1 => vec![fault(random, disturbed_boot)],
            2 => vec![fault(random, disturbed_boot), fault(random, disturbed_boot)],
            _ => many(random, 12, |random| fault(random, disturbed_boot)),
        };
        let slow = if random.one_in(3) {
            many(random, 3, |random| SlowCall {
                image: random.pick(SLOW),
                call: random.below(400),
                seconds: 1 << random.below(8),
            })
        } else {
            Vec::new()
        };
        let frames = if random.one_in(4) {
            many(random, 4, |random| random.below(FRAMES))
        } else {
            Vec::new()
        };
        let deaths = if random.one_in(2) {
            many(random, 3, |random| Death {
                image: random.pick(MORTALS),
                call: random.below(160),
            })
        } else {
            Vec::new()
        };
        let schedule = match random.below(3) {
            0 => Schedule::Listed(Vec::new()),
            1 => Schedule::Drawn {
                seed: random.bits(),
                one_in: 1,
            },
            _ => Schedule::Drawn {
                seed: random.bits(),
                one_in: 2 + random.below(40),
            },
        };
        let power_cuts = if !renames.is_empty() && random.one_in(2) {
            let mut cuts = many(random, 1, PowerCut::draw);
            cuts.push(PowerCut::draw(random));
            cuts
        } else {
            Vec::new()
        };
        Self {
            version,
            servers,
            boot_commands,
            machine,
            settings,
            renames,
            rounds,
            faults,
            slow,
            frames,
            deaths,
            schedule,
            power_cuts,
        }
    }

    /// How much there is in it: what shrinking makes smaller.
    pub fn size(&self) -> usize {
        let schedule = match &self.schedule {
            Schedule::Drawn { .. } => 1000,
            Schedule::Listed(preemptions) => preemptions.len(),
        };
        self.servers.len()
            + self.boot_commands.len()
            + self.machine.size()
            + self.settings.len()
            + self.renames.len()
            + self
                .rounds
                .iter()
                .map(|round| 1 + round.len())
                .sum::<usize>()
            + self.faults.len()
            + self.slow.len()
            + self.frames.len()
            + self.deaths.len()
            + schedule
            + self.power_cuts.len()
    }
}

/// Up to `most` of something.
pub fn many<T>(random: &mut Random, most: u64, mut one: impl FnMut(&mut Random) -> T) -> Vec<T> {
    (0..random.below(most + 1)).map(|_| one(random)).collect()
}

fn operation(random: &mut Random) -> Operation {
    let session = |random: &mut Random| 1 + random.below(4) as u32;
    match random.below(11) {
        0..=3 => Operation::Start(random.one_in(3).then(|| *random.pick(COMMANDS))),
        4 | 5 => Operation::Stop(session(random)),
        6 => Operation::List,
        7 => Operation::Exec(session(random), random.pick(PROGRAMS)),
        8 => Operation::Load("Posix"),
        9 => Operation::Break(random.pick(BROKEN)),
        _ => Operation::Die(random.below(6) as u32),
    }
}

fn fault(random: &mut Random, boot: bool) -> FailedCall {
    let call = if boot {
        random.below(BOOT_CALLS)
    } else {
        BOOT_CALLS + random.below(ALL_CALLS - BOOT_CALLS)
    };
    FailedCall {
        call,
        choice: random.bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_history_and_another_gives_another() {
        assert_eq!(History::draw(7), History::draw(7));
        assert_ne!(History::draw(7), History::draw(8));
    }
}
